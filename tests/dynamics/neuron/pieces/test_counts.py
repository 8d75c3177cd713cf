"""Pieces of random networks: one count repeated by hand, bounds, parameters, and what is said of them."""

import numpy as np
import pytest

from dynamics import ProblemError
from dynamics.neuron.pieces.counts import count_pieces
from dynamics.neuron.pieces.line import pieces_along_line
from dynamics.neuron.pieces.network import KINDS, Network, number_of_parameters
from dynamics.neuron.pieces.plane import pieces_in_plane


@pytest.fixture(scope="module")
def counts():
    return count_pieces(3, 2, starts=4, seed=7)


def test_counts_are_those_of_the_networks_named_by_their_seeds(counts):
    """Seeds from one sequence; lines of their own stream, in multiples of 1/256, shared by all networks of a start."""
    seeds = np.random.SeedSequence(7).generate_state(4)
    for s, seed in enumerate(seeds.tolist()):
        line = np.round(256 * np.random.default_rng([seed, 1]).standard_normal((2, 2))) / 256
        for kind in KINDS:
            for i, layers in enumerate((1, 2)):
                for j, units in enumerate((1, 2, 3)):
                    pieces = pieces_along_line(Network.random(kind, 2, [units] * layers, seed), *line)
                    assert counts.numbers[kind][i, j, s] == pieces.number
                    assert counts.degrees[kind][i, j, s] == pieces.degrees.max()
    for kind, plane in counts.maps.items():
        network = Network.random(kind, 2, [3], int(seeds[0]))
        assert plane.pieces.number == pieces_in_plane(network).number
        x = np.array([plane.axis[20], plane.axis[150]])
        assert plane.values[150, 20] == pytest.approx(float(network(x)), rel=1e-12)
        if len(plane.kinks):
            np.testing.assert_allclose(plane.kinks[:, 150, 20], network.layers[0].sums(x), rtol=1e-12)
    assert [len(plane.kinks) for plane in counts.maps.values()] == [3, 3, 0]


def test_bounds_and_parameters_belong_to_the_sizes(counts):
    """One layer of h: 2h + 1, h + 1, 1 pieces; 3 or 1 times 3h weights and biases, and h + 1 of the output."""
    h = np.arange(1, 4)
    assert counts.units.tolist() == h.tolist() and counts.layers.tolist() == [1, 2]
    for kind, bound, groups in (("relu-quadratic", 2 * h + 1, 3), ("relu", h + 1, 1), ("quadratic", 1, 1)):
        np.testing.assert_array_equal(counts.bounds[kind][0], bound * np.ones(3))
        np.testing.assert_array_equal(counts.parameters[kind][0], groups * 3 * h + h + 1)
        second = groups * (3 * h + (h + 1) * h) + h + 1
        np.testing.assert_array_equal(counts.parameters[kind][1], second)
        assert (counts.numbers[kind] <= counts.bounds[kind][..., None]).all()
    assert [plane.bound for plane in counts.maps.values()] == [22, 7, 1]


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_are_the_entries_that_may_differ_from_zero_and_one(kind):
    """Counted in a random network: of an ordinary layer those of R, of a quadratic one also G and B."""
    network = Network.random(kind, 3, (4, 2), seed=1)
    groups = [("R", "G", "B") if KINDS[kind].quadratic_units else ("R",)] * 2 + [("R",)]
    entries = sum(
        np.size(getattr(layer, name))
        for layer, names in zip(network.layers, groups, strict=True)
        for name in names
    )
    assert number_of_parameters(kind, 3, (4, 2)) == entries


def test_summary(counts):
    first, *rest = counts.summary().split("\n")
    rest, smallest = rest[:3], rest[3:]
    assert smallest[0] == "hidden units of the smallest networks that are a given function"
    assert smallest[1:] == [f"  {example.summary()}" for example in counts.examples]
    assert [example.name for example in counts.examples] == ["disk margin", "product", "spline"]
    assert first.startswith("3 units in each of 2 hidden layers")
    for line, (kind, numbers) in zip(rest, counts.numbers.items(), strict=True):
        median = np.median(numbers[-1, -1])
        plane = counts.maps[kind]
        assert line == (
            f"  {kind}: {median:g} ({counts.bounds[kind][-1, -1]}), degree {counts.degrees[kind][-1, -1].max()};"
            f" {plane.pieces.number} ({plane.bound})"
        )


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ((0, 1), "hidden"),
        ((1, 0), "layers"),
        ((1, 11), "11 layers"),
        ((9, 5), "lower `layers`"),
        ((21, 1), "21 units"),
    ],
)
def test_refusals(sizes, words):
    with pytest.raises(ProblemError, match=words):
        count_pieces(*sizes)
