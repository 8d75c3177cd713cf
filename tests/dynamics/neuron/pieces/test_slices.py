"""Slices: polynomials near points against the network, and their number against exact counts and closed forms."""

from fractions import Fraction

import numpy as np
import pytest
from sympy import QQ

from dynamics import ProblemError
from dynamics.neuron.pieces.bounds import most_pieces_in_plane
from dynamics.neuron.pieces.line import pieces_along_line
from dynamics.neuron.pieces.network import KINDS, Layer, Network
from dynamics.neuron.pieces.plane import pieces_in_plane
from dynamics.neuron.pieces.roots import value
from dynamics.neuron.pieces.slices import pieces_on_slices, polynomial_at


@pytest.mark.parametrize("kind", KINDS)
def test_polynomials_near_points_are_the_network(kind):
    """At the points themselves, in floating-point arithmetic, and as the line sees them, exactly."""
    network = Network.random(kind, 2, (3, 2), seed=1)
    for x, y in [(QQ(1, 3), QQ(-2, 7)), (QQ(-3, 2), QQ(1, 5))]:
        p = polynomial_at(network, (x, y))
        at = [int(c.numerator) / int(c.denominator) for c in (x, y)]
        found = value(p, x, y)
        assert int(found.numerator) / int(found.denominator) == pytest.approx(float(network(at)), rel=1e-12)


def test_samples_lie_within_their_pieces():
    """In order, each between its two breakpoints; also between √2 and a number that agrees with it in 40 digits."""
    network = Network.random("relu-quadratic", 2, (4,), seed=1)
    pieces = pieces_along_line(network, [0, 0], [1, 2])
    samples = [int(s.numerator) / int(s.denominator) for s in pieces.samples()]
    assert np.searchsorted(pieces.breakpoints, samples).tolist() == list(range(pieces.number))
    tiny = Fraction(1, 10**40)
    first = Layer(((0, -2), (0, -2 - tiny)), ((0, 1),) * 2, ((1, 0), (1, 0)), "relu")
    close = pieces_along_line(Network((first, Layer.ordinary(((1, 1, 0),)))), [0], [1])
    squares = [s**2 for s in close.samples()]
    bound = QQ(2) + QQ(1, 10**40)
    assert close.number == 5
    assert squares[1] < bound and squares[1] > 2 and squares[3] < bound and squares[3] > 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [0, 1])
def test_one_layer_has_at_least_what_is_met(kind, seed):
    """Never more than the exact number of pieces; most of them on 30 lines."""
    network = Network.random(kind, 2, (3,), seed=seed)
    exact, met = pieces_in_plane(network), pieces_on_slices(network, 30)
    assert exact.number / 2 < met.least <= exact.number


def test_waves_of_both_coordinates():
    """w(x) + 3w(y) of two layers, w the wave of two teeth: 6 different polynomials of one coordinate (0, flanks, ray),
    36 of both, all met by lines that are near enough to each other.
    """
    fold = Layer.ordinary(((1, 0, 0), (1, 0, -0.5), (0, 1, 0), (0, 1, -0.5)), "relu")
    rows = [(2, -4, 0, 0, 0), (2, -4, 0, 0, -0.5), (0, 0, 2, -4, 0), (0, 0, 2, -4, -0.5)]
    network = Network((fold, Layer.ordinary(rows, "relu"), Layer.ordinary(((2, -4, 6, -12, 0),))))
    one = pieces_along_line(network, [0, -1], [1, 0])
    assert one.number == len(set(one.polynomials)) + 1  # zero on both sides
    met = pieces_on_slices(network, 60, 1.5)
    assert met.least == len(set(one.polynomials)) ** 2
    assert met.degrees.max() == 1
    assert met.least <= most_pieces_in_plane("relu", (4, 4))
    assert met.summary() == f"at least {met.least} pieces of degree 1 at most, met on 60 lines"


@pytest.mark.parametrize(("offset", "least"), [(0.49, 2), (0.51, 1), (-0.49, 2), (-0.51, 1)])
def test_lines_are_evenly_spaced(offset, least):
    """Two lines y = 3x/7 ± ½: max(0, y − 3x/7 − c) is met on both sides of its kink if |c| < ½."""
    unit = Layer.ordinary(((Fraction(-3, 7), 1, -offset),), "relu")
    assert pieces_on_slices(Network((unit, Layer.ordinary(((1, 0),)))), 2, 1.0).least == least


@pytest.mark.parametrize("kind", KINDS)
def test_deep_networks_stay_within_the_bound(kind):
    """And have at least as many pieces as different polynomials on one of the lines, at −2.7, −2.1, …, 2.7."""
    network = Network.random(kind, 2, (2, 2), seed=3)
    met = pieces_on_slices(network, 10)
    assert len(met.degrees) == met.least <= most_pieces_in_plane(kind, (2, 2))
    assert met.degrees.max() == {"relu": 1}.get(kind, 4)
    heights = [Fraction(n, 10) for n in range(-27, 28, 6)]
    alone = [pieces_along_line(network, (0, h), (1, Fraction(3, 7))).polynomials for h in heights]
    most = max(len(set(polynomials)) for polynomials in alone)
    assert (kind != "quadratic") < most <= met.least


def test_only_the_plane_is_sliced():
    with pytest.raises(ProblemError, match="3 inputs"):
        pieces_on_slices(Network.random("relu", 3, (2,)))
