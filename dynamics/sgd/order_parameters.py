"""Order parameters of a student: the overlaps that stochastic gradient descent closes on.

With U = [W; V] (hidden units, then teacher directions) everything the loss and the mean of a step depend on is
in the Gram matrix Ω = UUᵀ = [[Q, R], [Rᵀ, P]], Q = WWᵀ, R = WVᵀ, P = VVᵀ, and the second layer: the residual is
Σ_j C_oj u_j(u_j·x) with C_o = [−A_o, B_o] (Saad & Solla, Phys. Rev. E 52 (1995) 4225, for general two-layer networks).
That of a quadratic student is the form D_o = M*_o − M_o = Uᵀ diag(C_o) U (derived here).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.problem import Problem
from dynamics.problem.modes import balanced_teacher, odd_modes
from dynamics.problem.scope import require
from dynamics.sgd.closures import step_maker
from dynamics.sgd.step_moments import StepMaker, StepMoments

Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class OrderParameters:
    """How a state vector s = (Q, R, A) of a problem is laid out, and what can be read off it.

    Every method takes stacks of states (…, u) and is analytic in s, so that it may be complex (derivatives are taken
    by complex steps).

    Parameters
    ----------
    problem : Problem
        With covariance I.
    """

    problem: Problem

    def __post_init__(self) -> None:
        require("mean SGD on the sphere" if self.problem.constraint else "mean SGD", self.problem)

    @cached_property
    def P(self) -> Array:
        """Teacher overlaps VVᵀ, (R, R)."""
        V = self.problem.teacher.V
        return V @ V.T

    @cached_property
    def _upper(self) -> tuple[Index, Index]:
        """Rows and columns of the upper triangle of Q; found once, since it takes as long as to use it."""
        return np.triu_indices(self.problem.student.hidden)

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
        i, j = self._upper
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
        lead, (i, j) = Q.shape[:-2], self._upper
        parts = [Q[..., i, j], R.reshape(*lead, -1)]
        if self.problem.student.trainable:
            parts.append(A.reshape(*lead, -1))
        return np.concatenate(parts, axis=-1)

    def unpack(self, state: Array) -> tuple[Array, Array, Array]:
        """Q (…, K, K), R (…, K, R), A (…, O, K) of states (…, u)."""
        lead, (O, K) = state.shape[:-1], self.problem.student.A.shape
        i, j = self._upper
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

    @cached_property
    def _maker(self) -> StepMaker:
        return step_maker(self.problem)

    def step_moments(self, state: Array, label_noise: float = 0.0, inputs: int | None = None) -> StepMoments:
        """Moments of one step from states (…, u) under label noise of a variance; in another dimension where given."""
        d = self.problem.all_inputs if inputs is None else inputs
        return self._maker(*self.gram(state), self.unpack(state)[2], d, label_noise)

    def loss(self, state: Array) -> Array:
        """Population loss, (…)."""
        return self.step_moments(state).loss

    def modes(self, state: Array) -> Array:
        """Learned part of each teacher mode, (…, modes), outputs one after the other; none where there are no modes.

        Those of `dynamics.problem.modes.teacher_modes`, read off the order parameters: v_iᵀ M_o v_i of quadratic units.
        """
        Q, R, A = self.unpack(state)
        phi, columns = self.problem.activation, [np.empty((*state.shape[:-1], 0))]
        for o, weights in enumerate(self._mode_weights):
            overlaps = R @ weights  # w_k·v_i
            if phi.mode_order == 2:
                sizes = np.einsum("...kk->...k", Q) ** ((phi.degree or 2) / 2 - 1)
                columns.append(np.einsum("...k,...km->...m", A[..., o, :] * sizes, overlaps**2))
            else:
                columns.append(np.einsum("...k,...km->...m", A[..., o, :], overlaps**phi.mode_order))
        return np.concatenate(columns, axis=-1)

    @cached_property
    def _mode_weights(self) -> list[Array]:
        """The directions of the modes of each output as Σ_m weights_mi V_m, (R, modes); none without modes."""
        teacher, phi = self.problem.teacher, self.problem.activation
        if not self.problem.has_modes:
            return []
        pairs = balanced_teacher(teacher, phi).eigen if phi.mode_order == 2 else odd_modes(teacher, phi)
        return [np.asarray(np.linalg.lstsq(teacher.V.T, vectors.T, rcond=None)[0]) for _, vectors in pairs]

    def penalty(self, state: Array) -> Array:
        """½ρ_w‖W‖² + ½ρ_a‖A‖² of the weight decay, (…)."""
        Q, _, A = self.unpack(state)
        decay = self.problem.weight_decay
        return 0.5 * (decay.first * np.einsum("...kk->...", Q) + decay.second * np.sum(A * A, axis=(-2, -1)))

    def balance(self, state: Array) -> Array:
        """c_k = ‖w_k‖² − h Σ_o A_ok², (…, K); NaN where φ is not homogeneous."""
        Q, _, A = self.unpack(state)
        degree = self.problem.activation.degree
        if degree is None:
            return np.full(Q.shape[:-1], np.nan)
        return np.einsum("...kk->...k", Q) - degree * np.sum(A * A, axis=-2)
