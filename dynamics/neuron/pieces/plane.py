"""The pieces of a network with one hidden layer in the plane, exactly.

The zero sets of the units cut the plane into cells. Between two events of their arrangement, as
`dynamics.neuron.pieces.conics` finds them, the cells above x form a stack whose order does not change: cell j lies
above j roots. At an event some neighbouring roots come together, and the cells between them end; all others go on,
counted from below if they are below the event and from above if they are above it. Joining what goes on counts the
connected cells. Where f is the same polynomial on both sides of an arc, they are joined too: what is left are the
pieces. Derived here.

Everything is decided in rational arithmetic, at sample points and by signs of polynomials at roots of others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sympy import QQ
from sympy.polys.rings import PolyElement

from dynamics.budget import check_number
from dynamics.errors import ComputationError, ProblemError
from dynamics.neuron.pieces.conics import PLANE, Curve, Event, Unfit, events
from dynamics.neuron.pieces.network import Network, kinked
from dynamics.neuron.pieces.roots import isolate, sign, value
from dynamics.words import counted

TURNS = [(QQ(3, 7), QQ(2, 11)), (QQ(-5, 13), QQ(1, 9)), (QQ(8, 3), QQ(-7, 5)), (QQ(1, 17), QQ(9, 4))]
"""Coordinates (a, b): x → x + ay, y → y + bx; generic ones do, and which are is found out."""

Cell = tuple[int, int]
"""A cell between two events: number of the events before it, number of roots below it."""

LARGEST_LAYER = 20  # units, a minute of work, which grows with the third power of their number


@dataclass(frozen=True)
class PlanePieces:
    """How a network cuts the plane.

    Parameters
    ----------
    cells : int
        Connected parts of the plane without the zero sets of the units at which they change sign.
    number : int
        Pieces: cells, those joined on which the network is the same polynomial and that have an arc in common.
    degrees : (number,) integer array
        Degree of the network on each of them, ascending.
    """

    cells: int
    number: int
    degrees: NDArray[np.int64]

    def summary(self) -> str:
        """Numbers and the largest degree."""
        pieces = f"{counted(self.number, 'piece')} of degree {self.degrees.max()} at most"
        return f"{pieces}, in {counted(self.cells, 'cell')}"


def pieces_in_plane(network: Network) -> PlanePieces:
    """Count the pieces of a network with two inputs and one hidden layer.

    Raises
    ------
    ProblemError
        If it has other inputs, more layers, too many units, or an output with kinks.
    """
    if network.inputs != 2 or len(network.layers) != 2:
        raise ProblemError(
            f"The network has {counted(network.inputs, 'input')} and {len(network.layers) - 1} hidden layers, but in"
            " the plane pieces are counted for 2 inputs and 1 hidden layer: count others along lines."
        )
    if kinked(network.layers[-1].activation):
        raise ProblemError(
            f"The output has the activation {network.layers[-1].activation}, but in the plane it must have no kinks."
        )
    check_number(
        f"An arrangement of {counted(network.units, 'unit')}",
        network.units,
        LARGEST_LAYER,
        "units",
        "count the pieces along a line",
    )
    x, y = PLANE.gens
    for a, b in TURNS:
        try:
            return _count(network, (x + y * a, y + x * b))
        except Unfit:
            continue
    raise ComputationError("No coordinates were found in which the events of this arrangement are apart.")


def _count(network: Network, x: Sequence[PolyElement]) -> PlanePieces:
    hidden, last = network.layers
    q = hidden.preactivations(x)
    curves = [Curve.of(p) for p in _curves(q)]
    line, happened = events(curves)

    function: dict[tuple[int, ...], PolyElement] = {}  # pattern of signs → polynomial

    def on_cell(pattern: tuple[int, ...]) -> PolyElement:
        if pattern not in function:
            units = [hidden.side(z, s) for z, s in zip(q, pattern, strict=True)]
            (z,) = last.preactivations(units)
            function[pattern] = last.side(z, 1)
        return function[pattern]

    cells, pieces = _Joined(), _Joined()
    polynomials: dict[Cell, PolyElement] = {}
    heights = []
    for slab in range(len(line.roots) + 1):
        at = line.sample(slab)
        stack = isolate([curve.at(at) for curve in curves])
        heights.append(len(stack.roots))
        for j in range(len(stack.roots) + 1):
            polynomials[slab, j] = on_cell(tuple(sign(value(z, at, stack.sample(j))) for z in q))
            if j and polynomials[slab, j] == polynomials[slab, j - 1]:
                pieces.join((slab, j - 1), (slab, j))
    for here, there in _connections(heights, happened):
        cells.join(here, there)
        pieces.join(here, there)
    found = {pieces.root(cell): polynomials[cell] for cell in polynomials}
    degrees = sorted(_degree(p) for p in found.values())
    return PlanePieces(len({cells.root(cell) for cell in polynomials}), len(found), np.array(degrees))


def _connections(heights: Sequence[int], happened: Sequence[Event]) -> Iterator[tuple[Cell, Cell]]:
    """Cells that go on past an event, from the numbers of roots between the events."""
    for slab, event in enumerate(happened):
        left, right = heights[slab], heights[slab + 1]
        for j in range(event.below + 1):
            yield (slab, j), (slab + 1, j)
        for j in range(event.above + 1):
            yield (slab, left - j), (slab + 1, right - j)


def _curves(q: Sequence[PolyElement]) -> list[PolyElement]:
    """The irreducible curves at which some q changes sign: its factors of odd power, each once."""
    found: dict[PolyElement, None] = {}
    for p in q:
        if not p.is_ground:
            for factor, power in p.factor_list()[1]:
                if power % 2:
                    found[factor.monic()] = None
    return list(found)


def _degree(p: PolyElement) -> int:
    return max((i + j for i, j in p), default=0)


class _Joined:
    """Cells in classes: union–find."""

    def __init__(self) -> None:
        self.parent: dict[Cell, Cell] = {}

    def root(self, cell: Cell) -> Cell:
        """The cell that stands for its class."""
        while (above := self.parent.get(cell, cell)) != cell:
            cell = above
        return cell

    def join(self, one: Cell, other: Cell) -> None:
        """Make one class of two."""
        self.parent[self.root(one)] = self.root(other)
