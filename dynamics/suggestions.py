"""Help with misspelt names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known name most like a misspelt one, if any is like it.

    Examples
    --------
    >>> closest("relux", ["quadratic", "relu", "abs"])
    'relu'
    """
    names = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), names, n=1)
    return names[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Question after the closest name, with a space before it; nothing if there is none."""
    name = closest(word, known)
    return "" if name is None else f" Did you mean {name!r}?"
