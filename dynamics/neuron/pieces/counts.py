"""How many pieces random networks have: along lines, at several widths and depths, and one of them in the plane."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.budget import check_number
from dynamics.neuron.pieces.bounds import most_pieces_in_plane, most_pieces_on_line
from dynamics.neuron.pieces.exact import Example, examples
from dynamics.neuron.pieces.line import pieces_along_line
from dynamics.neuron.pieces.network import GRID, KINDS, Network, number_of_parameters
from dynamics.neuron.pieces.plane import LARGEST_LAYER, PlanePieces, pieces_in_plane
from dynamics.progress import progress_bar
from dynamics.validation import validate_count
from dynamics.words import counted

EXTENT = 3.0  # of the part of the plane that is mapped, in both directions
PIXELS = 201  # along each side of it
DEEPEST = 10  # hidden layers
MOST = 300_000  # pieces, as bounded, whose count takes a minute


@dataclass(frozen=True, eq=False)
class PlaneMap:
    """A network with one hidden layer in the plane.

    Parameters
    ----------
    pieces : PlanePieces
        Of the whole plane.
    bound : int
        Largest number of pieces of such networks.
    axis : (n,) array
        Both coordinates of the mapped points.
    values : (n, n) array
        Of the network, rows along the second coordinate.
    kinks : (K, n, n) array
        Arguments q of the units, if φ has a kink at 0; else (0, n, n).
    """

    pieces: PlanePieces
    bound: int
    axis: Array
    values: Array
    kinks: Array


@dataclass(frozen=True, eq=False)
class PieceCounts:
    """Numbers of pieces, exact, by kinds of networks as in `dynamics.neuron.pieces.network.KINDS`.

    Parameters
    ----------
    units : (U,) integer array
        Of every hidden layer.
    layers : (L,) integer array
        Hidden layers.
    numbers : mapping kind → (L, U, S) integer array
        Pieces of S random networks, each along a random line.
    degrees : mapping kind → (L, U, S) integer array
        Largest degree of these pieces.
    bounds, parameters : mapping kind → (L, U) integer array
        Largest number possible, and number of weights and biases.
    maps : mapping kind → PlaneMap
        One network of one hidden layer of the largest width.
    examples : tuple of Example
        The smallest networks that are a given function.
    """

    units: NDArray[np.int64]
    layers: NDArray[np.int64]
    numbers: Mapping[str, NDArray[np.int64]]
    degrees: Mapping[str, NDArray[np.int64]]
    bounds: Mapping[str, NDArray[np.int64]]
    parameters: Mapping[str, NDArray[np.int64]]
    maps: Mapping[str, PlaneMap]
    examples: tuple[Example, ...]

    def summary(self) -> str:
        """Of the widest and deepest networks: median along a line, bound, degree; and the plane."""
        lines = [
            f"{self.units[-1]} units in each of {self.layers[-1]} hidden layers, pieces along a line: median (at most);"
            " and those of one hidden layer in the plane"
        ]
        for kind, numbers in self.numbers.items():
            median, bound = np.median(numbers[-1, -1]), self.bounds[kind][-1, -1]
            degree, plane = self.degrees[kind][-1, -1].max(), self.maps[kind]
            lines.append(
                f"  {kind}: {median:g} ({bound}), degree {degree}; {plane.pieces.number} ({plane.bound})"
            )
        lines.append("hidden units of the smallest networks that are a given function")
        return "\n".join([*lines, *(f"  {example.summary()}" for example in self.examples)])


def count_pieces(
    hidden: int = 5, layers: int = 2, *, starts: int = 10, seed: int = 0, progress: bool = False
) -> PieceCounts:
    """Count the pieces of random networks of two inputs, with 1 … `hidden` units in each of 1 … `layers` hidden layers.

    Parameters
    ----------
    hidden, layers : int
    starts : int
        Networks for each size; networks of one start have the same rows r of units, whatever their kind, and the same
        line.
    seed : int
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Raises
    ------
    ProblemError
        If a number is below one, or the counts would take long.
    """
    h, L, S = (
        validate_count(name, value)
        for name, value in (("hidden", hidden), ("layers", layers), ("starts", starts))
    )
    check_number(f"An arrangement of {counted(h, 'unit')}", h, LARGEST_LAYER, "units", "lower `hidden`")
    check_number("The degree of a network", L, DEEPEST, "layers", "lower `layers`: it doubles with each")
    most = most_pieces_on_line("relu-quadratic", (h,) * L)
    check_number(
        f"Up to {most} pieces along each of {S} lines for each of {h * L} sizes",
        most * S * h * L,
        MOST,
        "pieces",
        "lower `layers`, `hidden` or `starts`",
    )
    seeds = np.random.SeedSequence(validate_count("seed", seed, minimum=0)).generate_state(S)
    lines = [_random_line(int(s)) for s in seeds]
    widths, depths = np.arange(1, h + 1), np.arange(1, L + 1)
    shape = len(depths), len(widths), S
    numbers = {kind: np.zeros(shape, dtype=np.int64) for kind in KINDS}
    degrees = {kind: np.zeros(shape, dtype=np.int64) for kind in KINDS}
    sizes = [(kind, *place) for kind in KINDS for place in np.ndindex(shape)]
    for kind, i, j, s in progress_bar(
        sizes, "pieces", shown=progress, remedy="lower `layers`, `hidden` or `starts`"
    ):
        network = Network.random(kind, 2, [int(widths[j])] * int(depths[i]), seed=int(seeds[s]))
        pieces = pieces_along_line(network, *lines[s])
        numbers[kind][i, j, s], degrees[kind][i, j, s] = pieces.number, pieces.degrees.max()
    grid = [[[int(K)] * int(n) for K in widths] for n in depths]
    bounds, parameters = (
        {kind: np.array([[number(kind, size) for size in row] for row in grid]) for kind in KINDS}
        for number in (most_pieces_on_line, lambda kind, size: number_of_parameters(kind, 2, size))
    )
    maps = {kind: _map(kind, h, int(seeds[0])) for kind in KINDS}
    return PieceCounts(widths, depths, numbers, degrees, bounds, parameters, maps, examples())


def _random_line(seed: int) -> tuple[list[Fraction], list[Fraction]]:
    """A Gaussian point and direction, multiples of 1/256; another stream than that of the weights."""
    drawn = np.round(GRID * np.random.default_rng([seed, 1]).standard_normal((2, 2)))
    drawn[1, 0] = drawn[1, 0] or 1.0  # a direction is not zero
    point, direction = ([Fraction(int(x), GRID) for x in row] for row in drawn)
    return point, direction


def _map(kind: str, hidden: int, seed: int) -> PlaneMap:
    network = Network.random(kind, 2, [hidden], seed=seed)
    axis = np.linspace(-EXTENT, EXTENT, PIXELS)
    x = np.stack(np.meshgrid(axis, axis), axis=-1)
    kinks = np.moveaxis(network.layers[0].sums(x), -1, 0)
    if not KINDS[kind].kinked:
        kinks = kinks[:0]
    return PlaneMap(pieces_in_plane(network), most_pieces_in_plane(kind, [hidden]), axis, network(x), kinks)
