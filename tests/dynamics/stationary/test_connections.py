"""The saddle-to-saddle graph: theory against the Hessian and the flow, and against what learning curves visit."""

import json

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.saddle_to_saddle.staircase import staircase
from dynamics.stationary.catalogue import fixed_points
from dynamics.stationary.connections import BLOW_UP, LINEAR, saddle_graph
from dynamics.stationary.visited import visited
from empirical.training import train
from oracles.followed_connections import follow_connections


def catalogue_of(eigenvalues, hidden, d=None, **options):
    return fixed_points(Teacher.from_eigenvalues(eigenvalues, d), hidden, **options)


def keys(graph):
    return {(edge.source, edge.target, edge.kind) for edge in graph.edges}


def test_growth_rates_of_the_staircase():
    """λ = (4, 2, 1): g = 4λ̃ = 30, 12, 5 down the generic path, and the rates of the shortcuts at the origin."""
    graph = saddle_graph(catalogue_of([4, 2, 1], 3))
    assert graph.generic_paths() == (((), (0,), (0, 1), (0, 1, 2)),)
    path = graph.follow(graph.generic_paths()[0])
    assert [edge.growth_rate for edge in path] == pytest.approx([30, 12, 5])
    assert [edge.kind for edge in path] == [BLOW_UP] * 3
    assert [edge.growth_rate for edge in graph.edges_from(())] == pytest.approx([30, 22, 18])
    fixed = saddle_graph(catalogue_of([4, 2, 1], 3, second_layer="fixed", second_layer_value=0.5))
    assert [edge.growth_rate for edge in fixed.follow(graph.generic_paths()[0])] == pytest.approx(
        [15, 6, 2.5]
    )
    assert {edge.kind for edge in fixed.edges} == {LINEAR}


def test_both_signs_branch():
    """λ = (4, 2, −1): after mode 0 either sign may come first, as the weights will have it."""
    graph = saddle_graph(catalogue_of([4, 2, -1], 3))
    assert graph.generic_paths() == (
        ((), (0,), (0, 1), (0, 1, 2)),
        ((), (0,), (0, 2), (0, 1, 2)),
    )


def test_a_minimum_of_the_catalogue_that_connections_leave_is_named():
    """λ = (3.1, 0.8, −1.4): {0, 1} is a minimum for a spare unit a > 0, and a saddle for one of a < 0.

    The catalogue for given signs is the witness: with a negative unit its Hessian has a negative eigenvalue.
    """
    lam = [3.1, 0.8, -1.4]
    graph = saddle_graph(catalogue_of(lam, 4))
    assert graph.left_minima == ((0, 1),) and "{0, 1} is a spurious minimum" in graph.either_sign
    assert catalogue_of(lam, 4).point([0, 1]).kind == "spurious minimum"
    assert catalogue_of(lam, 4, signs="+,+,+,-").point([0, 1]).kind == "saddle"
    for unambiguous in (
        catalogue_of(lam, 4, signs="+,+,+,+"),
        catalogue_of(lam, 4, signs="+,+,-,-"),
        catalogue_of(lam, 2),
        catalogue_of([4, 2, 1], 4),
        catalogue_of(lam, 4, second_layer="fixed"),
    ):
        assert saddle_graph(unambiguous).left_minima == () and saddle_graph(unambiguous).either_sign == ""


@pytest.mark.parametrize(
    ("eigenvalues", "hidden", "options"),
    [
        ([4, 2, 1], 3, {}),
        ([4, 2, -1], 4, {"activation": "centred"}),
        ([3, 3, 1, -2], 3, {}),
        ([4, 2, 1], 2, {"second_layer": "fixed"}),
        ([-4, 2, -1], 3, {"second_layer": "fixed", "second_layer_value": -0.7}),
    ],
)
def test_edges_lead_down_and_saddles_have_some(eigenvalues, hidden, options):
    """Every edge lowers the loss; a node has none if and only if no student of its size does better or it is trapped.

    With spare units at the origin, and a trained, only a point that uses all its units can be a minimum.
    """
    graph = saddle_graph(catalogue_of(eigenvalues, hidden, **options))
    for edge in graph.edges:
        assert graph.node(edge.target).loss < graph.node(edge.source).loss
        assert edge.growth_rate > 0
    for node in graph.nodes:
        ends = not graph.edges_from(node.learned_modes)
        if options.get("second_layer") == "fixed":
            assert ends == (node.kind in ("global minimum", "spurious minimum"))
        elif node.kind == "global minimum":
            assert ends
        elif node.rank < hidden:
            assert not ends


@pytest.mark.parametrize(
    ("eigenvalues", "hidden", "options"),
    [
        ([4, 2, 1], 3, {}),
        ([4, 2, -1], 3, {}),
        ([2, 2, 1], 3, {}),
        ([5, -1], 2, {}),
        ([2, -1.9], 1, {}),
        ([4, 2, 1], 2, {"second_layer": "fixed"}),
        ([3, 1], 3, {"activation": "centred", "second_layer": "fixed", "second_layer_value": 0.6}),
    ],
)
def test_the_flow_makes_the_same_connections(eigenvalues, hidden, options):
    """Followed from saddle to saddle, with rates from the Hessian and the velocity: the same edges, the same rates.

    (5, −1) is the case in which a mode is given up because its learned value changes sign. Rates to 1e-7: eigenvalues
    of the Hessian to rounding, of G up to terms of relative order 1e-10.
    """
    catalogue = catalogue_of(eigenvalues, hidden, **options)
    theory, followed = saddle_graph(catalogue), follow_connections(catalogue, mixtures=2)
    assert keys(followed) == keys(theory)
    rates = {(edge.source, edge.target, edge.kind): edge for edge in theory.edges}
    for edge in followed.edges:
        expected = rates[edge.source, edge.target, edge.kind]
        assert edge.growth_rate == pytest.approx(expected.growth_rate, rel=1e-7)
        assert expected.generic or not edge.generic


