"""Gaussian kernels of degree 1 against quadrature that is exact for kinked functions."""

import numpy as np
import pytest

from dynamics.population.kernels import KERNELS, Pairs, normalised

PHI = {
    "linear": (lambda z: z, np.ones_like),
    "abs": (np.abs, np.sign),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
}
ANGLES = [0.0, 1e-15, 1e-12, 1e-8, 1e-5, 1e-3, 0.3, 1.0, np.pi / 2, 2.5]
ANGLES += [np.pi - x for x in (1e-3, 1e-5, 1e-8, 1e-12, 1e-15, 0.0)]


def plane_quadrature(kinks):
    """Directions (n, 2) and weights (n,): E g(z) for z ~ N(0, I₂) and g of degree 2 that is smooth between kinks.

    In polar coordinates the radius integrates to E r² = 2; the angle is integrated by 24 Gauss–Legendre nodes per
    smooth piece (degree 47 in the angle: trigonometric functions of two periods to rounding).
    """
    ends = np.unique(np.concatenate([np.mod(kinks, 2 * np.pi), [0.0, 2 * np.pi]]))
    x, w = np.polynomial.legendre.leggauss(24)
    half, middle = np.diff(ends)[:, None] / 2, (ends[1:] + ends[:-1])[:, None] / 2
    angles, weights = (middle + half * x).ravel(), (half * w).ravel() / (2 * np.pi) * 2
    return np.stack([np.cos(angles), np.sin(angles)], axis=1), weights


def expected(name, theta, r_u, r_v):
    """Kernel and its gradient with respect to u, for u at angle 0 and v at angle θ in a plane."""
    phi, slope = PHI[name]
    kinks = [np.pi / 2, 3 * np.pi / 2, theta + np.pi / 2, theta + 3 * np.pi / 2]
    Z, weights = plane_quadrature(np.array(kinks))
    zu, zv = r_u * Z[:, 0], r_v * Z @ np.array([np.cos(theta), np.sin(theta)])
    return weights @ (phi(zu) * phi(zv)), (weights * slope(zu) * phi(zv)) @ Z


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("theta", ANGLES)
def test_kernel_and_gradient_equal_quadrature(rng, name, theta):
    """In a random plane of three dimensions; 1e-14 of r_u r_v and of r_v where 1e-10 is asked for."""
    r_u, r_v = 1.7, 0.6
    plane = np.linalg.qr(rng.standard_normal((3, 2)))[0]  # (3, 2)
    u, v = r_u * plane[:, 0], r_v * plane @ np.array([np.cos(theta), np.sin(theta)])
    value, gradient = expected(name, theta, r_u, r_v)
    kernel = KERNELS[name]
    assert kernel(u[None], v[None])[0, 0] == pytest.approx(value, abs=1e-14 * r_u * r_v)
    np.testing.assert_allclose(kernel.gradient(u[None], v[None])[0, 0], plane @ gradient, atol=1e-14 * r_v)


@pytest.mark.parametrize("name", KERNELS)
def test_a_product_rule_gauss_hermite_agrees_where_it_converges(rng, name):
    """Linear: exactly. Kinked: plain 2-D Gauss–Hermite with n nodes per axis is off by O(1/n)."""
    phi, _ = PHI[name]
    x, w = np.polynomial.hermite_e.hermegauss(120)
    Z, weights = np.stack(np.meshgrid(x, x), axis=-1).reshape(-1, 2), np.outer(w, w).ravel() / w.sum() ** 2
    U, V = rng.standard_normal((2, 4, 2))
    brute = np.einsum("z,zn,zm->nm", weights, phi(Z @ U.T), phi(Z @ V.T))
    np.testing.assert_allclose(KERNELS[name](U, V), brute, atol=1e-12 if name == "linear" else 2e-2)


@pytest.mark.parametrize("theta", [1e-12, 1e-9, 1e-6, 0.5])
@pytest.mark.parametrize("flip", [False, True])
def test_small_angles_keep_their_digits(rng, theta, flip):
    """An arc cosine would give 0 or 1.5e-8 below that; unit vectors are known to 1e-16, angles to some 1e-16 too."""
    u, w = np.linalg.qr(rng.standard_normal((5, 2)))[0].T
    v = np.cos(theta) * u + np.sin(theta) * w
    pairs = Pairs.of(u[None], (-v if flip else v)[None])
    found = np.pi - pairs.theta[0, 0] if flip else pairs.theta[0, 0]
    assert found == pytest.approx(theta, abs=1e-15)
    np.testing.assert_allclose(pairs.sin[0, 0], np.sin(theta), atol=1e-15)


@pytest.mark.parametrize("name", ["abs", "relu"])
def test_zero_vectors_have_zero_kernels_and_slopes(name):
    """What automatic differentiation takes: φ'(0) = 0 for the ReLU, sign(0) = 0."""
    U, V = np.array([[0.0, 0.0], [1.0, 2.0]]), np.array([[3.0, 1.0], [0.0, 0.0]])
    kernel = KERNELS[name]
    assert not kernel(U, V)[0].any()
    assert not kernel(U, V)[:, 1].any()
    assert not kernel.gradient(U, V)[0].any()
    assert not kernel.gradient(U, V)[1, 1].any()
    assert kernel.gradient(U, V)[1, 0].any()


def test_a_linear_unit_has_a_slope_at_zero():
    """∂_u (u·v) = v."""
    V = np.array([[3.0, 1.0]])
    np.testing.assert_allclose(KERNELS["linear"].gradient(np.zeros((1, 2)), V)[0], V, rtol=1e-15)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_lengths_neither_underflow_nor_overflow(size):
    """3-4-5 triangle."""
    u, r = normalised(size * np.array([[3.0, 4.0]]))
    np.testing.assert_allclose(u, [[0.6, 0.8]], rtol=1e-15)
    np.testing.assert_allclose(r, 5 * size, rtol=1e-15)
