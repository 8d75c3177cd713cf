"""The saddle-to-saddle graph: which plateau leads to which, and how fast."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from dynamics.stationary.connections import Edge, SaddleGraph
from dynamics.stationary.points import FixedPoint
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, PALETTE

STYLES = {  # kind → marker, colour
    "global minimum": ("o", PALETTE[0]),
    "spurious minimum": ("D", PALETTE[1]),
    "saddle": ("s", PALETTE[2]),
    "degenerate saddle": ("^", PALETTE[4]),
}


def saddle_graph_figure(
    graph: SaddleGraph, visited: list[tuple[int, ...]] | None = None, *, axes: GivenAxes = None
) -> Drawn:
    """Stationary points by rank and loss, connections as arrows with their growth rates.

    Parameters
    ----------
    graph : SaddleGraph
    visited : list of tuple of int, optional
        Learned sets that a real run passed, in order; their path is marked.
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    nodes = [node for node in graph.nodes if node.feasible]
    place = _places(nodes)
    path = {leg: n for n, leg in enumerate(zip(visited or [], (visited or [])[1:], strict=False))}
    with canvas(axes, (COLUMN_WIDTH, 4.0)) as drawing:
        axes = drawing.axes[0]
        into: dict[tuple[int, ...], int] = {}  # labels of arrows with one target at different heights
        for edge in graph.edges:
            share = (0.3, 0.4, 0.6)[into.get(edge.target, 0) % 3]
            _draw_edge(axes, place, edge, path.get((edge.source, edge.target)), share)
            into[edge.target] = into.get(edge.target, 0) + edge.generic
        for source, target in path.keys() - {(edge.source, edge.target) for edge in graph.edges}:
            if source in place and target in place:  # several modes at once: no connection of single jumps
                _draw_leap(axes, place[source], place[target], path[source, target])
        for kind, (marker, colour) in STYLES.items():
            chosen = [node for node in nodes if node.kind == kind]
            if chosen:
                x, y = np.array([place[node.learned_modes] for node in chosen]).T
                axes.plot(x, y, marker, color=colour, markersize=6, zorder=4, label=kind)
        for node in nodes:
            name = ",".join(str(i + 1) for i in node.learned_modes)
            axes.annotate(
                (rf"$\{{{name}\}}$" if name else r"$\varnothing$") + f": {node.loss:.4g}",
                place[node.learned_modes],
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                fontsize=6.5,
                bbox={"boxstyle": "square,pad=0.05", "facecolor": "white", "edgecolor": "none", "alpha": 0.7},
                zorder=5,
            )
        axes.plot([], [], color="black", linewidth=1.2, label="blow-up, rate × $a$")
        axes.plot([], [], color="black", linewidth=1.2, linestyle="--", label="linear growth, rate")
        if path:
            axes.plot([], [], color="black", linewidth=2.4, label="path of a trained network")
        axes.set_xlabel("number of learned modes")
        axes.set_ylabel("loss $L$ (squared output units)")
        losses = np.array([node.loss for node in nodes])
        smallest = losses[losses > 1e-9].min(initial=1.0)
        axes.set_yscale("symlog", linthresh=smallest)
        axes.set_ylim(-0.35 * smallest, 3 * losses.max())
        axes.set_xticks(sorted({node.rank for node in nodes}))
        axes.margins(x=0.12)
        axes.set_xlim(right=axes.get_xlim()[1] + 0.25)  # room for the names
        drawing.legend(ncols=2, columnspacing=1.0)
    return drawing.result


def leg_name(n: int, leap: bool = False) -> str:
    """What the n-th arrow of a path is called, for who looks for it: `matplotlib.artist.Artist.get_gid`.

    A leap is drawn for the path alone, another leg lies on an arrow of the graph.
    """
    return f"leap-{n}" if leap else f"leg-{n}"


def _places(nodes: list[FixedPoint]) -> dict[tuple[int, ...], tuple[float, float]]:
    """Rank and loss of every node; nodes of one rank are spread, the lowest in the middle, where arrows meet."""
    place = {}
    for rank in {node.rank for node in nodes}:
        row = sorted((n for n in nodes if n.rank == rank), key=lambda n: n.loss)
        offsets = 0.7 * (np.arange(len(row)) - (len(row) - 1) / 2) / max(len(row) - 1, 1)
        for node, offset in zip(row, sorted(offsets, key=abs), strict=True):
            place[node.learned_modes] = (rank + offset, node.loss)
    return place


def _draw_edge(
    axes: Axes, place: dict[tuple[int, ...], tuple[float, float]], edge: Edge, leg: int | None, share: float
) -> None:
    """An arrow; on the path of a network it is its leg of this number."""
    on_path = leg is not None
    start, end = place[edge.source], place[edge.target]
    linear = edge.kind == "linear"
    axes.annotate(
        "",
        end,
        start,
        arrowprops={
            "arrowstyle": "-|>",
            "linestyle": "--" if linear else "-",
            "linewidth": 2.4 if on_path else 1.2 if edge.generic else 0.5,
            "color": "black" if edge.generic or on_path else "0.6",
            "shrinkA": 5,
            "shrinkB": 5,
            "mutation_scale": 9,
        },
        zorder=2,
        gid=None if leg is None else leg_name(leg),
    )
    if edge.generic:
        axes.annotate(
            f"{edge.growth_rate:.3g}" + (r" $a$" if not linear else ""),
            _along(start, end, share),
            fontsize=6,
            ha="center",
            va="center",
            bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"},
            zorder=3,
        )


def _draw_leap(axes: Axes, start: tuple[float, float], end: tuple[float, float], leg: int) -> None:
    """A part of the path on which a network learned several modes at once."""
    style = {
        "arrowstyle": "-|>",
        "linestyle": ":",
        "linewidth": 2.4,
        "color": "black",
        "shrinkA": 5,
        "shrinkB": 5,
    }
    axes.annotate(
        "", end, start, arrowprops=style | {"mutation_scale": 9}, zorder=2, gid=leg_name(leg, leap=True)
    )


def _along(start: tuple[float, float], end: tuple[float, float], share: float) -> tuple[float, float]:
    """A point on an arrow, between its ends as the logarithmic axis shows them."""
    x = start[0] + share * (end[0] - start[0])
    if end[1] <= 0:
        return x, start[1] * (1 - share)
    return x, start[1] ** (1 - share) * end[1] ** share
