"""The slope of quadratic units, compiled by numba: everything between two products of matrices in one pass.

It is the way `one_output` of `dynamics.population.quadratic_ways`, for Σ = 1 and teachers whose directions are axes:

    X_kl = −4 a_l w_k·w_l + 2τ δ_kl,  Y = XW + 4W diag(λ),  ẇ_k = a_k Y_k,  ȧ_k = ½ w_k·Y_k.
"""

from __future__ import annotations

import numpy as np
from numba import cfunc, float64, njit, types

from dynamics.aliases import Array
from dynamics.integration.compiled_steps import MATRIX, REORDERED, RIGHT_HAND_SIDE
from dynamics.population.compiled_products import COLUMNS, LARGEST, ROWS, WIDE, padded, product

VECTOR = float64[::1]


@njit(types.void(MATRIX, VECTOR, float64, float64), cache=True, fastmath=REORDERED)
def _weigh(X: Array, a: Array, trace: float, kappa: float) -> None:
    """X_kl = w_k·w_l becomes −4 a_l w_k·w_l + 2τ δ_kl, τ = κ(tr M* − Σ_k a_k w_k·w_k)."""
    K, tau = a.size, trace
    for k in range(K):
        tau -= a[k] * X[k, k]
    for k in range(K):
        for l in range(K):
            X[k, l] *= -4 * a[l]
        X[k, k] += 2 * kappa * tau


@cfunc(RIGHT_HAND_SIDE, cache=True, fastmath=REORDERED)
def slope_of_one_output(
    t: float, theta: Array, out: Array, numbers: Array, sizes: Array, room: Array
) -> None:
    """See `dynamics.population.quadratic_kernel` for numbers and sizes."""
    K, d, R, trainable = sizes
    values, trace, kappa = numbers[:R], numbers[R], numbers[R + 1]
    W, V = theta[: K * d].reshape(K, d), out[: K * d].reshape(K, d)
    a = theta[K * d :] if trainable else numbers[R + 2 :]
    if WIDE and max(K, d) * K <= LARGEST:
        # whole tiles, and rows that do not all begin in the same set of the cache
        rows, across, wide = padded(K, ROWS), padded(K, COLUMNS) + 8, padded(d, COLUMNS) + 8
        Y, end = room[: rows * wide].reshape(rows, wide), rows * wide
        copy, end = room[end : end + rows * wide].reshape(rows, wide), end + rows * wide
        X, end = room[end : end + rows * across].reshape(rows, across), end + rows * across
        turned = room[end : end + d * across].reshape(d, across)
        for k in range(K):
            for i in range(d):
                copy[k, i] = W[k, i]
        for i in range(d):
            for k in range(K):
                turned[i, k] = W[k, i]
        product(copy, turned, X, K, d, K)
        _weigh(X, a, trace, kappa)
        product(X, copy, Y, K, K, d)
    else:
        Y, X = room[: K * d].reshape(K, d), room[K * d : K * (K + d)].reshape(K, K)
        np.dot(W, W.T, X)
        _weigh(X, a, trace, kappa)
        np.dot(X, W, Y)
    for k in range(K):
        for m in range(R):
            Y[k, m] += values[m] * W[k, m]
        if trainable:
            growth = 0.0
            for i in range(d):
                growth += W[k, i] * Y[k, i]
            out[K * d + k] = 0.5 * growth
        for i in range(d):
            V[k, i] = a[k] * Y[k, i]
