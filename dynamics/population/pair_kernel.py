"""Population loss of any activation whose pair kernel κ is known, with gradient and Hessian.

κ(q_1, s, q_2) = E φ(z_1, q_1) φ(z_2, q_2) for Gaussian pre-activations of variances q_1, q_2 and covariance s. With
U = [W; V] (hidden units, then teacher directions), C_o = [A_o, −B_o] and N = CᵀC the residual is
f_o − f*_o = Σ_j C_oj φ(u_j·x), hence (derived here)

    L = ½ Σ_ij N_ij κ(q_i, s_ij, q_j),   s_ij = u_iᵀΣu_j,  q_i = s_ii,
    ẇ_k = −Σ_j N_kj [κ_s Σu_j + 2 κ_1 Σw_k],   Ȧ_ok = −Σ_j C_oj κ(q_k, s_kj, q_j),

κ_1 and κ_s being its derivatives by q_1 and s. L is a sum of terms that cancel where the student has learned: it is
exact to some 1e-16 of the largest of them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from dynamics.aliases import Array
from dynamics.population.base import Population


class PairKernel(Protocol):
    """κ and its derivatives at pairs: q1 (K, 1), s (K, n), q2 (n,)."""

    def __call__(self, q1: Array, s: Array, q2: Array, by: str = "") -> Array:
        """κ (K, n), or its derivative by the named arguments: a string of "1", "s" and "2", such as "1s"."""


@dataclass(frozen=True)
class PolynomialKernel:
    """κ = Σ c q_1^α s^j q_2^β.

    Parameters
    ----------
    terms : tuple of ((α, j, β), c)
    """

    terms: tuple[tuple[tuple[int, int, int], float], ...]

    def __call__(self, q1: Array, s: Array, q2: Array, by: str = "") -> Array:
        """κ or one of its derivatives, see `PairKernel`."""
        terms: Counter[tuple[int, int, int]] = Counter(dict(self.terms))
        for argument in by:
            terms = _derivative(terms, "1s2".index(argument))
        total = np.zeros(s.shape)
        for (alpha, j, beta), c in terms.items():
            total += c * q1**alpha * s**j * q2**beta
        return total


def _derivative(terms: Counter[tuple[int, int, int]], place: int) -> Counter[tuple[int, int, int]]:
    """Terms of the derivative by one of the three arguments."""
    derived: Counter[tuple[int, int, int]] = Counter()
    for powers, c in terms.items():
        if powers[place]:
            lower = list(powers)
            lower[place] -= 1
            derived[lower[0], lower[1], lower[2]] += c * powers[place]
    return derived


@dataclass(frozen=True, eq=False)
class PairPopulation(Population):
    """Population loss of f_o = Σ_k A_ok φ(w_k·x) against f*_o = Σ_m B_om φ(v_m·x), x ~ N(0, Σ).

    Parameters
    ----------
    V : (R, d) array
    B : (O, R) array
    covariance : (d, d) array or None
        Σ; None is the identity.
    kernel : PairKernel
        κ of φ.
    """

    V: Array
    B: Array
    covariance: Array | None
    kernel: PairKernel

    def _times_covariance(self, X: Array) -> Array:
        """Rows of X times Σ."""
        return X if self.covariance is None else X @ self.covariance

    @cached_property
    def _teacher_square(self) -> float:
        """Σ_o E f*_o²."""
        s = self._times_covariance(self.V) @ self.V.T
        q = s.diagonal()
        return float(np.sum((self.B.T @ self.B) * self.kernel(q[:, None], s, q)))

    def _overlaps(self, W: Array) -> tuple[Array, tuple[Array, Array, Array]]:
        """UΣ (n, d) for U = [W; V], and the arguments q_k (K, 1), s_kj (K, n), q_j (n,) of κ."""
        U = np.vstack([W, self.V])
        SU = self._times_covariance(U)
        q = np.einsum("nd,nd->n", SU, U)
        return SU, (q[: len(W), None], W @ SU.T, q)

    def loss(self, W: Array, A: Array) -> float:
        """Loss L, in squared units of the output, never below 0."""
        pairs = self._overlaps(W)[1]
        student = np.sum((A.T @ np.hstack([A, -2 * self.B])) * self.kernel(*pairs))
        return max(0.5 * float(student + self._teacher_square), 0.0)

    def velocity(self, W: Array, A: Array) -> tuple[Array, Array]:
        """Minus the gradient, (K, d) and (O, K)."""
        SU, pairs = self._overlaps(W)
        C = np.hstack([A, -self.B])
        N = A.T @ C  # (K, n)
        dW = (N * self.kernel(*pairs, by="s")) @ SU
        dW += 2 * np.sum(N * self.kernel(*pairs, by="1"), axis=1, keepdims=True) * SU[: len(W)]
        return -dW, -C @ self.kernel(*pairs).T

    def hessian_vector(self, W: Array, A: Array, dW: Array, dA: Array) -> tuple[Array, Array]:
        """Hessian times (dW, dA): the directional derivative of the gradient."""
        K = len(W)
        SU, pairs = self._overlaps(W)
        dU = np.vstack([dW, np.zeros_like(self.V)])
        SdU = self._times_covariance(dU)
        dq = 2 * np.einsum("nd,nd->n", SU, dU)
        ds = dW @ SU.T + W @ SdU.T  # (K, n)
        C, dC = np.hstack([A, -self.B]), np.hstack([dA, np.zeros_like(self.B)])
        N, dN = A.T @ C, dA.T @ C + A.T @ dC
        d1, d2 = dq[:K, None], dq

        def along(by: str) -> Array:
            """Derivative of κ, or of one of its derivatives, along the direction."""
            k = self.kernel
            return k(*pairs, by=by + "1") * d1 + k(*pairs, by=by + "s") * ds + k(*pairs, by=by + "2") * d2

        k_s, k_1 = self.kernel(*pairs, by="s"), self.kernel(*pairs, by="1")
        hW = (dN * k_s + N * along("s")) @ SU + (N * k_s) @ SdU
        hW += 2 * np.sum(dN * k_1 + N * along("1"), axis=1, keepdims=True) * SU[:K]
        hW += 2 * np.sum(N * k_1, axis=1, keepdims=True) * SdU[:K]
        return hW, dC @ self.kernel(*pairs).T + C @ along("").T

    def hessian(self, W: Array, A: Array) -> Array:
        """Dense Hessian, (Kd + OK, Kd + OK), column by column."""
        columns = []
        for direction in np.eye(W.size + A.size):
            dW, dA = direction[: W.size].reshape(W.shape), direction[W.size :].reshape(A.shape)
            columns.append(np.concatenate([x.ravel() for x in self.hessian_vector(W, A, dW, dA)]))
        return np.stack(columns, axis=1)
