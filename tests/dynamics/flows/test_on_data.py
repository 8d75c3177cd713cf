"""Flows on a data set: where they end, with kinks too; and natural gradients under any law of the inputs."""

from itertools import product

import numpy as np
import pytest
import torch

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.flows.base import COARSE
from dynamics.flows.finite_data import FiniteDataFlow
from dynamics.flows.modified import ModifiedFlow
from dynamics.flows.natural_gradient import NaturalGradientFlow, metric
from dynamics.inputs.data_set import DataSet
from dynamics.integration import DEFAULT_RTOL
from oracles.sample_losses import skewed_samples

MANY = 200_000  # evaluations that no test here comes near


def least_squares(X, y):
    """½ of the mean square that no symmetric form xᵀMx can go below: linear regression on the products x_ix_j."""
    i, j = np.triu_indices(X.shape[1])
    features = X[:, i] * X[:, j]
    coefficients = np.linalg.lstsq(features, y, rcond=None)[0]
    return 0.5 * np.mean((features @ coefficients - y) ** 2)


@pytest.mark.parametrize("scale", [1.0, 30.0, 0.03])
def test_what_cannot_be_realised_converges(scale):
    """Noisy labels: an open-ended flow ends at the level of linear regression, a loss above zero, and says so.

    Units of both signs, more than inputs, can be every form. Inputs in other units of length are no reason to go on.
    """
    X, y = skewed_samples(60, 3)
    problem = Problem(None, Student.initialise(8, 3, scale=0.3 / scale, seed=1), data=(scale * X, y))
    found = GradientFlow(problem).integrate(max_evaluations=MANY)
    assert found.solver.status == "converged" and found.solver.evaluations < MANY / 10
    level = least_squares(X, y)
    assert level > 0.05
    assert found.loss[-1] == pytest.approx(level, rel=1e-9)


def test_labels_of_a_teacher_are_learned_to_zero():
    """More samples than unknowns of a form, so that nothing but the teacher fits them."""
    X, _ = skewed_samples(60, 3)
    problem = Problem(
        Teacher.from_eigenvalues([2.0, 1.0], 3), Student.initialise(4, 3, seed=1), data=(X, X[:, 0])
    )
    found = GradientFlow(problem).integrate(max_evaluations=MANY)
    assert found.solver.status == "converged"
    assert found.loss[-1] < 1e-9 * found.loss[0]
    np.testing.assert_allclose(found.modes[-1], [2, 1], rtol=1e-3)


def euler(problem, h, t_end):
    """Loss at t_end by short steps of one size."""
    W, A = problem.student.W.copy(), problem.student.A.copy()
    for _ in range(round(t_end / h)):
        vW, vA = problem.population.velocity(W, A)
        W, A = W + h * vW, A + h * vA
    return problem.population.loss(W, A)


@pytest.mark.parametrize("name", ["relu", "abs", "leaky-relu:0.2"])
def test_kinks_on_samples(name):
    """Against Euler's method with short steps, whose own error is the difference of two of them (order 1).

    The gradient jumps at every boundary that a unit crosses: a method of low order, and no higher demands. Errors are
    some times 1e-4 of the loss then, and less with a tolerance a hundred times as small.
    """
    X, y = skewed_samples(50, 3)
    problem = Problem(None, Student.initialise(3, 3, scale=0.4, seed=1), name, data=(X, y))
    flow = GradientFlow(problem)
    found = flow.integrate(2.0, samples=3, max_evaluations=MANY)
    assert not flow.smooth and found.solver.method == "RK45" and found.solver.rtol == COARSE
    coarse, fine = (euler(problem, h, 2.0) for h in (2e-3, 1e-3))
    own = 2 * abs(coarse - fine)
    assert found.loss[-1] == pytest.approx(fine, abs=own + 1e-3 * found.loss[0])
    precise = flow.integrate(2.0, samples=3, rtol=COARSE / 100, max_evaluations=MANY)
    assert precise.loss[-1] == pytest.approx(fine, abs=own + 2e-5 * found.loss[0])
    assert abs(found.loss[-1] - found.loss[0]) > 0.05
    demanded = flow.integrate(0.1, samples=2, method="LSODA", rtol=1e-6, max_evaluations=MANY)
    assert (demanded.solver.method, demanded.solver.rtol) == ("LSODA", 1e-6)


def test_kinks_on_samples_have_no_end():
    """Also with decay, of the flow of a finite step, and where a law has the loss: of a data set nobody is sure."""
    X, y = skewed_samples(20, 3)
    problem = Problem(None, Student.initialise(2, 3), "relu", data=(X, y), weight_decay=0.1)
    taught = Problem(Teacher.from_eigenvalues([1.0], 3), Student.initialise(2, 3), "relu")
    for flow in (GradientFlow(problem), ModifiedFlow(problem, 0.1), FiniteDataFlow(taught, X, y)):
        with pytest.raises(ProblemError, match=r"`t_end` is missing: .* kink jumps"):
            flow.integrate(max_evaluations=100)
    assert GradientFlow(taught).smooth


