"""Times and rests of a flow of the overlap, against closed forms, the flow in all dimensions, other quadratures."""

import numpy as np
import pytest
from numpy.polynomial.polynomial import polyfromroots
from scipy.integrate import quad, solve_ivp

from dynamics.errors import ComputationError
from dynamics.escape.closed_forms import leading_time, monomial_time
from dynamics.escape.overlap_flow import OverlapFlow
from dynamics.escape.single_index import SingleIndex

HERMITE = {
    1: lambda z: z,
    2: lambda z: (z**2 - 1) / np.sqrt(2),
    3: lambda z: (z**3 - 3 * z) / np.sqrt(6),
    4: lambda z: (z**4 - 6 * z**2 + 3) / np.sqrt(24),
    5: lambda z: (z**5 - 10 * z**3 + 15 * z) / np.sqrt(120),
}
ALIKE = {k: SingleIndex(phi, phi) for k, phi in HERMITE.items()}
TANH = SingleIndex(np.tanh, np.tanh)


@pytest.mark.parametrize("order", range(6))
def test_closed_forms_are_the_integral(order):
    """Of 1/(mʲ(1 − m²)), by adaptive quadrature."""
    expected, _ = quad(lambda m: 1 / (m**order * (1 - m * m)), 0.2, 0.9, epsabs=0, epsrel=1e-13)
    assert monomial_time(order, 0.2, 0.9) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("k", HERMITE)
def test_hermite_polynomials_have_the_closed_form(k):
    """ṁ = k m^{k−1}(1 − m²); for k = 2 written out: ¼ ln[m²(1 − m₀²)/((1 − m²)m₀²)]."""
    time = ALIKE[k].flow().time(1e-3, 0.5)
    assert time == pytest.approx(monomial_time(k - 1, 1e-3, 0.5) / k, rel=1e-13)
    if k == 2:
        assert time == pytest.approx(np.log(0.25 * (1 - 1e-6) / (0.75 * 1e-6)) / 4, rel=1e-13)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_quadrature_along_a_plateau(k):
    """A flow that is the closed form but for its units, so that it is integrated: a term of 1e-9 in m^{k+3}.

    It changes the time by at most the ratio of the terms, 1e-9 · m⁴/(1 − m²) < 1e-10.
    """
    c = np.zeros(k + 4)
    c[k - 1], c[k + 1], c[k + 3] = k, -k, 1e-9
    expected = monomial_time(k - 1, 1e-4, 0.5) / k
    assert OverlapFlow(c).time(1e-4, 0.5) == pytest.approx(expected, rel=1e-10)


def test_rests_are_found_to_rounding():
    """Simple zeros of cubics, off the grid, the other zeros outside (−1, 1); rounding moves them by 1e-15."""
    for zero in np.linspace(0.05, 0.95, 37) + 1e-4 * np.sqrt(2):
        (found,) = OverlapFlow(polyfromroots([zero, -2.0, 1.5])).zeros
        assert found == pytest.approx(zero, abs=4e-15)


def test_worked_value_for_tanh():
    """Of the theory, section "single index", digits of an independent program."""
    assert TANH.flow().time(0.1, 0.9) == pytest.approx(3.43552504754759, rel=2e-12)


@pytest.mark.parametrize(("start", "overlap"), [(-0.4, 0.6), (0.05, 0.8)])
def test_the_flow_in_all_dimensions(start, overlap):
    """ẇ = (I − wwᵀ)(−∇L) of the loss of tanh units, K_11 by a grid of 61² points, ‖w‖ = 1 kept by the projection.

    SciPy integrates w in three dimensions up to the overlap; K_11 = E tanh′(w·x) tanh′(v·x) needs no Hermite series.
    """
    z = np.linspace(-9, 9, 121)
    weight = np.exp(-(z**2) / 2)
    weight /= weight.sum()
    slope = 1 / np.cosh(z) ** 2

    def K_11(m):
        u = m * z[:, None] + np.sqrt(max(1 - m * m, 0)) * z
        return float(weight * slope @ (1 / np.cosh(u) ** 2) @ weight)

    v = np.array([0.0, 0.6, 0.8])
    w = start * v + np.sqrt(1 - start**2) * np.array([1.0, 0.0, 0.0])

    def velocity(_, w):
        force = K_11(w @ v) * v
        return force - (w @ force) * w

    def there(_, w):
        return w @ v - overlap

    there.terminal = True
    found = solve_ivp(velocity, (0, 20), w, events=there, rtol=1e-10, atol=1e-12)
    assert TANH.flow().time(start, overlap) == pytest.approx(float(found.t_events[0][0]), rel=1e-8)


