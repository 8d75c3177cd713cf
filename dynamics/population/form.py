"""The loss of quadratic networks under any inputs: all of it through their fourth moment.

With the residual forms D_o = M*_o − M_o, M_o = Σ_k A_ok w_k w_kᵀ, and C[D] = E (xᵀDx) xxᵀ (derived here)

    L = ½ Σ_o ⟨D_o, C[D_o]⟩,   G_o = 2C[D_o],   ẇ_k = Σ_o A_ok G_o w_k,   Ȧ_ok = ½ w_kᵀ G_o w_k,

and the second derivative is Σ_o [⟨∂M_o, C[∂M_o]⟩ − ½⟨G_o, ∂²M_o⟩].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from dynamics.aliases import Array
from dynamics.population.base import Population
from dynamics.population.form_ways import through_forms, through_units
from dynamics.population.fourth_moment import FourthMoment
from dynamics.population.samples import bending
from dynamics.population.ways import Slope, Way


@dataclass(frozen=True, eq=False)
class FormPopulation(Population):
    """Loss of f_o = Σ_k A_ok (w_k·x)² against f*_o = Σ_m B_om (v_m·x)², for inputs with a fourth moment.

    Parameters
    ----------
    V : (R, d) array
    B : (O, R) array
    moment : FourthMoment
        C; of centred units, the covariance of the products x_a x_b.
    """

    V: Array
    B: Array
    moment: FourthMoment

    @cached_property
    def _targets(self) -> Array:
        """M*_o, (O, d, d)."""
        return (self.V.T * self.B[:, None, :]) @ self.V

    def _residuals(self, W: Array, A: Array) -> Array:
        """D_o, (O, d, d)."""
        return self._targets - (W.T * A[:, None, :]) @ W

    def loss(self, W: Array, A: Array) -> float:
        """Loss L, in squared units of the output; rounding never takes it below 0, where C[D] vanishes."""
        D = self._residuals(W, A)
        return max(0.5 * float(np.sum(D * self.moment(D))), 0.0)

    def force(self, W: Array, A: Array) -> Array:
        """G_o = −2∂L/∂M_o = 2C[D_o], (O, d, d)."""
        return 2 * self.moment(self._residuals(W, A))

    def velocity(self, W: Array, A: Array) -> tuple[Array, Array]:
        """Minus the gradient, (K, d) and (O, K)."""
        vW, vA = np.empty(W.shape), np.empty(A.shape)
        self.slope(len(W), len(A), True)(W, A, vW, vA)
        return vW, vA

    def ways(self, hidden: int, outputs: int, trainable: bool) -> Sequence[Way]:
        """Those of `dynamics.population.form_ways`; what the moment itself takes is not counted."""
        K, (O, d) = hidden, (outputs, self.V.shape[1])
        forms = Way("forms", 2 * O * K * d**2, 12, O * d * (d + 2 * K), partial(self._through_forms, K))
        coordinates = self.moment.coordinates
        if coordinates is None:
            return [forms]
        return [forms, through_units(self.V, self.B, coordinates, K, d, trainable)]

    def _through_forms(self, K: int) -> Slope:
        return through_forms(self.moment, self._targets, K)

    def hessian_vector(self, W: Array, A: Array, dW: Array, dA: Array) -> tuple[Array, Array]:
        """Hessian times (dW, dA): minus the directional derivative of the velocity."""
        half = (W.T * A[:, None, :]) @ dW
        dM = (W.T * dA[:, None, :]) @ W + half + half.transpose(0, 2, 1)
        G, dG = self.force(W, A), -2 * self.moment(dM)
        GW, GdW, dGW = W @ G, dW @ G, W @ dG
        hW = np.einsum("ok,oki->ki", dA, GW) + np.einsum("ok,oki->ki", A, dGW + GdW)
        return -hW, -0.5 * np.einsum("oki,ki->ok", dGW + 2 * GdW, W)

    def hessian(self, W: Array, A: Array) -> Array:
        """Dense Hessian, (Kd + OK, Kd + OK), for θ = (W row by row, A row by row)."""
        (K, d), O = W.shape, len(A)
        by_A = self.moment(W[:, :, None] * W[:, None, :])  # C[w_l w_lᵀ], (K, d, d)
        N, H_WW = A.T @ A, np.empty((K, d, K, d))
        for l, w in enumerate(W):
            half = w[:, None] * np.eye(d)[:, None, :]  # w e_jᵀ, (d, d, d): d³ numbers at a time
            H_WW[:, :, l] = 2 * np.einsum(
                "k,jim,km->kij", N[:, l], self.moment(half + half.swapaxes(1, 2)), W
            )
        H_WA = 2 * np.einsum("ok,lim,km->kiol", A, by_A, W, optimize=True).reshape(K * d, O * K)
        H_AA = np.kron(np.eye(O), np.einsum("lim,ki,km->kl", by_A, W, W, optimize=True))
        gauss_newton = np.block([[H_WW.reshape(K * d, K * d), H_WA], [H_WA.T, H_AA]])
        return gauss_newton + bending(-0.5 * self.force(W, A), W, A)
