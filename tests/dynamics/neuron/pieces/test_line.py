"""Pieces along lines: against closed forms, the network itself, and the bounds, which are reached."""

from fractions import Fraction

import numpy as np
import pytest

from dynamics import ProblemError
from dynamics.neuron.pieces.bounds import largest_degree, most_pieces_on_line
from dynamics.neuron.pieces.line import pieces_along_line
from dynamics.neuron.pieces.network import KINDS, SIDES, Layer, Network

SUM = Layer.ordinary(((1, 0),))


def on_axis(*layers):
    """A network of one input along it."""
    return pieces_along_line(Network(layers), [0], [1])


def quadratic(*rows, activation="relu"):
    """Units φ(αx² + βx + γ), from their coefficients."""
    R = [(beta, gamma) for _, beta, gamma in rows]
    B = [(alpha, 0) for alpha, _, _ in rows]
    return Layer(R, [(0, 1)] * len(rows), B, activation)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("widths", [(5,), (3, 3), (2, 2, 2)])
def test_pieces_are_the_network(kind, widths):
    """Its values, computed layer by layer in floats at 300 points; numbers and degrees within their bounds.

    A rounding error of a layer is multiplied by the next ones: a millionth of a millionth of the largest value.
    """
    rng = np.random.default_rng(0)
    for seed in range(3):
        network = Network.random(kind, 3, widths, seed=seed)
        point, direction = np.round(rng.normal(size=(2, 3)), 2)
        pieces = pieces_along_line(network, point, direction)
        s = rng.uniform(-6, 6, size=300)
        piece = np.searchsorted(pieces.breakpoints, s)
        values = [
            sum(float(c) * at**n for n, c in enumerate(pieces.polynomials[i]))
            for at, i in zip(s, piece, strict=True)
        ]
        expected = network(point + np.outer(s, direction))
        np.testing.assert_allclose(values, expected, atol=1e-12 * np.abs(expected).max())
        assert pieces.number <= most_pieces_on_line(kind, widths)
        assert pieces.degrees.max() <= largest_degree(kind, len(widths))
        assert all(p != q for p, q in zip(pieces.polynomials, pieces.polynomials[1:], strict=False))


@pytest.mark.parametrize("kind", KINDS)
def test_the_degree_is_reached(kind):
    """At the far end of most lines, by random networks of three layers."""
    degrees = [
        pieces_along_line(Network.random(kind, 2, (3, 3, 3), seed=s), [0, 0], [1, 2]).degrees.max()
        for s in range(3)
    ]
    assert max(degrees) == largest_degree(kind, 3) == {"relu": 1}.get(kind, 8)


@pytest.mark.parametrize("units", [1, 2, 5])
def test_bounds_of_one_layer_are_reached(units):
    """Σ_k |x − k|₊ has h + 1 pieces; Σ_k max(0, (x − k)(x + k)), the roots all different, 2h + 1; z² one."""
    knots = range(1, units + 1)
    total = Layer.ordinary(((*[1] * units, 0),))
    kinks = on_axis(Layer.ordinary([(1, -k) for k in knots], "relu"), total)
    roots = on_axis(quadratic(*[(1, 0, -k * k) for k in knots]), total)
    squares = on_axis(Layer.ordinary([(1, -k) for k in knots], "quadratic"), total)
    assert kinks.number == most_pieces_on_line("relu", (units,)) == units + 1
    assert roots.number == most_pieces_on_line("relu-quadratic", (units,)) == 2 * units + 1
    assert squares.number == most_pieces_on_line("quadratic", (units,)) == 1
    np.testing.assert_array_equal(kinks.breakpoints, knots)
    np.testing.assert_array_equal(roots.breakpoints, [-k for k in reversed(knots)] + list(knots))


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_triangle_waves_double_with_every_layer(depth):
    """x → 2 max(0, x) − 4 max(0, x − ½) of [0, 1], composed: 2^L teeth's flanks, and 0 or a ray outside."""
    fold = [Layer.ordinary(((1, 0), (1, -0.5)), "relu")]
    middle = Layer.ordinary(((2, -4, 0), (2, -4, -0.5)), "relu")
    pieces = on_axis(*fold, *[middle] * (depth - 1), Layer.ordinary(((2, -4, 0),)))
    inside = pieces.breakpoints[(pieces.breakpoints > 0) & (pieces.breakpoints < 1)]
    np.testing.assert_array_equal(inside, np.arange(1, 2**depth) / 2**depth)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_chebyshev_polynomials(depth):
    """|T_n| of degree n = 2^L by n ↦ 2n, T_2n = 2T_n² − 1: n + 1 pieces, meeting at cos((2k + 1)π/2n)."""
    double = Layer(((0, -1),), ((0, 1),), ((2, 0),))
    last = Layer(((0, -1),), ((0, 1),), ((2, 0),), "abs")
    pieces = on_axis(*[double] * (depth - 1), last, SUM)
    n = 2**depth
    assert (pieces.number, set(pieces.degrees)) == (n + 1, {n})
    expected = np.cos((2 * np.arange(n) + 1) * np.pi / (2 * n))[::-1]
    np.testing.assert_allclose(pieces.breakpoints, expected, rtol=1e-15, atol=1e-16)
    leading = 2 ** (n - 1)
    assert {abs(p[-1]) for p in pieces.polynomials} == {leading}


