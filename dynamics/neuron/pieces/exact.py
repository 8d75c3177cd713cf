"""The smallest networks that are a given function, exactly, and why smaller or other ones are not.

* The margin of a disk, max(0, ρ² − x² − y²): one quadratic neuron with ReLU. A ReLU network has degree 1 on every piece
  of a line, the margin 2; a network with z² has one piece, the margin 3 along a line through the disk: no number of
  units helps.
* The product xy: one quadratic neuron without activation. With ReLU xy = max(0, xy) − max(0, −xy), two units: aφ(q) of
  one unit has one sign, xy minus an affine function both. With z² also two, ((x + y)² − (x − y)²)/4: the Hessian of
  a(w·x + b)² has rank 1, that of xy has rank 2. ReLU networks have degree 1.
* A quadratic spline with continuous slope: ordinary units max(0, x − t), one for each knot t, and a quadratic neuron as
  output, which takes their squares. Each such unit has one kink and every knot needs one, so that fewer of them do not
  suffice. (Hidden quadratic neurons have two kinks: whether half as many of them would do was not decided.) Where the
  spline is not constant before its first knot one more is taken, max(0, t₁ − x): for one knot it is needed, a single
  unit being zero on one side; for more that was not decided either.

Derived here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.neuron.pieces.line import Pieces, pieces_along_line
from dynamics.neuron.pieces.network import Layer, Network

SHOWN = 201  # points of an example


@dataclass(frozen=True)
class Representation:
    """A function as a network of one kind.

    Parameters
    ----------
    network : Network or None
        The smallest one; None: there is none, of any size.
    reason : str
        Why no smaller one does, or none at all.
    """

    network: Network | None
    reason: str

    @property
    def units(self) -> int | None:
        """Hidden units."""
        return None if self.network is None else self.network.units


NO_DEGREE = Representation(None, "pieces of a ReLU network have degree 1")
ONE_PIECE = Representation(None, "a network with z² is one polynomial")


def disk_margin(radius: Any = 1) -> dict[str, Representation]:
    """max(0, ρ² − x² − y²), by the kinds of `dynamics.neuron.pieces.network.KINDS`."""
    zero = (Fraction(0),) * 3
    unit = Layer((zero,), (zero,), ((Fraction(-1), Fraction(-1), Fraction(radius) ** 2),), "relu")
    one = Representation(Network((unit, _sum(1))), "a network without units is affine")
    return {"relu-quadratic": one, "relu": NO_DEGREE, "quadratic": ONE_PIECE}


def product() -> dict[str, Representation]:
    """The product xy, by the same kinds."""
    one, zero = Fraction(1), Fraction(0)
    parts = Layer(
        ((one, zero, zero), (-one, zero, zero)), ((zero, one, zero),) * 2, ((zero,) * 3,) * 2, "relu"
    )
    squares = Layer.ordinary(((1, 1, 0), (1, -1, 0)), "quadratic")
    return {
        "relu-quadratic": Representation(
            Network((parts, _sum(1, -1))), "one unit has one sign, xy minus an affine function both"
        ),
        "relu": NO_DEGREE,
        "quadratic": Representation(
            Network((squares, _sum(Fraction(1, 4), Fraction(-1, 4)))),
            "the Hessian of one unit has rank 1, that of xy has rank 2",
        ),
    }


def spline(
    knots: Sequence[Any], jumps: Sequence[Any], start: tuple[Any, Any, Any] = (0, 0, 0)
) -> dict[str, Representation]:
    """The spline of `quadratic_spline`, by the same kinds; that of quadratic neurons has a quadratic output."""
    network = quadratic_spline(knots, jumps, start)
    reason = "every knot needs an ordinary unit with its kink there"
    if network.units > len(knots):
        reason += "; one more for what is not constant before the first"
    return {
        "relu-quadratic": Representation(network, reason),
        "relu": NO_DEGREE,
        "quadratic": ONE_PIECE,
    }


def quadratic_spline(
    knots: Sequence[Any], jumps: Sequence[Any], start: tuple[Any, Any, Any] = (0, 0, 0)
) -> Network:
    """The network that is α + β(x − t₁) + γ(x − t₁)² + Σ_j c_j max(0, x − t_j)².

    Parameters
    ----------
    knots : sequence of numbers
        t_j, ascending.
    jumps : sequence of numbers
        c_j, none of them 0: half of the jumps of the second derivative.
    start : (α, β, γ)
        The polynomial before the first knot.

    Returns
    -------
    Network
        As many ordinary ReLU units as knots, or one more if (β, γ) is not 0, and a quadratic neuron as output.

    Raises
    ------
    ProblemError
        If there are no knots, they do not ascend, or a jump is 0.
    """
    t, c = [Fraction(x) for x in knots], [Fraction(x) for x in jumps]
    alpha, beta, gamma = (Fraction(x) for x in start)
    if not t or len(t) != len(c) or not all(c) or any(a >= b for a, b in pairwise(t)):
        raise ProblemError(
            f"`knots` and `jumps` are {_listed(t)} and {_listed(c)}, but knots must ascend, each with a jump that is"
            " not 0."
        )
    rows, slopes, squares = [(Fraction(1), -x) for x in t], [Fraction(0)] * len(t), list(c)
    if beta or gamma:
        # x − t₁ is the difference of its two parts, its square the sum of theirs
        rows.append((Fraction(-1), t[0]))
        slopes[0], squares[0] = beta, squares[0] + gamma
        slopes.append(-beta)
        squares.append(gamma)
    zeros = (Fraction(0),) * len(rows)
    output = Layer(((*slopes, alpha),), ((*zeros, Fraction(1)),), ((*squares, Fraction(0)),))
    return Network((Layer.ordinary(tuple(rows), "relu"), output))


@dataclass(frozen=True, eq=False)
class Example:
    """A function, its smallest networks, and what it is on a line.

    Parameters
    ----------
    name : str
    representations : mapping kind → Representation
    pieces : Pieces
        Of the network of quadratic neurons along the line.
    s, values : (n,) array
        Coordinates along the line, and the network there.
    """

    name: str
    representations: Mapping[str, Representation]
    pieces: Pieces
    s: Array
    values: Array

    def summary(self) -> str:
        """Hidden units, by kind of network."""
        units = [f"{kind} {each.units or 'none'}" for kind, each in self.representations.items()]
        return f"{self.name}: {', '.join(units)}"


B_SPLINE = (0, 1, 2, 3), (Fraction(1, 2), Fraction(-3, 2), Fraction(3, 2), Fraction(-1, 2))
"""Knots and jumps of the spline of degree 2 that is 0 outside of three intervals."""


def examples() -> tuple[Example, ...]:
    """The margin of the unit disk on a diameter, the product on the diagonal, and a spline."""
    return (
        _example("disk margin", disk_margin(), (1, 0), (-1.5, 1.5)),
        _example("product", product(), (1, 1), (-1.5, 1.5)),
        _example("spline", spline(*B_SPLINE), (1,), (-0.5, 3.5)),
    )


def _example(
    name: str,
    representations: dict[str, Representation],
    direction: Sequence[int],
    ends: tuple[float, float],
) -> Example:
    network = representations["relu-quadratic"].network
    assert network is not None  # of every function above there is one
    s = np.linspace(*ends, SHOWN)
    values = network(np.outer(s, direction))
    return Example(
        name, representations, pieces_along_line(network, [0] * len(direction), direction), s, values
    )


def _sum(*weights: Any) -> Layer:
    """An ordinary output without activation or bias."""
    return Layer.ordinary(((*weights, 0),))


def _listed(numbers: Sequence[Fraction]) -> str:
    return ", ".join(map(str, numbers)) or "none"
