"""More units than inputs, one second-layer value: as many units as inputs are integrated, and all come out.

Held against the flow that integrates every unit (``reduce=False``), neuron by neuron.
"""

import numpy as np
import pytest

from dynamics import FiniteDataFlow, GradientFlow, IntegrationError, ModifiedFlow, Problem, Student, Teacher
from dynamics.problem.merged_units import merged_units

K, D = 7, 4


def wide(activation="quadratic", outputs=1, **more):
    """Seven units in four inputs, with a = 0.3 (and −0.2 of a second output)."""
    W = np.random.default_rng(2).standard_normal((K, D))
    A = np.outer([0.3, -0.2][:outputs], np.ones(K))
    return Problem(
        Teacher.from_eigenvalues([2, 1, -0.5], D, outputs), Student(W, A, False), activation, **more
    )


SIGMA = np.array([[1.5, 0.4, 0, 0], [0.4, 0.8, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
PROBLEMS = {
    "raw": {},
    "centred": {"activation": "centred"},
    "two outputs": {"outputs": 2},
    "covariance": {"covariance": SIGMA},
    "decay": {"weight_decay": 0.2},
    "sphere": {"distribution": "sphere"},
    "another loss": {"loss": "log-cosh"},
    "another teacher": {"teacher_activation": "relu"},
}
KEEP = {"rtol": 1e-11, "times": [0, 0.1, 0.5]}


@pytest.mark.parametrize("how", PROBLEMS.values(), ids=PROBLEMS)
def test_every_neuron_is_recovered(how):
    problem = wide(**how)
    every = GradientFlow(problem, reduce=False).integrate(**KEEP)
    flow = GradientFlow(problem)
    few = flow.integrate(**KEEP)
    assert flow.smaller().theta0.size == D * D and flow.theta0.size == K * D
    np.testing.assert_allclose(few.W, every.W, atol=1e-9)
    np.testing.assert_allclose(few.A, every.A)
    np.testing.assert_allclose(few.loss, every.loss, rtol=1e-9)
    np.testing.assert_allclose(few.modes, every.modes, atol=1e-9)
    assert few.problem is problem
    np.testing.assert_allclose(few.W[0], problem.student.W, atol=1e-15)


@pytest.mark.parametrize(
    "make",
    [
        lambda p: ModifiedFlow(p, 0.01, 0.5),
        lambda p: ModifiedFlow(p, 0.01, schedule="linear", steps=60),
        lambda p: FiniteDataFlow(p, *SAMPLES),
        lambda p: ModifiedFlow(FiniteDataFlow(p, *SAMPLES), 0.01),
    ],
    ids=["momentum", "schedule", "data", "data, modified"],
)
def test_so_it_is_with_finite_steps_and_on_data(make):
    """Against the same flow without its smaller one."""
    flow = make(wide())
    few = flow.integrate(times=[0, 0.1, 0.3], rtol=1e-11)
    flow._reduces = False
    assert flow.smaller() is None
    every = flow.integrate(times=[0, 0.1, 0.3], rtol=1e-11)
    np.testing.assert_allclose(few.W, every.W, atol=1e-9)
    np.testing.assert_allclose(few.loss, every.loss, rtol=1e-8)


SAMPLES = np.random.default_rng(0).standard_normal((30, D)), np.linspace(-1, 1, 30)


def test_the_answer_is_accurate_to_rounding():
    """At one velocity: U times that of the four units, to 3e-14 of its size (theory: flow in M)."""
    problem = wide()
    merged = merged_units(problem)
    whole = problem.population.velocity(problem.student.W, problem.student.A)[0]
    small = merged.problem.population.velocity(merged.problem.student.W, merged.problem.student.A)[0]
    assert np.abs(merged.weights(small)[0] - whole).max() < 3e-14 * np.abs(whole).max()


def test_curves_go_on_between_their_samples():
    """Asked for other times the curve still has all units; so has one whose integration failed."""
    curve = GradientFlow(wide()).integrate(t_end=0.4)
    between = curve.at([0.123])
    assert between.W.shape == (1, K, D) and between.problem is curve.problem
    with pytest.raises(IntegrationError) as failed:
        GradientFlow(wide()).integrate(t_end=5.0, max_evaluations=30)
    assert failed.value.trajectory.W.shape[1:] == (K, D)


@pytest.mark.parametrize(
    "change",
    [
        lambda W, A: Student(W, A, True),
        lambda W, A: Student(W[:D], A[:, :D], False),
        lambda W, A: Student(W, A * np.arange(1, K + 1), False),
    ],
    ids=["trainable", "square", "distinct"],
)
def test_other_second_layers_are_integrated_as_they_are(change):
    problem = wide()
    student = change(problem.student.W, problem.student.A)
    assert GradientFlow(Problem(problem.teacher, student)).smaller() is None
    assert GradientFlow(Problem(problem.teacher, problem.student, "relu")).smaller() is None
