"""(1) One trajectory at matched error: quadflow and its peers, on the textbook's problem and on our own reduction."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

import numpy as np

from benchmarks.formulations import formulations
from benchmarks.matched import Bracket, bracket, error_of, times_at
from benchmarks.report import Table
from benchmarks.solvers import HUGE, LARGE, LARGER, OURS, PLAIN, SMALL, Choice, NumpyFlow, peers, reference
from benchmarks.textbook import problem_of, problem_of_outputs
from benchmarks.timing import fastest
from benchmarks.version01 import version01
from dynamics import GradientFlow, Problem
from dynamics.aliases import Array

TARGET = 1e-8
SAMPLES, DEFAULT_SAMPLES = 41, 201
COMPILED_DEFAULT = "DOP853-numba"  # of those who name it, for many large integrations
DEFAULT_RTOL = 1e-12  # of quadflow and of its version 0.1


@dataclass(frozen=True)
class Case:
    """A problem, how long it is followed and who takes part."""

    name: str
    title: str
    make: Callable[[], Problem]
    t_end: float
    choice: Choice
    rounds: int
    decades: tuple[int, ...] = (9,)  # tolerances 10^−n that are tried in any case, for the figure

    def times(self, samples: int) -> Array:
        """Evenly spaced sample times."""
        return np.linspace(0, self.t_end, samples)


def power_law(R: int) -> tuple[float, ...]:
    """Eigenvalues 4/m, m = 1 … R."""
    return tuple(4 / m for m in range(1, R + 1))


def large_case(
    R: int, eigenvalues: tuple[float, ...], choice: Choice = LARGER, decades: tuple[int, ...] = (9,)
) -> Case:
    """100 inputs, 50 units and a teacher with R modes."""
    title = f"one large trajectory: d = 100, K = 50, R = {R}, t ≤ 2"
    make = partial(problem_of, 100, 50, eigenvalues=eigenvalues)
    return Case(f"large R = {R}", title, make, 2.0, choice, 5, decades)


SMALL_CASE = Case(
    "small",
    "one small trajectory: d = 4, K = 3, t ≤ 12",
    partial(problem_of, 4, 3),
    12.0,
    SMALL,
    9,
    tuple(range(3, 13)),
)
LARGE_CASES = {
    3: large_case(3, (4.0, 2.0, 1.0), LARGE, (5, 7, 9)),
    **{R: large_case(R, power_law(R)) for R in (5, 50, 100)},
}
MANY_MODES = Case(
    "many modes",
    "many modes and inputs: d = 1000, K = 20, R = 500, t ≤ 0.2",
    partial(problem_of, 1000, 20, eigenvalues=power_law(500)),
    0.2,
    HUGE,
    1,
)
MANY_OUTPUTS = Case(
    "many outputs",
    "many outputs: d = 100, K = 20, R = 20, O = 100, t ≤ 0.3",
    partial(problem_of_outputs, 100, 20, 20, 100),
    0.3,
    HUGE,
    2,
)


def small() -> list[Table]:
    """4 inputs, 3 units, through the saddles until converged."""
    return measure(SMALL_CASE)


def large(R: int) -> list[Table]:
    """100 inputs, 50 units, a teacher of 3, 5, 50 or 100 modes."""
    return measure(LARGE_CASES[R])


def many_modes() -> list[Table]:
    """500 modes in 1000 inputs."""
    return measure(MANY_MODES)


def many_outputs() -> list[Table]:
    """100 outputs."""
    return measure(MANY_OUTPUTS)


def measure(case: Case) -> list[Table]:
    """Every solver at the error wanted, and the work–precision points found on the way."""
    problem, times = case.make(), case.times(SAMPLES)
    cheapest = formulations(problem)[-1]  # where it is wrong, no solver on another one meets the goal
    exact = cheapest.lift(reference(cheapest.side(np), cheapest.theta, times))
    everyone = {peer.label: peer for peer in peers(problem, times, case.choice)}
    brackets: dict[str, Bracket] = {}
    for label, peer in everyone.items():
        print(f"    {case.name}: {label}", file=sys.stderr)
        found = bracket(peer.runner, lambda states: error_of(states, exact), TARGET, case.decades)
        if found is not None:
            brackets[label] = found
    best = times_at(TARGET, brackets, case.rounds)
    ours = min((best[label] for label in best if everyone[label].kind in (OURS, PLAIN)), default=None)
    rows = [
        {
            "solver": everyone[label].name,
            "kind": everyone[label].kind,
            "given": everyone[label].formulation or "–",
            "rtol": brackets[label].met.rtol,
            "error": brackets[label].met.error,
            "seconds": best[label],
            "set-up [s]": brackets[label].setup,
            "time / quadflow's best": None if ours is None else best[label] / ours,
        }
        for label in sorted(best, key=lambda label: best[label])
    ]
    note = (
        f"Processor seconds at an error of {TARGET:g} (largest deviation of any weight at {SAMPLES} times, relative to "
        "the largest weight), interpolated in logarithms between the loosest tolerance that meets it, which is shown, "
        "and a quarter of a decade above; shortest of several interleaved runs on one thread. Quadflow's includes its "
        "reduction and the loss at all samples, peers that are given the reduction get it ready. Set-up: what the "
        "first run takes longer (compilation), imports not counted."
    )
    missed = [label for label in everyone if label not in brackets]
    if missed:
        note += f" Not at that error with rtol ≥ 1e-13: {'; '.join(missed)}."
    curves = [
        {"solver": label, "rtol": p.rtol, "error": p.error, "seconds": p.seconds}
        for label, found in brackets.items()
        for p in found.curve
    ]
    return [
        Table(f"trajectory {case.name}", f"(1) {case.title[0].upper()}{case.title[1:]}", note, rows),
        Table(f"work-precision {case.name}", f"(1) Work–precision, {case.title}", "One run each.", curves),
    ]


def default() -> list[Table]:
    """What a user gets who names no method and no tolerance, against version 0.1."""
    rows = []
    for case in (*LARGE_CASES.values(), MANY_MODES, MANY_OUTPUTS):
        print(f"    {case.name}", file=sys.stderr)
        problem, times = case.make(), case.times(DEFAULT_SAMPLES)
        calls: dict[str, Callable[[], object]] = {
            "auto": lambda problem=problem, times=times: GradientFlow(problem).integrate(times=times).W,
            "numpy": lambda problem=problem, times=times: NumpyFlow(problem).integrate(times=times).W,
            "old": lambda problem=problem, times=times: version01(problem, times, DEFAULT_RTOL),
        }
        if find_spec("numba") is not None and GradientFlow(problem).kernel() is not None:
            calls["numba"] = lambda problem=problem, times=times: (
                GradientFlow(problem).integrate(times=times, method=COMPILED_DEFAULT).W
            )
            calls["numba"]()  # compiled code is loaded
        best = fastest(calls, max(1, case.rounds // 2))
        numba = best.get("numba")
        rows.append(
            {
                "problem": case.title[0].upper() + case.title[1:],
                "quadflow [s]": best["auto"],
                "with numba [s]": numba,
                "NumPy alone [s]": best["numpy"],
                "version 0.1 [s]": best["old"],
                "version 0.1 / quadflow": best["old"] / best["auto"],
                "version 0.1 / with numba": None if numba is None else best["old"] / numba,
            }
        )
    note = (
        f"{DEFAULT_SAMPLES} samples, default method (with numba: {COMPILED_DEFAULT}) and tolerance "
        f"({DEFAULT_RTOL:g}), from problem to weights in all inputs, loss included; shortest of interleaved runs, one "
        "thread. Version 0.1 is its formula and its way to sample under SciPy's DOP853 (`benchmarks/version01.py`)."
    )
    return [
        Table("default", "(1) Large trajectories at the default tolerance, against version 0.1", note, rows)
    ]
