"""Ranges and lists of numbers that an option takes in a sweep, START:STOP:COUNT or V1,V2,…"""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np

from dynamics.budget import check_number
from dynamics.errors import ProblemError
from empirical.sweep.grid import LARGEST_SWEEP
from quadflow.notes import note

SPACINGS = ("linear", "log")
EXACT = 2.0**53  # whole numbers below are told apart
NAMED = 6  # counts that a note names


def numbers(text: str, values: str, whole: bool) -> tuple[Any, ...]:
    """Numbers separated by commas; `text` is how errors name them."""
    try:
        return tuple((int if whole else float)(part) for part in values.split(","))
    except ValueError:
        kind = "whole numbers" if whole else "numbers"
        raise ProblemError(f"`--vary` is {text!r}, but needs {kind} separated by commas.") from None


def number_range(text: str, values: str, whole: bool) -> tuple[Any, ...]:
    """Numbers from START to STOP, both included, rounded if they must be whole; notes what may be meant otherwise."""
    start, stop, count, *spacing = values.split(":") + [""] * (2 - values.count(":"))
    scale = spacing[0] if spacing else "linear"
    try:
        first, last, n = float(start), float(stop), int(count)
    except ValueError:
        raise ProblemError(
            f"`--vary` is {text!r}, but a range is START:STOP:COUNT, or that with :log."
        ) from None
    if len(spacing) > 1 or scale not in SPACINGS:
        raise ProblemError(
            f"`--vary` is {text!r}, but after the count only {' or '.join(SPACINGS)} can stand."
        )
    if n < 1 or not np.isfinite([first, last]).all() or (scale == "log" and min(first, last) <= 0):
        raise ProblemError(
            f"`--vary` is {text!r}, but needs a count of at least 1, finite ends, and positive ones for log."
        )
    check_number(f"`--vary` is {text!r}, which", n, LARGEST_SWEEP, "values", "give fewer")
    points = np.geomspace(first, last, n) if scale == "log" else np.linspace(first, last, n)
    taken = tuple(dict.fromkeys(round(float(p)) for p in points)) if whole else tuple(points.tolist())
    if scale == "linear" and first.is_integer() and last.is_integer() and max(abs(first), abs(last)) < EXACT:
        note(_remarks(text, int(first), int(last), n, whole))
    return taken


def _remarks(text: str, first: int, last: int, n: int, whole: bool) -> list[str]:
    """What to say of a range between whole numbers: its third number looks like a step, or its values are rounded."""
    span = abs(last - first)
    even = n > 1 and span % (n - 1) == 0  # the values are whole by themselves
    if span % n == 0 and span // n > 1 and (n <= 2 or not even):
        values = {1: f"1 value, {first}", 2: f"2 values, {first} and {last}"}.get(n, f"{n} values")
        steps = f"{first}:{last}:{span // n + 1}"
        return [f"`--vary {text}` means {values}: the third number is their count; steps of {n} are {steps}"]
    if whole and n > 1 and not even:
        fitting = (d + 1 for d in range(1, min(span, LARGEST_SWEEP) + 1) if span % d == 0)
        counts = list(islice(fitting, NAMED + 1))
        allowed = ", ".join(map(str, counts[:NAMED])) + (" …" if len(counts) > NAMED else "")
        return [f"`--vary {text}` is rounded to whole numbers: those of {allowed} values need no rounding"]
    return []
