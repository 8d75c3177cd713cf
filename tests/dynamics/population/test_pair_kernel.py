"""Losses of students and teachers of any two activations: quadrature, differences, and the known values."""

import itertools

import numpy as np
import pytest

from dynamics import Problem, Student, Teacher
from dynamics.activations import ACTIVATIONS, Activation
from dynamics.activations.pairing import kernel_of
from dynamics.activations.smooth import MIXTURES, NODES, RANGES, finer, logistic_mixture
from dynamics.population.gram_pairs import GramPairs
from dynamics.population.hermite_kernel import hermite_coefficients

NAMES = [
    *(name for name in ACTIVATIONS if name != "elu"),
    "polynomial:0.3,-1,0.7,0.2",
    "hermite:3",
    "leaky-relu:0.1",
]
KINKED = {"relu", "abs", "leaky-relu:0.1", "relu2"}
PAIRS = [*itertools.product(NAMES, NAMES), ("gelu", "elu")]  # ELU, of 115 components, is slow


def pairs_of(q11, q12, q22):
    s, t = np.sqrt(q11), np.sqrt(q22)
    r = q12 / (s * t)
    return GramPairs(np.array([[s, 0.0]]), np.array([[t * r, t * np.sqrt(1 - r * r)]]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tanh", 0.232110406847366),
        ("gelu", 0.317719616229128),
        ("silu", 0.263220562925108),
        ("softplus", 0.900309309677706),
    ],
)
def test_worked_values(name, value):
    """κ at q = (2.25, 0.72, 0.64), by a fine quadrature that was made for the derivation; 20 nodes and 24."""
    pairs = pairs_of(2.25, 0.72, 0.64)
    phi = Activation.parse(name)
    assert kernel_of(phi, phi)(pairs, "")[0].item() == pytest.approx(value, abs=4e-12)
    if name in MIXTURES:
        fine = finer(name, 24)
        assert kernel_of(fine, fine)(pairs, "")[0].item() == pytest.approx(value, abs=1e-14)


def test_the_worked_value_of_two_polynomials():
    phi = Activation.parse("polynomial:0.3,-1,0.7,0.2,-0.5,0.1")
    psi = Activation.parse("polynomial:1,0.4,-0.3,0.6,0.2,0,0.05")
    pairs = pairs_of(1.69, -0.62 * 1.3 * 0.7, 0.49)
    assert kernel_of(phi, psi)(pairs, "")[0].item() == pytest.approx(-10.3652070344964, rel=1e-14)


@pytest.mark.parametrize(("nodes", "error"), [(16, 2.2e-10), (20, 1.6e-12), (24, 2e-14), (32, 2e-15)])
def test_tanh_is_a_mixture_of_error_functions(nodes, error):
    """Largest error over the line; the default and all others that are offered."""
    from scipy.special import erf

    k, p = logistic_mixture(nodes)
    z = np.linspace(-12, 12, 4001)
    assert np.abs(erf(z[:, None] / (np.sqrt(2) * k)) @ p - np.tanh(z)).max() < error
    assert NODES == 20 and set(RANGES) == {16, 20, 24, 32}


def made(student, teacher, covariance=None):
    rng = np.random.default_rng(5)
    V, B = 0.6 * rng.standard_normal((2, 2)), rng.standard_normal((2, 2))
    W, A = 0.5 * rng.standard_normal((3, 2)), rng.standard_normal((2, 3))
    return Problem(Teacher(V, B), Student(W, A), student, covariance, teacher_activation=teacher)


