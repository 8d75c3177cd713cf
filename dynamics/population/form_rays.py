"""Integrals of the characteristic function of a Gaussian form over the sizes of its argument (derived here).

For f = zᵀAz − b with z ~ N(0, I) and eigenvalues μ of A

    J = ∫₀^∞ Re{φ(r) κ(cr)} dr/r,   φ(r) = E e^{irf} = e^{−irb} Π_j (1 − 2irμ_j)^{−½},   κ(z) = z/sinh z, κ(0) = 1,

which diverges at r = 0, by the same constant for all forms: J is known up to that constant. For c = 0, E ln |f| is a
constant less J, as cos(rx) − cos r has the integral −ln |x| over dr/r.

The integrand is analytic between the singularities r = 1/2iμ and the poles of κ, and its trapezoidal sum in ln r
converges exponentially. The contour leaves 0 on the side on which e^{irm} falls, with the mean m of f, and ends on that
on which e^{−irb} does; it crosses over where |r| = 1/|b|, so that nowhere is the integrand much larger than 1, and
nothing cancels. Below the first node the integrand is a Taylor polynomial, 1 + irm − ½r²(E f² + c²/3) times r′(s)/r.
"""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array
from dynamics.population.exponentials import Complex

STEP = 0.22  # of ln r
FIRST, BLOCK, BLOCKS = -5.5, 12, 16  # ln r of the first node, and nodes that are added at a time
TILT = 0.55  # of the contour against the real axis
NEGLIGIBLE = 1e-8  # size of the integrand at which a sum ends
ERROR = 1e-7  # of J, of forms of up to some 30 eigenvalues
SMALL = 0.02  # |z| below which κ is its series


def along_rays(mu: Array, b: Array, cut: Array) -> Array:
    """J up to the constant, (N,), of forms with eigenvalues μ (N, n) and shifts b (N,), for c (N,), not all zero."""
    mean = mu.sum(axis=1) - b
    square = 2 * (mu * mu).sum(axis=1) + mean**2
    rho = np.sqrt(square) + cut
    rho[rho == 0] = np.finfo(float).tiny
    mu, b, cut, mean = mu / rho[:, None], b / rho, cut / rho, mean / rho
    square = square / rho**2 + cut**2 / 3
    u, v = _sides(mean, b)
    # of Taylor's polynomial in e^s
    first, second = 1j * mean * u, 2 * b * b * (v / u - 1) - 0.5 * square * u * u
    below = first * np.exp(FIRST) / np.expm1(STEP) + second * np.exp(2 * FIRST) / np.expm1(2 * STEP)
    found, left = below.real, np.arange(len(mu))
    for block in range(BLOCKS):
        size = np.exp(FIRST + STEP * (block * BLOCK + np.arange(BLOCK)))
        r, slope = _contour(size, u[left, None], v[left, None], b[left, None])
        F = np.exp(-1j * r * b[left, None]) * slope / _root_of_determinant(mu[left], r)
        if cut.any():
            F *= _kappa(cut[left, None] * r)
        found[left] += F.real.sum(axis=1)
        left = left[np.abs(F[:, -1]) > NEGLIGIBLE]
        if not len(left):
            break
    return np.asarray(STEP * found - np.log(rho))


def _sides(mean: Array, b: Array) -> tuple[Complex, Complex]:
    """Directions in which the contours leave 0, and in which they end, (N,) each, as numbers of modulus 1."""
    end = -np.sign(b)
    start = np.where(mean == 0, end, np.sign(mean))
    start = np.where(start == 0, 1.0, start)
    end = np.where(end == 0, start, end)
    return np.exp(1j * TILT * start), np.exp(1j * TILT * end)


def _contour(size: Array, u: Complex, v: Complex, b: Array) -> tuple[Complex, Complex]:
    """Points r of about the sizes e^s, from the direction u to v where they pass 1/|b|, and r′(s)/r."""
    y = (size * b) ** 2
    way = u + y * v
    return size * way / (1 + y), 1 + 2 * y * (v / way - 1 / (1 + y))


def _root_of_determinant(mu: Array, r: Complex) -> Complex:
    """Π_j (1 − 2irμ_j)^{½}, (N, m), of μ (N, n) and r (N, m)."""
    product = np.ones(r.shape, dtype=complex)
    for column in mu.T:
        x, y = 1 + 2 * column[:, None] * r.imag, -2 * column[:, None] * r.real
        real = np.sqrt((np.sqrt(x * x + y * y) + x) / 2)
        product *= real + 0.5j * (y / real)
    return product


def _kappa(z: Complex) -> Complex:
    """z/sinh z for Re z ≥ 0."""
    small = np.abs(z) < SMALL
    far = np.where(small, 1.0, z)
    e = np.exp(-far)
    return np.asarray(np.where(small, 1 - z * z / 6 + 7 * z**4 / 360, 2 * far * e / (1 - e * e)))
