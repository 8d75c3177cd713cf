"""The layout of a bias that is trained: one more column of A, the weight of a unit that always says −1.

f_o = Σ_k A_ok φ(w_k·x) − β_o has weights A (O, K), or, where β is trained, (O, K + 1) with β as the last column.
Whoever needs the units alone, or β, asks here.
"""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array


def unit_weights(W: Array, A: Array) -> Array:
    """Second-layer weights (…, O, K) of the units W (…, K, d), without a bias."""
    return A[..., : W.shape[-2]]


def biases(W: Array, A: Array, fixed: float) -> tuple[Array, Array]:
    """Second-layer weights (…, O, K) of the units, and β_o (…, O): the further column of A, or else a fixed number."""
    K = W.shape[-2]
    if A.shape[-1] == K:
        return A, np.full(A.shape[:-1], fixed)
    return A[..., :K], A[..., K]


def with_bias(units: Array, beta: Array, like: Array) -> Array:
    """Weights of units (O, K) and biases (O,) in the layout of `like`."""
    if units.shape[-1] == like.shape[-1]:
        return units
    return np.concatenate([units, beta[:, None]], axis=1)
