"""How often two forms agree in sign: against closed forms, dense quadrature, draws, and symmetries."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from dynamics.losses import LOGISTIC
from dynamics.population.agreement import accuracies, agreement, constant_signs
from dynamics.population.exceedance import exceedance
from dynamics.population.label_moments import LabelMoments

LARGEST_ERROR = 1e-5  # that is stated, of the cases here


def of_one(M, b, target, shift, soft=False):
    """E[h(g) sgn f] and its error of one state."""
    values, errors = agreement(
        np.asarray(M)[None], np.array([float(b)]), np.asarray(target), shift, soft=soft
    )
    assert 0 <= errors[0] < LARGEST_ERROR
    return values[0], errors[0]


def symmetric(rng, n):
    G = rng.standard_normal((n, n))
    return (G + G.T) / 2


@pytest.mark.parametrize("b", [0.0, 0.4])
def test_multiples_agree_always(b):
    """f = ±cg: to the last bits."""
    target = np.diag([2.0, -1.0, 0.5])
    for c in (1.0, 1e-9, -3.0, 1e6):
        assert of_one(c * target, c * b, target, b)[0] == pytest.approx(np.sign(c), abs=1e-12)


@pytest.mark.parametrize("angle", [1e-6, 0.01, 0.3, np.pi / 4, 1.2, 1.57])
def test_saddles_at_an_angle(angle):
    """cos 2φ and cos(2φ − 2θ) have different signs on the part 2θ/π of the circle, θ ≤ π/2."""
    c, s = np.cos(2 * angle), np.sin(2 * angle)
    value, error = of_one([[1.0, 0.0], [0.0, -1.0]], 0.0, [[c, s], [s, -c]], 0.0)
    assert abs(value - (1 - 4 * angle / np.pi)) <= error


@pytest.mark.parametrize("m", [1.0, -1e-9, 1e6])
@pytest.mark.parametrize("ratio", [1e-3, 0.4, 0.99, 1 + 1e-9, 2.0])
def test_one_input(m, ratio):
    """sgn(z² − t) and sgn(z² − t*) differ for z² between both: probabilities of χ²₁."""
    for target, level in ((1.0, 1.0), (3e-6, 0.2), (1e6, 1e-2)):
        value, error = of_one([[m]], m * ratio, [[target]], target * level)
        between = abs(stats.chi2.cdf(ratio, 1) - stats.chi2.cdf(level, 1))
        assert abs(value - np.sign(m) * (1 - 2 * between)) <= error


@pytest.mark.parametrize(("m", "b"), [(1.0, 0.4), (-1e-9, -1e-10), (1.0, 3.0), (1e3, 2.0)])
def test_one_input_and_drawn_labels(m, b):
    """By Gauss's rule on panels that get narrow at 0, for teachers of all sizes."""
    x, w = np.polynomial.legendre.leggauss(30)
    edges = np.unique(np.concatenate([[0, np.sqrt(b / m), 12], np.geomspace(1e-5, 12, 120)]))
    half = np.diff(edges)[:, None] / 2
    z = edges[:-1, None] + half * (1 + x)
    for target, shift in ((1.0, 0.4), (-2e-6, 1e-6), (1e6, -0.4), (3.0, 0.0)):
        g = target * z * z - shift
        wanted = (half * w * np.sign(m * z * z - b) * np.tanh(g / 2) * 2 * stats.norm.pdf(z)).sum()
        value, error = of_one([[m]], b, [[target]], shift, soft=True)
        assert abs(value - wanted) <= error


