"""Closed-form population loss of quadratic networks, with gradient, Hessian–vector product and Jacobian.

Everything is written in factors: with U = [V; W] (rows: teacher directions, then hidden units) and
C_o = [B_o, −A_o] the residual form is D_o = M*_o − M_o = Uᵀ diag(C_o) U, so a teacher of low rank
never needs a d × d matrix. The formulas are those of the symbolic derivation
(`dynamics.symbolic.derivation`), against which the tests hold them:

    L = Σ_o [tr(D_oΣD_oΣ) + ½ τ_o²],  τ_o = tr(D_oΣ),  G_o = 4ΣD_oΣ + 2τ_oΣ,
    ẇ_k = Σ_o A_ok G_o w_k,           Ȧ_ok = ½ w_kᵀ G_o w_k.

The centred activation φ(w·x) = (w·x)² − wᵀΣw removes the trace coupling: every τ above becomes 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dynamics.aliases import Array
from dynamics.covariance import covariance_factor
from dynamics.integration.contract import Kernel
from dynamics.population.base import Population
from dynamics.population.directions import Directions
from dynamics.population.flow_shape import FlowShape
from dynamics.population.metric import Metric
from dynamics.population.quadratic_kernel import quadratic_kernel
from dynamics.population.quadratic_losses import batched, losses_by_entries, losses_by_products
from dynamics.population.quadratic_ways import Side, quadratic_ways
from dynamics.population.ways import Way


@dataclass(frozen=True, eq=False)
class QuadraticPopulation(Population):
    """Population loss of f_o = Σ_k A_ok φ(w_k·x) against f*_o = Σ_m B_om φ(v_m·x), x ~ N(0, Σ).

    Parameters
    ----------
    V : (R, d) array
    B : (O, R) array
    covariance : (d, d) array, optional
        Σ; None is the identity.
    trace_coupling : float
        κ of L = Σ_o [tr(D_oΣD_oΣ) + ½ κ τ_o²]: 1 for φ(z) = z², 0 for the centred activation.
    """

    V: Array
    B: Array
    covariance: Array | None = None
    trace_coupling: float = 1.0

    def taylor_shape(self, W: Array, A: Array, trainable: bool) -> FlowShape:
        """Shape of the flow as a polynomial, for Taylor's method."""
        return FlowShape(
            W.shape[-2],
            W.shape[-1],
            A.shape[-2],
            trainable,
            self.trace_coupling,
            self.covariance is not None,
        )

    def invariants(self, W: Array, A: Array) -> Array:
        """Eigenvalues of the whitened residual matrices D_o, ascending for each output."""
        return np.asarray(np.linalg.eigvalsh(self.whitened_residuals(W, A)), dtype=float).ravel()

    @cached_property
    def _metric(self) -> Metric:
        """Σ."""
        return Metric.of(self.covariance)

    @cached_property
    def _factor(self) -> Array | None:
        """F with Σ = FFᵀ."""
        return None if self.covariance is None else covariance_factor(self.covariance)

    @cached_property
    def _teacher_traces(self) -> Array:
        """tr(M*_oΣ), (O,)."""
        return self.B @ np.einsum("md,md->m", self._metric.times(self.V), self.V)

    def _traces(self, A: Array, W_norms: Array) -> Array:
        """τ_o = tr(D_oΣ), (O,), from w_kᵀΣw_k; zero for the centred activation."""
        return self.trace_coupling * (self._teacher_traces - A @ W_norms)

    def whitened_residuals(self, W: Array, A: Array) -> Array:
        """Matrices with the spectrum of D_oΣ, (…, O, r, r) with r = min(d, R + K), of W (…, K, d) and A (…, O, K).

        FᵀD_oF for Σ = FFᵀ, written in an orthonormal basis of the span of the rows of UF. Differences are
        taken entry by entry *before* squaring, so that a small loss keeps its relative accuracy.
        """
        lead = W.shape[:-2]
        U = np.concatenate([np.broadcast_to(self.V, (*lead, *self.V.shape)), W], axis=-2)  # (…, n, d)
        if self._factor is not None:
            U = U @ self._factor
        if U.shape[-2] < U.shape[-1]:
            U = np.asarray(np.linalg.qr(U.mT, mode="r")).mT  # same Gram matrix, (…, n, n)
        C = np.concatenate([np.broadcast_to(self.B, (*lead, *self.B.shape)), -A], axis=-1)  # (…, O, n)
        U = U[..., None, :, :]
        return (U.mT * C[..., None, :]) @ U

    def loss(self, W: Array, A: Array) -> float:
        """Loss L = Σ_o [tr(D_oΣD_oΣ) + ½ τ_o²], in squared units of the output."""
        return float(self.losses(W[None], A[None])[0])

    def losses(self, W: Array, A: Array) -> Array:
        """Losses (T,) of weights W (T, K, d) and A (T, O, K); see `dynamics.population.quadratic_losses`."""
        (O, R), (K, d), side = self.B.shape, W.shape[1:], self._side
        n, Sigma = R + K, side.metric.operations  # for one row
        products = K * (K * d + Sigma + side.seen.operations) + O * K * n
        entries = K * Sigma + O * K * d**2 if d <= n else n * (Sigma + 2 * n * d) + O * n**3
        if 2 * products > entries:
            found = self._losses_by_entries(W, A)
        else:
            found, good = losses_by_products(side, self._squares, W, A)
            if not good.all():
                found[~good] = self._losses_by_entries(W[~good], A[~good])
        # a negative κ takes off almost everything of some D, and rounding never more than everything
        return np.maximum(found, 0.0)

    def _losses_by_entries(self, W: Array, A: Array) -> Array:
        """The same from whitened residuals, or from whitened M*_o where these are no larger."""
        if W.shape[-1] <= len(self.V) + W.shape[1]:
            white = W if self._factor is None else W @ self._factor
            return losses_by_entries(self._white_targets, self.trace_coupling, white, A)
        n, found = len(self.V) + W.shape[1], np.empty(len(W))
        for some in batched(len(W), n * (W.shape[-1] + len(self.B) * n)):
            D = self.whitened_residuals(W[some], A[some])
            tau = np.trace(D, axis1=-2, axis2=-1)
            found[some] = np.sum(D * D, axis=(-3, -2, -1)) + 0.5 * self.trace_coupling * np.sum(
                tau**2, axis=-1
            )
        return found

    @cached_property
    def _white_targets(self) -> Array:
        """FᵀM*_oF, (O, r, r)."""
        if self._factor is None:
            return self._targets
        V = self.V @ self._factor
        return (V.T * self.B[:, None, :]) @ V

    @cached_property
    def _squares(self) -> Array:
        """tr(M*_oΣM*_oΣ), (O,)."""
        (O, R), d = self.B.shape, self.V.shape[1]
        if O * d**2 < R**2:
            return np.sum(self._white_targets**2, axis=(1, 2))
        products = self._side.seen.overlaps(self.V)  # v_mᵀΣv_n
        return np.sum((self.B @ products**2) * self.B, axis=1)

    def velocity(self, W: Array, A: Array) -> tuple[Array, Array]:
        """Minus the gradient of the loss, (K, d) and (O, K)."""
        vW, vA = np.empty(W.shape), np.empty(A.shape)
        self.slope(len(W), len(A), True)(W, A, vW, vA)
        return vW, vA

    def ways(self, hidden: int, outputs: int, trainable: bool) -> Sequence[Way]:
        """Those of `dynamics.population.quadratic_ways`."""
        return quadratic_ways(self._side, hidden, self.V.shape[1], trainable)

    def compiled_slope(self, A: Array, inputs: int, trainable: bool) -> Kernel | None:
        """See `dynamics.population.quadratic_kernel`."""
        return quadratic_kernel(self._side, A, inputs, trainable)

    @cached_property
    def _side(self) -> Side:
        """What the slope needs of everything but the weights."""
        return Side(
            Directions.of(self._metric.times(self.V)),
            self.B,
            self._metric,
            self._teacher_traces,
            self.trace_coupling,
            self._matrices,
        )

    @cached_property
    def _targets(self) -> Array:
        """Teacher matrices M*_o, (O, d, d)."""
        return self._matrices()

    def _matrices(self) -> Array:
        return (self.V.T * self.B[:, None, :]) @ self.V

    def force(self, W: Array, A: Array) -> Array:
        """G_o = −2∂L/∂M_o = 4ΣD_oΣ + 2τ_oΣ, (O, d, d)."""
        D = self._targets - (W.T * A[:, None, :]) @ W
        if self.covariance is None:
            tau = self.trace_coupling * np.trace(D, axis1=1, axis2=2)
            D *= 4
            # the diagonals of the O matrices, as a view
            D.reshape(len(D), -1)[:, :: len(D[0]) + 1] += 2 * tau[:, None]
            return D
        S = self.covariance
        tau = self.trace_coupling * np.einsum("oij,ij->o", D, S)
        return 4 * S @ D @ S + 2 * tau[:, None, None] * S

    def hessian_vector(self, W: Array, A: Array, dW: Array, dA: Array) -> tuple[Array, Array]:
        """Hessian times (dW, dA): minus the directional derivative of the velocity."""
        seen, Sigma = self._side.seen, self._metric.times  # rows v_mᵀΣ
        SW, SdW = Sigma(W), Sigma(dW)
        S_V, S_W = seen.overlaps(W), SW @ W.T
        dS_V, X = seen.overlaps(dW), SdW @ W.T  # X_kl = dw_kᵀΣw_l
        dS_W = X + X.T
        norms, dnorms = S_W.diagonal(), dS_W.diagonal()
        tau = self._traces(A, norms)
        dtau = -self.trace_coupling * (dA @ norms + A @ dnorms)
        P, dP = A.T @ self.B, dA.T @ self.B  # (K, R)
        N, dN = A.T @ A, dA.T @ A + A.T @ dA  # (K, K)
        hW = 2 * (dtau @ A + tau @ dA)[:, None] * SW + 2 * (tau @ A)[:, None] * SdW
        hW -= 4 * ((dN * S_W + N * dS_W) @ SW + (N * S_W) @ SdW)
        hW[:, : seen.support] += 4 * seen.combined(dP * S_V + P * dS_V)
        hA = 4 * self.B @ (S_V * dS_V).T - 2 * dA @ (S_W * S_W) - 4 * A @ (S_W * dS_W)
        hA += np.outer(dtau, norms) + np.outer(tau, dnorms)
        return -hW, -hA

    def hessian(self, W: Array, A: Array) -> Array:
        """Dense Hessian, (Kd + OK, Kd + OK), for θ = (W row by row, A row by row)."""
        (K, d), O = W.shape, len(A)
        Sigma = np.eye(d) if self.covariance is None else self.covariance
        G = self.force(W, A)  # (O, d, d)
        SW = W @ Sigma
        S = SW @ W.T
        Gw = np.einsum("oij,kj->oki", G, W)
        N, t = A.T @ A, self.trace_coupling
        H_WW = (
            4 * np.einsum("kl,kl,ij->kilj", N, S, Sigma)
            + 4 * np.einsum("kl,li,kj->kilj", N, SW, SW)
            + 4 * t * np.einsum("kl,ki,lj->kilj", N, SW, SW)
        )
        units = np.arange(K)
        H_WW[units, :, units, :] -= np.einsum("ok,oij->kij", A, G)
        H_WA = np.einsum("ok,kl,li->kiol", 4 * A, S, SW)
        H_WA += 2 * t * np.einsum("ok,l,ki->kiol", A, S.diagonal(), SW)
        H_WA[units, :, :, units] -= Gw.transpose(1, 2, 0)
        block = 2 * S**2 + t * np.outer(S.diagonal(), S.diagonal())
        H_WA = H_WA.reshape(K * d, O * K)
        return np.block([[H_WW.reshape(K * d, K * d), H_WA], [H_WA.T, np.kron(np.eye(O), block)]])
