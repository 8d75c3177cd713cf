"""The phase plane of one mode: its curves are where the derived equations say."""

import numpy as np
import pytest
from scipy.integrate import quad

from dynamics import ProblemError
from dynamics.phase_plane import phase_plane
from dynamics.symbolic.derivation import derive


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize("lam", [1.5, -0.7])
def test_velocity_is_the_derived_one_and_vanishes_on_the_minima(activation, lam):
    plane = phase_plane(lam, activation=activation, points=7)
    rhs, _ = derive(hidden=1, inputs=1, activation=activation).numeric()
    for i, p in enumerate(plane.p):
        for j, a in enumerate(plane.a):
            expected = rhs(0.0, np.array([p, a]), np.array([lam]))[::-1]
            np.testing.assert_allclose(plane.velocity[:, i, j], expected, rtol=1e-12, atol=1e-12)
    for a, p in plane.minima.T:
        np.testing.assert_allclose(rhs(0.0, np.array([p, a]), np.array([lam])), 0, atol=1e-9)


@pytest.mark.parametrize("lam", [1.0, -1.0])
def test_paths_on_either_side_of_the_separatrix(lam):
    """p₀² < 2a₀² with aλ < 0 fails at (−√(−c/2) sign λ, 0); p₀² > 2a₀² learns a p² = λ (theory, section 2)."""
    s = np.sign(lam)
    plane = phase_plane(lam, [(-s * 1.0, 1.3), (-s * 1.0, 1.5)])
    np.testing.assert_allclose(2 * plane.separatrix[0] ** 2, plane.separatrix[1] ** 2, atol=1e-12)
    assert (plane.separatrix[0] * s <= 0).all()
    failed, learned = (path[:, -1] for path in plane.paths)
    np.testing.assert_allclose(failed, [-s * np.sqrt((2 - 1.3**2) / 2), 0], atol=1e-6)
    assert learned[0] * learned[1] ** 2 == pytest.approx(lam, rel=1e-6)


def test_times_of_a_path():
    """ȧ = κ p² (λ − a p²) with p² = c + 2a² (theory, section 1): t is the integral of da/ȧ, κ = 3."""
    plane = phase_plane(1.0, [(-1.0, 1.6)])
    (a, _), times = plane.paths[0], plane.times[0]
    c = 1.6**2 - 2 * 1.0**2
    assert len(times) == len(a) and times[0] == 0.0
    for end in (40, 90):
        t, _ = quad(lambda a: 1 / (3 * (c + 2 * a**2) * (1 - a * (c + 2 * a**2))), a[0], a[end])
        assert times[end] == pytest.approx(t, rel=1e-6)


def test_bad_input_is_refused():
    with pytest.raises(ProblemError, match="positive"):
        phase_plane(1.0, extent=0)
    with pytest.raises(ProblemError, match="quadratic"):
        phase_plane(1.0, activation="cubic")
    with pytest.raises(ProblemError, match="0"):
        phase_plane(0.0)


@pytest.mark.parametrize("starts", [[0.01], [[1, 2, 3]], [[1.0]]])
def test_starts_are_pairs(starts):
    with pytest.raises(ProblemError, match="`starts`"):
        phase_plane(1.0, starts)


@pytest.mark.parametrize("extent", [0.7, 5.0])
def test_minima_lie_within_the_plane_or_are_left_out(extent):
    """a p² = λ has points with |a|, p ≤ s if and only if |λ| ≤ s³."""
    minima = phase_plane(-0.9 * extent**3, extent=extent).minima
    assert minima.shape == (2, 200)
    assert np.abs(minima).max() <= extent * (1 + 1e-12)
    assert phase_plane(1.1 * extent**3, extent=extent).minima.shape == (2, 0)
