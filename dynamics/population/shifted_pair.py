"""Population loss of any activations for Gaussian inputs with a mean, x ~ N(μ, Σ).

Everything is as in `dynamics.population.pair_kernel`, but that the pair kernel depends on the means m = w·μ of the two
pre-activations too, so that with κ_m = ∂κ/∂m_1 = E φ′ψ (derived here)

    ẇ_k = −Σ_j N_kj [κ_s Σu_j + 2 κ_1 Σw_k + κ_m μ].

Weights are (WF, Wμ) here, Σ = FFᵀ, for which inputs are uncorrelated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dynamics.aliases import Array
from dynamics.covariance import covariance_factor
from dynamics.population.base import Population
from dynamics.population.gram_pairs import GramPairs, PairKernel

ARGUMENTS = "1s2mn"  # q_1, s, q_2, m_1, m_2
ALONG = ("", "s", "1", "m")  # entries that a gradient is made of


def derivative_name(entry: str, argument: str) -> str:
    """The further derivative of an entry, in one spelling."""
    return "".join(sorted(entry + argument))


SECOND = tuple({*ALONG, *(derivative_name(entry, x) for entry in ALONG for x in ARGUMENTS)})


@dataclass(frozen=True, eq=False)
class ShiftedPopulation(Population):
    """Population loss of f_o = Σ_k A_ok φ(w_k·x) against f*_o = Σ_m B_om ψ(v_m·x), x ~ N(μ, Σ).

    Parameters
    ----------
    V : (R, d) array
    B : (O, R) array
    covariance : (d, d) array or None
        Σ; None is the identity.
    mean : (d,) array
        μ.
    kernel, cross, teacher_kernel : PairKernel
        κ of two hidden units, of a hidden unit and a teacher unit, of two teacher units.
    """

    V: Array
    B: Array
    covariance: Array | None
    mean: Array
    kernel: PairKernel
    cross: PairKernel
    teacher_kernel: PairKernel

    @cached_property
    def _factor(self) -> Array:
        """[F, μ], (d, d + 1)."""
        root = np.eye(len(self.mean)) if self.covariance is None else covariance_factor(self.covariance)
        return np.column_stack([root, self.mean])

    @cached_property
    def _teacher(self) -> Array:
        return np.asarray(self.V @ self._factor)

    @cached_property
    def _teacher_square(self) -> float:
        """Σ_o E f*_o²."""
        pairs = _pairs(self._teacher, self._teacher)
        return float(np.sum((self.B.T @ self.B) * self.teacher_kernel(pairs, "")[0]))

    def _table(self, W: Array, *by: str) -> dict[str, Array]:
        """Derivatives of κ at all pairs of hidden units with hidden and teacher units, (K, n) each."""
        left = self.kernel(_pairs(W, W), *by)
        right = self.cross(_pairs(W, self._teacher), *by)
        return {name: np.hstack(pair) for name, *pair in zip(by, left, right, strict=True)}

    def loss(self, W: Array, A: Array) -> float:
        """Loss L, in squared units of the output, never below 0."""
        kappa = self._table(W @ self._factor, "")[""]
        student = np.sum((A.T @ np.hstack([A, -2 * self.B])) * kappa)
        return max(0.5 * float(student + self._teacher_square), 0.0)

    def velocity(self, W: Array, A: Array) -> tuple[Array, Array]:
        """Minus the gradient, (K, d) and (O, K)."""
        W = W @ self._factor
        k = self._table(W, *ALONG)
        C = np.hstack([A, -self.B])
        N = A.T @ C
        dW = (N * k["s"]) @ _gaussian(np.vstack([W, self._teacher]))
        dW += 2 * np.sum(N * k["1"], axis=1, keepdims=True) * _gaussian(W)
        dW[:, -1] += np.sum(N * k["m"], axis=1)
        return -dW @ self._factor.T, -C @ k[""].T

    def hessian_vector(self, W: Array, A: Array, dW: Array, dA: Array) -> tuple[Array, Array]:
        """Hessian times (dW, dA): the directional derivative of the gradient."""
        return self._product(self._table(W @ self._factor, *SECOND), W, A, dW, dA)

    def hessian(self, W: Array, A: Array) -> Array:
        """Dense Hessian, (Kd + OK, Kd + OK), for θ = (W row by row, A row by row), column by column."""
        table, size = self._table(W @ self._factor, *SECOND), W.size
        columns = []
        for e in np.eye(size + A.size):
            product = self._product(table, W, A, e[:size].reshape(W.shape), e[size:].reshape(A.shape))
            columns.append(np.concatenate([part.ravel() for part in product]))
        return np.column_stack(columns)

    def _product(self, k: dict[str, Array], W: Array, A: Array, dW: Array, dA: Array) -> tuple[Array, Array]:
        W, dW = W @ self._factor, dW @ self._factor
        U = np.vstack([W, self._teacher])
        dU = np.vstack([dW, np.zeros_like(self._teacher)])
        (w, dw), (u, du) = (tuple(map(_gaussian, pair)) for pair in ((W, dW), (U, dU)))
        dq = 2 * np.einsum("nd,nd->n", u, du)
        changes = (dq[: len(W), None], dw @ u.T + w @ du.T, dq, dW[:, -1:], dU[:, -1])
        C, dC = np.hstack([A, -self.B]), np.hstack([dA, np.zeros_like(self.B)])
        N, dN = A.T @ C, dA.T @ C + A.T @ dC

        def along(entry: str) -> Array:
            steps = zip(ARGUMENTS, changes, strict=True)
            return np.asarray(sum(k[derivative_name(entry, x)] * change for x, change in steps))

        hW = (dN * k["s"] + N * along("s")) @ u + (N * k["s"]) @ du
        hW += 2 * np.sum(dN * k["1"] + N * along("1"), axis=1, keepdims=True) * w
        hW += 2 * np.sum(N * k["1"], axis=1, keepdims=True) * dw
        hW[:, -1] += np.sum(dN * k["m"] + N * along("m"), axis=1)
        return hW @ self._factor.T, dC @ k[""].T + C @ along("").T


def _pairs(U: Array, V: Array) -> GramPairs:
    """Pairs of weights whose last column is the mean of their pre-activation."""
    return GramPairs(U[:, :-1], V[:, :-1], U[:, -1:], V[:, -1])


def _gaussian(U: Array) -> Array:
    """The weights without the means, a column of zeros in their place."""
    return U * (np.arange(U.shape[1]) < U.shape[1] - 1)
