"""Every eigenvalue of the Hessian at a state at rest under weight decay (the pieces of `inertia`; derived here).

The pieces of a block against unlearned modes, and of two blocks, are closed forms. What is left are the units of a
block along its own modes and their second-layer weights (`within`). For weights (y_k, a_k), changes (x_k, α_k):

    ½ δθᵀH δθ = ‖δM‖² + ½(tr δM)² + Σ_k (½ρ_a α_k² − γ α_k y_k·x_k),
    δM = Σ_k [α_k y_k y_kᵀ + a_k (x_k y_kᵀ + y_k x_kᵀ)],

without the last sum where the second layer is fixed.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import scipy.linalg

from dynamics.aliases import Array
from dynamics.stationary.decayed.blocks import Block, RestingState
from dynamics.stationary.decayed.weights import block_weights


def eigenvalues(state: RestingState) -> Array:
    """All K(d + 1) eigenvalues of the Hessian of R, Kd with a fixed second layer, ascending."""
    parts = [within(state)]
    for block in state.blocks:
        parts += _against_unlearned(state, block)
    for one, other in combinations(state.blocks, 2):
        parts += _against_each_other(state, one, other)
    origin = [state.decay.first] * state.spectrum.inputs + [state.decay.second] * state.trainable
    parts.append(np.repeat(origin, state.idle))
    return np.sort(np.concatenate(parts))


def largest_eigenvalue(state: RestingState) -> float:
    """λ_max of the Hessian of R: gradient descent is stable for steps below 2/λ_max."""
    return float(eigenvalues(state)[-1])


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
    units = [_unit_changes(state, block) for block in state.blocks]
    if not units:
        return np.zeros(0)
    H = scipy.linalg.block_diag(*(2 * jacobian.T @ jacobian + own for jacobian, own in units))
    trace = np.concatenate(
        [jacobian.T @ _trace(len(b.modes)) for (jacobian, _), b in zip(units, state.blocks, strict=True)]
    )
    H += state.trace_coupling * np.outer(trace, trace)
    return np.linalg.eigvalsh(H) if len(H) else np.zeros(0)


def _trace(m: int) -> Array:
    """The trace of a symmetric matrix as a function of its packed entries (see `_unit_changes`)."""
    return np.concatenate([np.ones(m), np.zeros(m * (m - 1) // 2)])


def _unit_changes(state: RestingState, block: Block) -> tuple[Array, Array]:
    """δM of a block, its diagonal and √2 times its upper triangle, as a matrix; and the Hessian of the last sum."""
    Y = block_weights(block)
    n, m = Y.shape
    rows = [(i, i, 1.0) for i in range(m)] + [(i, j, np.sqrt(2)) for i, j in combinations(range(m), 2)]
    jacobian = np.zeros((len(rows), n * (m + state.trainable)))
    own = np.zeros((jacobian.shape[1],) * 2)
    for k, y in enumerate(Y):
        for row, (i, j, factor) in enumerate(rows):
            jacobian[row, k * m + i] += factor * block.a * y[j]
            jacobian[row, k * m + j] += factor * block.a * y[i]
            if state.trainable:
                jacobian[row, n * m + k] += factor * y[i] * y[j]
        if state.trainable:
            own[n * m + k, n * m + k] = state.decay.second
            own[n * m + k, k * m : (k + 1) * m] = own[k * m : (k + 1) * m, n * m + k] = -state.pull(block) * y
    return jacobian, own
