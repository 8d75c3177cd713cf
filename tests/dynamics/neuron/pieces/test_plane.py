"""Pieces in the plane: against arrangements whose cells are known, Euler's formula, and other coordinates."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sympy import QQ

from dynamics import ProblemError
from dynamics.neuron.pieces.bounds import most_pieces_in_plane
from dynamics.neuron.pieces.conics import PLANE, Curve, Unfit, events
from dynamics.neuron.pieces.network import KINDS, Layer, Network
from dynamics.neuron.pieces.plane import pieces_in_plane


def line(a, b, c):
    """The curve ax + by + c = 0, as all curves here by its coefficients of x², xy, y², x, y and 1."""
    return (0, 0, 0, a, b, c)


def circle(x, y, r):
    """The curve (u − x)² + (v − y)² = r²."""
    return (1, 0, 1, -2 * x, -2 * y, x**2 + y**2 - Fraction(r) ** 2)


def unit(xx, xy, yy, x, y, one):
    """Rows r, g, b of the quadratic neuron with these coefficients: (x + ρ)(βy + δ) has the term in xy."""
    if xy:
        rho = Fraction(y) / Fraction(xy)
        return (1, 0, rho), (0, xy, x), (xx, yy, one - rho * x)
    return (x, y, one), (0, 0, 1), (xx, yy, 0)


def arranged(*curves, weights=None, activation="relu"):
    """Σ_k a_k φ(q_k)."""
    R, G, B = zip(*(unit(*curve) for curve in curves), strict=True)
    a = weights or [2**k for k in range(len(curves))]
    return pieces_in_plane(Network((Layer(R, G, B, activation), Layer.ordinary(((*a, 0),)))))


KNOWN = {
    "a line": ([line(1, 2, 0)], 2),
    "crossing lines": ([line(1, 2, 0), line(1, -2, 5)], 4),
    "parallel lines": ([line(1, 2, 0), line(2, 4, 5)], 3),
    "a line twice": ([line(1, 2, 0), line(-2, -4, 0)], 2),
    "three lines through a point": ([line(1, 0, 0), line(0, 1, 0), line(1, 1, 0)], 6),
    "three lines": ([line(1, 0, 0), line(0, 1, 0), line(1, 1, -1)], 7),
    "a circle": ([circle(0, 0, 1)], 2),
    "no real point": ([(1, 0, 1, 0, 0, 1)], 1),
    "one real point": ([(1, 0, 1, 0, 0, 0)], 1),
    "circles apart": ([circle(0, 0, 1), circle(3, 1, 1)], 3),
    "a circle within another": ([circle(0, 0, 1), circle(0, 0, 2)], 3),
    "crossing circles": ([circle(0, 0, 1), circle(1, 0, 1)], 4),
    "circles that touch from outside": ([circle(0, 0, 1), circle(2, 0, 1)], 3),
    "circles that touch from inside": ([circle(0, 0, 2), circle(1, 0, 1)], 3),
    "circle and tangent": ([circle(0, 0, 1), line(0, 1, -1)], 3),
    "circle and secant": ([circle(0, 0, 1), line(3, 4, 1)], 4),
    "circle and line beside it": ([circle(0, 0, 1), line(3, 4, 6)], 3),
    "three circles through a point": ([circle(1, 0, 1), circle(0, 1, 1), circle(-1, 0, 1)], 6),
    "crossing ellipses": ([(4, 0, 1, 0, 0, -4), (1, 0, 4, 0, 0, -4)], 6),
    "a parabola": ([(1, 0, 0, 0, -1, 0)], 2),
    "a parabola and its axis": ([(1, 0, 0, 0, -1, 0), line(1, 0, 0)], 4),
    "a hyperbola": ([(1, 0, -1, 0, 0, -1)], 3),
    "a hyperbola by its product": ([(0, 1, 0, 0, 0, -1)], 3),
    "a pair of lines": ([(1, 0, -1, 0, 0, 0)], 4),
    "a pair of irrational slopes": ([(1, 0, -2, 0, 0, 0)], 4),
    "such a pair and a circle": ([(1, 0, -2, 0, 0, 0), circle(0, 0, 1)], 8),
    "a hyperbola and its asymptotes": ([(1, 0, -1, 0, 0, -1), (1, 0, -1, 0, 0, 0)], 6),
    "a pair of parallels": ([(1, 0, 0, 0, 0, -1)], 3),
    "irrational parallels": ([(1, 0, 0, 0, 0, -2)], 3),
    "a pair that shares a line": ([(1, 0, -1, 0, 0, 0), line(1, 1, 0)], 4),
    "a double line": ([(1, -2, 1, 0, 0, 0)], 1),
    "a constant": ([line(0, 0, 3), line(1, 1, 0)], 2),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_arrangements(name):
    """Cells counted by eye. Weights 1, 2, 4, … let no kink vanish, so that every cell is a piece."""
    curves, cells = KNOWN[name]
    found = arranged(*curves)
    assert (found.cells, found.number) == (cells, cells)


def moved(curve, A, b):
    """The coefficients after x → Ax + b, from the symmetric matrix of the curve."""
    xx, xy, yy, x, y, one = (Fraction(c) for c in curve)
    S = np.array([[xx, xy / 2, x / 2], [xy / 2, yy, y / 2], [x / 2, y / 2, one]])
    T = np.array([[*A[0], b[0]], [*A[1], b[1]], [0, 0, 1]], dtype=object)
    M = T.T @ S @ T
    return M[0, 0], 2 * M[0, 1], M[1, 1], 2 * M[0, 2], 2 * M[1, 2], M[2, 2]


@pytest.mark.parametrize("name", KNOWN)
def test_cells_do_not_depend_on_the_coordinates(name):
    """The same curves after a rational affine map that turns, stretches and mirrors."""
    curves, cells = KNOWN[name]
    A, b = ((2, -3), (1, Fraction(-4, 3))), (5, Fraction(-7, 2))
    assert arranged(*(moved(curve, A, b) for curve in curves)).cells == cells


SMALL = st.integers(-2, 2)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.lists(st.tuples(*[SMALL] * 6), min_size=1, max_size=3), st.tuples(*[SMALL] * 6))
def test_no_arrangement_depends_on_the_coordinates(curves, coordinates):
    """Small whole coefficients: curves that touch, share lines, are pairs of lines, points or nothing, are frequent."""
    a, b, c, d, e, f = coordinates
    assume(a * d != b * c)
    found = arranged(*curves)
    other = arranged(*(moved(curve, ((a, b), (c, d)), (e, f)) for curve in curves))
    assert (found.cells, found.number) == (other.cells, other.number)
    assert found.degrees.tolist() == other.degrees.tolist()


@pytest.mark.parametrize("units", [1, 2, 3, 5])
def test_bounds_are_reached(units):
    """Lines y = kx + k² in general position; pairs of them; random lines too, by Schläfli's count."""
    lines = [(k, -1, Fraction(k**2, 1)) for k in range(1, 2 * units + 1)]
    few = arranged(*(line(*row) for row in lines[:units]))
    assert few.number == most_pieces_in_plane("relu", [units]) == 1 + units + units * (units - 1) // 2
    assert pieces_in_plane(Network.random("relu", 2, (units,), seed=3)).number == few.number
    assert pieces_in_plane(Network.random("quadratic", 2, (units,), seed=3)).number == 1
    if units < 5:
        pairs = [product(*lines[2 * k : 2 * k + 2]) for k in range(units)]
        assert arranged(*pairs).number == most_pieces_in_plane("relu-quadratic", [units])


