"""Timing of callables that do the same work, in turn, so that a drifting or busy machine hits all alike."""

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
    """Time both in turn, A B A B …, after one warm-up of each."""
    ours()
    theirs()
    times = [(seconds(ours), seconds(theirs)) for _ in range(pairs)]
    a, b = (median(column) for column in zip(*times, strict=True))
    return Row(task, alternative, a, b, median(y / x for x, y in times), agreement)


def fastest(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Shortest of several runs of each, taken in turn: the one that was disturbed least, in seconds."""
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            best[name] = min(best[name], seconds(call))
    return best


def seconds(call: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
