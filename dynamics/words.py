"""Numbers of things in sentences."""

from __future__ import annotations


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
