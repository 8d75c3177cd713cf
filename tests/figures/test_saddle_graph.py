"""The saddle graph shows every feasible node, every edge and the visited path."""

from dynamics import Teacher
from dynamics.atlas import fixed_points
from dynamics.atlas.connections import saddle_graph
from figures.saddle_graph import saddle_graph_figure


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
