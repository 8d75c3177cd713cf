"""Losses for inputs with a mean: automatic differentiation of a quadrature, limits, Monte Carlo."""

import numpy as np
import pytest
import torch
from scipy.special import ndtr

from dynamics.activations import Activation
from dynamics.activations.pairing import kernel_of
from dynamics.errors import ProblemError
from dynamics.population.gram_pairs import GramPairs
from dynamics.population.shifted_kink import ShiftedPairs, shifted_mean
from dynamics.population.smoothed_kink import TOWER, SmoothedPairs

SMOOTH = (
    "quadratic",
    "centred",
    "linear",
    "polynomial:0.3,-1,0.7,0.2",
    "erf",
    "gelu",
    "tanh",
    "softplus",
    "silu",
)
KINKED = ("relu", "abs", "relu2", "leaky-relu:0.1")
SIGMA, MU = np.array([[1.0, 0.4], [0.4, 0.7]]), np.array([0.8, -0.5])
V, B = np.array([[0.6, -0.4], [0.1, 0.9]]), np.array([[1.0, -0.7], [0.3, 0.5]])
W, A = np.array([[0.5, 0.3], [-0.2, 0.8], [1.1, 0.0]]), np.array([[0.9, -0.4, 0.2], [-0.6, 0.8, 0.5]])


def rule():
    """Points and weights of N(μ, Σ), by a trapezoidal rule."""
    h = 0.1
    x = np.arange(-9, 9, h)
    w = np.exp(-(x**2) / 2) * h / np.sqrt(2 * np.pi)
    grid = np.stack(np.meshgrid(x, x), axis=-1).reshape(-1, 2)
    return torch.tensor(MU + grid @ np.linalg.cholesky(SIGMA).T), torch.tensor(np.outer(w, w).ravel())


def loss_of(student, teacher, points):
    x, weights = points
    v, b, sigma = torch.tensor(V), torch.tensor(B), torch.tensor(SIGMA)
    target = teacher.phi(x @ v.T, torch.einsum("ki,ij,kj->k", v, sigma, v)) @ b.T

    def loss(theta):
        w, a = theta[:6].reshape(3, 2), theta[6:].reshape(2, 3)
        output = student.phi(x @ w.T, torch.einsum("ki,ij,kj->k", w, sigma, w)) @ a.T
        return 0.5 * (weights @ (output - target) ** 2).sum()

    return loss


@pytest.mark.parametrize(
    ("student", "teacher"),
    [*((name, name) for name in SMOOTH), ("erf", "softplus"), ("gelu", "quadratic"), ("centred", "silu")],
)
def test_derivatives_agree_with_automatic_differentiation(student, teacher):
    """A trapezoidal rule in two inputs is exact to rounding for these functions."""
    student, teacher = Activation.parse(student), Activation.parse(teacher)
    loss = loss_of(student, teacher, rule())
    theta = torch.tensor(np.concatenate([W.ravel(), A.ravel()]), requires_grad=True)
    value = loss(theta)
    gradient = torch.autograd.grad(value, theta)[0].numpy()
    H = torch.autograd.functional.hessian(loss, theta.detach()).numpy()
    population = student.loss(V, B, SIGMA, teacher, MU)
    ours = -np.concatenate([g.ravel() for g in population.velocity(W, A)])
    assert population.loss(W, A) == pytest.approx(value.item(), rel=3e-11)
    np.testing.assert_allclose(ours, gradient, rtol=0, atol=3e-11 * abs(gradient).max())
    np.testing.assert_allclose(population.hessian(W, A), H, rtol=0, atol=1e-10 * abs(H).max())


@pytest.mark.parametrize("name", [*SMOOTH, *KINKED])
def test_no_mean_is_a_mean_of_zero(name):
    """All that has a closed form of its own for centred inputs."""
    phi = Activation.parse(name)
    shifted, centred = phi.loss(V, B, SIGMA, mean=np.zeros(2)), phi.loss(V, B, SIGMA)
    assert shifted.loss(W, A) == pytest.approx(centred.loss(W, A), rel=1e-12)
    for ours, theirs in zip(shifted.velocity(W, A), centred.velocity(W, A), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", [*KINKED, "elu", "tanh"])
def test_loss_and_gradient_of_samples(name):
    """100 batches of 2000 inputs: the mean of their losses and gradients, within five of its standard errors."""
    phi, rows = Activation.parse(name), []
    X = torch.tensor(
        MU + np.random.default_rng(3).standard_normal((100, 2000, 2)) @ np.linalg.cholesky(SIGMA).T
    )
    theta = torch.tensor(np.concatenate([W.ravel(), A.ravel()]), requires_grad=True)
    for x in X:
        value = loss_of(phi, phi, (x, torch.full((2000,), 1 / 2000, dtype=torch.float64)))(theta)
        rows.append([value.item(), *torch.autograd.grad(value, theta)[0].tolist()])
    mean, error = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1) / 10
    population = phi.loss(V, B, SIGMA, mean=MU)
    ours = [[population.loss(W, A)], *(-g.ravel() for g in population.velocity(W, A))]
    assert np.abs((np.concatenate(ours) - mean) / error).max() < 5


