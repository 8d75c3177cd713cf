"""Pieces of networks that are piecewise polynomials: in the plane, their numbers, and the smallest networks."""

from __future__ import annotations

from functools import partial
from itertools import islice

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from dynamics.neuron.pieces.counts import PieceCounts, PlaneMap
from dynamics.neuron.pieces.exact import Example
from dynamics.words import counted
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, LINES, MARKERS, PALETTE, shades

LABELS = {
    "relu-quadratic": "quadratic neurons, ReLU",
    "relu": "ordinary, ReLU",
    "quadratic": "ordinary, $z^2$",
}
SHORT = {"relu-quadratic": "quadratic, ReLU", "relu": "ReLU", "quadratic": "$z^2$"}
TITLES = {
    "disk margin": "$\\max(0, 1 - x^2 - y^2)$",
    "product": "$xy$, on $x = y$",
    "spline": "a spline",
}
VALUES = shades("0.5", 0.6)
STYLES = {kind: (PALETTE[n], LINES[n], MARKERS[n]) for n, kind in enumerate(LABELS)}


def pieces_figure(counts: PieceCounts, *, axes: GivenAxes = None) -> Drawn:
    """Networks in the plane, pieces along lines against the number of parameters, and the smallest networks.

    Parameters
    ----------
    counts : PieceCounts
    axes : Axes or sequence of Axes, optional
        To draw into instead, one for each map, number of layers and smallest network, in this order; see
        `figures.canvas`.
    """
    numbers = len(counts.maps), len(counts.layers), len(counts.examples)
    with canvas(
        axes, (COLUMN_WIDTH, 6.4), sum(numbers), arrange=partial(_in_rows, numbers=numbers)
    ) as drawing:
        panels_of = iter(drawing.axes)
        maps, panels, examples = (list(islice(panels_of, n)) for n in numbers)
        for panel, (kind, plane) in zip(maps, counts.maps.items(), strict=True):
            _draw_map(panel, kind, plane)
        for i, (panel, layers) in enumerate(zip(panels, counts.layers, strict=True)):
            _draw_counts(panel, counts, i)
            panel.set_title(counted(int(layers), "hidden layer"))
        lows, highs = zip(*(panel.get_ylim() for panel in panels), strict=True)
        for panel in panels:
            panel.set_ylim(min(lows), max(highs))
        panels[0].set_ylabel("pieces along a line")
        for kind, (colour, line, marker) in STYLES.items():
            panels[0].plot(
                [],
                [],
                linestyle=line,
                marker=marker,
                color=colour,
                markerfacecolor="white",
                label=LABELS[kind],
            )
        drawing.legend(
            *panels[0].get_legend_handles_labels(),
            loc="outside lower center",
            of=panels[0],
            ncols=2,
            columnspacing=1.2,
            title="markers: random networks, median and range; lines: bounds",
            title_fontsize=7,
        )
        if drawing.given is None:
            examples[0].figure.suptitle("hidden units of the smallest networks that are exactly", fontsize=7)
        for panel, example in zip(examples, counts.examples, strict=True):
            _draw_example(panel, example)
    return drawing.result


def _in_rows(figure: Figure, numbers: tuple[int, int, int]) -> list[Axes]:
    """Three rows of panels, so many in each."""
    rows = figure.subfigures(3, 1, squeeze=False, height_ratios=[1, 1.5, 0.95])[:, 0]
    return [
        panel
        for row, n, share in zip(rows, numbers, (False, True, False), strict=True)
        for panel in row.subplots(1, n, sharey=share, squeeze=False)[0]
    ]


def _draw_map(axes: Axes, kind: str, plane: PlaneMap) -> None:
    """Values as shades of grey, zeros of the units as lines, the exact number of pieces above."""
    ends = plane.axis[0], plane.axis[-1]
    size = np.abs(plane.values).max() or 1.0
    axes.imshow(  # pale enough for the lines
        plane.values, cmap=VALUES, vmin=-size, vmax=size, origin="lower", extent=(*ends, *ends)
    )
    for q in plane.kinks:
        axes.contour(plane.axis, plane.axis, q, levels=[0.0], colors=[STYLES[kind][0]], linewidths=0.8)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(True)
    axes.set_title(f"{counted(plane.pieces.number, 'piece')},\ndegree {plane.pieces.degrees.max()}")
    axes.set_xlabel(LABELS[kind].replace(", ", ",\n"))


def _draw_counts(axes: Axes, counts: PieceCounts, depth: int) -> None:
    """Median and range over the networks of each size, and the bound, for one number of hidden layers."""
    for kind, (colour, line, marker) in STYLES.items():
        x, numbers = counts.parameters[kind][depth], counts.numbers[kind][depth]
        axes.plot(x, counts.bounds[kind][depth], linestyle=line, color=colour)
        median = np.median(numbers, axis=1)
        spread = np.abs(np.stack([numbers.min(1), numbers.max(1)]) - median)
        axes.errorbar(
            x, median, spread, fmt=marker, color=colour, markerfacecolor="white", elinewidth=0.8, zorder=3
        )
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(numticks=8))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("parameters")


def _draw_example(axes: Axes, example: Example) -> None:
    """The function on a line, with the points where its pieces meet; how many units it takes."""
    axes.plot(example.s, example.values, color=PALETTE[0])
    breaks = example.pieces.breakpoints
    axes.plot(
        breaks, np.interp(breaks, example.s, example.values), "o", color=PALETTE[0], markerfacecolor="white"
    )
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(TITLES[example.name])
    units = {kind: each.units for kind, each in example.representations.items()}
    axes.set_xlabel("\n".join(f"{SHORT[kind]}: {number or 'none'}" for kind, number in units.items()))
