"""Population loss of any activations whose pair kernels are known, with gradient and Hessian.

For a student of activation φ and a teacher of activation ψ let κ(q_1, s, q_2) = E φ(z_1) φ(z_2), and the same for the
pairs φψ and ψψ, for Gaussian pre-activations of variances q_1, q_2 and covariance s. With U = [W; V] (hidden units,
then teacher directions), C_o = [A_o, −B_o] and N = CᵀC the residual f_o − f*_o is a sum over the rows of U, hence
(derived here)

    L = ½ Σ_ij N_ij κ(q_i, s_ij, q_j),   s_ij = u_iᵀΣu_j,  q_i = s_ii,
    ẇ_k = −Σ_j N_kj [κ_s Σu_j + 2 κ_1 Σw_k],   Ȧ_ok = −Σ_j C_oj κ(q_k, s_kj, q_j),

κ_1 and κ_s being derivatives by q_1 and s: six scalars for each pair give the Hessian too, whatever the activation is.
Correlated inputs, Σ = FFᵀ, are uncorrelated ones for the weights WF. L is a sum of terms that cancel where the
student has learned: it is exact to some 1e-16 of the largest of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dynamics.aliases import Array
from dynamics.population.gram_pairs import GramPairs, PairKernel
from dynamics.population.whitened import WhitenedPopulation

SECOND = ("", "s", "1", "2", "ss", "1s", "s2", "11", "12")  # what a Hessian is made of


@dataclass(frozen=True, eq=False)
class PairPopulation(WhitenedPopulation):
    """Population loss of f_o = Σ_k A_ok φ(w_k·x) against f*_o = Σ_m B_om ψ(v_m·x), x ~ N(0, Σ).

    Parameters
    ----------
    V : (R, d) array
    B : (O, R) array
    covariance : (d, d) array or None
        Σ; None is the identity.
    kernel : PairKernel or None
        κ of two hidden units; None leaves the pairs of hidden units out, for a loss that adds them in another way.
    cross : PairKernel, optional
        κ of a hidden unit and a teacher unit; by default that of two hidden units.
    teacher_kernel : PairKernel, optional
        κ of two teacher units; by default that of a hidden and a teacher unit.
    """

    V: Array
    B: Array
    covariance: Array | None
    kernel: PairKernel | None
    cross: PairKernel | None = None
    teacher_kernel: PairKernel | None = None

    @cached_property
    def _teacher_square(self) -> float:
        """Σ_o E f*_o²."""
        kernel = self.teacher_kernel or self.cross or self.kernel
        assert kernel is not None
        pairs = GramPairs(self._teacher, self._teacher)
        return float(np.sum((self.B.T @ self.B) * kernel(pairs, "")[0]))

    def _table(self, W: Array, *by: str) -> list[Array]:
        """Derivatives of κ at all pairs of whitened hidden units W with U = [W; V], (K, n) each."""
        cross = self.cross or self.kernel
        assert cross is not None
        if cross is self.kernel:
            return cross(GramPairs(W, np.vstack([W, self._teacher])), *by)
        right = cross(GramPairs(W, self._teacher), *by)
        nothing = [np.zeros((len(W), len(W))) for _ in by]
        left = nothing if self.kernel is None else self.kernel(GramPairs(W, W), *by)
        return [np.hstack(pair) for pair in zip(left, right, strict=True)]

    def loss(self, W: Array, A: Array) -> float:
        """Loss L, in squared units of the output, never below 0 if all pairs are in it."""
        (kappa,) = self._table(self._white(W), "")
        student = np.sum((A.T @ np.hstack([A, -2 * self.B])) * kappa)
        loss = 0.5 * float(student + self._teacher_square)
        return loss if self.kernel is None else max(loss, 0.0)

    def velocity(self, W: Array, A: Array) -> tuple[Array, Array]:
        """Minus the gradient, (K, d) and (O, K)."""
        W = self._white(W)
        kappa, by_s, by_1 = self._table(W, "", "s", "1")
        C = np.hstack([A, -self.B])
        N = A.T @ C  # (K, n)
        dW = (N * by_s) @ np.vstack([W, self._teacher])
        dW += 2 * np.sum(N * by_1, axis=1, keepdims=True) * W
        return -self._back(dW), -C @ kappa.T

    def hessian_vector(self, W: Array, A: Array, dW: Array, dA: Array) -> tuple[Array, Array]:
        """Hessian times (dW, dA): the directional derivative of the gradient."""
        W, dW = self._white(W), self._white(dW)
        U = np.vstack([W, self._teacher])
        dU = np.vstack([dW, np.zeros_like(self._teacher)])
        k = dict(zip(SECOND, self._table(W, *SECOND), strict=True))
        dq = 2 * np.einsum("nd,nd->n", U, dU)
        d1, ds, d2 = dq[: len(W), None], dW @ U.T + W @ dU.T, dq
        C, dC = np.hstack([A, -self.B]), np.hstack([dA, np.zeros_like(self.B)])
        N, dN = A.T @ C, dA.T @ C + A.T @ dC
        along = k["1"] * d1 + k["s"] * ds + k["2"] * d2  # of κ, of κ_s and of κ_1
        along_s = k["1s"] * d1 + k["ss"] * ds + k["s2"] * d2
        along_1 = k["11"] * d1 + k["1s"] * ds + k["12"] * d2
        hW = (dN * k["s"] + N * along_s) @ U + (N * k["s"]) @ dU
        hW += 2 * np.sum(dN * k["1"] + N * along_1, axis=1, keepdims=True) * W
        hW += 2 * np.sum(N * k["1"], axis=1, keepdims=True) * dW
        return self._back(hW), dC @ k[""].T + C @ along.T

    def invariants(self, W: Array, A: Array) -> Array:
        """L, E‖f‖², E‖∇f‖² and E tr ∇f·∇f*, which rotations that leave the teacher alone do not change, (4,)."""
        W = self._white(W)
        kappa, by_s = self._table(W, "", "s")
        U = np.vstack([W, self._teacher])
        own, taught = A.T @ A, A.T @ self.B
        K, slopes = len(W), by_s * (W @ U.T)  # E φ'(z_1) ψ'(z_2) u·v
        loss = 0.5 * float(
            np.sum(own * kappa[:, :K]) - 2 * np.sum(taught * kappa[:, K:]) + self._teacher_square
        )
        return np.array(
            [loss, np.sum(own * kappa[:, :K]), np.sum(own * slopes[:, :K]), np.sum(taught * slopes[:, K:])]
        )

    def hessian(self, W: Array, A: Array) -> Array:
        """Dense Hessian, (Kd + OK, Kd + OK), for θ = (W row by row, A row by row)."""
        W = self._white(W)
        U = np.vstack([W, self._teacher])
        k = dict(zip(SECOND, self._table(W, *SECOND), strict=True))
        slopes = 2 * k["1"][..., None] * W[:, None] + k["s"][..., None] * U
        N = A.T @ np.hstack([A, -self.B])
        return self._assembled(A, self._white_hessian(W, U, N, k), slopes, k[""])

    @staticmethod
    def _white_hessian(W: Array, U: Array, N: Array, k: dict[str, Array]) -> Array:
        """∂²L/∂w_k∂w_l for uncorrelated inputs, (K, d, K, d)."""
        K, I = len(W), np.eye(U.shape[1])
        g = {by: N * value for by, value in k.items()}
        pair = {by: value[:, :K] for by, value in g.items()}
        H = np.einsum("kl,ij->kilj", pair["s"], I)
        H += np.einsum("kl,ki,kj->kilj", 2 * pair["1s"], W, W)
        H += np.einsum("kl,ki,lj->kilj", 4 * pair["12"], W, W)
        H += np.einsum("kl,li,kj->kilj", pair["ss"], W, W)
        H += np.einsum("kl,li,lj->kilj", 2 * pair["s2"], W, W)
        own = 2 * g["1"].sum(axis=1)[:, None, None] * I
        own += 4 * np.einsum("k,ki,kj->kij", g["11"].sum(axis=1), W, W)
        mixed = np.einsum("ki,kj->kij", W, 2 * g["1s"] @ U)
        own += mixed + mixed.transpose(0, 2, 1)
        own += np.einsum("kn,ni,nj->kij", g["ss"], U, U, optimize=True)
        units = np.arange(K)
        H[units, :, units, :] += own
        return H
