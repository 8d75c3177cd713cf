"""Closed form of loss, gradient and Hessian: Monte Carlo with its error bar, differences, theory section 8."""

import numpy as np
import pytest

from dynamics import ProblemError
from dynamics.neuron import NeuronPopulation, Neurons, QuadraticTarget, Rates
from dynamics.neuron.population import pack, theta_of, unpack


@pytest.fixture
def random_case():
    """Three neurons at a random point, four inputs."""
    target = QuadraticTarget.random(4, seed=3)
    return NeuronPopulation(target), Neurons.initialise(3, 4, init="random", scale=1.0, seed=4)


def groups(neurons):
    return neurons.R, neurons.G, neurons.B, neurons.a


def test_loss_is_the_mean_over_samples(random_case):
    """½(f* − f)² over 200,000 samples, f by `Neurons.__call__`: within four standard errors."""
    population, neurons = random_case
    x = np.random.default_rng(0).standard_normal((200_000, 4))
    T = population.target
    squares = 0.5 * (np.einsum("ni,ij,nj->n", x, T.M, x) + x @ T.v + T.e - neurons(x)) ** 2
    error = squares.std() / np.sqrt(len(squares))
    assert abs(squares.mean() - population.loss(*groups(neurons))) < 4 * error
    assert error < 0.02 * squares.mean()


def test_formulas_of_the_theory(random_case):
    """Section 8 with w^r, b^r … written out: L = ½[2‖D‖² + ‖δ‖² + t²], Γ = 2D + tI, and the six gradients."""
    population, neurons = random_case
    (R, G, B, a), T = groups(neurons), population.target
    wr, br, wg, bg, wb, c = (x for X in (R, G, B) for x in (X[:, :-1], X[:, -1]))
    form = (wr.T * a) @ wg
    D = T.M - (form + form.T) / 2 - np.diag(a @ wb)
    delta = T.v - (a * bg) @ wr - (a * br) @ wg
    t = np.trace(D) + T.e - a @ (br * bg + c)
    assert population.loss(R, G, B, a) == pytest.approx(
        np.sum(D**2) + delta @ delta / 2 + t**2 / 2, rel=1e-12
    )
    Gamma = 2 * D + t * np.eye(4)
    vR, vG, vB, va = population.velocity(R, G, B, a)
    column = a[:, None]
    np.testing.assert_allclose(vR[:, :-1], column * (wg @ Gamma + np.outer(bg, delta)), atol=1e-12)
    np.testing.assert_allclose(vR[:, -1], a * (wg @ delta + t * bg), atol=1e-12)
    np.testing.assert_allclose(vG[:, :-1], column * (wr @ Gamma + np.outer(br, delta)), atol=1e-12)
    np.testing.assert_allclose(vG[:, -1], a * (wr @ delta + t * br), atol=1e-12)
    np.testing.assert_allclose(vB[:, :-1], np.outer(a, np.diag(Gamma)), atol=1e-12)
    np.testing.assert_allclose(vB[:, -1], a * t, atol=1e-12)
    by_a = np.einsum("ki,ij,kj->k", wr, Gamma, wg) + wb @ np.diag(Gamma)
    by_a += bg * (wr @ delta) + br * (wg @ delta) + t * (br * bg + c)
    np.testing.assert_allclose(va, by_a, atol=1e-12)


def test_hessian_by_complex_steps_of_the_gradient(random_case):
    """Column j of the Hessian is Im ∇L(θ + ihe_j)/h: the velocity is a polynomial, so this is exact to rounding."""
    population, neurons = random_case
    theta, h = theta_of(neurons), 1e-100
    columns = []
    for e in np.eye(theta.size):
        R, G, B, a = unpack(theta + 1j * h * e, neurons.hidden)
        columns.append(-pack(*population.velocity(R, G, B, a)).imag / h)
    H = population.hessian(*groups(neurons))
    np.testing.assert_allclose(H, np.stack(columns, axis=1), atol=1e-11)
    np.testing.assert_allclose(H, H.T, atol=1e-13)
    direction = np.random.default_rng(5).standard_normal(theta.size)
    product = pack(*population.hessian_vector(groups(neurons), unpack(direction, neurons.hidden)))
    np.testing.assert_allclose(product, H @ direction, atol=1e-11)


def test_relinear_start_is_an_ordinary_network():
    """G = (0, …, 0, 1), B = 0: f(x) = Σ a (w·x + b), whatever the seed."""
    neurons = Neurons.initialise(5, 3, seed=6)
    x = np.random.default_rng(7).standard_normal((10, 3))
    np.testing.assert_allclose(
        neurons(x), (x @ neurons.R[:, :-1].T + neurons.R[:, -1]) @ neurons.a, atol=1e-13
    )
    other = Neurons.initialise(5, 3, init="random", seed=6)
    np.testing.assert_array_equal(other.R, neurons.R)
    np.testing.assert_array_equal(other.a, neurons.a)


def test_random_targets_have_mean_zero_and_the_deviation_asked_for():
    """E f* = e + tr M*, Var f* = 2‖M*‖² + ‖v‖² (Isserlis); the best affine loss is half of 2‖M*‖²."""
    target = QuadraticTarget.random(7, deviation=3.0, seed=8)
    assert target.e + np.trace(target.M) == pytest.approx(0.0, abs=1e-14)
    assert 2 * np.sum(target.M**2) + target.v @ target.v == pytest.approx(9.0, rel=1e-13)
    x = np.hstack([np.random.default_rng(9).standard_normal((100_000, 7)), np.ones((100_000, 1))])
    y = np.einsum("ni,ij,nj->n", x, target.homogeneous, x)
    rest = y - x @ np.linalg.lstsq(x, y)[0]  # least squares on samples
    error = (rest**2 / 2).std() / np.sqrt(len(y))
    assert abs((rest**2 / 2).mean() - target.best_affine_loss) < 4 * error


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: QuadraticTarget(np.eye(2), np.ones(3)), "length 3"),
        (lambda: Neurons(np.ones((2, 3)), np.ones((2, 2)), np.ones((2, 3)), np.ones(2)), "`G`"),
        (lambda: Neurons(*[np.ones((2, 3))] * 3, np.ones(1)), r"\(K, d \+ 1\)"),
        (lambda: Neurons.initialise(2, 2, init="he"), "relinear, random"),
        (lambda: Rates(g=-1), "rates.g"),
        (lambda: Rates(0, 0, 0, 0), "nothing learns"),
    ],
)
def test_refusals(make, words):
    with pytest.raises(ProblemError, match=words):
        make()


def test_representations():
    assert "3 inputs" in repr(QuadraticTarget.random(3))
    assert "2 quadratic neurons" in repr(Neurons.initialise(2, 3))
