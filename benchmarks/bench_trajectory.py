"""(1) One trajectory at matched error, and work–precision: quadflow, solve_ivp, diffrax, torchdiffeq."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.report import Table
from benchmarks.solvers import reference, runners
from benchmarks.textbook import problem_of, right_hand_side, start_of
from benchmarks.timing import fastest, seconds
from dynamics.aliases import Array

TARGET = 1e-8
TOLERANCES = [10.0**-k for k in range(3, 14)]
FLOOR = 3e-12  # an error that the reference may have itself
LONGEST = 4.0  # seconds of one run, beyond which a solver gets no tighter tolerance


@dataclass(frozen=True)
class Point:
    """One solver at one tolerance."""

    rtol: float
    error: float
    seconds: float
    run: Callable[[], Array]


def small() -> list[Table]:
    """4 inputs, 3 units, through the saddles until converged."""
    return measure("small", "one small trajectory: d = 4, K = 3, t ≤ 12", 4, 3, 12.0)


def large() -> list[Table]:
    """100 inputs, 50 units, where the alternatives integrate 5050 unknowns."""
    return measure("large", "one large trajectory: d = 100, K = 50, t ≤ 2", 100, 50, 2.0, large=True)


def measure(name: str, title: str, d: int, K: int, t_end: float, large: bool = False) -> list[Table]:
    """Work–precision points of every solver, then all at their loosest tolerance that meets the target."""
    problem, times = problem_of(d, K), np.linspace(0, t_end, 41)
    exact = reference(right_hand_side(problem), start_of(problem), times)
    setups, curves = {}, {}
    for solver, runner in runners(problem, times, large).items():
        print(f"    {solver}", file=sys.stderr)
        setups[solver], curves[solver] = _curve(runner, exact)
    chosen = {
        solver: next(p for p in points if p.error <= TARGET)
        for solver, points in curves.items()
        if any(p.error <= TARGET for p in points)
    }
    best = fastest({solver: point.run for solver, point in chosen.items()}, rounds=3 if large else 9)
    ours = min(best[solver] for solver in best if solver.startswith("quadflow"))
    rows = [
        {
            "solver": solver,
            "rtol": point.rtol,
            "error": point.error,
            "seconds": best[solver],
            "set-up [s]": setups[solver],
            "time / quadflow's best": best[solver] / ours,
        }
        for solver, point in sorted(chosen.items(), key=lambda item: best[item[0]])
    ]
    curve_rows = [
        {"solver": solver, "rtol": p.rtol, "error": p.error, "seconds": p.seconds}
        for solver, points in curves.items()
        for p in points
    ]
    note = (
        f"Every solver at its loosest tolerance with an error below {TARGET:g} (largest deviation of any weight at 41 "
        "times, relative to the largest weight); shortest of several interleaved runs, one thread. Set-up: what the "
        "first run takes longer (compilation), imports not counted."
    )
    missed = sorted(set(curves) - set(chosen))
    if missed:
        note += f" Not within {LONGEST:g} s at that error: {', '.join(missed)}."
    return [
        Table(f"trajectory {name}", f"(1) {title[0].upper()}{title[1:]}", note, rows),
        Table(
            f"work-precision {name}",
            f"(1) Work–precision, {title}",
            "The shortest of three runs.",
            curve_rows,
        ),
    ]


def _curve(runner: Callable[[float], Callable[[], Array]], exact: Array) -> tuple[float, list[Point]]:
    """Set-up time and points from loose to tight tolerances, as far as they get better and do not take too long."""
    points: list[Point] = []
    setup = 0.0
    for rtol in TOLERANCES:
        run = runner(rtol)
        first = seconds(run)
        states = run()
        taken = fastest({"": run}, rounds=2 if first < LONGEST / 2 else 1)[""]
        if not points:
            setup = max(0.0, first - taken)
        error = np.inf
        if states.shape == exact.shape:
            error = float(np.abs(states - exact).max() / np.abs(exact).max())
        points.append(Point(rtol, error, taken, run))
        if taken > LONGEST or error < FLOOR:
            break
    return setup, points


BENCHMARKS = (small, large)
