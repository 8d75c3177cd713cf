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
"""

from __future__ import annotations

from collections.abc import Sequence

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


def most_pieces_in_plane(kind: str, hidden: int) -> int:
    """Upper bound of the number of pieces in the plane, for one hidden layer."""
    chosen = KINDS[validate_choice("kind", kind, KINDS)]
    h = validate_count("hidden", hidden)
    if not chosen.kinked:
        return 1
    return 2 * h**2 + h + 1 if chosen.quadratic_units else 1 + h + h * (h - 1) // 2