def test_what_is_one_polynomial_is_one_piece():
    """max(0, q) − max(0, −q) = q; max(0, x²) = x², whose root is double; zeros of both count once."""
    difference = Layer.ordinary(((1, -1, 0),))
    whole = on_axis(quadratic((1, 0, -2), (-1, 0, 2)), difference)
    assert (whole.polynomials, whole.number) == (((-2, 0, 1),), 1)
    assert on_axis(quadratic((1, 0, 0)), SUM).polynomials == ((0, 0, 1),)
    shared = on_axis(quadratic((0, 1, 0), (0, 2, 0)), Layer.ordinary(((1, 1, 0),)))
    assert shared.polynomials == ((), (0, 3))
    assert on_axis(Layer.ordinary(((0, 0),), "relu"), SUM).polynomials == ((),)


def test_irrational_breakpoints_of_two_layers_are_told_apart_exactly():
    """max(0, x² − 2) meets max(0, x⁴ − 4) at ±√2; against x⁴ − 4 − 10⁻⁴⁰ there are two more pieces."""
    first = quadratic((1, 0, -2), (1, 0, 0))  # h = max(0, x² − 2), x²
    for tiny, number in ((0, 3), (Fraction(1, 10**40), 5)):
        second = Layer(((1, 0, 0), (0, 0, -4 - tiny)), ((0, 0, 1),) * 2, ((0, 0, 0), (0, 1, 0)), "relu")
        pieces = on_axis(first, second, Layer.ordinary(((1, 1, 0),)))
        assert pieces.number == number
        np.testing.assert_allclose(np.abs(pieces.breakpoints), np.sqrt(2), rtol=4e-16)


def test_a_line_runs_through_the_plane():
    """max(0, xy) on (s, 1 − 2s) + …: kinks at s = 0 and ½, −2s² + s between; other speeds, other coefficients."""
    unit = Layer(((1, 0, 0),), ((0, 1, 0),), ((0, 0, 0),), "relu")
    pieces = pieces_along_line(Network((unit, SUM)), [0, 1], [1, -2])
    assert pieces.polynomials == ((), (0, 1, -2), ())
    assert pieces.breakpoints.tolist() == [0, 0.5]
    assert pieces.summary() == "3 pieces of degree 2 at most, meeting at 0, 0.5"
    half = pieces_along_line(Network((unit, SUM)), [0, 1], [Fraction(1, 2), -1])
    assert half.polynomials == ((), (0, Fraction(1, 2), Fraction(-1, 2)), ())


def test_layers_are_their_definition():
    """One unit written out; all activations on both sides."""
    layer = Layer(((2, 3, 5),), ((7, -1, 0.5),), ((1, -2, 4),), "abs")
    x, y = 0.3, -1.7
    q = (2 * x + 3 * y + 5) * (7 * x - y + 0.5) + x**2 - 2 * y**2 + 4
    assert layer(np.array([x, y])).tolist() == pytest.approx([abs(q)], rel=1e-14)
    z = np.array([[-1.5], [0.0], [2.0]])
    expected = {"linear": [-1.5, 0, 2], "relu": [0, 0, 2], "abs": [1.5, 0, 2], "quadratic": [2.25, 0, 4]}
    for activation in SIDES:
        assert Layer.ordinary(((1, 0),), activation)(z)[:, 0].tolist() == expected[activation]


def test_random_networks_share_their_rows_and_are_of_their_kind():
    """Multiples of 1/256; weights of variance 1/n, biases of ½: within four standard errors, √(2/N)."""
    networks = {kind: Network.random(kind, 4, (300,), seed=1) for kind in KINDS}
    rows = {network.layers[0].R for network in networks.values()}
    assert len(rows) == 1
    R = np.array(next(iter(rows)), dtype=float)
    assert (np.round(R * 256) == R * 256).all()
    assert np.var(R[:, :4]) == pytest.approx(1 / 4, rel=4 * np.sqrt(2 / 1200))
    assert np.var(R[:, 4]) == pytest.approx(1 / 2, rel=4 * np.sqrt(2 / 300))
    assert not any(any(row) for row in networks["relu"].layers[0].B)
    assert np.var(np.array(networks["relu-quadratic"].layers[0].G, float)[:, :4]) > 0.2
    assert networks["relu"].units == 300
    assert Network.random("relu", 4, (3,), seed=2) != Network.random("relu", 4, (3,), seed=1)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Layer(((1, 2),), ((1, 2, 3),), ((1, 2),)), "`G` has shape"),
        (lambda: Layer(((1, float("nan")),), ((1, 2),), ((1, 2),)), "nan"),
        (lambda: Layer.ordinary(((1, 2),), "tanh"), "relu"),
        (lambda: Network(()), "empty"),
        (lambda: Network((SUM, Layer.ordinary(((1, 1, 0),)))), "each must take"),
        (lambda: Network((Layer.ordinary(((1, 0),) * 2),)), "one unit"),
        (lambda: Network.random("cubic", 2, (3,)), "relu"),
        (lambda: pieces_along_line(Network((SUM,)), [0, 0], [1, 0]), "1 input"),
        (lambda: pieces_along_line(Network((SUM,)), [0], [0]), "`direction` is zero"),
    ],
)
def test_refusals(make, words):
    with pytest.raises(ProblemError, match=words):
        make()
