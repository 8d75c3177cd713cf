"""Integrals along rays are mean logarithms: J = constant − E ln |f + L|, with logistic noise L of the scale c/π.

For φκ is the characteristic function of f + L, and the integral of (cos(rx) − cos r) dr/r is −ln |x|.
"""

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate
from scipy.special import digamma

from dynamics.population.form_rays import ERROR, along_rays


def mean_logarithm(mu, b, cut=0.0):
    """E ln |f + L| by that of the form f = 1, of which it is 0."""
    mu = np.atleast_2d(np.asarray(mu, dtype=float))
    one = along_rays(np.zeros((1, 1)), np.array([-1.0]), np.zeros(1))
    return (one - along_rays(mu, np.array([float(b)]), np.array([float(cut)])))[0]


@pytest.mark.parametrize("n", [1, 2, 5, 16, 30])
@pytest.mark.parametrize("scale", [1e-9, -0.3, 1e6])
def test_equal_eigenvalues(n, scale):
    """E ln χ²_n = ψ(n/2) + ln 2, for forms of both signs and all sizes."""
    wanted = np.log(2 * abs(scale)) + digamma(n / 2)
    assert mean_logarithm(np.full(n, scale), 0.0) == pytest.approx(wanted, abs=2 * ERROR)


def test_a_constant():
    assert mean_logarithm([0.0], 7.5) == pytest.approx(np.log(7.5), abs=1e-13)


@pytest.mark.parametrize("mu", [1.0, -1.0, 0.2, 30.0])
@pytest.mark.parametrize("b", [1e-3, 0.4, 0.99, 1.0, 2.25])
def test_one_eigenvalue_and_a_shift(mu, b):
    """By adaptive quadrature of ln |μz² − b|, split at its zeros."""
    ends = sorted({0.0, np.sqrt(b / mu) if mu > 0 else 1e-3, 1.0, 4.0, 45.0})
    wanted = sum(
        integrate.quad(
            lambda z: np.log(np.abs(mu * z * z - b)) * np.sqrt(2 / np.pi) * np.exp(-z * z / 2),
            *pair,
            epsabs=1e-9,
            limit=200,
        )[0]
        for pair in pairwise(ends)
    )
    assert mean_logarithm([mu], b) == pytest.approx(wanted, abs=2 * ERROR)


@pytest.mark.parametrize(("n", "b"), [(2, 1.0), (16, 16.0), (16, 8.0), (30, 30.0), (30, 0.4), (24, -3.0)])
def test_forms_almost_normal(n, b):
    """Equal eigenvalues and a shift: the density of χ²_n, by quadrature."""

    def density(t):
        from scipy.stats import chi2

        return np.log(np.abs(t - b)) * chi2.pdf(t, n)

    ends = sorted({0.0, max(b, 0.0), max(b, 0.0) + 2.0, 2.0 * n + 20, 400.0})
    pairs = pairwise(ends)
    wanted = sum(integrate.quad(density, *pair, epsabs=1e-9, limit=300)[0] for pair in pairs)
    assert mean_logarithm(np.ones(n), b) == pytest.approx(wanted, abs=2 * ERROR)


@pytest.mark.parametrize("scale", [1e-3, 0.5, 20.0])
def test_logistic_noise(scale):
    """Of L alone and of 1 + L: its density is that of the slope of σ."""

    def weighted(x, f):
        return np.log(np.abs(f + scale * x)) / (4 * np.cosh(x / 2) ** 2)

    for f in (0.0, 1.0):
        ends = sorted({-60.0, -1.0, -f / scale if f < 60 * scale else 0.0, 1.0, 60.0})
        pairs = pairwise(ends)
        wanted = sum(integrate.quad(weighted, *pair, args=(f,), epsabs=1e-9, limit=300)[0] for pair in pairs)
        assert mean_logarithm([0.0], -f, np.pi * scale) == pytest.approx(wanted, abs=2 * ERROR)


def test_many_at_once_are_each_alone():
    """Rows end at different nodes: together they are what they are alone, to rounding."""
    rng = np.random.default_rng(0)
    mu, b, cut = rng.standard_normal((40, 3)), rng.standard_normal(40), np.abs(rng.standard_normal(40))
    alone = [along_rays(mu[i : i + 1], b[i : i + 1], cut[i : i + 1])[0] for i in range(40)]
    np.testing.assert_allclose(along_rays(mu, b, cut), alone, atol=1e-13)