def brute_loss(problem):
    """½ E‖f* − f‖² in polar coordinates by Gauss–Legendre rules.

    All functions are analytic in the radius, and in the angle between directions where a pre-activation changes sign.
    """
    teacher, student = problem.teacher, problem.student
    zeros = np.sort(np.concatenate([np.arctan2(-X[:, 0], X[:, 1]) % np.pi for X in (student.W, teacher.V)]))
    edges = np.concatenate([zeros, zeros + np.pi, zeros[:1] + 2 * np.pi])
    x, w = np.polynomial.legendre.leggauss(24)
    half = np.diff(edges) / 2
    angles = (edges[:-1] + half)[:, None] + half[:, None] * x
    y, v = np.polynomial.legendre.leggauss(60)
    r = 5.5 * (y + 1)
    v = 5.5 * v * r * np.exp(-(r**2) / 2)
    X = r[:, None, None, None] * np.stack([np.cos(angles), np.sin(angles)], -1)
    X = X.reshape(-1, 2)
    weights = (v[:, None, None] * (half[:, None] * w)).ravel() / (2 * np.pi)
    f = problem.activation.phi(X @ student.W.T, np.sum(student.W**2, 1)) @ student.A.T
    f -= problem.teacher_activation.phi(X @ teacher.V.T, np.sum(teacher.V**2, 1)) @ teacher.B.T
    return 0.5 * float(weights @ np.sum(f**2, axis=1))


@pytest.mark.parametrize(("student", "teacher"), [*PAIRS, ("elu", "elu"), ("elu", "relu"), ("tanh", "elu")])
def test_loss_of_every_pair_of_activations(student, teacher):
    """Against quadrature in polar coordinates."""
    problem = made(student, teacher)
    loss = problem.population.loss(problem.student.W, problem.student.A)
    assert loss == pytest.approx(brute_loss(problem), rel=3e-11)


LIGHT = ("quadratic", "centred", "relu", "abs", "relu2", "erf", "gelu", NAMES[-3], NAMES[-1])
MIXED = [(name, name) for name in MIXTURES] + [("tanh", "relu"), ("silu", "gelu"), ("softplus", "silu")]


@pytest.mark.parametrize(("student", "teacher"), [*itertools.product(LIGHT, LIGHT), *MIXED])
def test_derivatives_of_every_pair_of_activations(student, teacher):
    """Gradient and Hessian by central differences of fourth order; the product with the Hessian by the Hessian."""
    problem = made(student, teacher, np.array([[1.0, 0.3], [0.3, 0.6]]))
    population, W, A = problem.population, problem.student.W, problem.student.A
    theta, K = np.concatenate([W.ravel(), A.ravel()]), W.size

    def unpack(theta):
        return theta[:K].reshape(W.shape), theta[K:].reshape(A.shape)

    def gradient(theta):
        return -np.concatenate([g.ravel() for g in population.velocity(*unpack(theta))])

    def difference(f, step):
        rows = np.eye(len(theta)) * step
        return np.array([(8 * (f(theta + e) - f(theta - e)) - f(theta + 2 * e) + f(theta - 2 * e)) / (12 * step)
                         for e in rows])  # fmt: skip

    H = population.hessian(W, A)
    slopes = difference(lambda theta: population.loss(*unpack(theta)), 1e-3)
    np.testing.assert_allclose(slopes, gradient(theta), atol=2e-8 * max(1, abs(gradient(theta)).max()))
    np.testing.assert_allclose(difference(gradient, 1e-3), H, atol=2e-7 * abs(H).max())
    v = np.random.default_rng(1).standard_normal(len(theta))
    Hv = np.concatenate([h.ravel() for h in population.hessian_vector(W, A, *unpack(v))])
    np.testing.assert_allclose(Hv, H @ v, atol=1e-13 * abs(H).max() * len(v))


@pytest.mark.parametrize("name", ["gelu", "silu", "tanh", "erf"])
@pytest.mark.parametrize("size", [1e-3, 1e-6])
def test_short_vectors_keep_their_digits(name, size):
    """κ and ∂κ/∂q_1 against their series in the scalar product, whose terms are means of derivatives of φ."""
    phi = finer(name, 24) if name in MIXTURES else Activation.parse(name)
    pairs = GramPairs(size * np.array([[1.0, 0.4]]), size * np.array([[0.3, -0.7]]))
    value, by_1 = kernel_of(phi, phi)(pairs, "", "1")
    from dynamics.population.expansion import ComponentMeans

    assert phi.expansion is not None
    means = ComponentMeans(phi.expansion.components)
    linear = phi.expansion.polynomial[1] if phi.expansion.polynomial else 0.0
    q1, q2, s = pairs.q1.item(), pairs.q2.item(), pairs.s.item()

    def mean(n, q, m=0):
        return means(n, np.array([q]), m).item() + (linear if (n, m) == (1, 0) else 0.0)

    series = mean(0, q1) * mean(0, q2) + s * mean(1, q1) * mean(1, q2) + s**2 / 2 * mean(2, q1) * mean(2, q2)
    slope = mean(0, q1, 1) * mean(0, q2) + s * mean(1, q1, 1) * mean(1, q2)
    slope += s**2 / 2 * mean(2, q1, 1) * mean(2, q2)
    assert value.item() == pytest.approx(series, rel=max(1e-13, 3 * size**4))
    assert by_1.item() == pytest.approx(slope, rel=max(1e-12, 3 * size**4))


