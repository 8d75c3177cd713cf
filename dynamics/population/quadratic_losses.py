"""Losses of quadratic networks at many weights, L = Σ_o [tr(D_oΣD_oΣ) + ½κ tr(D_oΣ)²], in two ways.

Entry by entry, D_o is written down and its entries, differences of numbers, are squared: a small loss keeps its
relative accuracy. Through products (derived here), with S = WΣWᵀ and overlaps w_kᵀΣv_m,

    tr(D_oΣD_oΣ) = tr(M*_oΣM*_oΣ) − 2 Σ_km A_ok B_om (w_kᵀΣv_m)² + Σ_kl A_ok A_ol S_kl²,

no d × d matrix is needed, but the difference is taken of squares. They err by a few units in the last place of
(‖M*_o‖ + Σ_k |A_ok| S_kk)² ≥ (‖M*_o‖ + ‖M_o‖)², in the metric of Σ; where the loss is no small part of that, they are
as good as entries.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.population.quadratic_ways import Side

TRUSTED = 1e-2  # of the squares whose difference a loss is: products lose two digits at most
AT_ONCE = 500_000  # numbers in the largest array that is held at a time


def batched(count: int, numbers: int) -> Iterator[slice]:
    """All of `count` items in batches, for arrays of so many `numbers` an item."""
    step = max(1, AT_ONCE // max(1, numbers))
    for start in range(0, count, step):
        yield slice(start, start + step)


def losses_by_entries(targets: Array, coupling: float, W: Array, A: Array) -> Array:
    """Losses (T,) of whitened weights W (T, K, r) and A (T, O, K), with the whitened M*_o (O, r, r)."""
    found = np.empty(len(W))
    for some in batched(len(W), targets.size):
        D = (W[some, None].swapaxes(-1, -2) * A[some, :, None]) @ W[some, None]  # (t, O, r, r)
        np.subtract(targets, D, out=D)
        tau = np.trace(D, axis1=-2, axis2=-1)
        flat = D.reshape(len(D), 1, -1)
        squares = (flat @ flat.swapaxes(-1, -2))[:, 0, 0]
        found[some] = squares + 0.5 * coupling * np.sum(tau**2, axis=1)
    return found


def losses_by_products(side: Side, squares: Array, W: Array, A: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Losses (T,) of W (T, K, d) and A (T, O, K), and which of them are as good as by entries.

    `squares` are tr(M*_oΣM*_oΣ), (O,).
    """
    found, good = np.empty(len(W)), np.empty(len(W), dtype=bool)
    (O, R), (K, d) = side.B.shape, W.shape[1:]
    for some in batched(len(W), max(K * (K + R), O * (K + R), K * d)):
        w, a = W[some], A[some]
        S = side.metric.times(w) @ w.swapaxes(-1, -2)  # (t, K, K)
        norms = np.einsum("tkk->tk", S)
        cross = np.sum((a @ side.seen.overlaps(w) ** 2) * side.B, axis=-1)  # (t, O)
        students = np.sum((a @ S**2) * a, axis=-1)
        tau = side.traces - np.einsum("tok,tk->to", a, norms)
        loss = squares - 2 * cross + students + 0.5 * side.coupling * tau**2
        size = (np.sqrt(squares) + np.einsum("tok,tk->to", np.abs(a), norms)) ** 2
        found[some] = loss.sum(axis=1)
        good[some] = found[some] > TRUSTED * size.sum(axis=1)
    return found, good