def test_the_smallest_variance_is_that_of_the_samples():
    """By the eigenvalues of XᵀX/n, from which the weakest force follows; directions without variance do not count."""
    X, y = skewed_samples(60, 3)
    units = GradientFlow(Problem(None, Student.initialise(2, 3), data=(X, y))).natural_units
    assert units.variance == pytest.approx(np.linalg.eigvalsh(X.T @ X / 60)[0], rel=1e-12)
    flat = X * [1, 1, 0]
    units = GradientFlow(Problem(None, Student.initialise(2, 3), data=(flat, y))).natural_units
    assert units.variance == pytest.approx(np.linalg.eigvalsh(X[:, :2].T @ X[:, :2] / 60)[0], rel=1e-9)


@pytest.mark.parametrize("name", ["quadratic", "tanh", "relu2"])
def test_no_kinks(name):
    """Continuous gradients keep the solver of all others: relu² has none but in its second derivative."""
    X, y = skewed_samples(20, 3)
    flow = GradientFlow(Problem(None, Student.initialise(2, 3), name, data=(X, y)))
    found = flow.integrate(0.1, samples=2)
    assert flow.smooth and (found.solver.method, found.solver.rtol) == ("LSODA", DEFAULT_RTOL)


def by_autograd(phi, X, W, A):
    """Mean of JᵀJ over samples, from derivatives of every output of every sample."""
    w, a = (torch.tensor(array, requires_grad=True) for array in (W, A))
    outputs = (phi(torch.from_numpy(X) @ w.T) @ a.T).ravel()
    rows = [torch.autograd.grad(f, (w, a), retain_graph=True) for f in outputs]
    J = np.array([np.concatenate([part.numpy().ravel() for part in row]) for row in rows])
    return J.T @ J / len(X)


def weights(K, d, O):
    rng = np.random.default_rng(5)
    return rng.standard_normal((K, d)), rng.standard_normal((O, K))


@pytest.mark.parametrize(("name", "phi"), [("quadratic", torch.square), ("tanh", torch.tanh)])
def test_metric_on_a_data_set(name, phi):
    """E JᵀJ against automatic differentiation of the outputs at every sample; labels have nothing to do with it."""
    X, y = skewed_samples(30, 3)
    W, A = weights(2, 3, 2)
    student = Student.initialise(2, 3, outputs=2)
    problem = Problem(None, student, name, data=(X, np.stack([y, -y], axis=1)))
    np.testing.assert_allclose(metric(problem, W, A, 10), by_autograd(phi, X, W, A), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(
        metric(problem, W, A, 6), by_autograd(phi, X, W, A)[:6, :6], rtol=1e-11, atol=1e-12
    )


def test_metric_under_signs():
    """Rademacher inputs in three dimensions are a data set of the eight corners."""
    corners = np.array(list(product([-1.0, 1.0], repeat=3)))
    W, A = weights(2, 3, 1)
    problem = Problem(Teacher.from_eigenvalues([1.0], 3), Student.initialise(2, 3), distribution="rademacher")
    expected = by_autograd(torch.square, corners, W, A)
    np.testing.assert_allclose(metric(problem, W, A, 8), expected, rtol=1e-11, atol=1e-12)


def test_metric_of_a_law_that_rotations_leave():
    """Products of two outputs of degree 2 are of degree 4, so E JᵀJ is the Gaussian one times γ₂ = (ν − 2)/(ν − 4)."""
    W, A = weights(2, 3, 1)
    of = [
        Problem(Teacher.from_eigenvalues([1.0], 3), Student.initialise(2, 3), distribution=law)
        for law in ("student-t:10", "gaussian")
    ]
    student, gaussian = (metric(problem, W, A, 8) for problem in of)
    np.testing.assert_allclose(student, 8 / 6 * gaussian, rtol=1e-12)


def test_natural_gradient_on_a_data_set():
    """Where the derivative of the outputs can be anything on the samples, L̇ = −2L, until t = 1 to the tolerance."""
    X, y = skewed_samples(4, 3)
    student = Student.initialise(3, 3, scale=1.0, seed=4)
    flow = NaturalGradientFlow(Problem(None, student, data=DataSet(X, 0.1 * y)), damping=0.0)
    found = flow.integrate(1.0, samples=5, rtol=1e-8, max_evaluations=MANY)
    np.testing.assert_allclose(found.loss, found.loss[0] * np.exp(-2 * found.times), rtol=1e-5)
