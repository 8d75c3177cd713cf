"""The kernel of a smoothed kink for inputs with a mean: the tower of `dynamics.population.smoothed_kink`, shifted.

S̃_a(z) = E|z + aξ|/2, so that F_ij = E f⁽ⁱ⁾(Z_1) f⁽ʲ⁾(Z_2) with f = |·|/2 and Gaussian Z_1, Z_2 of means m_1, m_2,
variances A, B and covariance s. f″ is a Dirac mass, at which Z_1 has the mean m_1 − s m_2/B and the variance D/B, hence

    F_i2 = n(m_2; B) E f⁽ⁱ⁾(Z_1 | Z_2 = 0),   F_i,j+1 = ∂F_ij/∂m_2 = −[m_2 F_ij + (j − 2) F_i,j−1 + s F_i+1,j]/B,

F_11 needs Owen's T function, and Gaussian integration by parts gives the lower ones, since f = Z f′ and ∫f = ½ Z f:

    F_0j = m_1 F_1j + A F_2j + s F_1,j+1,   F_−1,j = ½ [m_1 F_0j + A F_1j + s F_0,j+1]

(derived here). Only F_11, hence the loss, is not elementary.

Kinks of parallel vectors without width lie on each other, D = 0 and m_1/√A = ±m_2/√B, or beside each other, where Σ is
singular. F_22 is then infinite or zero, but a Hessian holds it times the square of a distance that vanishes faster
(derived here): zero is right for both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.special import ndtr, owens_t

from dynamics.aliases import Array
from dynamics.population.gram_pairs import GramPairs

TINY = 1e-300  # for a mean of zero, so that ratios of means have their limits
ROUNDING = 1e-12  # of two numbers: what is left of their difference is zero below


def _ratio(x: Array, y: Array) -> Array:
    """x/y, zero where y is."""
    return np.asarray(np.divide(x, y, out=np.zeros(np.broadcast_shapes(x.shape, y.shape)), where=y != 0))


def standardised(m: Array, A: Array) -> Array:
    """m/√A; where a vector without width vanishes infinite, or zero if the mean does too."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(m == 0, 0.0, m / np.sqrt(A)))


def density(m: Array, A: Array) -> Array:
    """n(m; A), the Gaussian density of variance A at m; zero where A is."""
    inverse = np.divide(1.0, A, out=np.zeros_like(A), where=A > 0)
    return np.sqrt(inverse / (2 * np.pi)) * np.exp(-(m**2) * inverse / 2)


def shifted_mean(order: int, m: Array, A: Array) -> Array:
    """E f⁽ⁱ⁾(Z), f = |·|/2, for Z of mean m and variance A; order −1 is the integral of f from zero."""
    if order >= 2:
        rows = [density(m, A)]
        for k in range(order - 2):
            rows.append(-_ratio(m * rows[k] + k * rows[k - 1], A))
        return rows[-1]
    step = ndtr(standardised(m, A)) - 0.5
    if order == 1:
        return np.asarray(step)
    if order == 0:
        return np.asarray(m * step + A * density(m, A))
    return np.asarray(((m**2 + A) * step + A * m * density(m, A)) / 2)


@dataclass(frozen=True, eq=False)
class ShiftedPairs:
    """Means, A, B, s and D of pairs of vectors seen through widths a and b; arrays that broadcast to one shape.

    Parameters
    ----------
    m1, m2, A, B, s, D : arrays
    """

    m1: Array
    m2: Array
    A: Array
    B: Array
    s: Array
    D: Array
    known: dict[tuple[int, int], Array] = field(default_factory=dict)

    @classmethod
    def of(cls, pairs: GramPairs, a2: Array, b2: Array) -> ShiftedPairs:
        """The pairs for squared widths a² and b², in arrays with two last axes of length 1: arrays (…, K, n)."""
        assert pairs.m1 is not None and pairs.m2 is not None
        D = b2 * (a2 + pairs.q1) + (a2 * pairs.q2 + pairs.determinant)
        return cls(pairs.m1, pairs.m2, a2 + pairs.q1, b2 + pairs.q2, pairs.s, D)

    @cached_property
    def swapped(self) -> ShiftedPairs:
        """The pairs with their two vectors exchanged."""
        return ShiftedPairs(self.m2, self.m1, self.B, self.A, self.s, self.D)

    def mean(self, order: int) -> Array:
        """E f⁽ⁱ⁾(Z_1)."""
        return shifted_mean(order, self.m1, self.A)

    def F(self, i: int, j: int) -> Array:
        """F_ij."""
        if (i, j) not in self.known:
            self.known[i, j] = self._entry(i, j)
        return self.known[i, j]

    def _entry(self, i: int, j: int) -> Array:
        if i > j:
            return self.swapped.F(j, i)
        if i >= 2 and j >= 3:
            return self._peak(i - 2, j - 2)
        if j >= 3:
            total = self.m2 * self.F(i, j - 1) + self.s * self.F(i + 1, j - 1)
            return -_ratio(total + ((j - 3) * self.F(i, j - 2) if j > 3 else 0.0), self.B)
        if j == 2:
            rest = self.m1 - self.s * _ratio(self.m2, self.B)
            rest = np.where((self.D > 0) | (np.abs(rest) > ROUNDING * np.abs(self.m1)), rest, 0.0)
            return np.asarray(density(self.m2, self.B) * shifted_mean(i, rest, _ratio(self.D, self.B)))
        if i == -1:
            return np.asarray(
                0.5 * (self.m1 * self.F(0, j) + self.A * self.F(1, j) + self.s * self.F(0, j + 1))
            )
        if i == 0:
            return np.asarray(self.m1 * self.F(1, j) + self.A * self.F(2, j) + self.s * self.F(1, j + 1))
        return self._quadrants()

    def _quadrants(self) -> Array:
        """F_11 = ¼ E sign(Z_1) sign(Z_2), by Owen's T function."""
        h, k = standardised(self.m1, self.A), standardised(self.m2, self.B)
        h, k = (np.where(x == 0, TINY, x) for x in (h, k))
        apart = np.where(h * np.sign(k) > 0, 0.0, 0.5)
        value = 0.25 - apart - owens_t(h, self._slope(h, k)) - owens_t(k, self._slope(k, h))
        alone = (self.A == 0) | (self.B == 0)  # one of the two is a number
        return np.where(alone, shifted_mean(1, self.m1, self.A) * shifted_mean(1, self.m2, self.B), value)

    def _slope(self, h: Array, k: Array) -> Array:
        """(k√(AB) − s h)/(h σ); where σ = 0 infinite, or zero if the kinks lie on each other."""
        with np.errstate(divide="ignore", invalid="ignore"):
            gap = k * np.sqrt(self.A * self.B) - self.s * h
            gap = np.where((self.D > 0) | (np.abs(gap) > ROUNDING * np.abs(self.s * h)), gap, 0.0)
            return np.where(gap == 0, 0.0, gap / (h * np.sqrt(self.D)))

    def _peak(self, i: int, j: int) -> Array:
        """∂ⁱ∂ʲn₂/∂m_1ⁱ∂m_2ʲ, j > 0, by the recursion of Hermite polynomials of two variables."""
        y = (self.A * self.m2 - self.s * self.m1) * self.F(i + 2, j + 1)
        y = y + (j - 1) * self.A * self.F(i + 2, j) if j > 1 else y
        return np.asarray(-(y - i * self.s * self.F(i + 1, j + 1) if i else y) / self.D)
