"""The gradient flow of quadratic networks as a polynomial, for Taylor's method.

The right-hand side is ẇ_k = Σ_o A_ok G_o w_k, Ȧ_ok = ½ w_kᵀG_o w_k with G_o = 4ΣD_oΣ + 2τ_oΣ, as in
`dynamics.population.quadratic`, less ρ_w w_k and ρ_a A_ok where weights decay. Teacher and rates are parameters, so
that flows of the same shape share a program.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from dynamics.aliases import Array
from dynamics.integration.taylor import heyoka
from dynamics.population.bulk_flow import BulkFlow, symmetric


@dataclass(frozen=True)
class FlowShape:
    """What the compiled program depends on.

    Parameters
    ----------
    hidden, inputs, outputs : int
        K, r and O.
    trainable : bool
        Whether the second layer is trained; a fixed one is a parameter.
    trace_coupling : float
        As in `dynamics.population.quadratic.QuadraticPopulation`.
    covariance : bool
        Whether there is a Σ other than the identity.
    decayed : bool
        Whether there is weight decay.
    """

    hidden: int
    inputs: int
    outputs: int
    trainable: bool
    trace_coupling: float
    covariance: bool
    decayed: bool = False

    @property
    def unknowns(self) -> int:
        """Length n of the state θ = (W row by row, then A row by row if it is trained)."""
        return self.hidden * (self.inputs + (self.outputs if self.trainable else 0))

    def parameters(self, M: Array, A: Array, covariance: Array | None, rates: Sequence[float] = ()) -> Array:
        """Parameters (…, P) of the program, from M* (…, O, r, r), A (…, O, K), Σ (r, r) and (ρ_w, ρ_a)."""
        upper = np.triu_indices(self.inputs)
        leading = np.broadcast_shapes(M.shape[:-3], A.shape[:-2])
        blocks = [M[..., *upper]]
        if not self.trainable:
            blocks.append(A)
        if covariance is not None:
            blocks.append(covariance[upper])
        if self.decayed:
            blocks.append(np.array(rates if self.trainable else rates[:1]))
        flat = [np.broadcast_to(b, (*leading, *b.shape[-2:])) for b in map(np.atleast_2d, blocks)]
        return np.concatenate([b.reshape(*leading, -1) for b in flat], axis=-1)

    def blocks(self, parameters: Array) -> list[Array]:
        """The parameters (P, …) as they were put together: M* (O·r(r + 1)/2, …), and A, Σ and rates if there are."""
        upper = self.inputs * (self.inputs + 1) // 2
        sizes = [self.outputs * upper]
        if not self.trainable:
            sizes.append(self.outputs * self.hidden)
        if self.covariance:
            sizes.append(upper)
        if self.decayed:
            sizes.append(2 if self.trainable else 1)
        return np.split(parameters, np.cumsum(sizes)[:-1])

    def in_bulk(self, parameters: Array) -> BulkFlow:
        """Flows of this shape, evaluated at once; parameters (P, N)."""
        K, r, O, N = self.hidden, self.inputs, self.outputs, parameters.shape[1]
        blocks = iter(self.blocks(parameters))
        M = symmetric(next(blocks).reshape(O, -1, N), r)
        A = None if self.trainable else next(blocks).reshape(O, K, N)
        S = symmetric(next(blocks)[None], r)[0] if self.covariance else None
        return BulkFlow(K, self.trace_coupling, M, A, S, next(blocks, None))

    def right_hand_side(self) -> list[tuple[Any, Any]]:
        """The flow as pairs (variable, derivative) in the order of θ; its parameters are those of `parameters`."""
        hy = heyoka()
        K, r, O = self.hidden, self.inputs, self.outputs
        W = np.array([[hy.expression(f"w_{k}_{i}") for i in range(r)] for k in range(K)])
        A = np.array([[hy.expression(f"a_{o}_{k}") for k in range(K)] for o in range(O)])
        numbers = map(hy.par.__getitem__, count())
        M = [_symmetric(r, lambda i, j: next(numbers)) for _ in range(O)]
        if not self.trainable:
            A = np.array([[next(numbers) for k in range(K)] for o in range(O)])
        SW, S = W, None
        if self.covariance:
            S = _symmetric(r, lambda i, j: next(numbers))
            SW = _product(W, S)
        GW = np.array([_times_G(self, M[o], W, A[o], SW, S) for o in range(O)])  # (O, K, r)
        dW = [hy.sum(list(A[:, k] * GW[:, k, i])) for k in range(K) for i in range(r)]
        dA = [0.5 * hy.sum(list(W[k] * GW[o, k])) for o in range(O) for k in range(K)]
        if self.decayed:
            rho_w = next(numbers)
            dW = [rate - rho_w * w for rate, w in zip(dW, W.ravel(), strict=True)]
        if self.decayed and self.trainable:
            rho_a = next(numbers)
            dA = [rate - rho_a * a for rate, a in zip(dA, A.ravel(), strict=True)]
        if not self.trainable:
            return list(zip(W.ravel(), dW, strict=True))
        return list(zip([*W.ravel(), *A.ravel()], [*dW, *dA], strict=True))


def _times_G(shape: FlowShape, M: Array, W: Array, a: Array, SW: Array, S: Array | None) -> Array:
    """Rows G_o w_k, (K, r), of one output: G = 4ΣDΣ + 2τΣ."""
    hy = heyoka()
    aW = a[:, None] * W
    D = _symmetric(shape.inputs, lambda i, j: M[i, j] - hy.sum(list(aW[:, i] * W[:, j])))
    DS = D if S is None else _product(D, S)
    tau = shape.trace_coupling * hy.sum(list(DS.diagonal()))
    if S is None:
        G = 4.0 * D
        G[np.diag_indices(shape.inputs)] += 2.0 * tau
        return _product(W, G)
    return 4.0 * _product(_product(SW, D), S) + 2.0 * tau * SW


def _symmetric(n: int, entry: Callable[[int, int], Any]) -> Array:
    """Symmetric matrix of expressions from its upper triangle, row by row."""
    X = np.empty((n, n), dtype=object)
    for i in range(n):
        for j in range(i, n):
            X[i, j] = X[j, i] = entry(i, j)
    return X


def _product(X: Array, Y: Array) -> Array:
    """Matrix product of expressions, with heyoka's sums of many terms."""
    hy = heyoka()
    return np.array([[hy.sum(list(row * column)) for column in Y.T] for row in X])
