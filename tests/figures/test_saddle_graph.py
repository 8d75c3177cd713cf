"""The saddle graph shows every feasible node, every edge and the visited path."""

from types import SimpleNamespace

import numpy as np
import pytest
from drawn import names
from matplotlib.colors import same_color

from dynamics import Teacher
from dynamics.stationary import fixed_points
from dynamics.stationary.connections import Edge, saddle_graph
from figures.saddle_graph import saddle_graph_figure
from figures.style import PALETTE


def test_nodes_edges_and_path():
    graph = saddle_graph(fixed_points(Teacher.from_eigenvalues([2, 1]), hidden=2))
    axes = saddle_graph_figure(graph, [(), (0,), (0, 1)]).axes[0]
    nodes = [n for n in graph.nodes if n.feasible]
    drawn = {tuple(xy) for line in axes.lines for xy in line.get_xydata()}
    assert {round(y, 9) for _, y in drawn} >= {round(n.loss, 9) for n in nodes}
    kinds = {node.kind for node in nodes}
    assert len(kinds) > 1
    for line in axes.lines:
        if line.get_label() in kinds:
            heights = sorted(node.loss for node in nodes if node.kind == line.get_label())
            assert sorted(line.get_ydata()) == heights
            kinds.remove(line.get_label())
    assert not kinds
    arrows = [text.arrow_patch for text in axes.texts if text.arrow_patch is not None]
    assert len(arrows) == len(graph.edges)
    assert sum(arrow.get_linewidth() > 2 for arrow in arrows) == 2  # ∅ → {1} → {1, 2}
    rates = {text.get_text() for text in axes.texts}
    generic = [edge for edge in graph.edges if edge.generic]
    assert any(f"{edge.growth_rate:.3g}" in text for edge in generic for text in rates)


KINDS = {  # kind → marker, colour
    "global minimum": ("o", PALETTE[0]),
    "spurious minimum": ("D", PALETTE[1]),
    "saddle": ("s", PALETTE[2]),
    "degenerate saddle": ("^", PALETTE[4]),
}
NODES = {  # learned modes → loss, kind, place on the axis of ranks
    (): (100.0, "degenerate saddle", 0.0),
    (0,): (1.0, "saddle", 1.0),  # the lowest of its rank in the middle
    (1,): (4.0, "saddle", 0.65),
    (2,): (9.0, "spurious minimum", 1.35),
    (0, 1): (1e-6, "saddle", 1.65),
    (0, 2): (1e-5, "saddle", 2.35),
    (0, 1, 2): (0.0, "global minimum", 3.0),
}
EDGES = [
    Edge((), (0,), 0.123456, "blow-up", True),
    Edge((1,), (0,), 2.0, "linear", True),
    Edge((1,), (0,), 9.0, "linear", False),
    Edge((2,), (0,), 3.0, "linear", True),
    Edge((1,), (0,), 4.0, "linear", True),
    Edge((), (1,), 5.0, "blow-up", False),
    Edge((0, 1), (0, 1, 2), 6.0, "blow-up", True),
]


@pytest.fixture(scope="module")
def made_up():
    nodes = [
        SimpleNamespace(feasible=True, learned_modes=modes, loss=loss, kind=kind, rank=len(modes))
        for modes, (loss, kind, _) in NODES.items()
    ]
    nodes.append(SimpleNamespace(feasible=False, learned_modes=(3,), loss=5.0, kind=None, rank=4))
    return SimpleNamespace(nodes=nodes, edges=EDGES)


def place(modes):
    return NODES[modes][2], NODES[modes][0]


def test_every_kind_has_its_marker(made_up):
    (axes,) = saddle_graph_figure(made_up).axes
    drawn = {line.get_label(): line for line in axes.lines if len(line.get_xdata())}
    for kind, (marker, colour) in KINDS.items():
        points = sorted(place(modes) for modes, (_, of, _) in NODES.items() if of == kind)
        np.testing.assert_allclose(sorted(map(tuple, drawn.pop(kind).get_xydata())), points)
        (line,) = [line for line in axes.lines if line.get_label() == kind]
        assert (line.get_marker(), line.get_linestyle()) == (marker, "None")
        assert same_color(line.get_color(), colour)
    assert not drawn


def test_names_and_axes(made_up):
    """Symmetric logarithmic about the smallest loss that is not zero, 1e-6; to the right 1/4 more for the names."""
    figure = saddle_graph_figure(made_up)
    (axes,) = figure.axes
    texts = [t for t in axes.texts if ": " in t.get_text()]
    assert [t.get_text() for t in texts] == [
        *(r"$\varnothing$: 100", r"$\{1\}$: 1", r"$\{2\}$: 4", r"$\{3\}$: 9"),
        *(r"$\{1,2\}$: 1e-06", r"$\{1,3\}$: 1e-05", r"$\{1,2,3\}$: 0"),
    ]
    np.testing.assert_allclose([t.xy for t in texts], [place(modes) for modes in NODES])
    assert axes.yaxis.get_transform().linthresh == 1e-6
    assert axes.get_ylim() == pytest.approx((-0.35e-6, 300))
    assert axes.get_xlim() == pytest.approx((0 - 0.12 * 3, 3 + 0.12 * 3 + 0.25))
    assert axes.get_xticks().tolist() == [0, 1, 2, 3]
    entries = ["blow-up, rate × $a$", "linear growth, rate"]
    assert names(figure) == [*KINDS, *entries]
    for path in ([(), (0,)], [(), (0,), (0, 1)]):
        assert names(saddle_graph_figure(made_up, path)) == [*KINDS, *entries, "path of a trained network"]
    assert names(saddle_graph_figure(made_up, [(0,)])) == [*KINDS, *entries]  # one place is no path


def test_arrows_and_their_rates(made_up):
    """Rates at 30, 40, 60, 30 … % of the arrows that end at the same point, so that they do not meet."""
    (axes,) = saddle_graph_figure(made_up, [(), (1,), (0,)]).axes
    arrows = [t for t in axes.texts if t.arrow_patch is not None]
    on_path = [False, True, True, False, True, True, False]
    for arrow, edge, visited in zip(arrows, EDGES, on_path, strict=True):
        patch = arrow.arrow_patch
        assert (arrow.get_position(), arrow.xy) == (place(edge.source), place(edge.target))
        assert patch.get_linestyle() == ("--" if edge.kind == "linear" else "-")
        assert patch.get_linewidth() == (2.4 if visited else 1.2 if edge.generic else 0.5)
        assert same_color(patch.get_edgecolor(), "black" if visited or edge.generic else "0.6")
    rates = [t for t in axes.texts if t.arrow_patch is None and ": " not in t.get_text()]
    assert [t.get_text() for t in rates] == ["0.123 $a$", "2", "3", "4", "6 $a$"]
    expected = [
        (0.3 * 1.0, 100**0.7),  # between the ends as the logarithmic axis shows them
        (0.65 + 0.4 * 0.35, 4**0.6),
        (1.35 - 0.6 * 0.35, 9**0.4),
        (0.65 + 0.3 * 0.35, 4**0.7),
        (1.65 + 0.3 * 1.35, 0.7e-6),  # to zero, where the axis is linear
    ]
    np.testing.assert_allclose([t.xy for t in rates], expected)
