"""The saddle graph shows every feasible node, every edge and the visited path."""

from dataclasses import replace
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
from drawn import names
from matplotlib.colors import same_color
from matplotlib.transforms import Bbox

from dynamics import Teacher
from dynamics.stationary import fixed_points
from dynamics.stationary.connections import Edge, SaddleGraph, saddle_graph
from figures.labels import in_points
from figures.look import look
from figures.saddle_graph import EITHER_SIGN, saddle_graph_figure, shown_nodes
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
    arrows = [t.arrow_patch for t in axes.texts if getattr(t, "arrow_patch", None)]
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
NODES = {  # learned modes → loss, kind, place on the axis of ranks: 0.08 aside where another is within 12 %
    (): (100.0, "degenerate saddle", 0.0),
    (0,): (1.0, "saddle", 1.0),
    (1,): (8.5, "saddle", 0.92),
    (2,): (9.0, "spurious minimum", 1.08),
    (0, 1): (1e-6, "saddle", 2.0),
    (0, 2): (1e-5, "saddle", 2.0),
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
    return SaddleGraph(tuple(nodes), tuple(EDGES))


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
    """Symmetric logarithmic about the smallest loss that is not zero, 1e-6; to the right room for the names."""
    figure = saddle_graph_figure(made_up)
    (axes,) = figure.axes
    texts = [t for t in axes.texts if ": " in t.get_text()]
    assert [t.get_text() for t in texts] == [
        *("∅: 100", "{1}: 1", "{2}: 8.5", "{3}: 9"),
        *("{1, 2}: 1e-06", "{1, 3}: 1e-05", "{1–3}: 0"),
    ]
    np.testing.assert_allclose([t.xy for t in texts], [place(modes) for modes in NODES])
    assert axes.yaxis.get_transform().linthresh == 1e-6
    assert axes.get_ylim() == pytest.approx((-0.35e-6, 200))
    assert axes.get_xlim() == pytest.approx((-0.4, 3 + 0.25 + 3 * 0.16))
    assert axes.get_xticks().tolist() == [0, 1, 2, 3]
    assert axes.get_title() == EITHER_SIGN  # {3} is a spurious minimum, and left
    arrows = ["blow-up, rate × $a$", "linear growth, rate", "slower ways down"]
    assert names(figure) == [*KINDS, *arrows]
    for path in ([(), (0,)], [(), (0,), (0, 1)]):
        more = ["path of a trained network", *(["several modes at once"] if len(path) > 2 else [])]
        assert names(saddle_graph_figure(made_up, path)) == [*KINDS, *arrows, *more]
    assert names(saddle_graph_figure(made_up, [(0,)])) == [*KINDS, *arrows]  # one place is no path


def test_the_legend_explains_what_is_there(made_up):
    """Of a graph with one generic blow-up alone there is no entry for others."""
    (first, *_) = EDGES
    assert names(saddle_graph_figure(replace(made_up, edges=(first,)))) == [*KINDS, "blow-up, rate × $a$"]


def test_arrows_and_their_rates(made_up):
    """Within a rank they are bent; rates of generic ones stand on their arrow, or a little beside it."""
    (axes,) = saddle_graph_figure(made_up, [(), (1,), (0,)]).axes
    arrows = [t for t in axes.texts if getattr(t, "arrow_patch", None)]
    on_path = [False, True, True, False, True, True, False]
    for arrow, edge, visited in zip(arrows, EDGES, on_path, strict=True):
        patch = arrow.arrow_patch
        assert (arrow.get_position(), arrow.xy) == (place(edge.source), place(edge.target))
        assert patch.get_linestyle() == ("--" if edge.kind == "linear" else "-")
        assert patch.get_linewidth() == (2.4 if visited else 1.2 if edge.generic else 0.5)
        assert same_color(patch.get_edgecolor(), "black" if visited or edge.generic else "0.6")
        within = len(edge.source) == len(edge.target)
        assert patch.get_connectionstyle().rad == (0.3 if within else 0.0)
    rates = [t for t in axes.texts if not hasattr(t, "arrow_patch") and ": " not in t.get_text()]
    assert [t.get_text() for t in rates] == ["0.123 $a$", "2", "3", "4", "6 $a$"]
    generic = [arrow for arrow, edge in zip(arrows, EDGES, strict=True) if edge.generic]
    for rate, arrow in zip(rates, generic, strict=True):
        (a, c, b) = middle_line(axes, arrow)
        s = np.linspace(0, 1, 2001)[:, None]
        curve = (1 - s) ** 2 * a + 2 * s * (1 - s) * c + s**2 * b
        here = in_points(axes, [rate.get_position()])
        assert min(np.hypot(*(curve - move - here).T).min() for move in ([0, 0], [-11, 0], [11, 0])) < 0.2


def middle_line(axes, arrow):
    """The curve that Matplotlib itself makes of an arrow, without its head and the gaps at its ends, in points."""
    style = arrow.arrow_patch.get_connectionstyle()
    ends = axes.transData.transform([arrow.get_position(), arrow.xy])
    vertices = style.connect(*ends).vertices * 72 / axes.figure.dpi
    return vertices if len(vertices) == 3 else (vertices[0], vertices.mean(axis=0), vertices[1])


@pytest.mark.parametrize("style", ["paper", "slides"])
@pytest.mark.parametrize("lam", [[4, 2, 1], [2, 1, -1.9]])
def test_no_text_covers_another(lam, style):
    """Boxes of names and rates as they are drawn, of three modes and of three with two that are almost as strong."""
    graph = saddle_graph(fixed_points(Teacher.from_eigenvalues(lam), hidden=4))
    with look(style):
        figure = saddle_graph_figure(graph, [(), (0,), (0, 1)])
    figure.draw_without_rendering()
    boxes = [t.get_window_extent() for t in figure.axes[0].texts if t.get_text()]
    assert len(boxes) > 12
    for box, other in combinations(boxes, 2):
        both = Bbox.intersection(box, other)
        assert both is None or both.width * both.height < 0.15 * min(b.width * b.height for b in (box, other))
    frame = figure.bbox
    assert all(box.x0 > frame.x0 and box.x1 < frame.x1 for box in boxes)


def test_what_the_teacher_ignores_is_left_out():
    """λ = (3, 2, 1) in six dimensions: the eight sets of its modes are shown, and others where a run was there."""
    graph = saddle_graph(fixed_points(Teacher.from_eigenvalues([3, 2, 1], 6), hidden=3))
    assert graph.ignored == {3, 4, 5}
    others = [n for n in graph.nodes if not set(n.learned_modes) <= {0, 1, 2}]
    assert len(graph.nodes) == 8 + len(others) > 8
    shown, said = shown_nodes(graph)
    assert {n.learned_modes for n in shown} == {s for r in range(4) for s in combinations(range(3), r)}
    assert (
        said
        == f"{len(others)} of {len(graph.nodes)} points are not shown: they\nlearn what the teacher ignores"
    )
    assert saddle_graph_figure(graph).axes[0].get_title() == said
    visited = others[0].learned_modes
    shown, said = shown_nodes(graph, [visited])
    assert len(shown) == 9
    assert visited in {n.learned_modes for n in shown}
    assert said.startswith(f"{len(others) - 1} of ")


def test_of_many_points_those_on_generic_ways_are_shown():
    """Five modes of one sign have 32 sets, and one way down, the strongest first."""
    graph = saddle_graph(fixed_points(Teacher.from_eigenvalues([5, 4, 3, 2, 1]), hidden=5))
    shown, said = shown_nodes(graph)
    assert {n.learned_modes for n in shown} == {tuple(range(r)) for r in range(6)}
    assert graph.on_generic_ways == {modes for path in graph.generic_paths() for modes in path}
    assert (
        said
        == f"{len(graph.nodes) - 6} of {len(graph.nodes)} points are not shown: they\nare on no way from small weights"
    )
    texts = {t.get_text() for t in saddle_graph_figure(graph).axes[0].texts}
    assert {"∅", "{1}", "{1, 2}", "{1–3}", "{1–4}", "{1–5}"} <= texts  # ranks are too close for the losses


def test_a_spurious_minimum_that_is_left_is_explained():
    """λ = (3.1, 0.8, −1.4): an arrow leaves {1, 2}, which is a minimum only for positive units."""

    def title(eigenvalues):
        graph = saddle_graph(fixed_points(Teacher.from_eigenvalues(eigenvalues), hidden=4))
        return saddle_graph_figure(graph).axes[0].get_title()

    assert "spare units have either sign" in title([3.1, 0.8, -1.4])
    assert title([3.1, 0.8, 0.4]) == ""


def test_generic_ways_of_both_signs():
    """λ = (2, 1, −1.9): which of two is learned first, the weights decide."""
    graph = saddle_graph(fixed_points(Teacher.from_eigenvalues([2, 1, -1.9]), hidden=4))
    assert len(graph.generic_paths()) > 1
    assert graph.on_generic_ways == {modes for path in graph.generic_paths() for modes in path}
