"""The loss with weight decay: value by hand, derivatives by central differences of it."""

import numpy as np
import pytest

from dynamics import Problem, Student, Teacher
from dynamics.activations import ACTIVATIONS

RHO_W, RHO_A = 0.3, 0.7


def objective(phi):
    student = Student.initialise(3, 2, scale=0.8, seed=3, outputs=2)
    problem = Problem(Teacher.from_eigenvalues([2, 1], outputs=2), student, phi, weight_decay=(RHO_W, RHO_A))
    return problem, problem.objective, student.W.copy(), student.A.copy()


@pytest.mark.parametrize("phi", ACTIVATIONS)
def test_value_and_derivatives(phi):
    """R = L + ½ρ_w‖W‖² + ½ρ_a‖A‖²; differences of step 1e-5 are good to 1e-9 of numbers of order 10."""
    problem, R, W, A = objective(phi)
    by_hand = problem.population.loss(W, A) + RHO_W / 2 * np.sum(W**2) + RHO_A / 2 * np.sum(A**2)
    assert R.loss(W, A) == pytest.approx(by_hand, rel=1e-15)
    rng = np.random.default_rng(0)
    dW, dA = rng.standard_normal(W.shape), rng.standard_normal(A.shape)
    h = 1e-5
    slope = (R.loss(W + h * dW, A + h * dA) - R.loss(W - h * dW, A - h * dA)) / (2 * h)
    vW, vA = R.velocity(W, A)
    assert -(np.sum(vW * dW) + np.sum(vA * dA)) == pytest.approx(slope, abs=1e-7)
    up, down = R.velocity(W + h * dW, A + h * dA), R.velocity(W - h * dW, A - h * dA)
    hW, hA = R.hessian_vector(W, A, dW, dA)
    for found, above, below in zip((hW, hA), up, down, strict=True):
        np.testing.assert_allclose(found, -(above - below) / (2 * h), atol=1e-6)
    dense = R.hessian(W, A) @ np.concatenate([dW.ravel(), dA.ravel()])
    np.testing.assert_allclose(dense, np.concatenate([hW.ravel(), hA.ravel()]), atol=1e-12)


def test_capabilities():
    """No loss of the forms itself; a kinked one keeps its pull on small units, to which decay is of second order."""
    for phi in ACTIVATIONS.values():
        problem, R, W, A = objective(phi)
        assert R.force is None and R.trace_coupling is None
        assert R.forms is problem.population.forms  # the part that is one
        assert (R.pull_on is None) == (problem.population.pull_on is None)
        if R.pull_on is not None:
            X = np.array([[0.6, 0.8]])
            ours, theirs = (P.pull_on(W, A, A[:, 0]).force(X) for P in (R, problem.population))
            np.testing.assert_array_equal(ours, theirs)


def test_smaller_weights_of_one_function_are_told_apart():
    _, R, W, A = objective("quadratic")
    one, other = R.invariants(W, A), R.invariants(2 * W, A / 4)
    np.testing.assert_allclose(one[:-1], other[:-1], rtol=1e-12)
    assert abs(one[-1] - other[-1]) == pytest.approx(
        abs(np.sqrt(R.loss(W, A)) - np.sqrt(R.loss(2 * W, A / 4)))
    )
