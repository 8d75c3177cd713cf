"""Bases of path space by counting: which edges a basis path uses, and the chain rule that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from dynamics.aliases import Array
from dynamics.path_space import CONSTANT, Skeleton, Wiring, path_values


def random_wiring(widths: Sequence[int], seed: int, most: int = 3) -> Wiring:
    """Between any two units up to so many edges, in any order, and biases in some layers."""
    rng = np.random.default_rng(seed)
    sources = []
    for n in widths[:-1]:
        columns = np.repeat(np.arange(n), rng.integers(1, most + 1, size=n))
        sources.append(rng.permutation(np.append(columns, [CONSTANT] * rng.integers(2))))
    return Wiring(tuple(widths), tuple(sources))


def random_weights(wiring: Wiring | Sequence[int], seed: int) -> list[Array]:
    """Weights of both signs with sizes in [⅔, 1.5], so that no path value is tiny."""
    wiring = wiring if isinstance(wiring, Wiring) else Wiring.dense(wiring)
    rng = np.random.default_rng(seed)
    return [rng.choice([-1, 1], shape) * 1.5 ** rng.uniform(-1, 1, shape) for shape in wiring.shapes]


def random_skeleton(widths: Wiring | Sequence[int], seed: int) -> Skeleton:
    """Any in-edge and any out-edge for every hidden unit."""
    wiring = widths if isinstance(widths, Wiring) else Wiring.dense(widths)
    rng = np.random.default_rng(seed)
    into = [rng.integers(columns, size=n) for n, columns in wiring.shapes[:-1]]
    out = [rng.integers(above, size=n) for n, above in pairwise(wiring.widths[1:])]
    via = [
        np.array([rng.choice(np.flatnonzero(s == k)) for k in range(n)])
        for s, n in zip(wiring.sources[1:], wiring.widths[1:-1], strict=True)
    ]
    return Skeleton(wiring.widths, into, out, wiring, via)


def rescaled(weights: list[Array], seed: int, degree: int, wiring: Wiring | None = None) -> list[Array]:
    """The group action by its definition, unit by unit."""
    wiring = wiring or Wiring.dense([weights[0].shape[1], *map(len, weights)])
    rng = np.random.default_rng(seed)
    new = [W.copy() for W in weights]
    for l in range(len(weights) - 1):
        for unit in range(len(weights[l])):
            c = 4 ** rng.uniform(-1, 1)
            new[l][unit] *= c
            new[l + 1][:, wiring.sources[l + 1] == unit] /= c**degree
    return new


def multiplicities(skeleton: Skeleton, degree: int) -> Array:
    """How often every edge enters every basis path: ∂ log v/∂ log w, by setting one weight after the other to e."""
    ones = [np.ones(shape) for shape in skeleton.wiring.shapes]
    columns = []
    for l, W in enumerate(ones):
        for index in np.ndindex(*W.shape):
            weights = [V.copy() for V in ones]
            weights[l][index] = np.e
            columns.append(np.log(path_values(weights, skeleton, degree)))
    return np.round(np.array(columns).T, 12)


def from_paths(weights: list[Array], skeleton: Skeleton, degree: int, delta: Array) -> list[Array]:
    """Gradients ∂L/∂w = Σ_p δ_p ∂v_p/∂w of a loss with ∂L/∂v = δ, from the multiplicities (chain rule)."""
    P = multiplicities(skeleton, degree)
    flow = (delta * path_values(weights, skeleton, degree)) @ P
    flat = flow / np.concatenate([W.ravel() for W in weights])
    cuts = np.cumsum([W.size for W in weights])[:-1]
    return [g.reshape(W.shape) for g, W in zip(np.split(flat, cuts), weights, strict=True)]
