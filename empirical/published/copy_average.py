"""Fewer erf units than the teacher has: one of them averages what the others do not copy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from dynamics.aliases import Array
from empirical.published.entry import Entry, Ours, Series, Source, Tolerance

SIZES = ((4, 2), (5, 2), (5, 3), (6, 3))  # units of the teacher, and of the student
FLOW, STARTS, FEW_STARTS = (4, 2), 12, 1  # whose gradient flow is followed, from how many random starts
REACHED = 1e-9  # of the loss: how near a flow must come
COPIES = 0.9  # cosine with a teacher unit, from which on a unit copies it approximately


def partitions(units: int, groups: int, most: int | None = None) -> Iterator[tuple[int, ...]]:
    """Ways to write a number as a sum of so many positive ones, in descending order."""
    if groups == 1:
        if most is None or units <= most:
            yield (units,)
        return
    for first in range(min(units - groups + 1, most or units), 0, -1):
        for rest in partitions(units - first, groups - 1, first):
            yield (first, *rest)


def copy_average(groups: Sequence[int]) -> tuple[Array, Array]:
    """Weights of the student whose units average groups of so many teacher units each.

    One unit averages m orthonormal ones with w = Σ_j v_j/√(m(2m − 1)) and second layer m: there the loss of that unit
    alone is at rest (derived here; for m = 1 it is a copy), and units of different groups have no overlap.
    """
    W = np.zeros((len(groups), sum(groups) + 1))
    ends = np.cumsum(groups)
    for row, m, end in zip(W, groups, ends, strict=True):
        row[end - m : end] = 1 / np.sqrt(m * (2 * m - 1))
    return W, np.array([groups], dtype=float)


def loss_and_velocity(groups: Sequence[int]) -> tuple[float, float]:
    """Loss of a copy-average configuration, and the largest entry of its velocity."""
    from dynamics.problem import Problem, Student, Teacher

    W, A = copy_average(groups)
    units = sum(groups)
    problem = Problem(Teacher(np.eye(units, units + 1), np.ones(units)), Student(W, A), activation="erf")
    velocity = problem.population.velocity(W, A)
    return float(problem.population.loss(W, A)), float(max(np.abs(v).max() for v in velocity))


def ends_as_claimed(units: int, hidden: int, seed: int) -> bool:
    """Whether gradient flow from a random start ends at the optimal copy-average point, or copies unit by unit."""
    from dynamics.flows.gradient import GradientFlow
    from dynamics.problem import Problem, Student, Teacher

    best = loss_and_velocity((units - hidden + 1, *(1,) * (hidden - 1)))[0]
    student = Student.initialise(hidden=hidden, inputs=units + 1, scale=1.0, seed=seed)
    problem = Problem(Teacher(np.eye(units, units + 1), np.ones(units)), student, activation="erf")
    run = GradientFlow(problem).integrate()
    W = run.W[-1] / np.linalg.norm(run.W[-1], axis=1, keepdims=True)
    copied = np.abs(W[:, :units]).argmax(axis=1)
    distinct = len(set(copied)) == hidden and bool((np.abs(W).max(axis=1) > COPIES).all())
    return abs(run.loss[-1] - best) < REACHED * best or distinct


def compute(series: Sequence[Series], quick: bool) -> list[Ours]:
    """Velocities and losses of all copy-average configurations, and the ends of gradient flows."""
    fastest, averaged = 0.0, list[float]()
    for units, hidden in SIZES:
        found = {groups: loss_and_velocity(groups) for groups in partitions(units, hidden)}
        fastest = max(fastest, *(velocity for _, velocity in found.values()))
        averaged.append(max(min(found.items(), key=lambda item: item[1][0])[0]))
    starts = FEW_STARTS if quick else STARTS
    ended = [ends_as_claimed(*FLOW, seed) for seed in range(starts)]
    return [Ours.of(fastest), Ours.of(averaged), Ours.of(np.mean(ended))]


ENTRY = Entry(
    name="copy-average",
    claim="A student of n erf units and a teacher of k > n orthonormal ones: copy-average configurations are critical "
    "points; the best of them copies n − 1 units and averages the other k − n + 1; gradient flow ends there, or where "
    "each unit copies another one approximately.",
    source=Source(
        paper="Şimşek, Bendjeddou, Gerstner, Brea, Should under-parameterized student networks copy or average teacher "
        "weights?",
        address="arXiv:2311.01644",
        place="abstract",
        read_as="abstract",
    ),
    series=(
        Series(
            quantity="largest velocity at copy-average configurations",
            values=(0.0,),
            tolerance=Tolerance("Critical points are at rest, up to rounding.", absolute=1e-14),
        ),
        Series(
            quantity="units averaged at the optimum",
            values=tuple(float(k - n + 1) for k, n in SIZES),
            names=tuple(f"n = {n} of k = {k}" for k, n in SIZES),
            tolerance=Tolerance("Whole numbers."),
        ),
        Series(
            quantity="fraction of gradient flows that end as claimed",
            values=(1.0,),
            tolerance=Tolerance("Each of them."),
        ),
    ),
    command="quadflow simulate --activation erf --teacher 1,1,1,1 --inputs 5 --hidden 2 --init-scale 1 --seed 0",
    compute=compute,
    found="In closed form: the unit that averages m units has w = Σ v/√(m(2m − 1)) and second layer m. For k = 4 and "
    "n = 2 all of our flows end at the optimal copy-average point.",
)
