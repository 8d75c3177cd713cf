"""Hermite coefficients against closed forms, for functions that are smooth, kinked and steep."""

from math import erf, exp, factorial, lgamma, log, pi, sqrt

import numpy as np
import pytest

from dynamics.errors import ComputationError
from dynamics.escape.hermite import ORDERS, Panels


def coefficients(f):
    panels = Panels.resolving([f])
    return panels.coefficients(f(panels.z))


def test_of_a_polynomial_they_are_those_of_the_expansion():
    """z³ = He₃ + 3 He₁ and z⁴ = He₄ + 6 He₂ + 3, h_n = He_n/√n!."""
    expected = np.zeros(ORDERS + 1)
    expected[[3, 1, 4, 2, 0]] = np.sqrt(6), 3, 2 * np.sqrt(24), 12 * np.sqrt(2), 6
    np.testing.assert_allclose(coefficients(lambda z: z**3 + 2 * z**4), expected, rtol=1e-13, atol=2e-13)


def test_of_a_kink_at_zero_up_to_the_last_order():
    """E ReLU(z) h_n = (−1)^{n/2+1} (n − 3)!!/√(2π n!) for even n, 0 for odd n > 1 (by parts, twice)."""
    found = coefficients(lambda z: z * (z > 0))
    n = np.arange(2, ORDERS + 1, 2)
    size = [exp(lgamma(k - 1) - (k / 2 - 1) * log(2) - lgamma(k / 2) - lgamma(k + 1) / 2) for k in n.tolist()]
    np.testing.assert_allclose(found[2::2], (-1.0) ** (n / 2 + 1) * size / sqrt(2 * pi), rtol=1e-10)
    np.testing.assert_allclose(found[:2], [1 / sqrt(2 * pi), 0.5], rtol=1e-14)
    np.testing.assert_allclose(found[3::2], 0, atol=1e-14)


@pytest.mark.parametrize("c", [0.31370001, -1.9])
def test_of_a_kink_anywhere(c):
    """E |z − c| = 2n(c) + c(2Φ(c) − 1); E |z − c| h₂ = 2n(c)/√2, by parts."""
    found = coefficients(lambda z: abs(z - c))
    density = exp(-c * c / 2) / sqrt(2 * pi)
    assert found[0] == pytest.approx(2 * density + c * erf(c / sqrt(2)), rel=1e-14)
    assert found[2] == pytest.approx(2 * density / sqrt(2), rel=1e-13)


def test_of_an_oscillation():
    """E sin(ωz) h_n = (−1)^{(n−1)/2} ωⁿ e^{−ω²/2}/√n!, odd n."""
    found = coefficients(lambda z: np.sin(7 * z))
    n = np.arange(1, 40, 2)
    expected = [(-1) ** ((k - 1) // 2) * 7.0**k * exp(-24.5) / sqrt(factorial(k)) for k in n.tolist()]
    np.testing.assert_allclose(found[n], expected, atol=1e-14)


def test_functions_that_share_their_panels():
    """A kink of one is an edge for the other too, which changes nothing: Σ α_n² = E tanh², up to 1e-26."""
    panels = Panels.resolving([np.tanh, lambda z: abs(z - 0.3)])
    values = np.tanh(panels.z)
    assert np.sum(panels.coefficients(values) ** 2) == pytest.approx(panels.mean(values**2), rel=1e-14)


def test_derivatives():
    """Of tanh to 1e-11 on panels wider than 1e-2 (rounding over width); of ReLU exactly 0 or 1 up to rounding."""
    panels = Panels.resolving([np.tanh, lambda z: abs(z - 0.3)])
    wide = np.ptp(panels.edges, axis=0) > 1e-2
    np.testing.assert_allclose(
        panels.derivative(np.tanh(panels.z))[wide], 1 / np.cosh(panels.z[wide]) ** 2, atol=1e-11
    )
    relu = Panels.resolving([lambda z: z * (z > 0)])
    slopes = relu.derivative(relu.z * (relu.z > 0))
    np.testing.assert_allclose(slopes, relu.z > 0, atol=1e-11)


def test_what_has_no_coefficients_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ComputationError, match="too rough"):
        Panels.resolving([lambda z: rng.standard_normal(z.shape)])
    with pytest.raises(ComputationError, match=r"not below 1e\+70"):
        Panels.resolving([lambda z: np.where(z > 3, np.inf, z)])
