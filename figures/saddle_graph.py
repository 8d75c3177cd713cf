"""The saddle-to-saddle graph: which plateau leads to which, and how fast."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Annotation

from dynamics.aliases import Array
from dynamics.stationary.connections import Edge, Modes, SaddleGraph
from dynamics.stationary.points import FixedPoint
from figures.canvas import Drawn, GivenAxes, canvas
from figures.kinds import KINDS
from figures.labels import Room, from_points, in_points, spread
from figures.mode_names import set_label
from figures.style import COLUMN_WIDTH, ZERO_LEVEL, show_levels

MOST = 16  # nodes: of more, those on generic ways alone
MARKER = 6.0  # points
CLOSE = 1.12  # ratio of losses below which nodes of one rank would lie over each other
BESIDE = 0.16  # by which those are then moved apart
NAME, LINE = (4.0, 5.0), 8.0  # of a name: from its node, and from the next name, in points
BEND = 0.3  # of arrows within one rank
SHARES = (
    0.45,
    0.4,
    0.5,
    0.35,
    0.55,
    0.3,
    0.6,
    0.25,
    0.65,
    0.2,
    0.7,
    0.15,
    0.75,
)  # of an arrow, where its rate may stand

EITHER_SIGN = (
    "spare units have either sign: a negative one leaves\nwhat is a spurious minimum for positive ones"
)
ASIDE = 11.0  # points from an arrow, where it has no room

Places = dict[Modes, tuple[float, float]]


def saddle_graph_figure(
    graph: SaddleGraph,
    visited: Sequence[Modes] | None = None,
    *,
    axes: GivenAxes = None,
) -> Drawn:
    """Stationary points by rank and loss, connections as arrows with their growth rates.

    Points that learn directions which the teacher ignores are left out, and of more than sixteen all that are on no way
    of a small random initialisation; those that a run visited are always shown. A line above the axes says so,
    and why a spurious minimum is left.

    Parameters
    ----------
    graph : SaddleGraph
    visited : sequence of tuple of int, optional
        Learned sets that a real run passed, in order; their path is marked.
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    passed = [tuple(modes) for modes in visited or ()]
    nodes, left_out = shown_nodes(graph, passed)
    place = _places(nodes)
    edges = [edge for edge in graph.edges if edge.source in place and edge.target in place]
    known = {(edge.source, edge.target) for edge in edges}
    path = {leg: n for n, leg in enumerate(pairwise(passed))}
    leaps = [leg for leg in path if leg not in known and leg[0] in place and leg[1] in place]
    with canvas(axes, (COLUMN_WIDTH, 4.0)) as drawing:
        axes = drawing.axes[0]
        _draw_nodes(axes, nodes, place)
        for edge in edges:
            _draw_edge(axes, place, edge, path.get((edge.source, edge.target)))
        for leg in leaps:  # several modes at once: no connection of single jumps
            name = leg_name(path[leg], leap=True)
            _arrow(axes, place[leg[0]], place[leg[1]], name, linestyle=":", linewidth=2.4)
        _limit(axes, nodes)
        axes.set_xlabel("number of learned modes")
        axes.set_ylabel(f"loss $L$ ({graph.unit})")
        _explain(axes, edges, bool(path), bool(leaps))
        left = any(edge.source in graph.left_minima for edge in edges)
        said = "\n".join(filter(None, (left_out, EITHER_SIGN if left else "")))
        if said:
            axes.set_title(said, fontsize=6.5, color="0.35")
        drawing.legend(ncols=2, columnspacing=1.0)
        drawing.settle()
        room = Room(axes)
        room.take_points(list(place.values()), MARKER)
        room.take(_name_nodes(axes, nodes, place))
        for edge in edges:
            if edge.generic:
                _name_edge(axes, place, edge, room)
    return drawing.result


def leg_name(n: int, leap: bool = False) -> str:
    """What the n-th arrow of a path is called, for who looks for it: `matplotlib.artist.Artist.get_gid`.

    A leap is drawn for the path alone, another leg lies on an arrow of the graph.
    """
    return f"leap-{n}" if leap else f"leg-{n}"


def shown_nodes(graph: SaddleGraph, visited: Sequence[Modes] = ()) -> tuple[list[FixedPoint], str]:
    """The nodes to draw, and how many of which kind are not."""
    nodes = [node for node in graph.nodes if node.feasible]
    main = graph.on_generic_ways | set(visited)
    kept = [n for n in nodes if n.learned_modes in main or not graph.ignored.intersection(n.learned_modes)]
    which = "learn what the teacher ignores"
    if len(kept) > MOST:
        kept = [n for n in kept if n.learned_modes in main]
        which = "are on no way from small weights"
    gone = len(nodes) - len(kept)
    return kept, f"{gone} of {len(nodes)} points are not shown: they\n{which}" if gone else ""


def _places(nodes: Sequence[FixedPoint]) -> Places:
    """Rank and loss of every node; nodes of one rank and almost one loss stand side by side."""
    place: Places = {}
    for _, row in groupby(sorted(nodes, key=lambda n: (n.rank, n.loss)), key=lambda n: n.rank):
        heap: list[FixedPoint] = []
        for node in [*row, None]:
            if node is None or (heap and node.loss > CLOSE * heap[-1].loss):
                for offset, one in zip(np.arange(len(heap)) - (len(heap) - 1) / 2, heap, strict=True):
                    place[one.learned_modes] = (one.rank + BESIDE * float(offset), one.loss)
                heap = []
            if node is not None:
                heap.append(node)
    return place


