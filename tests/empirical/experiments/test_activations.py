"""Flows of several activations and networks beside them: each with its own problem and end, and how far apart."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from empirical import train
from empirical.experiments.activations import activation_curves

TEACHER, STUDENT = Teacher.from_eigenvalues([2, 1]), Student.initialise(2, 2, scale=0.4, seed=7)
PROBLEMS = [Problem(TEACHER, STUDENT, name) for name in ("abs", "quadratic")]
HOW = {"step": 5e-3, "batch": 8, "seed": 4}


def test_each_is_followed_to_its_own_end():
    """1000 times of the flow, and the networks of a training of t_end / step steps."""
    curves = activation_curves(PROBLEMS, [0.1, 0.2], seeds=3, **HOW)
    for curve, problem, end, steps in zip(curves, PROBLEMS, (0.1, 0.2), (20, 40), strict=True):
        assert curve.trajectory.problem is problem
        np.testing.assert_allclose(curve.trajectory.times, np.linspace(0, end, 1000), rtol=1e-12)
        again = train(problem, steps=steps, seeds=3, **HOW)
        np.testing.assert_array_equal(curve.run.loss, again.loss)


def test_how_far_networks_are_apart():
    """Largest distance of the mean from the flow at the records, over the initial loss; plateaus above a thousandth."""
    (curve,) = activation_curves(PROBLEMS[1:], [0.2], seeds=3, **HOW)
    flow = GradientFlow(PROBLEMS[1]).integrate(times=curve.run.times).loss
    apart = np.abs(curve.run.loss.mean(axis=0) - flow).max() / flow[0]
    assert curve.apart == pytest.approx(apart, rel=1e-3)  # the flow of the curve is interpolated
    assert curve.plateaus == sum(stage.loss > 1e-3 * flow[0] for stage in curve.trajectory.stages) == 1
    assert curve.summary() == (
        f"quadratic: networks within {apart:.2%} of the initial loss, 1 plateau before the end"
    )


def test_theory_alone():
    """Eight units from tiny weights rest on three plateaus, as theory says of three modes."""
    student = Student.initialise(8, 6, scale=0.01, seed=6)
    problem = Problem(Teacher.from_eigenvalues([4, 2, 1], 6), student)
    (curve,) = activation_curves([problem], [60.0], seeds=0, **HOW)
    assert curve.run is None and curve.apart is None
    assert curve.summary() == "quadratic: 3 plateaus before the end"


def test_ends_are_positive():
    with pytest.raises(ProblemError, match="`t_end` is 0"):
        activation_curves(PROBLEMS[:1], [0], seeds=0, **HOW)
