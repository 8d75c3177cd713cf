"""Nodes and weights of the laws of the inputs, from their definitions: quadrature and enumeration.

Every rule is exact for polynomials up to the degree that is asked for; nothing here knows a moment.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from scipy.linalg import sqrtm
from scipy.special import gammaln

from dynamics.aliases import Array
from dynamics.inputs.data_set import DataSet
from dynamics.inputs.laws import InputLaw, Mixture, parse_law

Rule = tuple[Array, Array]


def tensor(points: Array, weights: Array, d: int) -> Rule:
    """The product of d rules of one dimension."""
    grid = np.array(list(itertools.product(points, repeat=d)))
    return grid, np.prod(list(itertools.product(weights, repeat=d)), axis=1)


def gauss_hermite(d: int, degree: int) -> Rule:
    """N(0, I)."""
    x, w = np.polynomial.hermite_e.hermegauss(degree // 2 + 1)
    return tensor(x, w / w.sum(), d)


def uniform(d: int, degree: int) -> Rule:
    """Gauss–Legendre on ±√3."""
    x, w = np.polynomial.legendre.leggauss(degree // 2 + 1)
    return tensor(np.sqrt(3) * x, w / 2, d)


def signs(d: int, degree: int) -> Rule:
    """All 2^d signs."""
    return tensor(np.array([-1.0, 1.0]), np.full(2, 0.5), d)


def three_points(kappa: float) -> Callable[[int, int], Rule]:
    """All 3^d points."""
    share = 1 / (kappa + 3)
    x = np.sqrt(kappa + 3) * np.array([-1.0, 0.0, 1.0])
    return lambda d, degree: tensor(x, np.array([share / 2, 1 - share, share / 2]), d)


def sphere(d: int, degree: int) -> Rule:
    """Radius √3 in three dimensions: Gauss–Legendre in the height, the trapezoidal rule in the angle."""
    assert d == 3
    height, w = np.polynomial.legendre.leggauss(degree // 2 + 1)
    angle = 2 * np.pi * np.arange(degree + 1) / (degree + 1)
    h, a = (x.ravel() for x in np.meshgrid(height, angle, indexing="ij"))
    flat = np.sqrt(1 - h**2)
    nodes = np.sqrt(3) * np.column_stack([flat * np.cos(a), flat * np.sin(a), h])
    return nodes, np.repeat(w / 2, len(angle)) / len(angle)


def student_t(nu: float) -> Callable[[int, int], Rule]:
    """Gaussian nodes times lengths s = √((ν − 2)/2u), u of the gamma law of shape ν/2.

    In log u the integrand is analytic and falls exponentially on both sides: the trapezoidal rule converges
    exponentially, and the last numbers are those of the tail of the highest moment.
    """

    def rule(d: int, degree: int) -> Rule:
        h = 0.1
        y = np.arange(-90 / (nu - degree), 5, h)
        radial = h * np.exp(nu / 2 * y - np.exp(y) - gammaln(nu / 2))
        z, w = gauss_hermite(d, degree)
        s = np.sqrt((nu - 2) / (2 * np.exp(y)))
        return (s[:, None, None] * z).reshape(-1, d), np.outer(radial, w).ravel()

    return rule


def mixture(law: Mixture) -> Callable[[int, int], Rule]:
    """Gauss–Hermite in every cluster."""

    def rule(d: int, degree: int) -> Rule:
        z, w = gauss_hermite(d, degree)
        clusters = zip(law.weights, law.means, law.covariances, strict=True)
        parts = [(mu + z @ np.linalg.cholesky(S).T, pi * w) for pi, mu, S in clusters]
        return np.vstack([x for x, _ in parts]), np.concatenate([w for _, w in parts])

    return rule


def samples(law: DataSet) -> Callable[[int, int], Rule]:
    """All samples to train on."""
    return lambda d, degree: (law.X, np.full(len(law.X), 1 / len(law.X)))


def correlated(rule: Rule, covariance: Array) -> Rule:
    """The rule of Σ^{1/2} z."""
    return rule[0] @ np.real(sqrtm(covariance)), rule[1]


def three_clusters(d: int) -> Mixture:
    """Three clusters with means and covariances of their own."""
    rng = np.random.default_rng(5)
    F = rng.standard_normal((3, d, d)) / np.sqrt(d)
    return Mixture(
        np.array([0.2, 0.5, 0.3]), rng.standard_normal((3, d)), F @ F.swapaxes(1, 2) + 0.1 * np.eye(d)
    )


def data_set(d: int, n: int = 9, outputs: int = 2) -> DataSet:
    """Few samples with labels, some of them held out."""
    rng = np.random.default_rng(6)
    shapes = (n, d), (n, outputs), (4, d), (4, outputs)
    return DataSet(*(rng.standard_normal(shape) for shape in shapes))


CLUSTERS, DATA = three_clusters(3), data_set(3)
RULES: list[tuple[InputLaw, Callable[[int, int], Rule]]] = [
    (parse_law("gaussian"), gauss_hermite),
    (parse_law("sphere").bound(3), sphere),
    (parse_law("student-t:12"), student_t(12)),
    (parse_law("uniform"), uniform),
    (parse_law("rademacher"), signs),
    (parse_law("independent:1"), three_points(1)),
    (parse_law("independent:-1.5"), three_points(-1.5)),
    (CLUSTERS, mixture(CLUSTERS)),
    (DATA, samples(DATA)),
]
IDS = [law.name for law, _ in RULES]
