"""What losses that are computed for uncorrelated inputs share: weights WF in place of W, Σ = FFᵀ.

φ(w·x) for x ~ N(0, Σ) is φ((Fᵀw)·z) for z ~ N(0, I), so that correlated inputs are uncorrelated ones for WF, and a
gradient with respect to WF times Fᵀ is the one with respect to W.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from dynamics.aliases import Array
from dynamics.covariance import covariance_factor
from dynamics.population.base import Population


class WhitenedPopulation(Population):
    """A population loss of pairs of units, L = ½ Σ_o Σ_ij C_oi C_oj κ(u_i, u_j), U = [W; V], C_o = [A_o, −B_o].

    Attributes
    ----------
    V : (R, d) array
    B : (O, R) array
    covariance : (d, d) array or None
        Σ; None is the identity.
    """

    V: Array
    B: Array
    covariance: Array | None

    @cached_property
    def _factor(self) -> Array | None:
        """F with Σ = FFᵀ."""
        return None if self.covariance is None else covariance_factor(self.covariance)

    def _white(self, X: Array) -> Array:
        """Rows of X for uncorrelated inputs, X F."""
        return X if self._factor is None else X @ self._factor

    def _back(self, X: Array) -> Array:
        """Gradients with respect to X F as gradients with respect to X."""
        return X if self._factor is None else X @ self._factor.T

    @cached_property
    def _teacher(self) -> Array:
        """Whitened teacher directions, (R, d)."""
        return self._white(self.V)

    def _assembled(self, A: Array, H_WW: Array, slopes: Array, kappa: Array) -> Array:
        """Dense Hessian, (Kd + OK, Kd + OK), from its part for the whitened first layer and from kernels.

        Parameters
        ----------
        A : (O, K) array
        H_WW : (K, d, K, d) array
            ∂²L/∂w_k∂w_l for uncorrelated inputs.
        slopes : (K, n, d) array
            ∂κ(w_k, u_j)/∂w_k, likewise.
        kappa : (K, n) array
        """
        (O, K), d = A.shape, H_WW.shape[1]
        slopes, units = self._back(slopes), np.arange(K)
        H_WA = np.einsum("ok,kli->kiol", A, slopes[:, :K])
        H_WA[units, :, :, units] += np.einsum("oj,kji->kio", np.hstack([A, -self.B]), slopes)
        H_WA = H_WA.reshape(-1, O * K)
        if self._factor is not None:
            H_WW = np.einsum("ia,kalb,jb->kilj", self._factor, H_WW, self._factor)
            d = len(self._factor)
        return np.block([[H_WW.reshape(K * d, K * d), H_WA], [H_WA.T, np.kron(np.eye(O), kappa[:, :K])]])
