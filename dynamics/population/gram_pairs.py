"""Scalar products of all pairs of weight vectors, the only thing that Gaussian expectations of two units depend on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.spatial.distance import cdist

from dynamics.aliases import Array
from dynamics.population.kernels import normalised


@dataclass(frozen=True, eq=False)
class GramPairs:
    """All pairs of K vectors u and n vectors v, for uncorrelated inputs.

    Parameters
    ----------
    U, V : (K, d) and (n, d) arrays
    m1, m2 : (K, 1) and (n,) arrays, optional
        Means of the pre-activations, where inputs have one.
    """

    U: Array
    V: Array
    m1: Array | None = None
    m2: Array | None = None

    @cached_property
    def q1(self) -> Array:
        """|u|², (K, 1)."""
        return np.einsum("kd,kd->k", self.U, self.U)[:, None]

    @cached_property
    def q2(self) -> Array:
        """|v|², (n,)."""
        return np.asarray(np.einsum("nd,nd->n", self.V, self.V))

    @cached_property
    def s(self) -> Array:
        """u·v, (K, n)."""
        return self.U @ self.V.T

    @cached_property
    def determinant(self) -> Array:
        """|u|²|v|² − (u·v)² = (|u||v||û − v̂||û + v̂|/2)², exact to rounding for parallel vectors too, (K, n)."""
        (u, r), (v, t) = normalised(self.U), normalised(self.V)
        return np.asarray((0.5 * r[:, None] * t * cdist(u, v) * cdist(u, -v)) ** 2)


class PairKernel(Protocol):
    """κ(q_1, s, q_2) = E φ(z_1) ψ(z_2) for Gaussian z_1, z_2 of variances q_1, q_2 and covariance s.

    With K_ij = E φ⁽ⁱ⁾(z_1) ψ⁽ʲ⁾(z_2) and functions of z alone, ∂κ/∂s = K_11 and ∂κ/∂q_1 = ½ K_20 (Price 1958, not
    consulted), and so on for every further derivative. Where z_1 and z_2 have means m_1 and m_2, ∂κ/∂m_1 = K_10.
    """

    def __call__(self, pairs: GramPairs, *by: str) -> list[Array]:
        """Derivatives (K, n) of κ, each by the arguments that a string of "1", "s" and "2" names; "" is κ itself.

        "m" and "n" are the two means.
        """


def orders(by: str) -> tuple[int, int, float]:
    """(i, j, c) with which the derivative of κ by `by` is c K_ij."""
    i = j = by.count("s")
    i, j = i + by.count("m"), j + by.count("n")
    return i + 2 * by.count("1"), j + 2 * by.count("2"), 0.5 ** (by.count("1") + by.count("2"))


@dataclass(frozen=True)
class SumKernel:
    """A sum of kernels.

    Parameters
    ----------
    parts : tuple of PairKernel
    """

    parts: tuple[PairKernel, ...]

    def __call__(self, pairs: GramPairs, *by: str) -> list[Array]:
        """Derivatives of κ, see `PairKernel`."""
        totals = [np.zeros(pairs.s.shape) for _ in by]
        for part in self.parts:
            for total, value in zip(totals, part(pairs, *by), strict=True):
                total += value
        return totals