def product(p, q):
    """(a·x̃)(b·x̃) of two lines."""
    (a, b, c), (d, e, f) = p, q
    return a * d, a * e + b * d, b * e, a * f + c * d, b * f + c * e, c * f


def euler(curves):
    """Cells of conics without singular points, from crossings found in floating-point arithmetic.

    Crossings + half the ends at infinity + components, infinity being one: `dynamics.neuron.pieces.bounds`. A curve
    with ends hangs on infinity, an ellipse on whatever it crosses.
    """
    crossings, ends = 0, 0
    joined = {k: k for k in range(-1, len(curves))}

    def root(k):
        return k if joined[k] == k else root(joined[k])

    real = []
    for k, (xx, xy, yy, x, y, one) in enumerate(curves):
        S = np.array([[xx, xy / 2, x / 2], [xy / 2, yy, y / 2], [x / 2, y / 2, one]], dtype=float)
        discriminant = xy**2 - 4 * xx * yy
        if discriminant > 0:
            ends += 2
            joined[root(k)] = root(-1)
        elif np.linalg.det(S) * (xx + yy) > 0:  # an ellipse without real points
            joined[root(k)] = root(-1)
            continue
        real.append(k)
    for j, k in combinations(real, 2):
        number = len(intersections(curves[j], curves[k]))
        crossings += number
        if number:
            joined[root(j)] = root(k)
    return crossings + ends + len({root(k) for k in joined})


def intersections(p, q):
    """Real common points: y from the resultant in x (Sylvester), then x from the pencil's linear part."""
    found = []
    # p = p2 x² + p1(y) x + p0(y): resultant (p2 q0 − p0 q2)² − (p2 q1 − p1 q2)(p1 q0 − p0 q1)
    (p2, p1, p0), (q2, q1, q0) = (
        [np.polynomial.Polynomial(c) for c in ([c[0]], [c[3], c[1]], [c[5], c[4], c[2]])]
        for c in (np.array(p, float), np.array(q, float))
    )
    resultant = (p2 * q0 - p0 * q2) ** 2 - (p2 * q1 - p1 * q2) * (p1 * q0 - p0 * q1)
    for y in resultant.roots():
        if abs(y.imag) < 1e-9 * (1 + abs(y)):
            x = -(p2 * q0 - p0 * q2)(y.real) / (p2 * q1 - p1 * q2)(y.real)
            found.append((x, y.real))
    return found