def test_the_bivariate_error_function():
    """κ, κ_m and κ_1 of two error functions in the form 4Φ₂ − 2Φ − 2Φ + 1, Φ₂ by SciPy's integration; to 1e-7."""
    from scipy.stats import multivariate_normal, norm

    pairs = GramPairs(np.array([[1.2, 0.3]]), np.array([[-0.4, 0.9]]), np.array([[0.7]]), np.array([-0.2]))
    erf = Activation.parse("erf")
    value, by_m, by_1 = (x.item() for x in kernel_of(erf, erf)(pairs, "", "m", "1"))
    a, b = np.sqrt(1 + pairs.q1.item()), np.sqrt(1 + pairs.q2.item())
    h, k, rho = 0.7 / a, -0.2 / b, pairs.s.item() / (a * b)
    both = multivariate_normal.cdf([h, k], cov=[[1, rho], [rho, 1]])
    density = multivariate_normal.pdf([h, k], cov=[[1, rho], [rho, 1]])
    assert value == pytest.approx(4 * both - 2 * norm.cdf(h) - 2 * norm.cdf(k) + 1, abs=1e-7)
    slope = 2 * norm.pdf(h) / a * (2 * norm.cdf((k - rho * h) / np.sqrt(1 - rho**2)) - 1)
    assert by_m == pytest.approx(slope, rel=1e-13)
    assert by_1 == pytest.approx(0.5 * (-h / a * slope - 4 * rho * density / a**2), rel=1e-13)


@pytest.mark.parametrize(("i", "j"), TOWER)
def test_the_tower_without_means_is_the_other_one(i, j):
    """And its slope in a mean is the next entry, by central differences."""
    A, B, s = (np.array([x]) for x in (1.3, 0.7, -0.4))
    zero = np.zeros(1)
    D = A * B - s * s
    centred = SmoothedPairs(A, B, s, D, A, B).F(i, j)
    np.testing.assert_allclose(ShiftedPairs(zero, zero, A, B, s, D).F(i, j), centred, rtol=1e-12, atol=1e-15)

    def at(m, n, order=(i, j)):
        return ShiftedPairs(np.array([m]), np.array([n]), A, B, s, D).F(*order).item()

    h = 1e-5
    scale = 1e-8 * max(1, abs(at(0.3, -0.6)))
    first, second = at(0.3 + h, -0.6) - at(0.3 - h, -0.6), at(0.3, -0.6 + h) - at(0.3, -0.6 - h)
    assert at(0.3, -0.6, (i + 1, j)) == pytest.approx(first / (2 * h), abs=scale)
    assert at(0.3, -0.6, (i, j + 1)) == pytest.approx(second / (2 * h), abs=scale)


@pytest.mark.parametrize("order", range(-1, 6))
def test_means_of_one_smoothed_kink(order):
    """E S̃_a⁽ⁱ⁾(m + √q x) is S̃ of the width √(a² + q) at m: E over x by a trapezoidal rule, and slopes in m."""
    a, q, m, h = 0.8, 0.7, 0.45, 1e-4
    x = np.linspace(-9, 9, 401)
    w = np.exp(-(x**2) / 2) * (x[1] - x[0]) / np.sqrt(2 * np.pi)
    inner = shifted_mean(order, m + np.sqrt(q) * x, np.full_like(x, a * a))
    assert shifted_mean(order, np.array(m), np.array(a * a + q)) == pytest.approx(w @ inner, rel=1e-12)
    slope = shifted_mean(order, np.array(m + h), np.array(q)) - shifted_mean(
        order, np.array(m - h), np.array(q)
    )
    assert shifted_mean(order + 1, np.array(m), np.array(q)) == pytest.approx(slope / (2 * h), rel=1e-6)
    assert shifted_mean(1, np.array(m), np.array(q)) == pytest.approx(ndtr(m / np.sqrt(q)) - 0.5)


