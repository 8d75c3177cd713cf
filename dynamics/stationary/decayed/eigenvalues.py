"""Every eigenvalue of the Hessian at a state at rest under weight decay (the pieces of `inertia`; derived here).

The pieces of a block against unlearned modes, and of two blocks, are closed forms. What is left are the units of a
block along its own modes and their second-layer weights (`within`). For weights (y_k, a_k), changes (x_k, α_k):

    ½ δθᵀH δθ = ‖δM‖² + ½(tr δM)² + Σ_k (½ρ_a α_k² − γ α_k y_k·x_k),
    δM = Σ_k [α_k y_k y_kᵀ + a_k (x_k y_kᵀ + y_k x_kᵀ)],

without the last sum where the second layer is fixed. There pairs of modes of a block have 4a(μ_i + μ_j) and 0, and the
diagonal of δM gives 8 diag(aμ_i) + 4vvᵀ, v_i = (aμ_i)^{1/2}, over all blocks. With both layers trained a block of a
single mode, μ = n a p², falls apart too: its units against each other, n − 1 times [[0, −γp], [−γp, ρ_a]], and all of
them together, 2nnᵀ for each block and (Σn)(Σn)ᵀ over all besides, n = √n (2ap, p²).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import scipy.linalg

from dynamics.aliases import Array
from dynamics.stationary.decayed.blocks import Block, RestingState
from dynamics.stationary.decayed.weights import block_weights


def eigenvalues(state: RestingState) -> Array:
    """All K(d + 1) eigenvalues of the Hessian of R, Kd with a fixed second layer, ascending.

    Those of a frame are of the one of its states that `dynamics.stationary.decayed.weights` makes without a seed.
    """
    parts = [within(state)]
    for block in state.blocks:
        parts += _against_unlearned(state, block)
    for one, other in combinations(state.blocks, 2):
        parts += _against_each_other(state, one, other)
    origin = [state.decay.first] * state.spectrum.inputs + [state.decay.second] * state.trainable
    parts.append(np.repeat(origin, state.idle))
    return np.sort(np.concatenate(parts))


def _against_unlearned(state: RestingState, block: Block) -> list[Array]:
    numbers, lam = state.unlearned, state.spectrum.values
    held = [np.repeat(4 * block.a * (state.eigenvalue(i) - lam), numbers) for i in block.modes]
    return [*held, np.repeat(block.a * (state.pull(block) - state.pulls_outside), numbers * block.spare)]


def _against_each_other(state: RestingState, one: Block, other: Block) -> list[Array]:
    rho = state.decay.first
    parts = []
    for mu in one.values:
        for nu in other.values:
            off = 4 * np.sqrt(one.a * mu * other.a * nu)
            pair = [
                [rho * (1 - one.a / other.a) + 4 * one.a * mu, off],
                [off, rho * (1 - other.a / one.a) + 4 * other.a * nu],
            ]
            parts.append(np.linalg.eigvalsh(pair))
    for b, c in ((one, other), (other, one)):
        parts.append(np.full(b.spare * len(c.modes), rho * (1 - b.a / c.a)))
    return parts


def within(state: RestingState) -> Array:
    """Eigenvalues for changes of units along the modes of their own block, and of their second-layer weights."""
    if not state.trainable:
        return _within_fixed(state)
    if state.frame:
        return _within_frames(state)
    return _within_aligned(state)


def _within_fixed(state: RestingState) -> Array:
    strengths = [block.a * np.array(block.values) for block in state.blocks]
    v = np.sqrt(np.concatenate([np.zeros(0), *strengths]))
    diagonal = np.linalg.eigvalsh(8 * np.diag(v**2) + 4 * state.trace_coupling * np.outer(v, v))
    pairs = [4 * (s + t) for aligned in strengths for s, t in combinations(aligned, 2)]
    free = sum(len(b.modes) * (len(b.modes) - 1) // 2 + b.spare * len(b.modes) for b in state.blocks)
    return np.concatenate([diagonal, pairs, np.zeros(free)])


def _within_aligned(state: RestingState) -> Array:
    r, parts = len(state.blocks), []
    H, trace = np.zeros((2 * r, 2 * r)), np.zeros(2 * r)
    for i, block in enumerate(state.blocks):
        p = np.sqrt(block.values[0] / (block.units * block.a))
        own = np.array([[0.0, -state.pull(block) * p], [-state.pull(block) * p, state.decay.second]])
        n = np.sqrt(block.units) * np.array([2 * block.a * p, p * p])
        H[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = own + 2 * np.outer(n, n)
        trace[2 * i : 2 * i + 2] = n
        parts.append(np.tile(np.linalg.eigvalsh(own), block.units - 1))
    H += state.trace_coupling * np.outer(trace, trace)
    return np.concatenate([np.linalg.eigvalsh(H), *parts])


def _within_frames(state: RestingState) -> Array:
    changes = [_changes(state, block) for block in state.blocks]
    H = scipy.linalg.block_diag(*(2 * J.T @ J + own for J, own in changes))
    diagonals = [J[: len(b.modes)].sum(axis=0) for (J, _), b in zip(changes, state.blocks, strict=True)]
    trace = np.concatenate(diagonals)
    return np.linalg.eigvalsh(H + state.trace_coupling * np.outer(trace, trace))


def _changes(state: RestingState, block: Block) -> tuple[Array, Array]:
    """δM of a block, its diagonal and √2 times its upper triangle, as a matrix; and the Hessian of the last sum."""
    Y = block_weights(block)
    n, m = Y.shape
    rows = [(i, i, 1.0) for i in range(m)] + [(i, j, np.sqrt(2)) for i, j in combinations(range(m), 2)]
    J, own = np.zeros((len(rows), n * (m + 1))), np.zeros((n * (m + 1),) * 2)
    for k, y in enumerate(Y):
        x, alpha = slice(k * m, (k + 1) * m), n * m + k
        for row, (i, j, factor) in enumerate(rows):
            J[row, k * m + i] += factor * block.a * y[j]
            J[row, k * m + j] += factor * block.a * y[i]
            J[row, alpha] += factor * y[i] * y[j]
        own[alpha, alpha] = state.decay.second
        own[alpha, x] = own[x, alpha] = -state.pull(block) * y
    return J, own