@pytest.mark.parametrize("units", [2, 3, 4])
def test_random_quadratic_neurons_obey_eulers_formula(units):
    """Smooth conics in general position, crossings counted by NumPy; and their number is within the bound."""
    seen = set()
    for seed in range(4):
        network = Network.random("relu-quadratic", 2, (units,), seed=seed)
        layer = network.layers[0]
        curves = []
        for r, g, b in zip(layer.R, layer.G, layer.B, strict=True):
            xx, yy, one = (r[i] * g[i] + b[i] for i in range(3))
            xy, x, y = (r[i] * g[j] + r[j] * g[i] for i, j in ((0, 1), (0, 2), (1, 2)))
            curves.append(tuple(float(c) for c in (xx, xy, yy, x, y, one)))
        found = pieces_in_plane(network)
        assert found.cells == found.number == euler(curves) <= most_pieces_in_plane("relu-quadratic", [units])
        assert len(found.degrees) == found.number
        seen.add(found.cells)
    assert len(seen) > 1


def test_cells_with_the_same_polynomial_are_one_piece():
    """max(0, q) − max(0, −q) = q; |x| + |y| − |x| has the kinks of |y| alone; z² has none."""
    q, minus = circle(0, 0, 1), tuple(-c for c in circle(0, 0, 1))
    whole = arranged(q, minus, weights=[1, -1])
    assert (whole.cells, whole.number, whole.degrees.tolist()) == (2, 1, [2])
    lines = line(1, 0, 0), line(0, 1, 0), line(1, 0, 0)
    two = arranged(*lines, weights=[1, 1, -1], activation="abs")
    assert (two.cells, two.number, two.degrees.tolist()) == (4, 2, [1, 1])
    assert two.summary() == "2 pieces of degree 1 at most, in 4 cells"
    square = arranged(line(1, 0, 0), line(0, 1, 0), activation="quadratic")
    assert (square.cells, square.number, square.degrees.tolist()) == (4, 1, [2])


def test_degrees_are_those_of_the_pieces():
    """max(0, 1 − x² − y²) + max(0, y): disk's halves of degree 2, half planes of degree 0 and 1."""
    found = arranged((-1, 0, -1, 0, 0, 1), line(0, 1, 0), weights=[1, 1])
    assert found.degrees.tolist() == [0, 1, 2, 2]


def test_unfit_coordinates_are_noticed():
    """Leading coefficients that vanish, events above each other, conics whose difference lacks y.

    In fit ones: y = 2x, y = −x and y = x + 3 cross at x = −3/2, 0, 3, the third one below, above, below.
    """
    x, y = PLANE.gens
    with pytest.raises(Unfit):
        Curve.of(x * y - 1)
    stacked = [Curve.of(y - x), Curve.of(y + x), Curve.of(y - x - 3), Curve.of(y + x - 3)]
    with pytest.raises(Unfit):
        events(stacked)
    with pytest.raises(Unfit):
        events([Curve.of(y**2 + x**2 - 4), Curve.of(y**2 + 2 * x**2 - 5)])
    tilted = [Curve.of(y - 2 * x), Curve.of(y + x), Curve.of(y - x - 3)]
    _, found = events(tilted)
    assert [(event.below, event.above) for event in found] == [(1, 0), (0, 1), (1, 0)]


@pytest.mark.parametrize("height", [10, -10])
def test_events_know_what_is_below_and_above_them(height):
    """y = ±x + 10 cross at x = 0 above both roots of the circle around (⅐, 0) and the line y = −5 + x/9; or below."""
    x, y = PLANE.gens
    apart = [y - x - height, y + x - height, (x - QQ(1, 7)) ** 2 + y**2 - 1, y + 5 - x / 9]
    line, found = events([Curve.of(p) for p in apart])
    (crossing,) = (event for event, at in zip(found, line.roots, strict=True) if float(at) == 0)
    assert (crossing.below, crossing.above) == ((3, 0) if height > 0 else (0, 3))


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (Network.random("relu", 3, (2,)), "3 inputs"),
        (Network.random("relu", 2, (2, 2)), "2 hidden layers"),
        (Network.random("relu", 2, (21,)), "21 units"),
        (
            Network((Layer.ordinary(((1, 1, 0),), "relu"), Layer.ordinary(((1, 0),), "abs"))),
            "the activation abs",
        ),
    ],
)
def test_refusals(network, words):
    with pytest.raises(ProblemError, match=words):
        pieces_in_plane(network)
    assert set(KINDS) == {"relu-quadratic", "relu", "quadratic"}
