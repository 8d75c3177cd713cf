"""Pair kernels as power series in the scalar product, which end if one of the two functions is a polynomial.

    κ(q_1, s, q_2) = Σ_n sⁿ/n! φ̄_n(q_1) ψ̄_n(q_2),   φ̄_n(q) = E φ⁽ⁿ⁾(z), z of variance q

(the Hermite expansion of both, written without powers of the lengths; derived here).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial
from typing import Protocol

import numpy as np

from dynamics.aliases import Array
from dynamics.population.gram_pairs import GramPairs


class Means(Protocol):
    """Hermite means of a function."""

    @property
    def degree(self) -> int | None:
        """Degree of a polynomial; None for what is none."""

    def __call__(self, n: int, q: Array, by_q: int = 0, mean: Array | None = None) -> Array:
        """dᵐ/dqᵐ φ̄_n(q), m = `by_q`, z of a mean or of none."""


@dataclass(frozen=True, eq=False)
class SeriesKernel:
    """κ of two functions of which at least one is a polynomial.

    Parameters
    ----------
    left, right : Means
    """

    left: Means
    right: Means

    def __call__(self, pairs: GramPairs, *by: str) -> list[Array]:
        """Derivatives of κ, see `dynamics.population.gram_pairs.PairKernel`."""
        return [self._derivative(pairs, name) for name in by]

    def _derivative(self, pairs: GramPairs, by: str) -> Array:
        last = min(m.degree for m in (self.left, self.right) if m.degree is not None)
        first, d1, d2 = by.count("s"), by.count("1"), by.count("2")
        total = np.zeros(pairs.s.shape)
        m1, m2 = by.count("m"), by.count("n")
        for n in range(first, last + 1):
            left = self.left(n + m1, pairs.q1, d1, pairs.m1)
            right = self.right(n + m2, pairs.q2, d2, pairs.m2)
            if left.any() and right.any():
                total += left * right * pairs.s ** (n - first) / factorial(n - first)
        return total
