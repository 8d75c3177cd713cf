"""The pieces of a network along a line, exactly: breakpoints are roots of polynomials, which are isolated.

Layer by layer: between two breakpoints all units of the layer before are polynomials of the coordinate s, hence so is
every q of this layer; new breakpoints are their real roots there. All polynomials have rational coefficients, whatever
the breakpoints are, so that roots are told apart, ordered and counted without rounding. Neighbours on which all units
are the same polynomials are one piece: what is counted at the end are the largest intervals on which the network is one
polynomial.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import QQ
from sympy.polys.rings import PolyElement

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.neuron.pieces.network import Layer, Network
from dynamics.neuron.pieces.roots import LINE, Root, isolate, sign, value
from dynamics.words import counted


@dataclass(frozen=True)
class _Stretch:
    """An interval of the line, up to `end` (None: to infinity), and polynomials on it."""

    end: Root | None
    values: tuple[PolyElement, ...]


@dataclass(frozen=True)
class Pieces:
    """A piecewise polynomial of the coordinate s along a line.

    Parameters
    ----------
    polynomials : tuple of tuples of Fractions
        Of each piece, from −∞ to ∞, the coefficients of 1, s, s², …; the last one is not 0, zero is empty.
    breaks : tuple of Root
        Between them, one less.
    """

    polynomials: tuple[tuple[Fraction, ...], ...]
    breaks: tuple[Root, ...]

    @property
    def number(self) -> int:
        """Of pieces."""
        return len(self.polynomials)

    @property
    def degrees(self) -> NDArray[np.int64]:
        """Degree of each piece, (number,); 0 for constants, zero included."""
        return np.array([max(len(p) - 1, 0) for p in self.polynomials])

    @cached_property
    def breakpoints(self) -> Array:
        """Where pieces meet, (number − 1,), to rounding."""
        return np.array([float(root) for root in self.breaks])

    def samples(self) -> list[Any]:
        """A rational s within each piece."""
        if not self.breaks:
            return [QQ(0)]
        found = []
        for left, right in pairwise(self.breaks):
            between = isolate([left.polynomial, right.polynomial])
            found.append(between.sample(between.place(left, 0) + 1))
        first, last = isolate([self.breaks[0].polynomial]), isolate([self.breaks[-1].polynomial])
        return [first.sample(self.breaks[0].index), *found, last.sample(self.breaks[-1].index + 1)]

    def summary(self) -> str:
        """Number, largest degree, breakpoints."""
        where = ", ".join(f"{s:.6g}" for s in self.breakpoints)
        degree = f"of degree {self.degrees.max()}" + (" at most" if self.number > 1 else "")
        return f"{counted(self.number, 'piece')} {degree}" + (f", meeting at {where}" if where else "")


def pieces_along_line(network: Network, point: Sequence[Any], direction: Sequence[Any]) -> Pieces:
    """The network on the line x(s) = point + s · direction, for all real s.

    Parameters
    ----------
    network : Network
    point, direction : (d,) sequences of numbers
        Rational: floats are what they are.

    Raises
    ------
    ProblemError
        If their lengths do not fit, or the direction is zero.
    """
    p, v = ([Fraction(x) for x in vector] for vector in (point, direction))
    if not len(p) == len(v) == network.inputs:
        raise ProblemError(
            f"`point` and `direction` have {len(p)} and {len(v)} entries, but the network has"
            f" {counted(network.inputs, 'input')}."
        )
    if not any(v):
        raise ProblemError("`direction` is zero, but a line needs one.")
    s = LINE.gens[0]
    x = tuple(s * _rational(b) + _rational(a) for a, b in zip(p, v, strict=True))
    stretches = [_Stretch(None, x)]
    for layer in network.layers:
        stretches = _through(layer, stretches)
    return Pieces(
        tuple(tuple(_fraction(c) for c in _ascending(stretch.values[0])) for stretch in stretches),
        tuple(stretch.end for stretch in stretches[:-1] if stretch.end is not None),
    )


def _through(layer: Layer, stretches: list[_Stretch]) -> list[_Stretch]:
    """The outputs of a layer, from its inputs."""
    found: list[_Stretch] = []
    start: Root | None = None
    for stretch in stretches:
        for piece in _cut(layer, start, stretch):
            if found and found[-1].values == piece.values:
                found.pop()
            found.append(piece)
        start = stretch.end
    return found


def _cut(layer: Layer, start: Root | None, stretch: _Stretch) -> list[_Stretch]:
    """The outputs of a layer on an interval on which its inputs are polynomials."""
    q = layer.preactivations(stretch.values)
    ends = [end.polynomial if end is not None else LINE.zero for end in (start, stretch.end)]
    line = isolate([*q, *ends])
    first = 0 if start is None else line.place(start, len(q)) + 1
    last = len(line.roots) if stretch.end is None else line.place(stretch.end, len(q) + 1)
    found = []
    # roots of the polynomials at the ends that no q has cut without need; `_through` takes that back
    for place in range(first, last + 1):
        at = line.sample(place)
        values = tuple(layer.side(z, sign(value(z, at))) for z in q)
        found.append(_Stretch(line.roots[place] if place < last else stretch.end, values))
    return found


def _ascending(polynomial: PolyElement) -> list[Any]:
    """Coefficients of 1, s, s², …; of zero, none."""
    return [] if not polynomial else polynomial.to_dense()[::-1]


def _rational(value: Fraction) -> Any:
    return QQ(value.numerator, value.denominator)


def _fraction(value: Any) -> Fraction:
    return Fraction(int(value.numerator), int(value.denominator))