def test_laws_in_the_dimension_over_two_decades():
    """From 1/√d to 0.5, d from 1e3 to 1e6: k = 2 exactly ¼ ln d and a constant; k = 3, 4 powers d^{1/2}, d.

    By the closed forms what is left of the powers is less than 2/3 and ½ ln d: relative to the leading terms √d/3 and
    d/8 at most 4/√d and 8 ln d/d, and local slopes differ from ½ by at most 1/√d = 0.03, from 1 by less; for k = 2 the
    closed form leaves 1/(4d).
    """
    d = np.geomspace(1e3, 1e6, 13)
    for k, power in ((2, None), (3, 0.5), (4, 1.0)):
        times = np.array([ALIKE[k].flow().time(x**-0.5, 0.5) for x in d])
        if power is None:
            np.testing.assert_allclose(np.diff(times), np.diff(np.log(d)) / 4, atol=1 / (4 * d[0]))
            continue
        leading = np.array([leading_time(k, 1.0, x) for x in d])
        np.testing.assert_allclose(
            times / leading, 1, atol=4 / np.sqrt(d[0]) if k == 3 else 8 * np.log(1e3) / 1e3
        )
        slopes = np.diff(np.log(times)) / np.diff(np.log(d))
        assert abs(slopes - power).max() < 0.05
        assert abs(slopes[-1] - power) < abs(slopes[0] - power)
    assert leading_time(1, 1.0, 100) is None


@pytest.mark.parametrize("strength", [0.3, 7.0])
def test_prefactors_of_the_laws(strength):
    """c times the signal takes 1/c of the time: α_kβ_k = c."""
    for k in (2, 3, 4):
        scaled = SingleIndex(HERMITE[k], lambda z, k=k: strength * HERMITE[k](z))
        assert scaled.strength == pytest.approx(strength, rel=1e-12)
        assert scaled.flow().time(1e-4, 0.5) == pytest.approx(
            leading_time(k, scaled.strength, 1e8), rel=0.1 if k == 2 else 1e-3
        )


def test_rests_and_limits():
    """ṁ = −m(m² − 0.25)(1 − m²): rests at 0 and ±½, of which ±½ attract, 0 and the ends repel."""
    flow = OverlapFlow(np.array([0, 0.25, 0, -1.25, 0, 1.0]))
    np.testing.assert_allclose(flow.zeros, [-0.5, 0, 0.5], atol=1e-12)
    assert flow.limit(0.1) == pytest.approx(0.5) == flow.limit(0.9)
    assert flow.limit(-0.1) == pytest.approx(-0.5) == flow.limit(-0.9)
    assert flow.limit(0.0) == 0
    assert flow.lowest_start(0.4) == 0 and flow.lowest_start(0.6) == 0.6
    assert flow.time(-0.1, 0.4) == flow.time(0.1, 0.6) == np.inf
    assert flow.time(0.3, 0.2) == 0
    assert OverlapFlow(np.zeros(3)).time(0.1, 0.2) == np.inf
    assert OverlapFlow(np.zeros(3)).limit(0.1) == 0.1


def test_which_starts_get_there():
    """k = 1 from everywhere, k = 3 from m₀ > 0 alone: from below the flow comes to rest at 0."""
    assert ALIKE[1].flow().lowest_start(0.5) == -1
    assert ALIKE[1].flow().time(-0.9, 0.5) == pytest.approx(np.arctanh(0.5) + np.arctanh(0.9))
    assert ALIKE[3].flow().lowest_start(0.5) == 0
    assert ALIKE[3].flow().time(-0.1, 0.5) == np.inf
    assert ALIKE[3].flow().limit(-0.1) == 0
    against = SingleIndex(HERMITE[2], lambda z: -HERMITE[2](z)).flow()
    assert against.time(0.1, 0.5) == np.inf and against.limit(0.1) == 0
    linear = SingleIndex(HERMITE[1], lambda z: -z).flow()
    assert linear.limit(0.1) == -1


def test_where_the_series_ends():
    """That of a polynomial is all there is; of ReLU 400 terms do up to 0.95, not to 0.99."""
    relu = SingleIndex(lambda z: z * (z > 0), lambda z: z * (z > 0)).flow()
    assert relu.is_known(0.95) and not relu.is_known(0.99)
    assert ALIKE[4].flow().is_known(0.999)


def test_a_time_that_is_not_known():
    """ṁ = (m − 0.50001)² touches zero between two points of the grid, and 1/ṁ has no integral."""
    with pytest.raises(ComputationError, match="all but rests"):
        OverlapFlow(np.array([0.50001**2, -2 * 0.50001, 1.0])).time(0.1, 0.9)


def test_a_cubic_that_speeds_up_has_a_time_of_its_own():
    """ṁ = m(1 + m²), whose coefficients have one sign: ∫ dm/ṁ = ln m − ½ ln(1 + m²), by partial fractions."""
    expected = np.log(0.9 / 0.2) - 0.5 * np.log((1 + 0.81) / (1 + 0.04))
    assert OverlapFlow(np.array([0.0, 1.0, 0.0, 1.0])).time(0.2, 0.9) == pytest.approx(expected, rel=1e-10)
