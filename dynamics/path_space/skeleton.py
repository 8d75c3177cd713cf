"""The skeleton of a layered network, one edge into and one out of every hidden unit, which chooses a basis of paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.errors import ProblemError
from dynamics.validation import validate_count

Indices = NDArray[np.int64]
Layers = Sequence[Any]
"""One array per layer (W_1, …, W_L): NumPy arrays or PyTorch tensors, with any leading axes in common."""


def validate_widths(widths: Sequence[int]) -> tuple[int, ...]:
    """Widths (n_0, …, n_L) of inputs, at least one hidden layer, and outputs."""
    checked = tuple(validate_count("widths", n) for n in widths)
    if len(checked) < 3:
        raise ProblemError(
            f"`widths` is {checked}, but must name inputs, at least one hidden layer and outputs."
        )
    return checked


@dataclass(frozen=True, eq=False)
class Skeleton:
    """One edge into and one edge out of every hidden unit.

    Parameters
    ----------
    widths : tuple of int
        (n_0, …, n_L).
    into : tuple of (n_l,) integer arrays, l = 1 … L − 1
        Where in(v) comes from: a unit of layer l − 1.
    out : tuple of (n_l,) integer arrays, l = 1 … L − 1
        Where out(v) goes to: a unit of layer l + 1.
    """

    widths: tuple[int, ...]
    into: tuple[Indices, ...]
    out: tuple[Indices, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", validate_widths(self.widths))
        for name, shift in (("into", -1), ("out", 1)):
            ends = tuple(np.array(e, dtype=np.int64) for e in getattr(self, name))
            if [e.shape for e in ends] != [(n,) for n in self.widths[1:-1]]:
                raise ProblemError(
                    f"`{name}` must name one edge for each unit of the layers {self.widths[1:-1]}."
                )
            for l, e in enumerate(ends, start=1):
                if e.min() < 0 or e.max() >= self.widths[l + shift]:
                    raise ProblemError(
                        f"`{name}` of hidden layer {l} names the unit {int(e[np.argmax(np.abs(e))])}, but must lie "
                        f"between 0 and {self.widths[l + shift] - 1}."
                    )
            object.__setattr__(self, name, ends)

    @classmethod
    def diagonal(cls, widths: Sequence[int]) -> Skeleton:
        """Unit k is joined to unit k (modulo the width) of both neighbouring layers."""
        widths = validate_widths(widths)
        into = [np.arange(n) % below for below, n in pairwise(widths[:-1])]
        out = [np.arange(n) % above for n, above in pairwise(widths[1:])]
        return cls(widths, tuple(into), tuple(out))

    @classmethod
    def strongest(cls, weights: Layers, degree: int = 1) -> Skeleton:
        """The skeleton whose path values are as far from zero as possible.

        Every unit takes the in-edge and the out-edge that make |in-chain| and |out-chain| largest. Rescaling
        multiplies all candidates of a unit by the same factor, so rescaled copies get the same skeleton.
        With leading axes (an ensemble) the product over the members decides.
        """
        tiny = np.finfo(float).tiny  # a weight that is zero is the weakest
        logs = [np.log(np.maximum(np.abs(np.asarray(W, dtype=float)), tiny)) for W in weights]
        logs = [S.reshape(-1, *S.shape[-2:]).sum(axis=0) for S in logs]
        widths = (logs[0].shape[1], *(len(S) for S in logs))
        into, out, below, chain = [], [], np.zeros(widths[0]), []
        for S in logs[:-1]:
            candidates = S + below  # (n_l, n_{l−1})
            into.append(candidates.argmax(axis=1))
            chain.append(candidates.max(axis=1))
            below = degree * chain[-1]
        above = np.zeros(widths[-1])
        for S, size in zip(logs[:0:-1], chain[::-1], strict=True):
            candidates = S + above[:, None]  # (n_{l+1}, n_l)
            out.append(candidates.argmax(axis=0))
            above = candidates.max(axis=0) + (degree - 1) * size
        return cls(widths, tuple(into), tuple(out[::-1]))

    @property
    def edges(self) -> int:
        """Number of edges m."""
        return sum(n * below for below, n in pairwise(self.widths))

    @property
    def hidden_units(self) -> int:
        """Number of hidden units H."""
        return sum(self.widths[1:-1])

    @cached_property
    def chosen(self) -> tuple[NDArray[np.bool_], ...]:
        """Edges that stand for a basis path, one (n_l, n_{l−1}) mask per layer: all but the out(v)."""
        masks = [np.ones((n, below), dtype=bool) for below, n in pairwise(self.widths)]
        for mask, out in zip(masks[1:], self.out, strict=True):
            mask[out, np.arange(len(out))] = False
        return tuple(masks)

    @cached_property
    def shared(self) -> tuple[tuple[Indices, Indices], ...]:
        """Edges u → v that are out(u) and in(v) at once: (u, v) for each pair of hidden layers."""
        pairs = []
        for out, into in zip(self.out[:-1], self.into[1:], strict=True):
            v = np.flatnonzero(out[into] == np.arange(len(into)))
            pairs.append((into[v], v))
        return tuple(pairs)