FLAT = np.outer([1, 0.5], [1, 0.5])  # a covariance of rank 1
PARALLEL = np.vstack([W[0], 1.7 * W[0], -0.6 * W[0]])
SEEN = np.vstack([[0.5, -1.0], W[1:]])  # the first one sees the mean alone where Σ is flat


@pytest.mark.parametrize("name", KINKED)
@pytest.mark.parametrize(
    ("weights", "sigma", "h", "tolerance"),
    [
        (W, SIGMA, 1e-5, 1e-8),
        (W, FLAT, 1e-5, 1e-8),
        (PARALLEL, SIGMA, 1e-5, 1e-5),
        (W * [[0], [1], [1]], SIGMA, 0, 0),
    ],
    ids=["generic", "flat", "parallel", "vanishing"],
)
def test_kinks_have_second_derivatives_wherever_they_lie(name, weights, sigma, h, tolerance):
    """Central differences of the gradient, whose error is O(h²), or O(h) where a third derivative jumps.

    A unit that vanishes has none: there all numbers shall be finite.
    """
    population = Activation.parse(name).loss(V, B, sigma, mean=MU)
    theta = np.concatenate([weights.ravel(), A.ravel()])

    def gradient(x):
        parts = population.velocity(x[:6].reshape(3, 2), x[6:].reshape(2, 3))
        return -np.concatenate([part.ravel() for part in parts])

    H = population.hessian(weights, A)
    assert np.isfinite(H).all()
    np.testing.assert_allclose(H, H.T, atol=1e-12 * abs(H).max())
    if h:
        steps = h * np.eye(len(theta))
        differences = [(gradient(theta + e) - gradient(theta - e)) / (2 * h) for e in steps]
        np.testing.assert_allclose(H, differences, atol=tolerance * abs(H).max())


@pytest.mark.parametrize("name", KINKED)
@pytest.mark.parametrize("weights", [W, SEEN])
def test_flat_clusters(name, weights):
    """Σ of rank 1, so that every pre-activation is one Gaussian number and a mean of its own: one integral.

    A trapezoidal rule of step h errs by h²/12 times the jumps of the slope. The gradient is that of the loss, by
    central differences.
    """
    phi = Activation.parse(name)
    z = np.linspace(-10, 10, 40001)
    density = (z[1] - z[0]) * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    x = MU + z[:, None] * np.array([1, 0.5])

    def loss(w):
        r = phi.phi(x @ w.T, None) @ A.T - phi.phi(x @ V.T, None) @ B.T
        return 0.5 * density @ (r**2).sum(axis=1)

    population = phi.loss(V, B, FLAT, mean=MU)
    assert population.loss(weights, A) == pytest.approx(loss(weights), rel=1e-7)
    steps = 1e-5 * np.eye(6).reshape(6, 3, 2)
    slopes = [(population.loss(weights + e, A) - population.loss(weights - e, A)) / 2e-5 for e in steps]
    np.testing.assert_allclose(-population.velocity(weights, A)[0].ravel(), slopes, atol=1e-8)


def test_a_mean_of_another_dimension_is_refused():
    with pytest.raises(ProblemError, match="`mean` has 3 entries, but there are 2 inputs"):
        Activation.parse("relu").loss(V, B, mean=np.ones(3))


def test_quadrature_knows_means():
    """sin: E sin z_1 sin z_2 = ½ e^{−(q_1 + q_2)/2} [cos(m_1 − m_2) eˢ − cos(m_1 + m_2) e⁻ˢ]."""
    sine = Activation("s", "sin", lambda z, q: np.sin(z), None, -1, quadrature=True)
    pairs = GramPairs(np.array([[1.2, 0.3]]), np.array([[-0.4, 0.9]]), np.array([[0.7]]), np.array([-0.2]))
    value, by_m = (x.item() for x in kernel_of(sine, sine)(pairs, "", "m"))
    s, damping = pairs.s.item(), np.exp(-(pairs.q1 + pairs.q2).item() / 2)
    assert value == pytest.approx(
        damping / 2 * (np.cos(0.9) * np.exp(s) - np.cos(0.5) * np.exp(-s)), abs=1e-13
    )
    assert by_m == pytest.approx(
        damping / 2 * (-np.sin(0.9) * np.exp(s) + np.sin(0.5) * np.exp(-s)), abs=1e-13
    )
