"""Paired timing of two callables that do the same work."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Row:
    """One comparison: seconds are medians, `ratio` is the median over pairs of alternative / ours."""

    task: str
    alternative: str
    ours: float
    theirs: float
    ratio: float
    agreement: str


def compare_times(
    task: str,
    ours: Callable[[], object],
    alternative: str,
    theirs: Callable[[], object],
    agreement: str,
    pairs: int = 5,
) -> Row:
    """Time both in turn, A B A B …, after one warm-up of each, so that a drifting machine hits both alike."""
    ours()
    theirs()
    times = [(_seconds(ours), _seconds(theirs)) for _ in range(pairs)]
    a, b = (median(column) for column in zip(*times, strict=True))
    return Row(task, alternative, a, b, median(y / x for x, y in times), agreement)


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def table(rows: list[Row]) -> str:
    """Aligned text table."""
    head = ("task", "alternative", "quadflow", "alternative", "ratio", "results agree to")
    body = [
        (r.task, r.alternative, f"{r.ours:.3g} s", f"{r.theirs:.3g} s", f"{r.ratio:.1f}", r.agreement)
        for r in rows
    ]
    widths = [max(len(line[i]) for line in (head, *body)) for i in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in (head, *body)
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