@pytest.mark.parametrize("b", [0.0, 0.3, -0.5])
def test_two_inputs_and_drawn_labels(b):
    """In polar coordinates with t = |z|²/2, exponentially distributed, split where f = 0; angles where f has no t."""
    M, target = np.array([[1.0, 0.3], [0.3, -0.6]]), np.array([[0.8, -0.5], [-0.5, 0.4]])
    zeros = np.arctan(np.roots([M[1, 1], 2 * M[0, 1], M[0, 0]]).real)
    edges = np.array([zeros.min(), zeros.max(), zeros.min() + np.pi])
    x, w = np.polynomial.legendre.leggauss(300)
    half = np.diff(edges)[:, None] / 2
    angles, shares = (edges[:-1, None] + half * (1 + x)).ravel(), (half * w).ravel() / np.pi
    e = np.array([np.cos(angles), np.sin(angles)])
    f, g = np.einsum("ia,ij,ja->a", e, M, e), np.einsum("ia,ij,ja->a", e, target, e)
    x, w = np.polynomial.legendre.leggauss(60)
    change = np.where(b / f > 0, np.minimum(b / (2 * f), 40.0), 0.0)
    wanted = 0.0
    for start, end in ((0 * change, change), (change, change + 5), (change + 5, change + 40)):
        t = start + (end - start) / 2 * (1 + x[:, None])
        signs = np.sign(2 * t * f - b) * np.tanh((2 * t * g - 0.2) / 2) * np.exp(-t)
        wanted += ((end - start) / 2 * (w @ signs)) @ shares
    value, error = of_one(M, b, target, 0.2, soft=True)
    assert abs(value - wanted) <= error


@pytest.mark.parametrize("labels", [{}, {"threshold": 0.3, "flip": 0.1}, {"threshold": 0.0}, {"flip": 0.2}])
@pytest.mark.parametrize(("n", "rank"), [(2, 2), (3, 1), (5, 3), (12, 12)])
def test_against_draws(labels, n, rank):
    """200,000 of them, within 4.5 of their standard errors and the stated error; three states at once."""
    rng = np.random.default_rng(n)
    moments = LabelMoments(LOGISTIC, **labels)
    V = rng.standard_normal((rank, n))
    target = V.T @ np.diag(np.resize([1.5, -1.0, 0.6], rank)) @ V / n
    M = np.array([target + 0.1 * symmetric(rng, n), symmetric(rng, n), V.T @ V / n])
    b = np.array([0.25, 0.0, 0.6])
    values, errors = accuracies(M, b, target, 0.25, moments)
    z = rng.standard_normal((200_000, n))
    g = np.einsum("ni,ij,nj->n", z, target, z, optimize=True) - 0.25
    clean = expit(g) if "threshold" not in labels else (g > labels["threshold"]) * 1.0
    p = labels.get("flip", 0.0)
    y = p + (1 - 2 * p) * clean
    for form, beta, value, error in zip(M, b, values, errors, strict=True):
        f = np.einsum("ni,ij,nj->n", z, form, z, optimize=True) - beta
        right = np.where(f > 0, y, 1 - y)
        assert abs(value - right.mean()) <= 4.5 * right.std() / np.sqrt(len(z)) + error
    assert (errors < LARGEST_ERROR).all()


def test_many_directions_of_one_sign():
    """16 and 24 eigenvalues that are positive, with shifts below, at and above the mean: the normal regime."""
    rng = np.random.default_rng(4)
    for n in (16, 24):
        G = rng.standard_normal((n, n)) / np.sqrt(n)
        target, M = np.eye(n), np.eye(n) + 0.3 * G @ G.T
        z = rng.standard_normal((100_000, n))
        f, g = np.einsum("ni,ij,nj->n", z, M, z, optimize=True), (z * z).sum(axis=1)
        for b, shift in ((0.4, 0.4), (n, n), (0.9 * n, 1.4 * n)):
            product = np.sign(f - b) * np.sign(g - shift)
            value, error = of_one(M, b, target, float(shift))
            assert abs(value - product.mean()) <= 4.5 * product.std() / np.sqrt(len(z)) + error


