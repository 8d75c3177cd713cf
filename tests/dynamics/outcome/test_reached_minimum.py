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
