"""Weights of a state at rest under weight decay.

The n units of a block hold its m modes if Y (n, m) has orthogonal columns of the squared lengths μ_i/a. With a trained
second layer all rows must have the same length too: such Y exist, because the mean of numbers is majorised by them
(Schur–Horn), and rotations in pairs of rows, one longer and one shorter than it should be, lead to one.
"""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array
from dynamics.problem import Student
from dynamics.stationary.decayed.blocks import Block, RestingState


def resting_student(state: RestingState, second_layer: Array | None, seed: int | None = None) -> Student:
    """A student at rest.

    Parameters
    ----------
    state : RestingState
    second_layer : (K,) array or None
        The a_k if they are fixed; None if they are trained.
    seed : int, optional
        Without one, units stand in the order of the blocks (of the fixed a_k), each along its mode. With a seed, a
        random one of these states: units in random order, with random signs, or mixed where the block leaves them
        free, and modes rotated at random inside eigenspaces of repeated eigenvalues.
    """
    rng = None if seed is None else np.random.default_rng(seed)
    W = np.zeros((state.hidden, state.spectrum.inputs))
    a = np.zeros(state.hidden) if second_layer is None else np.array(second_layer)
    order = np.arange(state.hidden) if rng is None else rng.permutation(state.hidden)
    modes = tuple(state.learned)
    vectors = dict(zip(modes, _eigenvectors(state, modes, rng), strict=True))
    for block in state.blocks:
        if second_layer is None:
            units, order = order[: block.units], order[block.units :]
            a[units] = block.a
        else:
            units = np.flatnonzero(a == block.a)
        if block.modes:
            Y = block_weights(block, rng, equal=second_layer is None)
            W[units] = Y @ np.array([vectors[i] for i in block.modes])
    return Student(W, a, trainable=second_layer is None)


def block_weights(block: Block, rng: np.random.Generator | None = None, equal: bool = True) -> Array:
    """Y (n, m) of a block on its modes.

    Parameters
    ----------
    block : Block
    rng : Generator, optional
        Draws a random one.
    equal : bool
        Whether all rows have the same length, as those of a trained second layer must.
    """
    n, m = block.units, len(block.modes)
    lengths = np.sqrt(np.array(block.values) / block.a)
    if m == 1 and equal:  # n units along one mode
        signs = np.ones(n) if rng is None else rng.choice([-1.0, 1.0], n)
        return (lengths[0] / np.sqrt(n) * signs)[:, None]
    Y = np.zeros((n, m))
    Y[:m] = np.diag(lengths)
    if rng is not None:
        Y = np.linalg.qr(rng.standard_normal((n, n)))[0] @ Y
    return _equalised(Y) if equal and m else Y


def _equalised(Y: Array) -> Array:
    """Rotate pairs of rows until all have the same length."""
    Y, rows = Y.copy(), list(range(len(Y)))
    target = float(np.sum(Y**2)) / len(Y)
    while len(rows) > 1:
        squares = [float(Y[k] @ Y[k]) for k in rows]
        long, short = rows[int(np.argmax(squares))], rows[int(np.argmin(squares))]
        p, q, b = float(Y[long] @ Y[long]), float(Y[short] @ Y[short]), float(Y[long] @ Y[short])
        if p - q > 1e-15 * target:
            # |cos·y + sin·z|² = target for t = tan: (q − target) t² + 2b t + (p − target) = 0, of opposite signs.
            A, C = q - target, p - target
            root = np.sqrt(max(b * b - A * C, 0.0))
            t = C / (-b - root) if b >= 0 else C / (-b + root)
            c = 1 / np.hypot(1, t)
            y, z = Y[long].copy(), Y[short].copy()
            Y[long], Y[short] = c * (y + t * z), c * (z - t * y)
        rows.remove(long)
    return Y


def _eigenvectors(state: RestingState, modes: tuple[int, ...], rng: np.random.Generator | None) -> Array:
    """Orthonormal eigenvectors of the learned modes, (r, d); random ones of repeated eigenvalues if asked for."""
    E = state.spectrum.eigenvectors(modes)
    if rng is None:
        return E
    E = E.copy()
    groups = np.array([state.group(i) for i in modes], dtype=int)
    for g in set(groups.tolist()):
        start, size = int(state.spectrum.starts[g]), int(state.spectrum.multiplicities[g])
        mine = np.flatnonzero(groups == g)
        Q = np.linalg.qr(rng.standard_normal((size, size)))[0][: len(mine)]
        E[mine] = Q @ state.spectrum.eigenvectors(tuple(range(start, start + size)))
    return E
