"""The smallest networks: equal to their functions, exactly; and why no smaller ones are."""

from fractions import Fraction

import numpy as np
import pytest

from dynamics import ProblemError
from dynamics.neuron.pieces.bounds import largest_degree, most_pieces_in_plane, most_pieces_on_line
from dynamics.neuron.pieces.exact import disk_margin, examples, product, quadratic_spline, spline
from dynamics.neuron.pieces.line import pieces_along_line
from dynamics.neuron.pieces.network import KINDS, Layer, Network
from dynamics.neuron.pieces.plane import pieces_in_plane

POINTS = np.random.default_rng(0).uniform(-3, 3, size=(200, 2))


def test_margin_of_a_disk():
    """Its values; on the line through the centre 9/4 − s² between −3/2 and 3/2, and 0 outside; one unit."""
    found = disk_margin(Fraction(3, 2))
    assert {kind: each.units for kind, each in found.items()} == {
        "relu-quadratic": 1, "relu": None, "quadratic": None
    }  # fmt: skip
    network = found["relu-quadratic"].network
    np.testing.assert_allclose(
        network(POINTS), np.maximum(0, 2.25 - (POINTS**2).sum(1)), rtol=1e-13, atol=1e-13
    )
    pieces = pieces_along_line(network, [0, 0], [0, 1])
    assert pieces.polynomials == ((), (Fraction(9, 4), 0, -1), ())
    assert pieces.breakpoints.tolist() == [-1.5, 1.5]
    assert pieces_in_plane(network).number == 2
    # the degree is beyond a ReLU network, the number of pieces beyond z²
    assert pieces.degrees.max() > largest_degree("relu", 9)
    assert pieces.number > most_pieces_on_line("quadratic", (99,))


@pytest.mark.parametrize(("kind", "units"), [("relu-quadratic", 2), ("quadratic", 2), ("relu", None)])
def test_product(kind, units):
    """xy on lines: (p + sv)(q + sw) multiplied out, in one piece; one piece of degree 2 in the plane."""
    found = product()[kind]
    assert found.units == units
    if found.network is None:
        assert largest_degree(kind, 5) < 2
        return
    np.testing.assert_allclose(found.network(POINTS), POINTS.prod(1), rtol=1e-12, atol=1e-13)
    (p, q), (v, w) = (Fraction(1, 3), Fraction(-2)), (Fraction(5, 7), Fraction(3))
    pieces = pieces_along_line(found.network, (p, q), (v, w))
    assert pieces.polynomials == ((p * q, p * w + q * v, v * w),)
    plane = pieces_in_plane(found.network)
    assert (plane.number, plane.degrees.tolist()) == (1, [2])


def test_one_unit_is_no_product():
    """z²: the Hessian of a unit has rank 1. ReLU: where q < 0 the network is affine, so q ≥ 0 and xy − affine = aq has
    one sign; but at t(1, 1) and t(1, −1) it is ±t² + O(t), here for t = 100 and affine functions of size 1.
    """
    assert np.linalg.matrix_rank([[0, 1], [1, 0]]) == 2
    for slope_x, slope_y, constant in np.random.default_rng(1).normal(size=(50, 3)):
        rest = [x * y - slope_x * x - slope_y * y - constant for x, y in ((100, 100), (100, -100))]
        assert rest[0] > 0 > rest[1]


def as_spline(knots, jumps, start):
    """α + β(x − t₁) + γ(x − t₁)² + Σ c_j (x − t_j)², j up to the piece, for every piece: ascending coefficients."""
    pieces = []
    for n in range(len(knots) + 1):
        total = [Fraction(0)] * 3
        square = [(start[2], knots[0]), *zip(jumps[:n], knots[:n], strict=True)]
        for c, t in square:
            for i, part in enumerate((t * t, -2 * t, 1)):
                total[i] += c * part
        total[0] += start[0] - start[1] * knots[0]
        total[1] += start[1]
        while total and not total[-1]:
            total.pop()
        pieces.append(tuple(total))
    return tuple(pieces)


