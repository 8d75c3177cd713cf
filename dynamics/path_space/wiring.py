"""How the units of a layered network are joined: by one weight each, by many, or to a constant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.errors import ProblemError
from dynamics.validation import validate_count

Indices = NDArray[np.int64]

CONSTANT = -1  # the source of biases: an input that is always 1


def validate_widths(widths: Sequence[int]) -> tuple[int, ...]:
    """Widths (n_0, …, n_L) of inputs, at least one hidden layer, and outputs."""
    checked = tuple(validate_count("widths", n) for n in widths)
    if len(checked) < 3:
        raise ProblemError(
            f"`widths` is {checked}, but must name inputs, at least one hidden layer and outputs."
        )
    return checked


@dataclass(frozen=True, eq=False)
class Wiring:
    """Which unit of the layer below each column of a weight matrix comes from.

    A dense layer has one column for each unit below. A convolution has one for each entry of a kernel: its units are
    channels, of which all positions are rescaled together. A dense layer on the positions of channels has one for each
    position. A bias is a column from `CONSTANT`.

    Parameters
    ----------
    widths : tuple of int
        (n_0, …, n_L) units of inputs, hidden layers and outputs.
    sources : tuple of (columns_l,) integer arrays, l = 1 … L
        Units of layer l − 1, or `CONSTANT`.

    Raises
    ------
    ProblemError
        If a layer names a unit that is not there, or leaves out a hidden one.
    """

    widths: tuple[int, ...]
    sources: tuple[Indices, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", validate_widths(self.widths))
        sources = tuple(np.array(s, dtype=np.int64) for s in self.sources)
        if len(sources) != len(self.widths) - 1:
            raise ProblemError(
                f"`sources` are {len(sources)}, but {len(self.widths) - 1} layers have weights."
            )
        for l, (s, n) in enumerate(zip(sources, self.widths[:-1], strict=True), start=1):
            if s.ndim != 1 or s.min(initial=0) < CONSTANT or s.max(initial=CONSTANT) >= n:
                raise ProblemError(
                    f"`sources` of layer {l} must lie between 0 and {n - 1}, or be {CONSTANT}, a constant."
                )
            if l > 1 and len(np.unique(s[s >= 0])) < n:
                raise ProblemError(
                    f"`sources` of layer {l} name {len(np.unique(s[s >= 0]))} of {n} units below."
                )
        object.__setattr__(self, "sources", sources)

    @classmethod
    def dense(cls, widths: Sequence[int]) -> Wiring:
        """One weight for each pair of units in neighbouring layers, no biases."""
        widths = validate_widths(widths)
        return cls(widths, tuple(np.arange(n) for n in widths[:-1]))

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Shapes (n_l, columns_l) of the weight matrices."""
        return tuple((n, len(s)) for n, s in zip(self.widths[1:], self.sources, strict=True))

    @property
    def first_columns(self) -> tuple[Indices, ...]:
        """First column of W_l that comes from each unit of layer l − 1 that has one, for l = 1 … L."""
        found = (np.unique(s, return_index=True) for s in self.sources)
        return tuple(at[units != CONSTANT] for units, at in found)

    @cached_property
    def _constants(self) -> tuple[Indices | None, ...]:
        """Columns of the biases of each layer; None where columns are units."""
        return tuple(
            None if np.array_equal(s, np.arange(n)) else np.flatnonzero(s == CONSTANT)
            for s, n in zip(self.sources, self.widths[:-1], strict=True)
        )

    def carry(self, units: Any, l: int, constant: float) -> Any:
        """From values (…, n_{l−1}) of the units below layer l = 1 … L to values (…, columns_l) of its columns."""
        constants = self._constants[l - 1]
        if constants is None:
            return units
        columns = units[..., self.sources[l - 1]]
        columns[..., constants] = constant
        return columns

    def largest(self, columns: Any, l: int) -> Any:
        """From values (columns_l,) of the columns of layer l = 1 … L to the largest of each unit below, (n_{l−1},)."""
        found = np.full(self.widths[l - 1], -np.inf)
        named = self.sources[l - 1] != CONSTANT
        np.maximum.at(found, self.sources[l - 1][named], columns[named])
        return found
