"""The slope of quadratic units, compiled by numba: products by BLAS, everything between them in one pass.

It is the way `one_output` of `dynamics.population.quadratic_ways`, for Σ = 1 and teachers whose directions are axes:

    X_kl = −4 a_l w_k·w_l + 2τ δ_kl,  Y = XW + 4W diag(λ),  ẇ_k = a_k Y_k,  ȧ_k = ½ w_k·Y_k.
"""

from __future__ import annotations

import numpy as np
from numba import cfunc

from dynamics.aliases import Array
from dynamics.integration.compiled_steps import REORDERED, RIGHT_HAND_SIDE


@cfunc(RIGHT_HAND_SIDE, cache=True, fastmath=REORDERED)
def slope_of_one_output(
    t: float, theta: Array, out: Array, numbers: Array, sizes: Array, room: Array
) -> None:
    """See `dynamics.population.quadratic_kernel` for numbers and sizes."""
    K, d, R, trainable = sizes
    values, trace, kappa = numbers[:R], numbers[R], numbers[R + 1]
    W, Y = theta[: K * d].reshape(K, d), out[: K * d].reshape(K, d)
    a = theta[K * d :] if trainable else numbers[R + 2 :]
    X = room[: K * K].reshape(K, K)
    np.dot(W, W.T, X)
    tau = trace
    for k in range(K):
        tau -= a[k] * X[k, k]
    for k in range(K):
        for l in range(K):
            X[k, l] *= -4 * a[l]
        X[k, k] += 2 * kappa * tau
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
            Y[k, i] *= a[k]
