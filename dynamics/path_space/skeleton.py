"""The skeleton of a layered network, one edge into and one out of every hidden unit, which chooses a basis of paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.path_space.wiring import Indices, Wiring, validate_widths

NOT_GIVEN: Any = None  # of a field that is filled in
Layers = Sequence[Any]
"""One matrix per layer (W_1, …, W_L): NumPy arrays or PyTorch tensors, with any leading axes in common."""


@dataclass(frozen=True, eq=False)
class Skeleton:
    """One edge into and one edge out of every hidden unit.

    Parameters
    ----------
    widths : tuple of int
        (n_0, …, n_L).
    into : tuple of (n_l,) integer arrays, l = 1 … L − 1
        Where in(v) comes from: a column of W_l; in a dense layer this is a unit of layer l − 1.
    out : tuple of (n_l,) integer arrays, l = 1 … L − 1
        Where out(v) goes to: a unit of layer l + 1, a row of W_{l+1}.
    wiring : Wiring, optional
        How units are joined; default: in dense layers.
    via : tuple of (n_l,) integer arrays, optional
        Column of W_{l+1} in which out(v) stands; default: the first one that comes from v.

    Raises
    ------
    ProblemError
        If an edge is not there, or out(v) does not come from v.
    """

    widths: tuple[int, ...]
    into: tuple[Indices, ...]
    out: tuple[Indices, ...]
    wiring: Wiring = NOT_GIVEN
    via: tuple[Indices, ...] = NOT_GIVEN

    if TYPE_CHECKING:  # the constructor takes anything like an array, and chooses what is left out

        def __init__(
            self,
            widths: Sequence[int],
            into: Sequence[ArrayLike],
            out: Sequence[ArrayLike],
            wiring: Wiring | None = None,
            via: Sequence[ArrayLike] | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", validate_widths(self.widths))
        if self.wiring is None:
            object.__setattr__(self, "wiring", Wiring.dense(self.widths))
        if self.wiring.widths != self.widths:
            raise ProblemError(
                f"`wiring` has the widths {self.wiring.widths}, but the skeleton {self.widths}."
            )
        sources, shapes = self.wiring.sources[1:], self.wiring.shapes
        if self.via is None:
            object.__setattr__(self, "via", self.wiring.first_columns[1:])
        limits = {
            "into": [columns for _, columns in shapes[:-1]],
            "out": [rows for rows, _ in shapes[1:]],
            "via": [columns for _, columns in shapes[1:]],
        }
        for name, largest in limits.items():
            object.__setattr__(self, name, _validated(name, getattr(self, name), self.widths, largest))
        for l, (via, s) in enumerate(zip(self.via, sources, strict=True), start=1):
            if not np.array_equal(s[via], np.arange(len(via))):
                raise ProblemError(
                    f"`via` of hidden layer {l} names columns of other units than its own, in their order."
                )

    @classmethod
    def diagonal(cls, widths: Sequence[int], wiring: Wiring | None = None) -> Skeleton:
        """Unit k is joined to unit k (modulo the width) of both neighbouring layers, by the first edge that does so."""
        wiring = Wiring.dense(widths) if wiring is None else wiring
        first = wiring.first_columns
        into = [
            column[np.arange(n) % len(column)] for column, n in zip(first, wiring.widths[1:-1], strict=False)
        ]
        out = [np.arange(n) % above for n, above in pairwise(wiring.widths[1:])]
        return cls(wiring.widths, into, out, wiring)

    @classmethod
    def strongest(cls, weights: Layers, degree: int = 1, wiring: Wiring | None = None) -> Skeleton:
        """The skeleton whose path values are as far from zero as possible.

        Every unit takes the in-edge and the out-edge that make |in-chain| and |out-chain| largest. Rescaling
        multiplies all candidates of a unit by the same factor, so rescaled copies get the same skeleton.
        With leading axes (an ensemble) the product over the members decides.
        """
        logs = sizes(weights)
        if wiring is None:
            wiring = Wiring.dense((logs[0].shape[1], *(len(S) for S in logs)))
        into, chain, below = [], [], np.zeros(logs[0].shape[1])
        out: list[Indices] = []
        via: list[Indices] = []
        for l, S in enumerate(logs[:-1], start=1):
            candidates = S + below  # (n_l, columns_l)
            into.append(candidates.argmax(axis=1))
            chain.append(candidates.max(axis=1))
            below = wiring.carry(degree * chain[-1], l + 1, 0.0)
        above = np.zeros(len(logs[-1]))
        for l in reversed(range(1, len(logs))):
            candidates = logs[l] + above[:, None]  # (n_{l+1}, columns_{l+1})
            best = candidates.max(axis=0)
            of_unit = wiring.sources[l] == np.arange(wiring.widths[l])[:, None]  # (n_l, columns_{l+1})
            column = np.where(of_unit, best, -np.inf).argmax(axis=1)
            via.insert(0, column)
            out.insert(0, candidates.argmax(axis=0)[column])
            above = best[column] + (degree - 1) * chain[l - 1]
        return cls(wiring.widths, tuple(into), tuple(out), wiring, tuple(via))

    @property
    def edges(self) -> int:
        """Number of edges m."""
        return sum(n * columns for n, columns in self.wiring.shapes)

    @property
    def hidden_units(self) -> int:
        """Number of hidden units H."""
        return sum(self.widths[1:-1])

    @cached_property
    def chosen(self) -> tuple[NDArray[np.bool_], ...]:
        """Edges that stand for a basis path, one (n_l, columns_l) mask per layer: all but the out(v)."""
        masks = [np.ones(shape, dtype=bool) for shape in self.wiring.shapes]
        for mask, out, via in zip(masks[1:], self.out, self.via, strict=True):
            mask[out, via] = False
        return tuple(masks)

    @cached_property
    def shared(self) -> tuple[tuple[Indices, Indices], ...]:
        """Edges u → v that are out(u) and in(v) at once: (u, v) for each pair of hidden layers."""
        pairs = []
        for l, (out, via, into) in enumerate(
            zip(self.out[:-1], self.via[:-1], self.into[1:], strict=True), 1
        ):
            u = self.wiring.sources[l][into]  # `CONSTANT`, the last one, is told apart by its column
            v = np.flatnonzero((out[u] == np.arange(len(into))) & (via[u] == into))
            pairs.append((u[v], v))
        return tuple(pairs)


def sizes(weights: Layers) -> list[Array]:
    """log |w| of all edges, (n_l, columns_l), summed over leading axes; of a weight that is zero very negative."""
    tiny = np.finfo(float).tiny
    logs = [np.log(np.maximum(np.abs(as_array(W)), tiny)) for W in weights]
    return [S.reshape(-1, *S.shape[-2:]).sum(axis=0) for S in logs]


def as_array(W: Any) -> Array:
    """In double precision, from an array or from a tensor on any device."""
    return np.asarray(getattr(W, "cpu", lambda: W)(), dtype=float)


def _validated(
    name: str, ends: Sequence[Any], widths: tuple[int, ...], limits: Sequence[int]
) -> tuple[Indices, ...]:
    """Index arrays, one for each hidden layer, below a limit of each."""
    arrays = tuple(np.array(e, dtype=np.int64) for e in ends)
    if [e.shape for e in arrays] != [(n,) for n in widths[1:-1]]:
        raise ProblemError(f"`{name}` must name one edge for each unit of the layers {widths[1:-1]}.")
    for l, (e, limit) in enumerate(zip(arrays, limits, strict=True), start=1):
        if e.min() < 0 or e.max() >= limit:
            raise ProblemError(
                f"`{name}` of hidden layer {l} names the unit {int(e[np.argmax(np.abs(e))])}, but must lie between 0"
                f" and {limit - 1}."
            )
    return arrays
