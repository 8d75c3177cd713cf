"""Order parameters of a quadratic student: the overlaps that stochastic gradient descent closes on.

With U = [W; V] (hidden units, then teacher directions) everything the loss and the mean of a step depend on is
in the Gram matrix Ω = UUᵀ = [[Q, R], [Rᵀ, P]], Q = WWᵀ, R = WVᵀ, P = VVᵀ, and the second layer: the residual
form is D_o = M*_o − M_o = Uᵀ diag(C_o) U with C_o = [−A_o, B_o] (Saad & Solla, Phys. Rev. E 52 (1995) 4225, for
general two-layer networks; for the quadratic one derived here).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.problem import Problem
from dynamics.problem.scope import require

Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class OrderParameters:
    """How a state vector s = (Q, R, A) of a problem is laid out, and what can be read off it.

    Every method takes stacks of states (…, u) and is polynomial in s, so that it may be complex (derivatives
    are taken by complex steps).

    Parameters
    ----------
    problem : Problem
        With covariance I.
    """

    problem: Problem

    def __post_init__(self) -> None:
        require("mean SGD", self.problem)

    @cached_property
    def P(self) -> Array:
        """Teacher overlaps VVᵀ, (R, R)."""
        V = self.problem.teacher.V
        return V @ V.T

    @cached_property
    def start(self) -> Array:
        """State of the initial weights, (u,)."""
        W, A = self.problem.student.W, self.problem.student.A
        return self.pack(W @ W.T, W @ self.problem.teacher.V.T, A)

    @cached_property
    def pairs(self) -> tuple[Index, Index]:
        """The products ζ_iζ_j of ζ = Ux that move each unknown: rows i and columns j of Ω, (u,) each.

        (k, l) for Q_kl, upper triangle; (k, K + m) for R_km; (k, k) for A_ok, if it is trained.
        """
        O, K = self.problem.student.A.shape
        R = len(self.P)
        i, j = np.triu_indices(K)
        rows, columns = [i, np.repeat(np.arange(K), R)], [j, np.tile(K + np.arange(R), K)]
        if self.problem.student.trainable:
            rows.append(np.tile(np.arange(K), O))
            columns.append(rows[-1])
        return np.concatenate(rows), np.concatenate(columns)

    @property
    def trace_coupling(self) -> float:
        """κ: 1 for φ(z) = z², 0 for the centred activation."""
        return self.problem.activation.coupling_for("the dynamics of order parameters")

    def pack(self, Q: Array, R: Array, A: Array) -> Array:
        """State (…, u) of Q (…, K, K), R (…, K, R) and, if it is trained, A (…, O, K)."""
        lead, K = Q.shape[:-2], Q.shape[-1]
        i, j = np.triu_indices(K)
        parts = [Q[..., i, j], R.reshape(*lead, -1)]
        if self.problem.student.trainable:
            parts.append(A.reshape(*lead, -1))
        return np.concatenate(parts, axis=-1)

    def unpack(self, state: Array) -> tuple[Array, Array, Array]:
        """Q (…, K, K), R (…, K, R), A (…, O, K) of states (…, u)."""
        lead, (O, K) = state.shape[:-1], self.problem.student.A.shape
        i, j = np.triu_indices(K)
        q, r = len(i), K * len(self.P)
        Q = np.empty((*lead, K, K), dtype=state.dtype)
        Q[..., i, j] = Q[..., j, i] = state[..., :q]
        R = state[..., q : q + r].reshape(*lead, K, len(self.P))
        if self.problem.student.trainable:
            return Q, R, state[..., q + r :].reshape(*lead, O, K)
        return Q, R, np.broadcast_to(self.problem.student.A, (*lead, O, K))

    def gram(self, state: Array) -> tuple[Array, Array]:
        """Ω (…, n, n) and C (…, O, n), n = K + R, of states (…, u)."""
        Q, R, A = self.unpack(state)
        lead, K = state.shape[:-1], Q.shape[-1]
        Omega = np.empty((*lead, K + len(self.P), K + len(self.P)), dtype=state.dtype)
        Omega[..., :K, :K], Omega[..., K:, K:] = Q, self.P
        Omega[..., :K, K:], Omega[..., K:, :K] = R, np.swapaxes(R, -1, -2)
        B = np.broadcast_to(self.problem.teacher.B, (*lead, *self.problem.teacher.B.shape))
        return Omega, np.concatenate([-A, B], axis=-1)

    def loss(self, state: Array) -> Array:
        """Population loss Σ_o tr(D_o²) + κτ_o²/2, (…)."""
        Omega, C = self.gram(state)
        X = C[..., :, None] * Omega[..., None, :, :]  # (…, O, n, n): has the traces of D_o
        tau = np.trace(X, axis1=-2, axis2=-1)
        squares = np.einsum("...oij,...oji->...", X, X)
        return squares + self.trace_coupling / 2 * np.sum(tau * tau, axis=-1)

    def modes(self, state: Array) -> Array:
        """v_iᵀ M_o v_i for each teacher eigenvector, (…, modes), outputs one after the other."""
        _, R, A = self.unpack(state)
        V = self.problem.teacher.V
        columns = []
        for o, (_, vectors) in enumerate(self.problem.teacher.eigen):
            weights = np.linalg.lstsq(V.T, vectors.T, rcond=None)[0]  # v_i = Σ_m weights_mi V_m
            columns.append(np.einsum("...k,...km->...m", A[..., o, :], (R @ weights) ** 2))
        return np.concatenate(columns, axis=-1)

    def penalty(self, state: Array) -> Array:
        """½ρ_w‖W‖² + ½ρ_a‖A‖² of the weight decay, (…)."""
        Q, _, A = self.unpack(state)
        decay = self.problem.weight_decay
        return 0.5 * (decay.first * np.einsum("...kk->...", Q) + decay.second * np.sum(A * A, axis=(-2, -1)))

    def balance(self, state: Array) -> Array:
        """c_k = ‖w_k‖² − 2 Σ_o A_ok², (…, K)."""
        Q, _, A = self.unpack(state)
        return np.einsum("...kk->...k", Q) - 2 * np.sum(A * A, axis=-2)
