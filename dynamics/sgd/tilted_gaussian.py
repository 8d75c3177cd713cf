"""Moments of products of errors and Gaussian pairs, to any order, from the power series of a tilted Gaussian.

With the notation of `dynamics.sgd.gradient_moments`: under the weight exp(Σ_o s_o e_o) ζ ~ N(0, Ω) stays Gaussian. Its
covariance Ω̃(s) and the total weight Z(s) are power series in s with the recursions (derived here)

    Ω̃ = Ω + 2 Σ_o s_o Ω̃ diag(C_o) Ω,   ∂_o Z = Z [tr(diag(C_o) Ω̃) − t τ̂_o + Δ s_o],

and E[∏ e_o · g(ζ)], with α_o factors e_o, is α! times the coefficient of s^α in Z times the moment of g under N(0, Ω̃).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array

Index = NDArray[np.intp]
Exponents = tuple[int, ...]
Outputs = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class TiltedGaussian:
    """Coefficients of the power series Ω̃(s) and Z(s).

    Parameters
    ----------
    covariance : dict from exponents α to (n, n) array
    weight : dict from exponents α to float
    """

    covariance: dict[Exponents, Array]
    weight: dict[Exponents, float]

    @classmethod
    def create(
        cls, Omega: Array, C: Array, trace_coupling: float, label_noise: float, order: int
    ) -> TiltedGaussian:
        """Series up to a total order; Ω (n, n), C (O, n), κ and Δ as in `dynamics.sgd.gradient_moments`."""
        exponents = _exponents(len(C), order)
        zero, outputs = exponents[0], range(len(C))
        covariance = {zero: Omega}
        for alpha in exponents[1:]:
            covariance[alpha] = sum(
                (2 * (covariance[_lowered(alpha, o)] * C[o]) @ Omega for o in outputs if alpha[o]),
                np.zeros_like(Omega),
            )
        rates = [{alpha: float(C[o] @ covariance[alpha].diagonal()) for alpha in exponents} for o in outputs]
        weight = {zero: 1.0}
        for o in outputs:
            rates[o][zero] *= trace_coupling
            if order:
                rates[o][tuple(int(o == p) for p in outputs)] += label_noise
        for alpha in exponents[1:]:
            o = next(p for p in outputs if alpha[p])
            products = (rates[o][b] * weight[c] for b, c in _splits(_lowered(alpha, o)))
            weight[alpha] = sum(products) / alpha[o]
        return cls(covariance, weight)


@dataclass(frozen=True, eq=False)
class PairMoments:
    """Moments E[∏ e_o · g_r] and E[∏ e_o · g_r g_q] of pairs g = ζ_iζ_j, or g = ζ_iζ_j − Ω_ij.

    Parameters
    ----------
    tilted : TiltedGaussian
    i, j : (p,) index arrays
        The pairs r = (i, j).
    """

    tilted: TiltedGaussian
    i: Index
    j: Index

    def mean(self, outputs: Outputs, centred: bool) -> Array:
        """E[∏_{o in outputs} e_o · g_r], (p,); `centred` takes Ω_ij off."""
        alpha = self._exponents(outputs)
        total = np.zeros(len(self.i))
        for b, c in _splits(alpha):
            total += self.tilted.weight[c] * self._within(b, centred)
        return _factorial(alpha) * total

    def product(self, outputs: Outputs, left: bool, right: bool) -> Array:
        """E[∏_{o in outputs} e_o · g_r g_q], (p, p); `left` and `right` say which g are centred."""
        alpha = self._exponents(outputs)
        splits = _splits(alpha)
        # the sum over α = β + γ + δ of Z_δ S_β T_γ is one over β of S_β (ΣT)_β with (ΣT)_β = Σ_γ Z_δ T_γ
        sums = np.zeros((len(splits), len(splits)))
        place = {b: n for n, (b, _) in enumerate(splits)}
        for n, (_, rest) in enumerate(splits):
            for c, a in _splits(rest):
                sums[n, place[c]] = self.tilted.weight[a]
        within, others = (np.stack([self._within(b, side) for b, _ in splits]) for side in (left, right))
        S_ii, S_ij, S_ji, S_jj = (
            np.stack([self._across[b][end] for b, _ in splits]).reshape(len(splits), -1) for end in range(4)
        )
        pairings = (S_ii * (sums @ S_jj) + S_ij * (sums @ S_ji)).sum(axis=0)
        return _factorial(alpha) * (within.T @ (sums @ others) + pairings.reshape(len(self.i), -1))

    @cached_property
    def _across(self) -> dict[Exponents, tuple[Array, ...]]:
        """Coefficients Ω̃_ik, Ω̃_il, Ω̃_jk, Ω̃_jl between pairs (i, j) and (k, l), each (p, p)."""
        ends = list(itertools.product((self.i, self.j), repeat=2))
        return {
            alpha: tuple(S[a[:, None], b] for a, b in ends) for alpha, S in self.tilted.covariance.items()
        }

    def _within(self, alpha: Exponents, centred: bool) -> Array:
        """Coefficient of Ω̃_ij, or of Ω̃_ij − Ω_ij, (p,)."""
        if centred and not any(alpha):
            return np.zeros(len(self.i))
        return self.tilted.covariance[alpha][self.i, self.j]

    def _exponents(self, outputs: Outputs) -> Exponents:
        count = len(next(iter(self.tilted.weight)))
        return tuple(outputs.count(o) for o in range(count))


@cache
def _exponents(variables: int, order: int) -> tuple[Exponents, ...]:
    """All exponents of a total order up to the given one, lowest first."""
    every = itertools.product(range(order + 1), repeat=variables)
    return tuple(sorted((alpha for alpha in every if sum(alpha) <= order), key=sum))


@cache
def _splits(alpha: Exponents) -> tuple[tuple[Exponents, Exponents], ...]:
    """All ways to write α = β + γ."""
    parts = itertools.product(*(range(n + 1) for n in alpha))
    return tuple((beta, tuple(n - b for n, b in zip(alpha, beta, strict=True))) for beta in parts)


def _lowered(alpha: Exponents, o: int) -> Exponents:
    return tuple(n - (p == o) for p, n in enumerate(alpha))


def _factorial(alpha: Exponents) -> int:
    return math.prod(map(math.factorial, alpha))
