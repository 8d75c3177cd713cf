"""Mean of one step of quadratic and centred units, from `dynamics.sgd.gradient_moments`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dynamics.aliases import Array
from dynamics.sgd.gradient_moments import GradientMoments


@dataclass(frozen=True, eq=False)
class QuadraticStep:
    """Moments of one step, see `dynamics.sgd.step_moments.StepMoments`.

    Parameters
    ----------
    moments : GradientMoments
    A : (…, O, K) array
    """

    moments: GradientMoments
    A: Array

    @property
    def loss(self) -> Array:
        """Σ_o tr(D_o²) + κτ_o²/2, (…)."""
        m = self.moments
        X = m.C[..., :, None] * m.Omega[..., None, :, :]  # (…, O, n, n): has the traces of D_o
        tau = np.trace(X, axis1=-2, axis2=-1)
        squares = np.einsum("...oij,...oji->...", X, X)
        return np.asarray(squares + m.trace_coupling / 2 * np.sum(tau * tau, axis=-1))

    @cached_property
    def _half_G(self) -> Array:
        """½ w_kᵀG_oUᵀ, (…, O, K, n)."""
        return self.moments.first[..., : self.A.shape[-1], :]

    @property
    def speed(self) -> Array:
        """Σ_o A_ok w_kᵀG_oUᵀ, (…, K, n)."""
        return 2 * np.einsum("...ok,...okn->...kn", self.A, self._half_G)

    @property
    def lifts(self) -> Array:
        """½ w_kᵀG_ow_k, (…, O, K)."""
        return np.einsum("...okk->...ok", self._half_G[..., : self.A.shape[-1]])

    def squares(self, batch: int) -> Array:
        """4 Σ_op A_okA_pl w_kᵀN_opw_l, (…, K, K)."""
        K, A = self.A.shape[-1], self.A
        N = self.moments.step_products / batch + (1 - 1 / batch) * self.moments.mean_step_products
        return 4 * np.einsum("...ok,...pl,...opkl->...kl", A, A, N[..., :K, :K])
