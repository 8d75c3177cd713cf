"""Solvers at the same error: tolerances in steps of a quarter of a decade, times interpolated to the error wanted.

A solver whose error happens to lie just below the goal would otherwise be compared with one that is ten times more
accurate than it was asked to be.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.solvers import Runner
from benchmarks.timing import fastest, seconds
from dynamics.aliases import Array

LOOSEST, TIGHTEST = 3, 13  # tolerances 1e-3 … 1e-13
QUARTERS = 4
SHORT = 0.5  # processor seconds of a run that is repeated: the first one at a tolerance may compile
LONGEST = 4.0  # processor seconds of one run, beyond which a solver gets no tighter tolerance


@dataclass(frozen=True)
class Point:
    """One solver at one tolerance.

    Parameters
    ----------
    rtol, error : float
    first, seconds : float
        Processor seconds of the first run, which may compile, and of a second one if the first was short.
    run : callable
    """

    rtol: float
    error: float
    first: float
    seconds: float
    run: Callable[[], object]


@dataclass(frozen=True)
class Bracket:
    """The loosest tolerance that meets the goal, and the next looser one, which misses it (None if none does).

    Parameters
    ----------
    setup : float
        Processor seconds that the first run took longer than the second: compilation. 0 of runs too long for a second.
    looser, met : Point
    curve : list of Point
        All that was tried, from loose to tight.
    """

    setup: float
    looser: Point | None
    met: Point
    curve: list[Point]


def error_of(states: Array, exact: Array) -> float:
    """Largest deviation of any weight at any sample time, relative to the largest weight."""
    if states.shape != exact.shape or not np.isfinite(states).all():
        return math.inf
    return float(np.abs(states - exact).max() / np.abs(exact).max())


def bracket(
    runner: Runner, error: Callable[[Array], float], goal: float, decades: Sequence[int] = (9,)
) -> Bracket | None:
    """Tolerances 10^−n of all the decades given, others until one meets the goal and one misses it, and the quarters.

    None if the goal is met by no tolerance down to 1e-13, or by none within `LONGEST` seconds.
    """
    points: dict[float, Point] = {}

    def at(exponent: float) -> Point:
        run = runner(10.0**-exponent)
        first, states = _timed(run)
        again = first < (SHORT if points else LONGEST)
        points[exponent] = Point(
            10.0**-exponent, error(states), first, min(first, seconds(run)) if again else first, run
        )
        return points[exponent]

    start = at(decades[0])
    for exponent in decades[1:]:
        if at(exponent).seconds > LONGEST:
            break
    while not (met := [e for e, p in points.items() if p.error <= goal]):
        tightest = max(points)
        if tightest >= TIGHTEST or points[tightest].seconds > LONGEST:
            return None
        at(tightest + 1)
    while (looser := min(met) - 1) >= LOOSEST and looser not in points:
        if at(looser).error <= goal:
            met.append(looser)
    if min(met) > min(points):
        for quarter in range(1, QUARTERS):
            if at(min(met) - 1 + quarter / QUARTERS).error <= goal:
                break
    curve = [points[e] for e in sorted(points)]
    reached = next(n for n, p in enumerate(curve) if p.error <= goal)
    return Bracket(
        start.first - start.seconds, curve[reached - 1] if reached else None, curve[reached], curve
    )


def _timed(run: Callable[[], Array]) -> tuple[float, Array]:
    kept: list[Array] = []
    return seconds(lambda: kept.append(run())), kept[0]


def seconds_at(goal: float, looser: tuple[float, float] | None, met: tuple[float, float]) -> float:
    """Time at an error, on the line between two points (error, seconds) in logarithms of both.

    The point that meets the goal itself where no looser one is known.
    """
    if looser is None or not math.isfinite(looser[0]) or met[0] <= 0:
        return met[1]
    (e0, s0), (e1, s1) = looser, met
    share = math.log(e0 / goal) / math.log(e0 / e1)
    return s0 * (s1 / s0) ** share


def times_at(goal: float, brackets: dict[str, Bracket], rounds: int) -> dict[str, float]:
    """Seconds of every solver at the error wanted, all runs taken in turn.

    Raises
    ------
    RuntimeError
        If one of them kept more than one thread busy.
    """
    calls: dict[str, Callable[[], object]] = {}
    for name, found in brackets.items():
        calls[f"{name} met"] = found.met.run
        if found.looser is not None:
            calls[f"{name} looser"] = found.looser.run
    best = fastest(calls, rounds)
    return {
        name: seconds_at(
            goal,
            None if found.looser is None else (found.looser.error, best[f"{name} looser"]),
            (found.met.error, best[f"{name} met"]),
        )
        for name, found in brackets.items()
    }
