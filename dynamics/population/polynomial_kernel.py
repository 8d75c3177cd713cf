"""Pair kernels that are polynomials."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array
from dynamics.population.gram_pairs import GramPairs


@dataclass(frozen=True)
class PolynomialKernel:
    """κ = Σ c q_1^α s^j q_2^β.

    Parameters
    ----------
    terms : tuple of ((α, j, β), c)
    """

    terms: tuple[tuple[tuple[int, int, int], float], ...]

    def __call__(self, pairs: GramPairs, *by: str) -> list[Array]:
        """Derivatives of κ, see `dynamics.population.gram_pairs.PairKernel`."""
        return [self._derivative(pairs, name) for name in by]

    def _derivative(self, pairs: GramPairs, by: str) -> Array:
        terms: Counter[tuple[int, int, int]] = Counter(dict(self.terms))
        for argument in by:
            terms = _derivative(terms, "1s2".index(argument))
        total = np.zeros(pairs.s.shape)
        for (alpha, j, beta), c in terms.items():
            total += c * pairs.q1**alpha * pairs.s**j * pairs.q2**beta
        return total


def _derivative(terms: Counter[tuple[int, int, int]], place: int) -> Counter[tuple[int, int, int]]:
    """Terms of the derivative by one of the three arguments."""
    derived: Counter[tuple[int, int, int]] = Counter()
    for powers, c in terms.items():
        if powers[place]:
            lower = list(powers)
            lower[place] -= 1
            derived[lower[0], lower[1], lower[2]] += c * powers[place]
    return derived
