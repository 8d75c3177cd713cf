"""The closed form of loss, gradient, Hessian: against autograd, Monte Carlo and the symbolic derivation."""

import itertools

import numpy as np
import pytest
import torch

CASES = list(itertools.product(["quadratic", "centred"], [False, True], [1, 3]))


def population_of(problem):
    return problem.population


def wick_loss(problem, W, A):
    """½ Σ_o E[(f*_o − f_o)²] by Isserlis' theorem on the dense residual matrix, in PyTorch."""
    V, B = (torch.tensor(x) for x in (problem.teacher.V, problem.teacher.B))
    Sigma = (
        torch.eye(W.shape[1], dtype=W.dtype)
        if problem.covariance is None
        else torch.tensor(problem.covariance)
    )
    D = torch.einsum("om,mi,mj->oij", B, V, V) - torch.einsum("ok,ki,kj->oij", A, W, W)
    S = D @ Sigma
    variance = 2 * torch.einsum("oij,oji->", S, S)
    mean = torch.einsum("oii->o", S) if problem.activation.name == "quadratic" else torch.zeros(1)
    return 0.5 * (variance + (mean**2).sum())


@pytest.mark.parametrize(("activation", "covariance", "O"), CASES)
@pytest.mark.parametrize("R", [1, 5])
def test_loss_and_derivatives_equal_autograd(make_problem, rng, activation, covariance, O, R):
    problem = make_problem(rng, R=R, O=O, activation=activation, covariance=covariance)
    population = population_of(problem)
    W, A = problem.student.W, problem.student.A
    W_, A_ = (torch.tensor(x, requires_grad=True) for x in (W, A))
    loss = wick_loss(problem, W_, A_)
    gW, gA = torch.autograd.grad(loss, (W_, A_))
    assert population.loss(W, A) == pytest.approx(loss.item(), rel=1e-13)
    for ours, theirs in zip(population.velocity(W, A), (gW, gA), strict=True):
        np.testing.assert_allclose(ours, -theirs.numpy(), rtol=0, atol=1e-12 * abs(theirs).max())

    def flat(theta):
        return wick_loss(problem, theta[: W.size].reshape(W.shape), theta[W.size :].reshape(A.shape))

    theta = torch.tensor(np.concatenate([W.ravel(), A.ravel()]))
    H = torch.autograd.functional.hessian(flat, theta).numpy()
    np.testing.assert_allclose(population.hessian(W, A), H, rtol=0, atol=1e-12 * abs(H).max())
    v = rng.standard_normal(len(theta))
    Hv = population.hessian_vector(W, A, v[: W.size].reshape(W.shape), v[W.size :].reshape(A.shape))
    np.testing.assert_allclose(
        np.concatenate([h.ravel() for h in Hv]), H @ v, rtol=0, atol=1e-12 * abs(H @ v).max()
    )


@pytest.mark.parametrize(("activation", "covariance", "O"), CASES)
def test_loss_equals_monte_carlo(make_problem, rng, activation, covariance, O):
    """½ E‖f* − f‖² over 200,000 sampled inputs, within 4.5 standard errors of the sample mean."""
    problem = make_problem(rng, O=O, activation=activation, covariance=covariance)
    Sigma = np.eye(problem.inputs) if problem.covariance is None else problem.covariance
    x = rng.multivariate_normal(np.zeros(problem.inputs), Sigma, size=200_000)

    def network(weights, coefficients):
        z = (x @ weights.T) ** 2
        if activation == "centred":
            z = z - np.einsum("ki,ij,kj->k", weights, Sigma, weights)
        return z @ coefficients.T

    residual = network(problem.teacher.V, problem.teacher.B) - network(problem.student.W, problem.student.A)
    squares = 0.5 * np.sum(residual**2, axis=1)
    error = squares.std() / np.sqrt(len(squares))
    loss = population_of(problem).loss(problem.student.W, problem.student.A)
    assert abs(squares.mean() - loss) < 4.5 * error


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_closed_form_equals_the_symbolic_derivation(make_problem, rng, activation):
    """d = 3, K = 4, random: the ODEs derived from Gaussian moments, to 1e-12."""
    from dynamics.symbolic.derivation import derive

    problem = make_problem(rng, activation=activation)
    W, A = problem.student.W, problem.student.A
    derived = derive(hidden=4, inputs=3, activation=activation)
    rhs, loss = derived.numeric()
    M = problem.teacher.matrix()
    m = M[np.triu_indices(3)]
    theta = np.concatenate([W.ravel(), A.ravel()])
    population = population_of(problem)
    assert population.loss(W, A) == pytest.approx(loss(theta, m), rel=1e-12)
    ours = np.concatenate([v.ravel() for v in population.velocity(W, A)])
    np.testing.assert_allclose(ours, rhs(0.0, theta, m), rtol=0, atol=1e-12 * abs(ours).max())


def test_a_tiny_loss_keeps_its_relative_accuracy(make_problem, rng):
    """Scaling the residual by 1e-7 scales the loss by exactly 1e-14; a Gram formula would lose it to rounding."""
    problem = make_problem(rng, R=4, K=4)
    population = population_of(problem)
    V, B = problem.teacher.V, problem.teacher.B
    direction = rng.standard_normal(B.shape)
    reference = population.loss(V, B + direction)
    assert population.loss(V, B + 1e-7 * direction) == pytest.approx(1e-14 * reference, rel=1e-7)
