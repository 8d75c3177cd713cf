"""Which minimum a flow has converged to, against the catalogue of stationary points and against `diagnose`."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher, diagnose, fixed_points
from dynamics.outcome import ReachedMinimum, reached_minimum
from dynamics.problem.weight_decay import WeightDecay


def problem(eigenvalues, hidden, seed, scale=0.3, **settings):
    teacher = Teacher.from_eigenvalues(eigenvalues, len(eigenvalues))
    student = Student.initialise(hidden, len(eigenvalues), scale=scale, seed=seed)
    return Problem(teacher, student, **settings)


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize("hidden", [2, 4])
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_the_loss_is_that_of_a_minimum_and_its_kind_that_of_the_verdict(activation, hidden, seed):
    """The global loss is the least of the catalogue's points; "spurious" is said where `diagnose` says "fails"."""
    asked = problem([2.0, 1.0, -1.5], hidden, seed, activation=activation)
    found = reached_minimum(GradientFlow(asked).integrate())
    assert found is not None
    listed = fixed_points(asked.teacher, hidden, activation=activation)
    losses = np.array([point.loss for point in listed.feasible])
    assert found.global_loss == pytest.approx(losses.min(), abs=1e-9)
    assert np.abs(losses - found.loss).min() < 1e-6
    verdict = diagnose(asked).verdict
    assert verdict in ("succeeds", "fails")
    assert found.kind == {"succeeds": "global", "fails": "spurious"}[verdict]


def test_both_kinds_occur():
    """A unit with c < 0 keeps its sign: positive it learns λ = 1, negative it cannot (closed form: L = 3λ²/2)."""
    teacher = Teacher.from_eigenvalues([1.0], 1)
    right, wrong = (
        reached_minimum(GradientFlow(Problem(teacher, Student([[0.1]], [sign]))).integrate())
        for sign in (0.3, -0.3)
    )
    assert right.kind == "global" and right.summary() == "" and right.loss < 1e-12
    assert wrong == ReachedMinimum("spurious", pytest.approx(1.5), 0.0)
    assert wrong.summary().startswith(
        "converged, to a spurious minimum at loss 1.5: the global minimum has loss 0"
    )
    assert wrong.to_dict() == {"kind": "spurious", "loss": pytest.approx(1.5), "global_loss": 0.0}


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_a_fixed_second_layer_reaches_what_the_catalogue_calls_global(activation):
    """Random problems: the global loss is the least of the catalogue with these a_k, though a trained layer gets lower.

    All local minima of a fixed second layer have the same loss (`dynamics.outcome.resting_level`).
    """
    rng = np.random.default_rng(3)
    above_zero = 0
    for _ in range(12):
        inputs, hidden = int(rng.integers(1, 5)), int(rng.integers(1, 5))
        lam = rng.uniform(0.5, 2.0, inputs) * rng.choice([-1, 1], inputs)
        W = rng.standard_normal((hidden, inputs + 1))  # one direction that the teacher ignores
        a = rng.uniform(0.5, 1.5, hidden) * rng.choice([-1, 1], hidden)
        teacher = Teacher.from_eigenvalues(lam, inputs + 1)
        asked = Problem(teacher, Student(W, a, trainable=False), activation)
        found = reached_minimum(GradientFlow(asked).integrate())
        assert found is not None and found.kind == "global" and found.summary() == ""
        listed = fixed_points(asked).feasible
        assert {point.kind for point in listed if point.loss < listed[0].loss + 1e-9} == {"global minimum"}
        assert found.global_loss == pytest.approx(listed[0].loss, abs=1e-9)
        assert found.loss == pytest.approx(listed[0].loss, abs=1e-4)
        above_zero += found.global_loss > 0.01
    assert above_zero >= 6


def test_nothing_is_said_at_a_saddle_under_a_fixed_second_layer():
    """λ = (2, 1), one unit along the weaker mode: it never turns, and rests at the catalogue's saddle {1}."""
    asked = Problem(Teacher.from_eigenvalues([2.0, 1.0], 2), Student([[0.0, 0.5]], [1.0], trainable=False))
    flow = GradientFlow(asked).integrate()
    saddle = fixed_points(asked).point((1,))
    assert saddle.kind == "saddle" and flow.loss[-1] == pytest.approx(saddle.loss, abs=1e-4)
    assert flow.solver.status == "at a saddle" and reached_minimum(flow) is None


def test_nothing_is_said_of_a_flow_that_has_not_converged():
    assert reached_minimum(GradientFlow(problem([2.0, 1.0], 2, 0)).integrate(0.1)) is None


def test_nothing_is_said_where_the_minima_are_not_known():
    """ReLU units have other minima; several outputs too."""
    found = GradientFlow(problem([1.0, 1.0], 2, 0, activation="relu")).integrate()
    assert found.solver.status == "converged"
    assert reached_minimum(found) is None
    teacher = Teacher([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]])
    student = Student.initialise(4, 2, outputs=2, scale=0.5, seed=1)
    found = GradientFlow(Problem(teacher, student)).integrate()
    assert found.solver.status == "converged"
    assert reached_minimum(found) is None


def test_under_weight_decay_the_minima_are_others():
    """Decay keeps small units from growing: L = 3λ²/2 at the origin, while the best minimum has learned the mode."""
    decay = WeightDecay(0.1, 0.1)
    teacher = Teacher.from_eigenvalues([1.0], 1)
    small, large = (
        reached_minimum(GradientFlow(Problem(teacher, Student([[w]], [w]), weight_decay=decay)).integrate())
        for w in (1e-3, 0.9)
    )
    assert small.kind == "spurious" and small.loss == pytest.approx(1.5)
    assert large.kind == "global"
    assert small.global_loss == pytest.approx(large.loss, rel=1e-6)
