"""Pieces in the plane of networks of any depth, between bounds: from below by exact slices.

On a line the pieces of a network are known exactly (`dynamics.neuron.pieces.line`). At a rational point of each of them
the network is, nearby, a polynomial of x and y, which its layers compose exactly. Different polynomials are different
pieces: as many as are met on some lines exist, and there may be more, elsewhere or with a polynomial that was met.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import QQ
from sympy.polys.rings import PolyElement

from dynamics.errors import ProblemError
from dynamics.neuron.pieces.conics import PLANE
from dynamics.neuron.pieces.line import pieces_along_line
from dynamics.neuron.pieces.network import Network
from dynamics.neuron.pieces.roots import sign, value
from dynamics.validation import validate_count, validate_real
from dynamics.words import counted

SLOPE = Fraction(3, 7)  # of the slices: no direction of a grid


@dataclass(frozen=True)
class SlicedPieces:
    """What was met of a network on parallel lines.

    Parameters
    ----------
    least : int
        Different polynomials of x and y: there are at least so many pieces.
    degrees : (least,) integer array
        Of these polynomials, ascending.
    lines : int
    """

    least: int
    degrees: NDArray[np.int64]
    lines: int

    def summary(self) -> str:
        """How many, on how many lines."""
        return (
            f"at least {counted(self.least, 'piece')} of degree {self.degrees.max()} at most, met on"
            f" {counted(self.lines, 'line')}"
        )


def pieces_on_slices(network: Network, lines: int = 20, extent: float = 3.0) -> SlicedPieces:
    """Count the different polynomials that a network of two inputs is on parallel lines.

    Parameters
    ----------
    network : Network
    lines : int
        Their number.
    extent : float
        They cross the vertical axis between −extent and extent, evenly spaced.

    Raises
    ------
    ProblemError
        If there are other than two inputs.
    """
    if network.inputs != 2:
        raise ProblemError(
            f"The network has {counted(network.inputs, 'input')}, but slices are of the plane: 2 inputs."
        )
    n, size = validate_count("lines", lines), Fraction(validate_real("extent", extent, positive=True))
    found = set()
    for k in range(n):
        height = size * (2 * k + 1 - n) / n
        pieces = pieces_along_line(network, (0, height), (1, SLOPE))
        for s in pieces.samples():
            y = s * QQ(SLOPE.numerator, SLOPE.denominator) + QQ(height.numerator, height.denominator)
            found.add(polynomial_at(network, (s, y)))
    degrees = sorted(max((i + j for i, j in p), default=0) for p in found)
    return SlicedPieces(len(found), np.array(degrees), n)


def polynomial_at(network: Network, x: Sequence[Any]) -> PolyElement:
    """The polynomial of the plane that a network is near a rational point at which no unit has a kink."""
    h: list[PolyElement] = list(PLANE.gens)
    for layer in network.layers:
        h = [layer.side(q, sign(value(q, *x))) for q in layer.preactivations(h)]
    return h[0]
