"""Many gradient flows of quadratic networks evaluated at once: their states are the columns of one array.

The right-hand side is that of `dynamics.population.flow_shape`, with the numbers of every flow in a column too. What
a column gives depends on it alone, bit for bit: products are taken entry by entry, and sums run over rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array


class BulkFlow:
    """The right-hand sides of N flows; it keeps `dynamics.integration.contract.BulkField`.

    Parameters
    ----------
    hidden : int
        K.
    trace_coupling : float
        κ, as in `dynamics.population.quadratic.QuadraticPopulation`.
    M : (O, r, r, N) array
        Teacher matrices M*.
    A : (O, K, N) array or None
        Second layers that are fixed; None if they are trained.
    S : (r, r, N) array or None
        Σ; None is the identity.
    rates : (2, N) or (1, N) array, or None
        ρ_w, and ρ_a where the second layer is trained; None without weight decay.
    """

    def __init__(
        self,
        hidden: int,
        trace_coupling: float,
        M: Array,
        A: Array | None,
        S: Array | None,
        rates: Array | None,
    ) -> None:
        self._hidden, self._coupling = hidden, trace_coupling
        self._M, self._A, self._S, self._rates = M, A, S, rates
        r, N = M.shape[-2:]
        self._D, self._more = np.empty((2, r, r, N))
        self._aW, self._GW = np.empty((2, hidden, r, N))

    def kept(self, columns: NDArray[np.int64]) -> BulkFlow:
        """The flows of some columns."""
        A, S, rates = (
            None if x is None else np.ascontiguousarray(x[..., columns])
            for x in (self._A, self._S, self._rates)
        )
        M = np.ascontiguousarray(self._M[..., columns])
        return BulkFlow(self._hidden, self._coupling, M, A, S, rates)

    def _weights(self, theta: Array) -> tuple[Array, Array]:
        """W (K, r, N) and A (O, K, N) of states (n, N), as views."""
        K, (O, r, _, N) = self._hidden, self._M.shape
        W = theta[: K * r].reshape(K, r, N)
        return W, theta[K * r :].reshape(O, K, N) if self._A is None else self._A

    def _residual(self, W: Array, A: Array, o: int) -> tuple[Array, Array]:
        """D_o (r, r, N), in a buffer, and κτ_o (N,)."""
        D = self._D
        np.multiply(A[o][:, None], W, out=self._aW)
        np.einsum("kin,kjn->ijn", self._aW, W, out=D)
        np.subtract(self._M[o], D, out=D)
        tau = _diagonal(D).sum(axis=0) if self._S is None else np.einsum("ijn,ijn->n", D, self._S)
        return D, self._coupling * tau

    def _force(self, D: Array, tau: Array) -> Array:
        """G = 4ΣDΣ + 2τΣ (r, r, N), in the buffer of D."""
        if self._S is None:
            np.multiply(D, 4.0, out=D)
            diagonal = _diagonal(D)
            np.add(diagonal, 2.0 * tau, out=diagonal)
            return D
        np.einsum("ijn,jkn->ikn", self._S, D, out=self._more)
        np.einsum("ijn,jkn->ikn", self._more, self._S, out=D)
        np.multiply(D, 4.0, out=D)
        D += 2.0 * tau * self._S
        return D

    def __call__(self, theta: Array, out: Array) -> None:
        """Put the right-hand sides at states (n, N) into `out` (n, N)."""
        W, A = self._weights(theta)
        dW, GW = out[: W[..., 0].size].reshape(W.shape), self._GW
        dA = out[W[..., 0].size :].reshape(A.shape) if self._A is None else None
        for o in range(len(A)):
            G = self._force(*self._residual(W, A, o))
            np.einsum("ijn,kjn->kin", G, W, out=GW)
            if dA is not None:
                np.einsum("kin,kin->kn", GW, W, out=dA[o])
            if o == 0:
                np.multiply(A[o][:, None], GW, out=dW)
            else:
                dW += A[o][:, None] * GW
        if dA is not None:
            np.multiply(dA, 0.5, out=dA)
        if self._rates is not None:
            dW -= self._rates[0] * W
            if dA is not None:
                dA -= self._rates[1] * A

    def losses(self, theta: Array) -> Array:
        """Population loss L of every column, (N,), without decay."""
        W, A = self._weights(theta)
        loss = np.zeros(theta.shape[1])
        for o in range(len(A)):
            D, tau = self._residual(W, A, o)
            left, right = D, D
            if self._S is not None:
                np.einsum("ijn,jkn->ikn", self._S, D, out=self._more)
                left, right = self._more, self._more.transpose(1, 0, 2)  # tr(ΣDΣD)
            loss += np.einsum("ijn,ijn->n", left, right)
            if self._coupling:
                loss += 0.5 / self._coupling * tau**2  # τ here holds κ
        return loss


def symmetric(upper: Array, r: int) -> Array:
    """Symmetric matrices (O, r, r, N) from their upper triangles (O, r(r + 1)/2, N)."""
    i, j = np.triu_indices(r)
    full = np.empty((len(upper), r, r, upper.shape[-1]))
    full[:, i, j] = full[:, j, i] = upper
    return full


def _diagonal(D: Array) -> Array:
    """The diagonals (r, N) of matrices (r, r, N), as a view."""
    r, N = D.shape[0], D.shape[2]
    return D.reshape(r * r, N)[:: r + 1]
