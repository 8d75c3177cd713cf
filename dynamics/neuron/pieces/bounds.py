"""How many pieces networks can have, and of which degree.

Along a line. If all inputs of a layer are polynomials of degree D on each of P intervals, every q of it has degree at
most δD there, δ = 2 for quadratic neurons, 1 for ordinary ones, hence δD real roots: K units make at most P(1 + KδD)
intervals. Activations that are one polynomial make none.

In the plane, one hidden layer of h units whose zero sets are lines: 1 + h + h(h − 1)/2, if no two are parallel and no
three meet (Schläfli). If they are conics: with the point at infinity they are a graph on the sphere, in which Euler's
formula gives

    cells = crossings + Σ (ends at infinity)/2 + components,

for crossings of two arcs each. Two conics cross at most four times (Bézout). One by itself adds at most 3: a pair of
lines its own crossing and four ends, a hyperbola four ends, a parabola two, an ellipse a component. Infinity is a
component. Together 1 + 3h + 4 h(h − 1)/2 = 2h² + h + 1, which pairs of lines in general position reach. Derived here.

In the plane, several hidden layers. Lines cut a convex cell, of which there are P, like the plane: the numbers of
ordinary layers are multiplied. Of quadratic neurons, the curves of all layers on all cells together are the zeros of a
polynomial of degree n ← n + PKδD, which leave at most n² + 1 cells: each bounded one holds an extremum of the
polynomial, of which there are at most (n − 1)² by Bézout, if need be after a small change of it, and each unbounded one
meets every large circle, on which it has at most 2n zeros. Derived here, and far from sharp.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from dynamics.neuron.pieces.network import KINDS
from dynamics.validation import validate_choice, validate_count


def largest_degree(kind: str, layers: int) -> int:
    """Degree that a network of so many hidden layers reaches: 1 for ReLU, 2^layers for the others."""
    return int(KINDS[validate_choice("kind", kind, KINDS)].factor ** validate_count("layers", layers))


def most_pieces_on_line(kind: str, widths: Sequence[int]) -> int:
    """Upper bound of the number of pieces along a line, for the widths of the hidden layers."""
    chosen = KINDS[validate_choice("kind", kind, KINDS)]
    pieces, degree = 1, 1
    for K in (validate_count("widths", width) for width in widths):
        roots = (2 if chosen.quadratic_units else 1) * degree
        pieces *= 1 + K * roots * chosen.kinked
        degree *= chosen.factor
    return pieces


def most_pieces_in_plane(kind: str, widths: Sequence[int]) -> int:
    """Upper bound of the number of pieces in the plane, for the widths of the hidden layers."""
    chosen = KINDS[validate_choice("kind", kind, KINDS)]
    first, *later = (validate_count("widths", width) for width in widths)
    if not chosen.kinked:
        return 1
    if not chosen.quadratic_units:
        return prod(1 + K + K * (K - 1) // 2 for K in (first, *later))
    cells, curve, degree = 2 * first**2 + first + 1, 2 * first, chosen.factor
    for K in later:
        curve += cells * K * 2 * degree
        cells = curve**2 + 1
        degree *= chosen.factor
    return cells
