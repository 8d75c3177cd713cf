"""(2) Thousands of initial conditions at matched error: quadflow, loops over solvers for one, and other engines."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from benchmarks.engines import Engine, engines
from benchmarks.matched import Bracket, bracket, seconds_at
from benchmarks.one_thread import check_one_thread
from benchmarks.report import Table
from benchmarks.solvers import OURS, PLAIN, reference
from benchmarks.textbook import right_hand_side
from benchmarks.timing import SHORTEST_CHECKED, Spent, interleaved
from dynamics import Problem, Student, Teacher
from dynamics.aliases import Array
from dynamics.budget import usable_cores

TARGET = 1e-8
SHARE = 0.95  # of the trajectories; close to a separatrix errors grow without bound
ROUNDS = 3


@dataclass(frozen=True, eq=False)
class Task:
    """N starts of one problem; `every` tells which of them the slow engines are timed on, and all are judged by."""

    name: str
    title: str
    teacher: Teacher
    W: Array
    a: Array
    times: Array
    every: int

    @property
    def theta(self) -> Array:
        """Initial states (N, n)."""
        return np.concatenate([self.W.reshape(len(self.W), -1), self.a], axis=1)

    @property
    def problem(self) -> Problem:
        """The first of them."""
        return Problem(self.teacher, Student(self.W[0], self.a[0]))


def single_mode(count: int = 10_000) -> list[Table]:
    """10⁴ starts of one unit that learns one mode."""
    rng = np.random.default_rng(0)
    W, a = 0.3 * rng.standard_normal((count, 1, 1)), 0.3 * rng.standard_normal((count, 1))
    teacher, times = Teacher.from_eigenvalues([1.5]), np.linspace(0, 5, 11)
    title = f"{count} initial conditions of a single mode, t ≤ 5"
    return measure(Task("single mode", title, teacher, W, a, times, 100))


def four_units(count: int = 1000) -> list[Table]:
    """10³ starts with K = 4, d = 4."""
    rng = np.random.default_rng(0)
    W, a = 0.05 * rng.standard_normal((count, 4, 4)), 0.1 * rng.standard_normal((count, 4))
    teacher, times = Teacher.from_eigenvalues([4.0, 2.0, 1.0], 4), np.linspace(0, 8, 11)
    title = f"{count} initial conditions with K = 4, d = 4, t ≤ 8"
    return measure(Task("four units", title, teacher, W, a, times, 40))


def measure(task: Task) -> list[Table]:
    """All engines at the error wanted."""
    theta, part = task.theta, task.theta[:: task.every]
    field = right_hand_side(task.problem)
    exact = np.stack([reference(field, start, task.times) for start in part])

    def error(states: Array) -> float:
        """What 95 % of the trajectories stay below, relative to the largest weight."""
        errors = np.abs(states - exact).max(axis=(1, 2)) / np.abs(exact).max()
        return float(np.quantile(np.nan_to_num(errors, nan=np.inf), SHARE, method="higher"))

    rows: list[dict[str, Any]] = []
    brackets: dict[str, Bracket | None] = {}
    found: dict[str, tuple[Engine, Bracket, int]] = {}
    calls: dict[str, Callable[[], object]] = {}
    for engine in engines(task.teacher, task.W.shape[1]):
        print(f"    {task.name}: {engine.label}", file=sys.stderr)
        if engine.states not in brackets:
            brackets[engine.states] = bracket(_runner(engine, part, task.times), error, TARGET)
        met = brackets[engine.states]
        if met is None:
            continue
        starts = part if engine.slow else theta
        found[engine.label] = engine, met, len(starts)
        for which, point in (("met", met.met), ("looser", met.looser)):
            if point is not None:
                calls[f"{engine.label} {which}"] = partial(engine.solve, starts, task.times, point.rtol)
        if engine.cores > 1 or not engine.slow:
            calls[f"{engine.label} met"]()  # compiled for as many, in every process
    times = {name: _least(name, spent) for name, spent in interleaved(calls, ROUNDS).items()}
    for label, (engine, met, count) in found.items():
        wall, processor = (1e3 / count * _at(met, times, label, which) for which in ("wall", "processor"))
        rows.append(
            {
                "engine": engine.name,
                "kind": engine.kind,
                "cores": engine.cores,
                "rtol": met.met.rtol,
                "error": met.met.error,
                "timed": count,
                "ms per trajectory": wall if engine.cores > 1 else processor,
            }
        )
    for row in rows:
        row["time / quadflow's on as many cores"] = row["ms per trajectory"] / _ours(rows, row["cores"])
    rows.sort(key=lambda row: (row["cores"], row["ms per trajectory"]))
    note = (
        f"Time per trajectory at an error of {TARGET:g} in {100 * SHARE:g} % of the trajectories (largest deviation of "
        f"any weight at {len(task.times)} times, relative to the largest weight), interpolated in logarithms between "
        "the loosest tolerance that meets it, which is shown, and a quarter of a decade above; shortest of "
        f"{ROUNDS} interleaved runs. On one core it is processor time; on {usable_cores()} cores that of the clock on "
        "the wall, which tells something on a machine that does nothing else. Loops are timed on evenly chosen "
        "trajectories, LSODA and CVODE are given the Jacobian; joblib's processes are kept and have compiled before."
    )
    return [Table(f"initial conditions, {task.name}", f"(2) {task.title}", note, rows)]


def _runner(engine: Engine, starts: Array, times: Array) -> Callable[[float], Callable[[], Array]]:
    return lambda rtol: partial(engine.solve, starts, times, rtol)


def _least(name: str, times: list[Spent]) -> Spent:
    """Shortest by each clock; what claims one core is held to it."""
    least = times[0]
    if ", 1 " in name and least.wall > SHORTEST_CHECKED:
        check_one_thread(name, least.processor, least.wall)
    return replace(least, wall=min(s.wall for s in times))


def _at(found: Bracket, times: dict[str, Spent], label: str, clock: str) -> float:
    looser = found.looser
    before = None if looser is None else (looser.error, getattr(times[f"{label} looser"], clock))
    return seconds_at(TARGET, before, (found.met.error, getattr(times[f"{label} met"], clock)))


def _ours(rows: list[dict[str, Any]], cores: int) -> float:
    """Of the fastest of ours on as many cores."""
    return min(
        row["ms per trajectory"]
        for row in rows
        if row["kind"] in (OURS, PLAIN) and row["cores"] in (1, cores)
    )
