"""How long SGD on the sphere needs to find a direction, by the equations of its order parameters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dynamics.aliases import Array
from empirical.published.entry import Entry, Ours, Series, Tolerance
from empirical.published.sources import MEDIOCRITY, at

INPUTS, STEP, NOISE = 3000, 0.1, 1e-4  # d, γ and the variance of the label noise
EARLY = 1e-3  # of their clock: the start is recorded at one step of it
FRACTIONS = (0.5, 0.99)  # of the first risk
# Overlaps with the teacher and with one another, of one unit and of two; that of one from its first risk 2(1 − m²).
ONE = (1.9993170768076014,)
TWO, BETWEEN = (-0.018478679503644416, 0.027630649304770855), -0.005092957541373037
TIMES = ((2.497041786, 1.068466836), (1.067869981, 0.386641796))


def start(units: int) -> Array:
    """Unit weights (p, 3) with the stored overlaps."""
    if units == 1:
        m = np.sqrt(1 - ONE[0] / 2)
        return np.array([[m, np.sqrt(1 - m**2), 0.0]])
    m = np.array(TWO)
    beyond = BETWEEN - m[0] * m[1]
    first = np.sqrt(1 - m[0] ** 2)
    second = beyond / first
    return np.array([[m[0], first, 0.0], [m[1], second, np.sqrt(1 - m[1] ** 2 - second**2)]])


def times_to(fractions: Sequence[float], units: int) -> list[float]:
    """When the risk falls to these fractions of its first value, on their clock, which is ours over the units."""
    from dynamics.escape.prediction import escape_time
    from dynamics.problem import Problem, Student, Teacher
    from dynamics.sgd.sphere_sgd import SphereSGD

    W = start(units)
    student = Student(W, np.full((1, units), 1 / units), trainable=False)
    problem = Problem(Teacher(np.eye(1, 3), np.ones(1)), student, constraint="sphere")
    if units == 1:  # in the leading order of d, which is what they integrate
        m = float(W[0, 0])
        wide = Student(np.pad(W, ((0, 0), (0, INPUTS - 3))), np.ones((1, 1)), trainable=False)
        problem = Problem(Teacher(np.eye(1, INPUTS), np.ones(1)), wide, constraint="sphere")
        reached = [float(np.sqrt(1 - f * (1 - m**2))) for f in fractions]
        found = [
            escape_time(
                problem, overlap=overlap, overlap_at_start=m, step=STEP / INPUTS, label_noise=NOISE
            ).sgd_time
            for overlap in reached
        ]
        return [np.nan if time is None else float(time) for time in found]
    clock = np.linspace(0.0, 3.0, 3001)
    run = SphereSGD(problem, step=STEP / 3, label_noise=NOISE).integrate(times=clock)
    return [float(np.interp(-f * run.loss[0], -run.loss, clock)) / units for f in fractions]


def compute(series: Sequence[Series], quick: bool) -> list[Ours]:
    """Of one unit, and of two."""
    return [Ours.of(times_to(FRACTIONS, units)) for units in (1, 2)]


ENTRY = Entry(
    name="escape-equation",
    claim="One-pass SGD of quadratic units on the sphere that learn one direction, d = 3000: when the equation of the "
    "order parameters reaches half, and 99 %, of the first risk; one unit and two.",
    source=at(
        MEDIOCRITY,
        "computation-database/time-measure/ode/7a75c1abd5a1364220ec8fa47ef841be.yaml (p = 1), "
        "fc32c781f762f5f4841463432173a352.yaml (p = 2; its start: Qs[0], Ms[0] of "
        "sde/17d4c2eea81e2653f259fb8e223a1a32.yaml): times, risks, interpolated",
    ),
    series=tuple(
        Series(
            quantity="time",
            case=f"p = {units}",
            names=("half of the risk", "99 % of the risk"),
            values=tuple(time - EARLY for time in times),
            tolerance=Tolerance(
                "Their explicit Euler method has the step 0.001, and so has their clock.", absolute=3e-3
            ),
        )
        for units, times in zip((1, 2), TIMES, strict=True)
    ),
    command="quadflow escape --constraint sphere --teacher 1 --inputs 3000 --step 3.3333333e-5 --label-noise 1e-4 "
    "--overlap-at-start 0.018478679 --overlap 0.707227477",
    compute=compute,
    found="A notebook of the repository prints 1.091 for the 99 % of one unit: the next point of its grid of times.",
)
