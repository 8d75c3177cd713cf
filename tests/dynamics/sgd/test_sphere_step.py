"""One step of one unit on the sphere against the closed form, samples, and the step itself."""

import numpy as np
import pytest

from dynamics.sgd.sphere_step import OneUnitStep

M = np.linspace(-0.95, 1, 9)
C = 1 - M**2


@pytest.mark.parametrize("d", [2, 10, 200])
@pytest.mark.parametrize("noise", [0.0, 0.7])
def test_the_closed_form(d, noise):
    """Derived by Isserlis' theorem: E Δm to second order, and E(Δm)² = η²[48c²(1 + 2m²) + 4Δc], a = b = B = 1."""
    step = OneUnitStep(d, label_noise=noise)
    first, second = step.mean(M)
    closed = -M / 2 * (48 * (d + 6) * C + 4 * (d + 2) * noise)
    closed += 2 * M * (84 * C**2 + 60 * M**2 * C) + 96 * M * C**2 + 6 * M * noise
    np.testing.assert_allclose(first, 4 * M * C, atol=1e-14)
    np.testing.assert_allclose(second, closed, atol=1e-13 * (d + 6) * 48)
    square = 48 * C**2 * (1 + 2 * M**2) + 4 * noise * C
    np.testing.assert_allclose(step.variance(M) + first**2, square, atol=1e-12)


def sampled(step, m, eta, n, rng):
    """Δm of n steps of real networks in d inputs, each of a batch, w = (m, √(1 − m²), 0 …)."""
    d, B = step.inputs, step.batch
    x = rng.standard_normal((n, B, d))
    w = np.zeros(d)
    w[:2] = m, np.sqrt(1 - m * m)
    z, y, t = x @ w, x[..., 0], float(step.centred)
    delta = (
        step.b * (y**2 - t) - step.a * (z**2 - t) + np.sqrt(step.label_noise) * rng.standard_normal((n, B))
    )
    g = 2 * step.a * np.einsum("nb,nbd->nd", delta, z[..., None] * x - t * w) / B
    after = w + eta * g
    return after[:, 0] / np.linalg.norm(after, axis=1) - m


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("batch", [1, 3])
def test_steps_of_networks(centred, batch):
    """The mean over 400,000 real steps, within four standard errors, and their variance, for unequal weights.

    η is so small that what is left out, of order η³, is below the error: the second order is found by taking away the
    first, of each sample by itself: (Δm(η) + Δm(−η))/2 has no odd orders.
    """
    step, m, eta = OneUnitStep(5, 0.8, 1.3, centred, batch, 0.5), 0.4, 1e-3
    first, second = step.mean(np.array(m))
    n = 400_000 // batch
    there = sampled(step, m, eta, n, np.random.default_rng(1))
    back = sampled(step, m, -eta, n, np.random.default_rng(1))
    odd, even = (there - back) / (2 * eta), (there + back) / (2 * eta**2)
    for values, expected in ((odd, first), (even, second)):
        assert abs(values.mean() - expected) < 4 * values.std() / np.sqrt(n)
    spread = odd.var()
    error = np.sqrt(((odd - odd.mean()) ** 2).var() / n)
    assert abs(spread - step.variance(np.array(m))) < 4 * error


def test_the_largest_step():
    """Growth near m = 0: 4 − 24(d − 5)η − 2(d − 1)ηΔ; at d → ∞ nothing grows from ηd = 2/(12 + Δ) on."""
    d, noise, m = 50, 0.5, 1e-6
    first, second = OneUnitStep(d, label_noise=noise).mean(np.array(m))
    eta = 1e-3
    growth = 4 - 24 * (d - 5) * eta - 2 * (d - 1) * eta * noise
    assert (first + eta * second) / m == pytest.approx(growth, rel=1e-8)
    first, second = OneUnitStep(10**9, label_noise=noise).mean(np.array(m))
    assert first + 2 / (12 + noise) / 1e9 * second == pytest.approx(0, abs=1e-7 * m)


def test_complex_overlaps():
    """Analytic, as derivatives by complex steps need it; also at m = 1."""
    step = OneUnitStep(7, label_noise=0.3)
    for m in (0.3, -0.9):
        slope = [f.imag / 1e-20 for f in step.mean(np.array(m + 1e-20j))]
        h = 1e-6
        differences = [
            (a - b) / (2 * h)
            for a, b in zip(step.mean(np.array(m + h)), step.mean(np.array(m - h)), strict=True)
        ]
        np.testing.assert_allclose(slope, differences, rtol=1e-6)
    assert step.mean(np.array(1 + 1e-20j))[0].imag / 1e-20 == pytest.approx(-8, rel=1e-5)  # rounding of √c
