"""Jumps and plateaus under laws that rotations leave alone, against their integrated flow; what other laws are told."""

from __future__ import annotations

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.saddle_to_saddle.staircase import Staircase, staircase

TEACHER = Teacher.from_eigenvalues([4, 2, 1])


def passed(problem: Problem, prediction: Staircase) -> tuple[np.ndarray, np.ndarray]:
    """When the integrated loss passes the mean of the heights around each jump; losses halfway through plateaus."""
    jumps = np.array([jump.time for jump in prediction.jumps])
    middles = 0.5 * (np.append(0, jumps) + np.append(jumps, 1.5 * jumps[-1]))
    fine = np.concatenate([np.linspace(0.97 * t, 1.03 * t, 301) for t in jumps])
    flow = GradientFlow(problem).integrate(
        times=np.unique(np.concatenate([middles, fine])), max_evaluations=20_000
    )
    halves = [0.5 * (jump.loss_before + jump.loss_after) for jump in prediction.jumps]
    return np.interp(halves, flow.loss[::-1], flow.times[::-1])[: len(jumps)], np.interp(
        middles, flow.times, flow.loss
    )


@pytest.mark.parametrize(
    ("law", "activation", "gamma", "c"),
    [("sphere", "quadratic", 3 / 5, 1.0), ("student-t:6", "centred", 2.0, 0.5)],
)
def test_times_and_heights(law: str, activation: str, gamma: float, c: float) -> None:
    """ε = 1e-3: times within 1 % of the integrated flow, heights L_S = γ[Σ λ_j² + cT²/(2 + cr)] (derived here)."""
    start = Student.initialise(3, 3, scale=1e-3, seed=1)
    problem = Problem(TEACHER, start, activation, distribution=law)
    prediction = staircase(problem)
    lam = np.array([4.0, 2.0, 1.0])
    heights = [gamma * (np.sum(lam[r:] ** 2) + c * lam[r:].sum() ** 2 / (2 + c * r)) for r in range(4)]
    assert [level.loss for level in prediction.levels] == pytest.approx(heights, abs=1e-12)
    assert [jump.loss_before for jump in prediction.jumps] == pytest.approx(heights[:-1])
    assert [jump.loss_after for jump in prediction.jumps] == pytest.approx(heights[1:], abs=1e-12)
    times, losses = passed(problem, prediction)
    np.testing.assert_allclose([jump.time for jump in prediction.jumps], times, rtol=0.01)
    np.testing.assert_allclose(losses[:-1], heights[:-1], rtol=0.01)


@pytest.mark.parametrize(("law", "activation"), [("sphere", "quadratic"), ("student-t:6", "centred")])
def test_times_with_a_fixed_second_layer(law: str, activation: str) -> None:
    """ε = 1e-9: each mode passes half of its value when predicted.

    Up to the size ε^{2(1 − θ_s/θ_{s+1})} < 1e-6 that the next one has grown to by then, and interpolation.
    """
    start = Student.initialise(4, 3, scale=1e-9, seed=1, second_layer="fixed")
    problem = Problem(TEACHER, start, activation, distribution=law)
    prediction = staircase(problem)
    times = np.linspace(0, 1.1 * prediction.jumps[-1].time, 4001)
    flow = GradientFlow(problem).integrate(times=times, max_evaluations=20_000)
    for jump, level in zip(prediction.jumps, prediction.levels[1:], strict=True):
        half = 0.5 * level.values[level.learned.index(jump.mode)]
        assert np.interp(half, flow.modes[:, jump.mode], flow.times) == pytest.approx(jump.time, rel=2e-3)


def test_copies_are_warned_of_in_the_time_of_the_flow() -> None:
    """Quadratic units on the sphere: the Gaussian staircase with times over γ = 3/5, those in its words as well."""
    w = 1e-3 * np.array([1.0, 0.5, 0.2])
    student = Student(np.stack([w, w]), np.array([1e-3, 1e-3]))
    sphere, gaussian = (
        staircase(Problem(TEACHER, student, distribution=law)) for law in ("sphere", "gaussian")
    )
    times = [jump.time for jump in gaussian.jumps]
    assert [jump.time for jump in sphere.jumps] == pytest.approx([t / 0.6 for t in times])
    errors = [jump.uncertainty for jump in gaussian.jumps]
    assert [jump.uncertainty for jump in sphere.jumps] == pytest.approx([e / 0.6 for e in errors])
    (words,) = [w for w in gaussian.warnings if "copies" in w]
    moment = float(words.split("t = ")[1].split()[0])
    (said,) = [w for w in sphere.warnings if "copies" in w]
    assert float(said.split("t = ")[1].split()[0]) == pytest.approx(moment / 0.6, rel=0.01)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"distribution": "uniform"}, "laws that rotations leave as they are"),
        ({"distribution": "sphere", "activation": "centred"}, "some forms vanish"),
        ({"distribution": "sphere", "weight_decay": 0.1}, "where weights decay"),
        ({"distribution": "student-t:4"}, "NU above twice the degree"),
        ({"data": (np.eye(3), np.ones(3))}, "`data` is 'data'"),
    ],
)
def test_what_has_no_staircase(how: dict, message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        staircase(Problem(TEACHER, Student.initialise(2, 3, scale=1e-3), **how))
