"""The right-hand sides of `benchmarks.forms` compiled by numba: products by BLAS, everything else in one loop."""

from __future__ import annotations

import numba
import numpy as np

from benchmarks.forms import Side
from dynamics.aliases import Array


def dense(K: int, d: int, M: Array) -> Side:
    """One output, through the matrix D (d, d)."""

    @numba.njit
    def rhs(t: float, theta: Array) -> Array:
        W, a = theta[: K * d].reshape(K, d), theta[K * d :]
        aW = np.empty((K, d))
        for k in range(K):
            for i in range(d):
                aW[k, i] = a[k] * W[k, i]
        D = np.dot(aW.T, W)
        tau = 0.0
        for i in range(d):
            for j in range(d):
                D[i, j] = M[i, j] - D[i, j]
            tau += D[i, i]
        WD = np.dot(W, D)
        out = np.empty(K * d + K)
        for k in range(K):
            growth = 0.0
            for i in range(d):
                g = 4 * WD[k, i] + 2 * tau * W[k, i]
                out[k * d + i] = a[k] * g
                growth += g * W[k, i]
            out[K * d + k] = 0.5 * growth
        return out

    return rhs


def gram(K: int, d: int, eigenvalues: Array) -> Side:
    """One output and M* = diag(eigenvalues): through the products w_k·w_l, (K, K)."""
    total = eigenvalues.sum()

    @numba.njit
    def rhs(t: float, theta: Array) -> Array:
        W, a = theta[: K * d].reshape(K, d), theta[K * d :]
        S = np.dot(W, W.T)
        tau = total
        for k in range(K):
            tau -= a[k] * S[k, k]
        for k in range(K):
            for l in range(K):
                S[k, l] *= a[l]
        SW = np.dot(S, W)
        out = np.empty(K * d + K)
        for k in range(K):
            growth = 0.0
            for i in range(d):
                g = (4 * eigenvalues[i] + 2 * tau) * W[k, i] - 4 * SW[k, i]
                out[k * d + i] = a[k] * g
                growth += g * W[k, i]
            out[K * d + k] = 0.5 * growth
        return out

    return rhs


def loops(K: int, d: int, M: Array) -> Side:
    """The dense form of a few units and inputs, where a call of BLAS costs more than the product itself."""

    @numba.njit
    def rhs(t: float, theta: Array) -> Array:
        out = np.empty(K * d + K)
        D = M.copy()
        for k in range(K):
            for i in range(d):
                for j in range(d):
                    D[i, j] -= theta[K * d + k] * theta[k * d + i] * theta[k * d + j]
        tau = 0.0
        for i in range(d):
            tau += D[i, i]
        for k in range(K):
            growth = 0.0
            for i in range(d):
                g = 2 * tau * theta[k * d + i]
                for j in range(d):
                    g += 4 * D[i, j] * theta[k * d + j]
                out[k * d + i] = theta[K * d + k] * g
                growth += 0.5 * g * theta[k * d + i]
            out[K * d + k] = growth
        return out

    return rhs
