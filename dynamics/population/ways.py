"""Ways to compute one slope, equal up to rounding, and what each of them costs.

A loss lists its ways in `Population.ways`, in one place; the one that costs least for the sizes at hand is taken. What
counts are multiplications in matrix products, and calls of NumPy, which weigh more where matrices are small. Passes
that add, scale or square entry by entry are calls only: they are of lower order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import cast

import numpy as np

from dynamics.aliases import Array

Slope = Callable[[Array, Array, Array, Array | None], None]
"""``slope(W, A, vW, vA)`` writes −∂L/∂W into vW and −∂L/∂A into vA; into no vA where the second layer is fixed."""

CALL = 3000  # multiplications in the time of a call: some 0.5 µs at 6 · 10⁹ a second


@dataclass(frozen=True)
class Way:
    """One way to compute a slope.

    Parameters
    ----------
    name : str
    operations : int
        Multiplications in matrix products, for each evaluation.
    calls : int
        Of NumPy, for each evaluation.
    memory : int
        Numbers in the buffers that it keeps between evaluations.
    build : callable
        Gives the slope, with buffers of its own.
    """

    name: str
    operations: int
    calls: int
    memory: int
    build: Callable[[], Slope]

    @property
    def cost(self) -> int:
        """Time of an evaluation, in multiplications."""
        return self.operations + CALL * self.calls


def cheapest(ways: Iterable[Way]) -> Way:
    """The way that costs least; of equal ones the one that keeps less."""
    return min(ways, key=lambda way: (way.cost, way.memory))


def add_product(X: Array, Y: Array, out: Array) -> None:
    """Add XY to `out`, (m, n), in one pass where its rows follow each other in memory; NumPy's product cannot."""
    if out.flags.c_contiguous:
        # BLAS counts by columns, so that everything is transposed: out = 1 · YᵀXᵀ + 1 · out, overwritten
        _dgemm()(1.0, Y.T, X.T, 1.0, out.T, 0, 0, 1)
    else:
        out += X @ Y


@cache
def _dgemm() -> Callable[..., Array]:
    """SciPy's, loaded when it is needed."""
    from scipy.linalg.blas import dgemm

    return cast(Callable[..., Array], dgemm)


class Spare:
    """Memory for one array of each shape, kept from call to call."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[int, ...], Array] = {}

    def like(self, X: Array) -> Array:
        """An array of the shape of X, with whatever is in it."""
        if X.shape not in self._arrays:
            self._arrays[X.shape] = np.empty(X.shape)
        return self._arrays[X.shape]