def test_what_does_not_change_it():
    """A factor of f, a rotation of both forms, directions that neither of them has, and the roles of hard forms."""
    rng = np.random.default_rng(6)
    M, target = symmetric(rng, 3), symmetric(rng, 3)
    Q, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    for soft in (True, False):
        value, error = of_one(M, 0.4, target, 0.2, soft)
        for c in (1e-9, 1e6, 1e100):
            assert of_one(c * M, c * 0.4, target, 0.2, soft)[0] == pytest.approx(value, abs=1e-12)
        others = [of_one(Q @ M @ Q.T, 0.4, Q @ target @ Q.T, 0.2, soft)]
        others.append(of_one(np.pad(M, (0, 2)), 0.4, np.pad(target, (0, 2)), 0.2, soft))
        if not soft:
            others.append(of_one(target, 0.2, M, 0.4))
            others.append(of_one(-1e5 * M, -4e4, -target, -0.2))
        for other, its in others:
            assert abs(other - value) <= error + its


def test_stated_errors_hold_where_forms_are_alike():
    """Distances of 1e-8 to 1 from the teacher: a tolerance of 1e-8 of Gauss's rule says what is right."""
    rng = np.random.default_rng(7)
    target = np.diag([2.0, -1.0, 0.5])
    away = 10.0 ** -np.arange(9.0)
    M = target + away[:, None, None] * np.array([symmetric(rng, 3) for _ in away])
    from dynamics.population import agreement as module

    for b in (0.0, 0.4):
        values, errors = agreement(M, np.full(9, b), target, b, soft=False)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "TOLERANCE", 1e-8)
            finer, _ = agreement(M, np.full(9, b), target, b, soft=False)
        assert (np.abs(values - finer) <= errors).all()
        assert (errors < LARGEST_ERROR).all()
        assert (np.diff(values[1:]) > 0).all()  # the closer, the better
        assert 1 - values[-1] < 1e-6


@pytest.mark.parametrize("labels", [{"threshold": 0.3, "flip": 0.1}, {"flip": 0.1}])
def test_answers_that_are_constant(labels):
    """ȳ and 1 − ȳ, exactly; −0 = 0 is the class 0."""
    moments, target = LabelMoments(LOGISTIC, **labels), np.diag([2.0, -1.0])
    mean = moments.of(target, 0.4)[1]
    M = np.array([np.zeros((2, 2)), np.zeros((2, 2)), np.zeros((2, 2)), np.eye(2), -np.eye(2)])
    b = np.array([0.0, 0.4, -0.4, 0.0, 0.1])
    assert constant_signs(M, b).tolist() == [-1, -1, 1, 1, -1]
    values, errors = accuracies(M, b, target, 0.4, moments)
    np.testing.assert_allclose(values, [1 - mean, 1 - mean, mean, mean, 1 - mean], atol=1e-14)
    np.testing.assert_array_equal(errors, 0)


def test_classes_that_are_constant():
    """A teacher of one class, or of none: how often f > 0 is."""
    M = np.diag([1.0, -0.4])[None]
    positive = exceedance(np.array([1.0, -0.4]), 0.3)[0]
    always = accuracies(M, np.array([0.3]), np.eye(2), -0.1, LabelMoments(None, 0.0, 0.1))[0]
    assert always[0] == pytest.approx(0.1 + 0.8 * positive, abs=1e-13)
    p = expit(-0.7)
    tossed = accuracies(M, np.array([0.3]), np.zeros((2, 2)), 0.7, LabelMoments(LOGISTIC))[0]
    assert tossed[0] == pytest.approx(p * positive + (1 - p) * (1 - positive), abs=1e-13)


def test_forms_that_are_not_finite_have_none():
    M = np.array([np.full((2, 2), np.inf), np.diag([1.0, -1.0])])
    values, errors = accuracies(M, np.zeros(2), np.diag([1.0, -1.0]), 0.0, LabelMoments(None, 0.0))
    assert np.isnan(values[0])
    assert np.isnan(errors[0])
    assert values[1] == 1.0