B_SPLINE = ((0, 1, 2, 3), (Fraction(1, 2), Fraction(-3, 2), Fraction(3, 2), Fraction(-1, 2)), (0, 0, 0))
CASES = [
    B_SPLINE,
    ((Fraction(1, 3), 2), (5, Fraction(-7, 3)), (4, -1, Fraction(2, 5))),
    ((0,), (1,), (0, 1, 0)),
    ((Fraction(-1, 2), 0, 3), (1, 2, -3), (6, 0, 1)),
]


@pytest.mark.parametrize(("knots", "jumps", "start"), CASES)
def test_splines(knots, jumps, start):
    """Every coefficient of every piece, and every knot; a unit for a knot, and one if it starts not constant."""
    found = spline(knots, jumps, start)
    network = found["relu-quadratic"].network
    pieces = pieces_along_line(network, [0], [1])
    assert pieces.polynomials == as_spline(knots, jumps, start)
    np.testing.assert_allclose(pieces.breakpoints, [float(t) for t in knots], rtol=1e-15)
    assert found["relu-quadratic"].units == len(knots) + any(start[1:])
    assert ("one more" in found["relu-quadratic"].reason) == any(start[1:])
    # the output has no kinks, an ordinary unit one: m knots need m units
    assert pieces.number == len(knots) + 1 == most_pieces_on_line("relu", (len(knots),))
    assert found["relu"].network is None and found["quadratic"].network is None
    assert pieces.degrees.max() == 2


def test_the_b_spline_is_zero_outside():
    network = quadratic_spline(*B_SPLINE)
    x = np.array([[-1.0], [0.5], [1.5], [4.0]])
    np.testing.assert_allclose(network(x), [0, 0.125, 0.75, 0], atol=1e-15)
    assert network.units == 4


@pytest.mark.parametrize(
    ("knots", "jumps"), [((), ()), ((1, 1), (1, 1)), ((2, 1), (1, 1)), ((1, 2), (1, 0)), ((1, 2), (1,))]
)
def test_splines_without_knots_in_order_are_refused(knots, jumps):
    with pytest.raises(ProblemError, match="`knots` and `jumps`"):
        quadratic_spline(knots, jumps)


def test_examples_are_what_they_are_called():
    """Values on their lines by the closed forms; breakpoints; units by kind."""
    disk, xy, curve = examples()
    np.testing.assert_allclose(disk.values, np.maximum(0, 1 - disk.s**2), atol=1e-15)
    np.testing.assert_allclose(xy.values, xy.s**2, rtol=1e-14, atol=1e-15)
    weights = (0.5, -1.5, 1.5, -0.5)
    expected = sum(c * np.maximum(0, curve.s - t) ** 2 for t, c in enumerate(weights))
    np.testing.assert_allclose(curve.values, expected, atol=1e-14)
    assert [e.pieces.breakpoints.tolist() for e in (disk, xy, curve)] == [[-1, 1], [], [0, 1, 2, 3]]
    assert [e.summary() for e in (disk, xy, curve)] == [
        "disk margin: relu-quadratic 1, relu none, quadratic none",
        "product: relu-quadratic 2, relu none, quadratic 2",
        "spline: relu-quadratic 4, relu none, quadratic none",
    ]


def test_bounds():
    """By the formulas, for numbers small enough to be counted on fingers."""
    assert [most_pieces_on_line(kind, (2, 3)) for kind in KINDS] == [(1 + 4) * (1 + 3 * 4), 3 * 4, 1]
    assert [most_pieces_in_plane(kind, [3]) for kind in KINDS] == [22, 7, 1]
    assert [most_pieces_in_plane(kind, [1, 2]) for kind in KINDS] == [(2 + 4 * 2 * 4) ** 2 + 1, 2 * 4, 1]
    assert [largest_degree(kind, 3) for kind in KINDS] == [8, 1, 8]
    with pytest.raises(ProblemError, match="kind"):
        most_pieces_in_plane("cubic", [1])


def test_a_network_may_be_one_neuron():
    """xy as a quadratic neuron without activation or hidden units."""
    neuron = Network((Layer(((1, 0, 0),), ((0, 1, 0),), ((0, 0, 0),)),))
    assert neuron.units == 0
    assert pieces_along_line(neuron, [0, 0], [1, 1]).polynomials == ((0, 0, 1),)
