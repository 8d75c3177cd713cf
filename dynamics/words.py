"""Numbers of things in sentences, and lists of numbers."""

from __future__ import annotations

from collections.abc import Iterable

SHOWN = 8  # numbers of a list: more do not fit on a line


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number and what is counted; the plural, where there is not one, is the noun with an s unless it is given.

    Examples
    --------
    >>> counted(1, "independent law"), counted(0, "law"), counted(201, "sample")
    ('1 independent law', '0 laws', '201 samples')
    >>> counted(3, "trajectory", "trajectories")
    '3 trajectories'
    """
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def listed(values: Iterable[float | str], form: str = ".4g", shown: int = SHOWN) -> str:
    """Values in a row; of more than `shown` the first ones, the last, and how many there are.

    Examples
    --------
    >>> listed([4.0, 2.0, -1.0])
    '4, 2, -1'
    >>> listed(range(50), "d", shown=4)
    '0, 1, 2, …, 49 (50 in all)'
    """
    texts = [value if isinstance(value, str) else format(value, form) for value in values]
    if len(texts) <= shown:
        return ", ".join(texts)
    return ", ".join([*texts[: shown - 1], "…", f"{texts[-1]} ({len(texts)} in all)"])
