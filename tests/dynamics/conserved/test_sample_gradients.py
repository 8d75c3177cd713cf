"""Gaussian moments of gradients against known moments, an independent formula and Monte Carlo with its error."""

import numpy as np
import pytest

from dynamics import GradientFlow, ProblemError
from dynamics.conserved.sample_gradients import form_moment, gradient_second_moments, weighted_second_moment
from oracles.sample_gradients import autograd_samples


def test_moments_of_forms():
    """E y⁸ = 105; E[(yᵀDy)²] = 2‖D‖² + τ² (Isserlis); E[(u·y)²(v·y)²] = 1 + 2(u·v)² for unit vectors."""
    one = np.ones((1, 1))
    assert form_moment([one] * 4) == pytest.approx(105)
    D = np.array([[1.0, 0.5], [0.5, -2.0]])
    assert form_moment([D, D]) == pytest.approx(2 * np.sum(D * D) + np.trace(D) ** 2)
    u, v = np.array([1.0, 0.0]), np.array([0.6, 0.8])
    assert form_moment([np.outer(u, u), np.outer(v, v)]) == pytest.approx(1 + 2 * 0.36)


def test_the_matrix_of_one_pass_sgd(rng):
    """E[(xᵀDx)²‖x‖²xxᵀ] = (d+6)[(τ² + 2‖D‖²)I + 4τD + 8D²] (theory, section 7)."""
    d = 4
    D = rng.normal(size=(d, d))
    D, tau = D + D.T, 2 * np.trace(D)
    N = (d + 6) * ((tau**2 + 2 * np.sum(D * D)) * np.eye(d) + 4 * tau * D + 8 * D @ D)
    np.testing.assert_allclose(weighted_second_moment([D, D, np.eye(d)], d), N, rtol=1e-12)


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize(("O", "covariance"), [(1, False), (2, True)])
def test_gradient_moments_against_samples(O, covariance, activation, make_problem, rng):
    """Three hundred thousand samples, differentiated automatically; five standard errors of each mean."""
    problem = make_problem(rng, d=3, K=2, O=O, covariance=covariance, activation=activation, scale=0.5)
    noise, n = 0.4, 300_000
    first, second = autograd_samples(problem, n, noise, rng)
    for samples, exact in zip(
        (np.einsum("nki,nli->nkl", first, first), np.einsum("nok,nol->nkl", second, second)),
        gradient_second_moments(problem, problem.student.W, problem.student.A, noise),
        strict=True,
    ):
        deviation = np.abs(samples.mean(axis=0) - exact)
        assert (deviation < 5 * samples.std(axis=0) / np.sqrt(n)).all()
    dW, dA = GradientFlow(problem, reduce=False).population.velocity(problem.student.W, problem.student.A)
    assert (np.abs(first.mean(0) + dW) < 5 * first.std(0) / np.sqrt(n)).all()
    assert (np.abs(second.mean(0) + dA) < 5 * second.std(0) / np.sqrt(n)).all()


@pytest.mark.parametrize(
    ("activation", "O", "noise"), [("quadratic", 1, 0.3), ("centred", 1, 0.3), ("centred", 2, 0.0)]
)
def test_gradient_moments_by_quadrature(activation, O, noise, make_problem, brute_force_step, rng):
    """Moments of a step of size 1 on one node, of degree 8 in input and noise: exact to rounding."""
    problem = make_problem(rng, d=2, K=2, O=O, activation=activation, scale=0.5)
    W, A, probabilities = brute_force_step(problem, 1.0, 1, noise, degree=8)
    dW, dA = W - problem.student.W, A - problem.student.A
    first, second = gradient_second_moments(problem, problem.student.W, problem.student.A, noise)
    np.testing.assert_allclose(first, np.einsum("n,nki,nli->kl", probabilities, dW, dW), rtol=1e-12)
    np.testing.assert_allclose(second, np.einsum("n,nok,nol->kl", probabilities, dA, dA), rtol=1e-12)


def test_only_quadratic_and_centred_units(make_problem, rng):
    problem = make_problem(rng, activation="relu")
    with pytest.raises(ProblemError, match="relu"):
        gradient_second_moments(problem, problem.student.W, problem.student.A)
