"""What recorded weights say: of all records at once as of each by itself."""

import numpy as np
import pytest

from dynamics import Problem, Student, Teacher
from dynamics.inputs.data_set import DataSet
from empirical import measured_weights
from empirical.measured_weights import measured_of_weights

S, T, K, O, d = 2, 5, 3, 2, 4


def case(rng, kind):
    """A problem, and weights of two networks at five records."""
    teacher = Teacher(rng.standard_normal((2, d)), rng.standard_normal((O, 2)))
    student = Student(rng.standard_normal((K, d)), rng.standard_normal((O, K)))
    options = {"activation": kind if kind in ("quadratic", "relu", "tanh") else "quadratic"}
    if kind == "data":
        X = rng.standard_normal((9, d))
        options["data"] = DataSet(X, X[:, :O], X[:4] + 1, X[:4, :O])
    if kind == "other teacher":
        options["teacher_activation"] = "relu"
    return (
        Problem(teacher, student, **options),
        rng.standard_normal((S, T, K, d)),
        rng.standard_normal((S, T, O, K)),
    )


def by_hand(problem, W, A):
    """The same fields of one network at one record, as far as they are there."""
    found = {"loss": problem.population.loss(W, A), "modes": problem.modes(W, A)}
    if problem.test_population is not None:
        found["test_loss"] = problem.test_population.loss(W, A)
    if problem.activation.degree is not None:
        found["conserved"] = np.sum(W**2, axis=1) - problem.activation.degree * np.sum(A**2, axis=0)
    if not problem.has_modes:
        V = problem.teacher.V
        found["norms"] = np.linalg.norm(W, axis=1)
        found["overlaps"] = W @ V.T / np.outer(found["norms"], np.linalg.norm(V, axis=1))
    return found


@pytest.mark.parametrize("kind", ["quadratic", "relu", "tanh", "data", "other teacher"])
@pytest.mark.parametrize("at_once", [10**6, 30])
def test_all_records_at_once_and_each_by_itself(monkeypatch, rng, kind, at_once):
    """Whatever number of records is measured together."""
    monkeypatch.setattr(measured_weights, "AT_ONCE", at_once)
    problem, W, A = case(rng, kind)
    found = measured_of_weights(problem, W, A, by_formula=True)
    for s, t in np.ndindex(S, T):
        expected = by_hand(problem, W[s, t], A[s, t])
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            np.testing.assert_allclose(found[name][s, t], value, rtol=1e-11, atol=1e-13)


def test_what_is_measured_on_samples_and_what_is_too_much_is_left_out(monkeypatch, rng):
    """S·T·K·R = 60 overlaps: given where so many are allowed, and not where one less is."""
    problem, W, A = case(rng, "tanh")
    assert measured_of_weights(problem, W, A, by_formula=False).keys() == {"modes", "norms", "overlaps"}
    for most, there in ((60, True), (59, False)):
        monkeypatch.setattr(measured_weights, "LARGEST_OVERLAPS", most)
        assert ("overlaps" in measured_of_weights(problem, W, A, by_formula=False)) == there


def test_networks_that_diverged_are_no_numbers(rng):
    problem, W, A = case(rng, "quadratic")
    W[1, 3] = np.nan
    found = measured_of_weights(problem, W, A, by_formula=True)
    assert np.isnan(found["loss"]).sum() == 1 and np.isnan(found["loss"][1, 3])
    assert np.isnan(found["conserved"][1, 3]).all() and np.isfinite(found["conserved"][0]).all()
