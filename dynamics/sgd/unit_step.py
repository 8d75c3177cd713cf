"""Mean of one step of any units whose Gaussian expectations are known, exactly for every input dimension.

With the residual Σ_j C_oj u_j(ζ_j) over the units of student and teacher, ζ = Ux ~ N(0, Ω), integration by parts
(Stein) leaves of the mean step of w_k

    E g_k = Σ_j N_kj (E[φ′_ku′_j] u_j + E[φ″_ku_j] w_k),   N = AᵀC,

and of its square, as functions of Ω alone,

    E[g_k·g_l] = E[q ‖x‖²] = (d + 2 c∂_c) E_{cΩ}[q] at c = 1,
    E[q] = Σ_ij N_ki N_lj E[φ′_kφ′_l u_iu_j] + Δ (AᵀA)_kl E[φ′_kφ′_l],

because ‖x‖² acts like d + x·∂_x, and x·∂_x like the derivative by the scale of all inputs: on a homogeneous q of
degree p it multiplies by d + p (derived here). For quadratic units that gives d + 6 and d + 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array

Index = NDArray[np.intp]
Scaled = tuple[Array, Array]  # an expectation, and c∂_c of it at c = 1


class UnitMoments(Protocol):
    """Expectations of products of the n units u_j(ζ_j) of student and teacher, the first K of which are φ.

    Functions of Ω (…, n, n), analytic as far as first order in an imaginary part.
    """

    def pairs(self, Omega: Array) -> tuple[Array, Array, Array]:
        """E u_iu_j, E u″_iu_j and E u′_iu′_j, (…, n, n)."""

    def slopes(self, Omega: Array, k: int, l: int) -> Scaled:
        """E φ′_kφ′_l, (…)."""

    def products(self, Omega: Array, k: int, l: int, i: Index, j: Index) -> Scaled:
        """E φ′_kφ′_l u_iu_j for indices (s,), (…, s)."""


@dataclass(frozen=True, eq=False)
class UnitStep:
    """Moments of one step, see `dynamics.sgd.step_moments.StepMoments`.

    Parameters
    ----------
    units : UnitMoments
    Omega : (…, n, n) array
    C : (…, O, n) array
        Coefficients of the residual.
    A : (…, O, K) array
    inputs : int
        d.
    label_noise : float
        Variance Δ.
    """

    units: UnitMoments
    Omega: Array
    C: Array
    A: Array
    inputs: int
    label_noise: float

    @cached_property
    def _pairs(self) -> tuple[Array, Array, Array]:
        return self.units.pairs(self.Omega)

    @property
    def loss(self) -> Array:
        """½ Σ_ij (CᵀC)_ij E u_iu_j, (…)."""
        loss = np.asarray(0.5 * np.einsum("...oi,...oj,...ij->...", self.C, self.C, self._pairs[0]))
        return loss if np.iscomplexobj(loss) else np.maximum(loss, 0.0)  # rounding, where all is learned

    @cached_property
    def _weights(self) -> Array:
        """N = AᵀC, (…, K, n)."""
        return np.swapaxes(self.A, -1, -2) @ self.C

    @cached_property
    def _mean(self) -> Array:
        """Coefficients of E g_k in the rows of U, (…, K, n)."""
        K, (_, bent, slope) = self.A.shape[-1], self._pairs
        mean = self._weights * slope[..., :K, :]
        units = np.arange(K)
        mean[..., units, units] += np.sum(self._weights * bent[..., :K, :], axis=-1)
        return mean

    @property
    def speed(self) -> Array:
        """E g_k·u_j, (…, K, n)."""
        return self._mean @ self.Omega

    @property
    def lifts(self) -> Array:
        """Σ_j C_oj E φ_ku_j, (…, O, K)."""
        return self.C @ self._pairs[0][..., : self.A.shape[-1]]

    def squares(self, batch: int) -> Array:
        """E ḡ_k·ḡ_l of the mean ḡ over a batch, (…, K, K)."""
        mean = self.speed @ np.swapaxes(self._mean, -1, -2)
        return self._sampled() / batch + (1 - 1 / batch) * mean

    def _sampled(self) -> Array:
        """E g_k·g_l of one sample, (…, K, K)."""
        (K, n), N = self._weights.shape[-2:], self._weights
        i, j = np.triu_indices(n)
        noise = self.label_noise * np.swapaxes(self.A, -1, -2) @ self.A
        total = np.empty((*self.Omega.shape[:-2], K, K), dtype=self.Omega.dtype)
        for k, l in zip(*np.triu_indices(K), strict=True):
            T = N[..., k, i] * N[..., l, j]
            T = T + np.where(i == j, 0.0, N[..., k, j] * N[..., l, i])
            product, scaled = self.units.products(self.Omega, k, l, i, j)
            value = np.sum(T * (self.inputs * product + 2 * scaled), axis=-1)
            if self.label_noise:
                slope, scaled = self.units.slopes(self.Omega, k, l)
                value = value + noise[..., k, l] * (self.inputs * slope + 2 * scaled)
            total[..., k, l] = total[..., l, k] = value
        return total
