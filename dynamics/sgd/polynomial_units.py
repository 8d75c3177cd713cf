"""Expectations of polynomial units: sums over the ways to pair their factors.

For Gaussian ζ_a of variances q_a and covariances s_ab (derived here; for two of them it is the Hermite expansion)

    E ∏_a f_a(ζ_a) = Σ_m ∏_{a<b} s_ab^{m_ab}/m_ab! · ∏_a E f_a^{(Σ_b m_ab)}(ζ_a)

where m_ab counts the factors of ζ_a that are paired with one of ζ_b. The mean of a derivative is a polynomial in q_a.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import factorial

import numpy as np

from dynamics.aliases import Array
from dynamics.sgd.unit_step import Index, Scaled

EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))  # pairs of the four factors φ′_k, φ′_l, u_i, u_j


@dataclass(frozen=True, eq=False)
class PolynomialUnits:
    """Expectations of units, see `dynamics.sgd.unit_step.UnitMoments`.

    Parameters
    ----------
    student, teacher : tuple of float
        p_0, p_1, … of φ(z) = Σ p_n zⁿ and of ψ.
    hidden : int
        K.
    """

    student: tuple[float, ...]
    teacher: tuple[float, ...]
    hidden: int

    @property
    def degree(self) -> int:
        """Highest of the two degrees."""
        return max(len(self.student), len(self.teacher)) - 1

    @cached_property
    def _tables(self) -> Array:
        """Coefficients (2, order, power) of the means of all derivatives as polynomials in q: of φ and of ψ."""
        h = self.degree
        tables = np.zeros((2, h + 3, h // 2 + 1))
        for table, coefficients in zip(tables, (self.student, self.teacher), strict=True):
            for n, p in enumerate(coefficients):
                for power in range(n // 2 + 1):
                    table[n - 2 * power, power] = p * factorial(n) / (2**power * factorial(power))
        return tables

    def _means(self, Omega: Array) -> Scaled:
        """E u_a^{(order)}(ζ_a) and q∂_q of it, (…, n, order)."""
        q = np.einsum("...aa->...a", Omega)
        tables = self._tables[(np.arange(q.shape[-1]) >= self.hidden).astype(int)]  # (n, order, power)
        powers = np.arange(tables.shape[-1])
        q_powers = q[..., None] ** powers
        return (
            np.einsum("arp,...ap->...ar", tables, q_powers),
            np.einsum("arp,...ap->...ar", tables * powers, q_powers),
        )

    def pairs(self, Omega: Array) -> tuple[Array, Array, Array]:
        """E u_iu_j, E u″_iu_j and E u′_iu′_j, (…, n, n)."""
        means, _ = self._means(Omega)
        value, bent, slope = (np.zeros_like(Omega) for _ in range(3))
        for m in range(self.degree + 1):
            power = Omega**m / factorial(m)
            here, next_, second = (means[..., r] for r in (m, m + 1, m + 2))
            value += power * here[..., :, None] * here[..., None, :]
            bent += power * second[..., :, None] * here[..., None, :]
            slope += power * next_[..., :, None] * next_[..., None, :]
        return value, bent, slope

    def slopes(self, Omega: Array, k: int, l: int) -> Scaled:
        """E φ′_kφ′_l and c∂_c of it, (…)."""
        means, scaled = self._means(Omega)
        m = np.arange(self.degree)
        power = Omega[..., k, l, None] ** m / np.array([float(factorial(x)) for x in m])
        left, right = means[..., k, m + 1], means[..., l, m + 1]
        moved = m * left * right + scaled[..., k, m + 1] * right + left * scaled[..., l, m + 1]
        return np.sum(power * left * right, axis=-1), np.sum(power * moved, axis=-1)

    def products(self, Omega: Array, k: int, l: int, i: Index, j: Index) -> Scaled:
        """E φ′_kφ′_l u_iu_j and c∂_c of it, (…, s)."""
        means, scaled = self._means(Omega)
        edges, orders, weights = self._pairings
        four = (np.full_like(i, k), np.full_like(i, l), i, j)
        exponents = np.arange(self.degree + 1)
        paired: Array | float = weights
        for (a, b), m in zip(EDGES, edges, strict=True):
            powers = Omega[..., four[a], four[b], None] ** exponents  # (…, s, power)
            paired = paired * powers[..., m]
        (A, dA), (B, dB), (C, dC), (D, dD) = (
            (means[..., unit, :][..., order], scaled[..., unit, :][..., order])
            for unit, order in zip(four, orders, strict=True)
        )
        AB, CD = A * B, C * D
        moved = edges.sum(axis=0) * AB * CD + (dA * B + A * dB) * CD + AB * (dC * D + C * dD)
        return np.sum(paired * AB * CD, axis=-1), np.sum(paired * moved, axis=-1)

    @cached_property
    def _pairings(self) -> tuple[Index, Index, Array]:
        """Numbers m_ab of all pairings (6, M), orders of the means of the four functions (4, M), ∏ 1/m_ab! (M,)."""
        edges = np.array(_pairings((self.degree - 1,) * 2 + (self.degree,) * 2), dtype=np.intp).T
        orders = np.zeros((4, edges.shape[1]), dtype=np.intp)
        for (a, b), m in zip(EDGES, edges, strict=True):
            orders[a] += m
            orders[b] += m
        orders[:2] += 1  # of φ for φ′
        student, any_unit = self._tables[0].any(axis=-1), self._tables.any(axis=(0, -1))
        kept = student[orders[0]] & student[orders[1]] & any_unit[orders[2]] & any_unit[orders[3]]
        edges, orders = edges[:, kept], orders[:, kept]
        inverse = np.array([1 / factorial(m) for m in range(self.degree + 1)])
        return edges, orders, inverse[edges].prod(axis=0)


@lru_cache(maxsize=8)
def _pairings(factors: tuple[int, ...]) -> list[tuple[int, ...]]:
    """All numbers m_ab with no more pairs at a function than it has factors."""
    found = [((), factors)]
    for a, b in EDGES:
        found = [
            ((*m, x), tuple(r - x * (c in (a, b)) for c, r in enumerate(rest)))
            for m, rest in found
            for x in range(min(rest[a], rest[b]) + 1)
        ]
    return [m for m, _ in found]