def test_following_with_correlated_inputs():
    """Σ that mixes the teacher's directions: no rates per mode in closed form, but the flow still connects levels.

    The origin is left with the eigenvalues of G = 4ΣM*Σ + 2 tr(M*Σ) Σ; the fastest leads to the largest mode.
    """
    Sigma = np.array([[1.0, 0.3], [0.3, 0.8]])
    catalogue = catalogue_of([4, 2], 2, covariance=Sigma)
    with pytest.raises(ProblemError, match="covariance"):
        saddle_graph(catalogue)
    graph = follow_connections(catalogue, mixtures=1)
    M = np.diag([4.0, 2.0])
    G = 4 * Sigma @ M @ Sigma + 2 * np.trace(M @ Sigma) * Sigma
    first, second = graph.follow([(), (0,), (0, 1)])
    assert first.growth_rate == pytest.approx(np.linalg.eigvalsh(G)[-1], rel=1e-7)
    assert first.generic
    assert second is not None
    for edge in graph.edges:
        assert graph.node(edge.target).loss < graph.node(edge.source).loss


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_connections_do_not_depend_on_the_units(factor):
    """λ → cλ: the same edges, with growth rates of G times c at the origin."""
    one, other = (follow_connections(catalogue_of([2 * c, c], 2), mixtures=0) for c in (1.0, factor))
    assert keys(one) == keys(other)
    rates = [
        {(e.source, e.target): e.growth_rate for e in graph.edges if e.source == 0} for graph in (one, other)
    ]
    for edge, rate in rates[0].items():
        assert rates[1][edge] == pytest.approx(factor * rate, rel=1e-6)


def test_small_initialisations_follow_the_graph():
    """Plateaus visited by the flow, and by the staircase, are a generic path of the graph."""
    teacher = Teacher.from_eigenvalues([4, 2, -1], 6)
    graphs = [
        saddle_graph(fixed_points(teacher, 8)),
        follow_connections(fixed_points(teacher, 3), mixtures=0),
    ]
    for seed in (1, 2):
        problem = Problem(teacher, Student.initialise(8, 6, scale=0.01, seed=seed))
        prediction = staircase(problem)
        path = [level.learned for level in prediction.levels]
        flow = GradientFlow(problem).integrate(2 * prediction.jumps[-1].time, samples=801)
        stages = visited(flow, problem)
        assert [stage.learned_modes for stage in stages] == path
        assert [s.level.loss for s in stages] == pytest.approx([level.loss for level in prediction.levels])
        for graph in graphs:
            steps = graph.follow(path)
            assert None not in steps
        assert all(edge.generic for edge in graphs[0].follow(path))


def test_trained_networks_follow_the_graph():
    """PyTorch networks: median and single network take the steps of the graph."""
    teacher = Teacher.from_eigenvalues([4, 2, 1], 6)
    problem = Problem(teacher, Student.initialise(8, 6, scale=0.03, seed=4))
    run = train(problem, steps=5000, step=2.5e-3, batch=128, seeds=2)
    graph = saddle_graph(fixed_points(teacher, 8))
    for seed in (None, 0):
        path = [stage.learned_modes for stage in visited(run, problem, seed)]
        assert path == [(), (0,), (0, 1), (0, 1, 2)]
        assert all(edge is not None and edge.generic for edge in graph.follow(path))
    with pytest.raises(ProblemError, match="covariance"):
        visited(run, Problem(teacher, problem.student, covariance=2 * np.eye(6)))


def test_points_without_weights_of_their_own_are_left_out():
    """λ = (3, 0, −1): {2} has μ = −1 + 3/3 = 0, so that two units cancel: the same M and loss as the origin."""
    catalogue = catalogue_of([3, 0, -1], 3)
    assert catalogue.point([2]).loss == pytest.approx(catalogue.point([]).loss)
    graph = saddle_graph(catalogue)
    assert (2,) not in {node.learned_modes for node in graph.nodes}
    with pytest.raises(ProblemError, match="learned"):
        graph.node([2])


def test_output():
    """JSON keys; what a step gives up."""
    graph = saddle_graph(catalogue_of([4, 2, 1], 3))
    data = json.loads(json.dumps(graph.to_dict()))["connections"]
    assert len(data) == len(graph.edges) == 18
    assert data[0] == {
        "from": [],
        "to": [0],
        "mode": 0,
        "growth_rate": pytest.approx(30),
        "kind": "blow-up",
        "generic": True,
    }
    (edge,) = graph.follow([(2,), (1,)])
    assert (edge.mode, edge.given_up) == (1, (2,))
    assert edge.growth_rate == pytest.approx(4 * ((1 + 6 / 3) / 2) ** (1 / 3) * (2 - 1))
    assert graph.follow([(0, 1), ()]) == (None,)


def test_refused():
    """Fixed layers of different values."""
    teacher = Teacher.from_eigenvalues([4, 2])
    student = Student(np.zeros((2, 2)), [1.0, 2.0], trainable=False)
    with pytest.raises(ProblemError, match="common value"):
        saddle_graph(fixed_points(Problem(teacher, student)))
