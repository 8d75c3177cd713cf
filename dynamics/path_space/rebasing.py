"""Change of the basis of path space where a skeleton path value would pass zero.

Path coordinates end where a skeleton path value s(v) is zero, although nothing happens to the network there: other
edges of v carry on. Nor is it an accident: a path through two ordinary edges of v is p(e₁) p(e₂)/s(v) (h = 1, two
layers), so that where such paths are to grow, descent makes s(v) smaller.

Another in-edge or out-edge e′ of v makes another basis of the same space, of the same weights, and the values of its
paths follow from the old ones (derived here). With a chain that is replaced, p(e′)/s(v) is the factor by which what it
carries changes:

    a new in(v) = e′    I_v → I_v · p(e′)/s(v):  paths that go on upwards from v get p(e′)/s(v) to the power h, those
                        that enter v this to the power h − 1;
    a new out(v) = e′   O_v → O_v · p(e′)/s(v):  paths that enter v get p(e′)/s(v).

All paths whose chains do not pass v keep their values. Of a unit with one out-edge in a network of degree 1, another
in-edge leaves the very same paths, in another order: then descent does not notice. In general it does: descent along
other paths is another descent, and from the change on it follows the metric of the new basis.

When a unit changes its edges is a matter of path values alone, which rescaling leaves as they are, so that rescaled
copies change their bases alike: before a step that would make its s(v) zero or take its sign away, and, where that is
asked for, as soon as |s(v)| is less than some share of what its strongest edges would give. A step of the weights is
that of the paths over the square of the chains: near zero it grows without bound, long before anything crosses. The
unit takes the edges of which |s(v)| is largest, of those that it has not tried in this step, the chains of other units
being as they are. All chains grow by a change for strength, so that it ends.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.path_space.coordinates import SkeletonCrossing, path_step, path_values
from dynamics.path_space.skeleton import Layers, Skeleton, as_array, sizes
from dynamics.path_space.wiring import Indices

Unit = tuple[int, int]
"""Hidden layer (from 1) and unit (from 0)."""

Edges = tuple[int, int, int]
"""Skeleton edges of a unit: column of in(v), row and column of out(v)."""

ZERO = -1e9  # the logarithm of a zero in a chain
MOST_ROUNDS = 100  # changes for one step, after which it counts as too large for any basis


@dataclass(frozen=True)
class RebasedStep:
    """A step, and the basis in which it was taken.

    Parameters
    ----------
    weights : list of arrays or tensors
        After the step.
    skeleton : Skeleton
    changes : int
        Units that changed their skeleton edges for it.
    """

    weights: list[Any]
    skeleton: Skeleton
    changes: int


def change_basis(values: ArrayLike, old: Skeleton, new: Skeleton, degree: int = 1) -> Array:
    """Values of the paths of another basis, (…, m − H), from those of one, of degree h; see the head of this file."""
    return path_values(weights_of(values, old, degree), new, degree)


def weights_of(values: ArrayLike, skeleton: Skeleton, degree: int = 1) -> list[Array]:
    """Weights (…, n_l, columns_l) with given path values (…, m − H): those whose in-chains are all 1.

    Then w_e = p(e)/s(v) for an edge into the hidden unit v, and p(e) into an output. Path values do not know the signs
    of in-chains, on which the function depends.
    """
    v = np.asarray(values, dtype=float)
    cuts = np.cumsum([mask.sum() for mask in skeleton.chosen])[:-1]
    paths = []
    for part, mask in zip(np.split(v, cuts, axis=-1), skeleton.chosen, strict=True):
        matrix = np.zeros((*v.shape[:-1], *mask.shape))
        matrix[..., mask] = part
        paths.append(matrix)
    s = []
    for l, into in enumerate(skeleton.into):
        s.append(paths[l][..., np.arange(len(into)), into])
        # p(out(v)) is s(v), and p(in(·)) of a unit above where it is that edge as well
        paths[l + 1][..., skeleton.out[l], skeleton.via[l]] = s[l]
    return [matrix / value[..., :, None] for matrix, value in zip(paths, [*s, np.ones(1)], strict=True)]


def rebased_step(
    weights: Layers,
    gradients: Layers,
    skeleton: Skeleton,
    step: float,
    *,
    degree: int = 1,
    free_layer: int = 1,
    number: int = 0,
    below: float = 0.0,
) -> RebasedStep:
    """One step of gradient descent on basis-path values, of another basis where this one would end.

    Parameters
    ----------
    weights, gradients, skeleton, step, degree, free_layer, number
        See `dynamics.path_space.path_step`.
    below : float
        Share, less than 1, of the largest |s(v)| with other edges of v, below which it changes them; 0: only where a
        step would cross zero. With leading axes (an ensemble) products over the members count.

    Raises
    ------
    SkeletonCrossing
        If the step is not defined, or would cross zero whatever edges a unit takes.
    """
    given = skeleton
    if below:
        skeleton = strengthened(weights, skeleton, below, degree)
    tried: dict[Unit, set[Edges]] = {}
    for _ in range(MOST_ROUNDS):
        try:
            moved = path_step(
                weights, gradients, skeleton, step, degree=degree, free_layer=free_layer, number=number
            )
        except SkeletonCrossing as crossing:
            if not crossing.units:
                raise
            last = crossing
        else:
            return RebasedStep(moved, skeleton, _changes(given, skeleton))
        for unit in last.units:
            tried.setdefault(unit, set()).add(edges_of(skeleton, unit))
        other = rebase(weights, skeleton, {unit: tried[unit] for unit in last.units}, degree)
        if other is None:
            break
        skeleton = other
    raise last


def edges_of(skeleton: Skeleton, unit: Unit) -> Edges:
    """Skeleton edges of a unit."""
    l, k = unit
    return int(skeleton.into[l - 1][k]), int(skeleton.out[l - 1][k]), int(skeleton.via[l - 1][k])


def _changes(one: Skeleton, other: Skeleton) -> int:
    """Number of units with other edges."""
    if one is other:
        return 0
    ends = (zip(getattr(one, name), getattr(other, name), strict=True) for name in ("into", "out", "via"))
    return sum(int(np.sum(np.any([a != b for a, b in pairs], axis=0))) for pairs in zip(*ends, strict=True))


def strengthened(weights: Layers, skeleton: Skeleton, below: float, degree: int = 1) -> Skeleton:
    """The skeleton without units whose |s(v)| is less than a share of the largest with other edges of theirs."""
    logs = _logs(weights)
    while weak := _weak_units(logs, skeleton, below, degree):  # which therefore have stronger edges
        skeleton = cast("Skeleton", _rebased(logs, skeleton, dict.fromkeys(weak, ()), degree))
    return skeleton


def _weak_units(logs: Layers, skeleton: Skeleton, share: float, degree: int) -> list[Unit]:
    """Units whose |s(v)| is less than a share of the largest with other edges, all other chains being as they are."""
    X, Y = _log_chains(logs, skeleton, degree)
    found = []
    for l, (into, out, via) in enumerate(
        zip(skeleton.into, skeleton.out, skeleton.via, strict=True), start=1
    ):
        ins, outs = degree * (logs[l - 1] + X[l - 1]), logs[l] + Y[l][:, None]
        s = ins[np.arange(len(into)), into] + outs[out, via]
        largest = ins.max(axis=1) + skeleton.wiring.largest(outs.max(axis=0), l + 1)
        found += [(l, int(k)) for k in np.flatnonzero(s < largest + np.log(share))]
    return found


def rebase(
    weights: Layers, skeleton: Skeleton, tried: Mapping[Unit, Collection[Edges]], degree: int = 1
) -> Skeleton | None:
    """The skeleton in which some units have the strongest edges of those that they have not tried.

    Parameters
    ----------
    weights : sequence of (…, n_l, columns_l) arrays or tensors
        With leading axes (an ensemble) the product over the members decides.
    skeleton : Skeleton
    tried : dict unit → edges
        The units that change, and edges that are not to be theirs.
    degree : int

    Returns
    -------
    Skeleton or None
        None if a unit has no other edges without a weight of zero.
    """
    return _rebased(_logs(weights), skeleton, tried, degree)


def _rebased(
    logs: Layers, skeleton: Skeleton, tried: Mapping[Unit, Collection[Edges]], degree: int
) -> Skeleton | None:
    """See `rebase`."""
    X, Y = _log_chains(logs, skeleton, degree)
    into, out, via = (
        [ends.copy() for ends in named] for named in (skeleton.into, skeleton.out, skeleton.via)
    )
    for (l, k), used in tried.items():
        columns = np.flatnonzero(skeleton.wiring.sources[l] == k)
        ins = degree * (logs[l - 1][k] + X[l - 1])
        outs = logs[l][:, columns] + Y[l][:, None]
        edges = _strongest(ins, outs, columns, used)
        if edges is None:
            return None
        into[l - 1][k], out[l - 1][k], via[l - 1][k] = edges
    return Skeleton(skeleton.widths, into, out, skeleton.wiring, via)


def _strongest(ins: Array, outs: Array, columns: Indices, used: Collection[Edges]) -> Edges | None:
    """The pair of an in-edge and an out-edge, of sizes on a logarithmic scale, that is strongest and not used.

    It is among the first n + 1 of each, where n are used.
    """
    n = len(used) + 1
    best_in = np.argsort(-ins, kind="stable")[:n]
    best_out = np.argsort(-outs, axis=None, kind="stable")[:n]
    rows, at = np.unravel_index(best_out, outs.shape)
    size = ins[best_in][:, None] + outs[rows, at]
    for i, j in zip(*np.unravel_index(np.argsort(-size, axis=None, kind="stable"), size.shape), strict=True):
        edges = int(best_in[i]), int(rows[j]), int(columns[at[j]])
        if size[i, j] == -np.inf:
            return None
        if edges not in used:
            return edges
    return None


def _logs(weights: Layers) -> list[Array]:
    """log |w| of all edges, (n_l, columns_l), summed over an ensemble; −∞ where a weight of a member is zero."""
    zeros = [(as_array(W).reshape(-1, *W.shape[-2:]) == 0).any(axis=0) for W in weights]
    return [np.where(zero, -np.inf, S) for zero, S in zip(zeros, sizes(weights), strict=True)]


def _log_chains(logs: Layers, skeleton: Skeleton, degree: int) -> tuple[list[Array], list[Array]]:
    """log |X| of the columns of layers 1 … L and log |Y| of their units, as `_chains` of `coordinates` lists them."""
    logs = [np.maximum(S, ZERO) for S in logs]
    I: list[Array] = []
    X = [np.zeros(logs[0].shape[1])]
    for l, into in enumerate(skeleton.into):
        I.append(logs[l][np.arange(len(into)), into] + X[l][into])
        X.append(skeleton.wiring.carry(degree * I[l], l + 2, 0.0))
    Y = [np.zeros(len(logs[-1]))]
    for l in reversed(range(len(I))):
        out = skeleton.out[l]
        Y.insert(0, (degree - 1) * I[l] + logs[l + 1][out, skeleton.via[l]] + Y[0][out])
    return X, Y
