"""Timing of callables that do the same work, in turn, so that a drifting or busy machine hits all alike.

What runs on one thread is measured in seconds of the processor, which others on the machine do not prolong; what uses
several cores is measured by the clock on the wall too.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks.one_thread import check_one_thread

SHORTEST_CHECKED = 1e-3  # seconds; the clocks of shorter calls tell nothing about threads


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


@dataclass(frozen=True)
class Spent:
    """Seconds of one call: of the processor, all threads together, and of the clock on the wall."""

    processor: float
    wall: float


def spent(call: Callable[[], object]) -> Spent:
    """Time of one call, without the collector of garbage."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        wall, processor = time.perf_counter(), time.process_time()
        call()
        processor = time.process_time() - processor
        return Spent(processor, time.perf_counter() - wall)
    finally:
        if collecting:
            gc.enable()


def seconds(call: Callable[[], object]) -> float:
    """Processor time of one call."""
    return spent(call).processor


def fastest(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Shortest of several runs of each, taken in turn: the one that was disturbed least, in processor seconds.

    XLA multiplies large matrices by more threads than it was told to: of what kept several busy the time on the wall
    counts, which is shorter, and standard error says so.
    """
    best = {name: times[0] for name, times in interleaved(calls, rounds).items()}
    return {name: _counted(name, least) for name, least in best.items()}


def _counted(name: str, least: Spent) -> float:
    """Seconds that count of a call that was asked to be done by one thread."""
    if least.wall > SHORTEST_CHECKED:
        try:
            check_one_thread(name, least.processor, least.wall)
        except RuntimeError as several:
            print(f"    {several} Its time on the wall counts.", file=sys.stderr)
            return least.wall
    return least.processor


def interleaved(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[Spent]]:
    """All times of each, in turn, the shortest of the processor first."""
    times: dict[str, list[Spent]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            times[name].append(spent(call))
    return {name: sorted(found, key=lambda s: s.processor) for name, found in times.items()}