def test_invariants_of_two_polynomials():
    """L, E‖f‖², E‖∇f‖² and E ∇f·∇f* under Σ, ∇ by whitened inputs: Gauss–Hermite, exact for these polynomials."""
    from numpy.polynomial import Polynomial
    from numpy.polynomial.hermite_e import hermegauss

    rng = np.random.default_rng(5)
    W, V, A, B = (rng.standard_normal(shape) for shape in ((3, 2), (2, 2), (2, 3), (2, 2)))
    F = np.array([[1.0, 0.0], [0.4, 0.8]])
    problem = Problem(
        Teacher(V, B),
        Student(W, A),
        "polynomial:0,1,0.5",
        F @ F.T,
        teacher_activation="polynomial:0.2,0,0,0.3",
    )
    x, weights = hermegauss(8)
    X = np.stack(np.meshgrid(x, x), axis=-1).reshape(-1, 2)
    p = np.outer(weights, weights).ravel() / (2 * np.pi)
    phi, psi = Polynomial([0, 1, 0.5]), Polynomial([0.2, 0, 0, 0.3])

    def network(U, C, unit):
        value = unit(X @ (U @ F).T) @ C.T
        slope = np.einsum("nk,ok,kd->nod", unit.deriv()(X @ (U @ F).T), C, U @ F)
        return value, slope

    (f, df), (g, dg) = network(W, A, phi), network(V, B, psi)
    expected = [
        0.5 * p @ np.sum((f - g) ** 2, axis=1),
        p @ np.sum(f**2, axis=1),
        p @ np.sum(df**2, axis=(1, 2)),
        p @ np.sum(df * dg, axis=(1, 2)),
    ]
    found = problem.population.invariants(W, A)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    turned = np.linalg.qr(rng.standard_normal((3, 3)))[0][:2, :2]  # no symmetry: they change
    assert np.abs(problem.population.invariants(W @ turned, A) - found).min() > 1e-3


def test_hermite_coefficients_of_a_function_of_the_variance():
    """Of z² − q at z = sx + m: s²(x² − 1) + 2smx + m², so m², 2sm and √2 s² for the normalised polynomials."""
    s, m = np.array([0.5, 1.0, 3.0]), np.array([0.0, 0.3, -2.0])
    found = hermite_coefficients(lambda z, q: z**2 - q, s, 60, m)
    np.testing.assert_allclose(found[:3], [m**2, 2 * s * m, np.sqrt(2) * s**2], atol=1e-12)
    np.testing.assert_allclose(found[3:], 0, atol=1e-11)


@pytest.mark.parametrize("teacher", ["tanh", "relu", "relu2", "hermite:3"])
@pytest.mark.parametrize("student", ["relu2", "relu", "gelu", "quadratic"])
def test_a_unit_of_weight_zero_has_finite_derivatives(student, teacher):
    """Without a word of NumPy; the other unit's block of the Hessian is what it is without the first."""
    t = Teacher.from_eigenvalues([2.0, 1.0], 3)
    population = Activation.parse(student).loss(t.V, t.B, None, teacher)
    W, A = np.array([[0.0, 0, 0], [1.0, 1, 1]]), np.array([[0.5, -0.7]])
    with np.errstate(all="raise", under="ignore"):
        H = population.hessian(W, A)
        Hv = population.hessian_vector(W, A, np.ones_like(W), np.ones_like(A))
    assert np.isfinite(H).all() and all(np.isfinite(part).all() for part in Hv)
    alone = population.hessian(W[1:], A[:, 1:])
    np.testing.assert_allclose(H[3:6, 3:6], alone[:3, :3], rtol=0, atol=1e-12 * abs(alone).max())
