"""How often a form exceeds a threshold: against χ² laws, symmetry, one worked value, and the labels of classifiers."""

import numpy as np
import pytest
from scipy import stats

from dynamics.losses import LOGISTIC
from dynamics.population.exceedance import exceedance
from dynamics.population.label_moments import LabelMoments


@pytest.mark.parametrize("scale", [1e-8, 0.3, 2.0, 500.0])
@pytest.mark.parametrize("t", [0.0, 0.01, 1.0, 9.0])
def test_one_eigenvalue(scale, t):
    """P(δz² > δt) and E 1{…}z² are tails of χ²₁ and χ²₃; a coordinate that the form ignores has the moment P."""
    p, moments = exceedance(np.array([scale, 0.0]), scale * t)
    assert p == pytest.approx(stats.chi2.sf(t, 1), abs=1e-14)
    np.testing.assert_allclose(moments, [stats.chi2.sf(t, 3), p], atol=1e-13)
    p, moments = exceedance(np.array([-scale, 0.0]), -scale * t)
    assert p == pytest.approx(stats.chi2.cdf(t, 1), abs=1e-14)
    np.testing.assert_allclose(moments, [stats.chi2.cdf(t, 3), p], atol=1e-13)


def test_equal_eigenvalues():
    """Four of them: χ²₄."""
    p, _ = exceedance(np.full(4, 0.7), 0.7 * 2.5)
    assert p == pytest.approx(stats.chi2.sf(2.5, 4), abs=1e-14)


def test_worked_value():
    """B of labels 1{z₁² > z₂²}: ½ ± 1/π, from the theory."""
    p, moments = exceedance(np.array([1.0, -1.0]))
    assert p == pytest.approx(0.5, abs=1e-14)
    np.testing.assert_allclose(moments, [0.5 + 1 / np.pi, 0.5 - 1 / np.pi], atol=1e-13)


def test_a_form_that_is_zero_or_has_one_sign():
    for delta, wanted in ((np.zeros(2), 0.0), (np.array([1.0, 0.0]), 1.0), (np.array([-1.0, 0.0]), 0.0)):
        p, moments = exceedance(delta)
        assert p == wanted
        np.testing.assert_array_equal(moments, wanted)


@pytest.mark.parametrize("labels", [{"threshold": 0.3}, {"threshold": -0.4, "flip": 0.1}, {"flip": 0.2}, {}])
def test_label_moments(labels):
    """B and ȳ of a form that is not diagonal, within five standard errors of 400,000 draws."""
    M, shift = np.array([[1.5, 0.7, 0.0], [0.7, -0.8, 0.2], [0.0, 0.2, 0.1]]), 0.25
    moment, mean = LabelMoments(LOGISTIC, **labels).of(M, shift)
    z = np.random.default_rng(2).standard_normal((400_000, 3))
    f = np.einsum("ni,ij,nj->n", z, M, z) - shift
    clean = 1 / (1 + np.exp(-f)) if "threshold" not in labels else (f > labels["threshold"]).astype(float)
    p = labels.get("flip", 0.0)
    y = p + (1 - 2 * p) * clean
    products = y[:, None, None] * z[:, :, None] * z[:, None, :]
    error = products.std(axis=0) / np.sqrt(len(z))
    assert (np.abs(moment - products.mean(axis=0)) < 5 * error).all()
    assert abs(mean - y.mean()) < 5 * y.std() / np.sqrt(len(z))