def _draw_nodes(axes: Axes, nodes: Sequence[FixedPoint], place: Places) -> None:
    for kind, (name, marker, colour) in KINDS.items():
        chosen = [place[node.learned_modes] for node in nodes if node.kind == kind]
        if chosen:
            axes.plot(*np.transpose(chosen), marker, color=colour, markersize=MARKER, zorder=4, label=name)


def _limit(axes: Axes, nodes: Sequence[FixedPoint]) -> None:
    """The axis of losses is logarithmic down to the smallest that is not zero; to the right is room for names."""
    losses = np.array([node.loss for node in nodes])
    show_levels(axes, losses, below=0.35, above=2.0 if losses.min() < ZERO_LEVEL else 1.1)
    ranks = sorted({node.rank for node in nodes})
    step = -(-len(ranks) // 12)
    axes.set_xticks(ranks[::step])
    axes.set_xlim(ranks[0] - 0.4, ranks[-1] + 0.25 + 0.16 * max(ranks[-1] - ranks[0], 2))


def _explain(axes: Axes, edges: Sequence[Edge], path: bool, leaps: bool) -> None:
    """Entries of the legend for the arrows that there are."""
    generic = {edge.kind for edge in edges if edge.generic}
    entries: list[tuple[bool, str, dict[str, Any]]] = [
        ("blow-up" in generic, "blow-up, rate × $a$", {"linewidth": 1.2}),
        ("linear" in generic, "linear growth, rate", {"linewidth": 1.2, "linestyle": "--"}),
        (any(not e.generic for e in edges), "slower ways down", {"linewidth": 0.5, "color": "0.6"}),
        (path, "path of a trained network", {"linewidth": 2.4}),
        (leaps, "several modes at once", {"linewidth": 2.4, "linestyle": ":"}),
    ]
    for there, label, style in entries:
        if there:
            axes.plot([], [], label=label, **({"color": "black"} | style))


def _draw_edge(axes: Axes, place: Places, edge: Edge, leg: int | None) -> None:
    """An arrow; on the path of a network it is its leg of this number."""
    on_path = leg is not None
    start, end = place[edge.source], place[edge.target]
    _arrow(
        axes,
        start,
        end,
        None if leg is None else leg_name(leg),
        linestyle="--" if edge.kind == "linear" else "-",
        linewidth=2.4 if on_path else 1.2 if edge.generic else 0.5,
        color="black" if edge.generic or on_path else "0.6",
        connectionstyle=f"arc3,rad={_bend(start, end)}",
    )


def _bend(start: tuple[float, float], end: tuple[float, float]) -> float:
    """Arrows within one rank are bent to the left, around the nodes and names between their ends."""
    return BEND if abs(end[0] - start[0]) < 0.5 else 0.0


def _arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], name: str | None, **style: object
) -> None:
    shape = {"arrowstyle": "-|>", "color": "black", "shrinkA": 5, "shrinkB": 5, "mutation_scale": 9}
    axes.annotate("", end, start, arrowprops={**shape, **style}, zorder=2, gid=name)


def _name_nodes(axes: Axes, nodes: Sequence[FixedPoint], place: Places) -> list[Annotation]:
    """Names at the upper right of their nodes, which arrows leave downwards; with losses where ranks are far apart."""
    texts = []
    for wordy in (True, False):
        texts = [_name(axes, node, place, wordy) for node in nodes]
        widest = max(text.get_window_extent().width for text in texts)
        if widest < np.ptp(axes.transData.transform([[0, 1], [1, 1]])[:, 0]) - MARKER:
            break
        if wordy:
            for text in texts:
                text.remove()
    side = {text: (round(text.xy[0]), text.get_horizontalalignment()) for text in texts}
    for _, column in groupby(sorted(texts, key=side.__getitem__), key=side.__getitem__):
        row = list(column)
        heights = in_points(axes, [text.xy for text in row])[:, 1]
        for text, height, moved in zip(row, heights, spread(heights, LINE), strict=True):
            x, y = text.get_position()
            text.set_position((x, y + moved - height))
    return texts


def _name(axes: Axes, node: FixedPoint, place: Places, wordy: bool) -> Annotation:
    left = place[node.learned_modes][0] < node.rank  # of nodes side by side
    return axes.annotate(
        set_label(node.learned_modes) + (f": {node.loss:.4g}" if wordy else ""),
        place[node.learned_modes],
        xytext=(-NAME[0], -NAME[1]) if left else NAME,
        textcoords="offset points",
        ha="right" if left else "left",
        va="center",
        fontsize=6.5,
        bbox={"boxstyle": "square,pad=0.05", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
        zorder=5,
    )


def _name_edge(axes: Axes, place: Places, edge: Edge, room: Room) -> None:
    """The growth rate, on its arrow, where it covers no name and no other rate."""
    text = axes.text(
        *place[edge.target],
        f"{edge.growth_rate:.3g}" + (r" $a$" if edge.kind != "linear" else ""),
        fontsize=6,
        ha="center",
        va="center",
        bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"},
        zorder=3,
    )
    along = _along(axes, place[edge.source], place[edge.target])
    room.put(text, [(float(x), float(y)) for x, y in along])


def _along(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> Array:
    """Points (n, 2) on an arrow as it is drawn, a quadratic Bézier curve on the paper; then left and right of it.

    In data coordinates.
    """
    first, last = in_points(axes, [start, end])
    dx, dy = last - first
    bend = _bend(start, end)
    middle = (first + last) / 2 + bend * np.array([dy, -dx])
    s = np.array(SHARES)[:, None]
    curve = (1 - s) ** 2 * first + 2 * s * (1 - s) * middle + s**2 * last
    aside = np.array([ASIDE, 0.0])
    return from_points(axes, np.vstack([curve, curve - aside, curve + aside]))
