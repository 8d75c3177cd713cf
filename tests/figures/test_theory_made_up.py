"""Atlas, saddle graph, drift, twins, activations and depth: limits, bands, labels; made-up or small data."""

from dataclasses import replace

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.stationary import fixed_points
from dynamics.stationary.connections import saddle_graph
from dynamics.stationary.matching import catalogue_flow, match_fixed_points
from dynamics.stationary.search import search_fixed_points
from empirical.conserved import ConservedCurves, DriftScaling
from empirical.experiments.activations import ActivationCurves
from empirical.experiments.invariance import Invariance
from empirical.hannet.check import HanCheck
from empirical.training_run import TrainingRun
from figures.activations import activations_figure
from figures.atlas import atlas_figure
from figures.conserved import conserved_along_training, drift_against_step
from figures.hannet import gradient_norms
from figures.invariance import ROUNDING, invariance_figure
from figures.saddle_graph import saddle_graph_figure


@pytest.fixture(scope="module")
def catalogue():
    """λ = (2, ½), two units: L_{1} = ¼ + ¼/3 (theory, section 3) is the lowest that is not 0."""
    found = fixed_points(Teacher.from_eigenvalues([2, 0.5]), hidden=2)
    assert sorted(p.loss for p in found.feasible)[1] == pytest.approx(1 / 3)
    return found


@pytest.fixture(scope="module")
def match(catalogue):
    return match_fixed_points(search_fixed_points(catalogue_flow(catalogue), 20), catalogue)


def test_atlas_axes(catalogue, match):
    """Room below for a loss of 0; linear up to the lowest loss that is not 0."""
    points = catalogue.feasible
    (axes,) = atlas_figure(points, match).axes
    losses = sorted(p.loss for p in points)
    assert axes.get_ylim() == pytest.approx((-0.15 * losses[1], 1.4 * losses[-1]))
    assert axes.yaxis.get_transform().linthresh == pytest.approx(losses[1])
    assert axes.get_yscale() == "symlog"
    levels = [line.get_ydata()[0] for line in axes.lines if len(set(line.get_ydata())) == 1]
    assert sorted(levels) == pytest.approx(losses)
    assert axes.get_xlabel() == "Morse index (negative eigenvalues of the Hessian)"
    assert axes.get_ylabel() == "loss $L$ (squared output units)"


def test_atlas_markers_grow_with_the_hits(catalogue, match):
    """By 14 points of area for every factor of ten."""
    (axes,) = atlas_figure(catalogue.feasible, match).axes
    sizes = sorted(s for collection in axes.collections for s in collection.get_sizes())
    assert sizes == pytest.approx(sorted(22 + 14 * np.log10(root.hits) for root in match.search.roots))
    labels = {str(c.get_label()) for c in axes.collections}
    assert labels <= {
        f"found: {name}" for name in ("global minimum", "local minimum", "saddle", "degenerate saddle")
    }


def test_axes_of_large_losses(match):
    """Where all losses are above 1, the axes are linear up to 1."""
    large = fixed_points(Teacher.from_eigenvalues([8, 4]), hidden=2)
    for figure in (atlas_figure(large.feasible, match), saddle_graph_figure(saddle_graph(large))):
        assert figure.axes[0].yaxis.get_transform().linthresh == 1


def test_modes_learned_at_once_are_on_the_path_too(catalogue):
    """From nothing to both modes: no edge of single jumps, but where the network went."""
    graph = saddle_graph(catalogue)
    assert ((), (0, 1)) not in {(edge.source, edge.target) for edge in graph.edges}
    arrows = []
    for visited in ([], [(), (0, 1)]):
        (axes,) = saddle_graph_figure(graph, visited).axes
        arrows.append([t for t in axes.texts if getattr(t, "arrow_patch", None)])
    (leap,) = arrows[1][len(arrows[0]) :]
    places = {t.get_text().split(":")[0]: t.xy for t in axes.texts if ": " in t.get_text()}
    assert (leap.get_position(), leap.xy) == (places["∅"], places["{1, 2}"])
    assert leap.arrow_patch.get_linewidth() == 2.4


def test_drift_along_training_axes():
    """Five quantities at most, fourteen markers; a little room at the right; errors are those of the mean of three."""
    t = np.linspace(0, 2, 100)
    predicted = 1 + np.outer(t, np.arange(7))
    measured = predicted + np.array([-1, 0, 4])[:, None, None] * t[:, None]
    names = tuple(f"c_{q}" for q in range(7))
    figure = conserved_along_training(ConservedCurves(names, t, measured, predicted))
    assert len(figure.axes) == 5
    axes = figure.axes[2]
    assert axes.get_xlim() == pytest.approx((0, 2.04))
    markers, _, (bars,) = axes.containers[0]
    at = markers.get_xdata()
    assert (len(at), at[0], at[-1]) == (14, 0, 2)
    np.testing.assert_allclose(markers.get_ydata(), 3 * at)
    halves = [np.ptp(s[:, 1]) / 2 for s in bars.get_segments()]
    np.testing.assert_allclose(halves, at * np.std([-1, 0, 4], ddof=1) / np.sqrt(3), atol=1e-14)
    assert figure.axes[0].get_title() == f"drift of 5 of {len(names)} quantities, in squared weights"


def test_drift_of_either_sign_and_many_quantities():
    """Absolute values, sorted by the step; five of seven."""
    step = np.array([1e-2, 1e-3, 3e-3])
    predicted = np.outer(step, [0.5, -0.2, 1, 1, 1, 1, 1])
    data = DriftScaling(2.0, step, -1.1 * predicted, predicted, tuple(f"c_{q}" for q in range(7)))
    (axes,) = drift_against_step(data).axes
    assert len(axes.lines) == 10
    assert axes.get_xlabel() == "learning rate $\\eta$"
    np.testing.assert_allclose(axes.lines[2].get_ydata(), 0.2 * np.sort(step))
    np.testing.assert_allclose(axes.lines[3].get_xydata(), np.stack([np.sort(step), 0.22 * np.sort(step)], 1))
    assert len({line.get_marker() for line in axes.lines[1::2]}) == 5


def test_twins():
    """Differences from 1/30 of the rounding level to 10; about fifteen markers a curve; legends of both axes."""
    steps = np.arange(0, 60)
    curve = np.linspace(1, 0.5, 60)
    result = Invariance(
        steps, {"gsgd": 0 * curve, "sgd": curve}, {"gsgd": 0 * curve, "sgd": curve / 2},
        {"gsgd": np.array([curve, curve]), "sgd": np.array([curve, curve])}, 1, 1, 1, (0, 0), {},
    )  # fmt: skip
    figure = invariance_figure(result)
    above, below = figure.axes
    assert above.get_ylim() == pytest.approx((ROUNDING / 30, 10))
    assert below.get_xlim() == (0, 59)
    assert {line.get_markevery() for line in above.lines[:4]} == {4}
    assert above.get_ylabel() == "relative difference of\nthe two copies"
    assert (below.get_xlabel(), below.get_ylabel()) == (
        "optimiser step",
        "batch loss\n(squared output units)",
    )
    assert set(above.lines[4].get_ydata()) == {ROUNDING}
    assert above.texts[0].xy == (1, ROUNDING)
    assert [line.get_linestyle() for line in above.lines[:4]] == ["-", ":", "-", ":"]
    texts = [t.get_text() for t in figure.legends[0].get_texts()]
    assert texts == ["G-SGD: path values", "G-SGD: function", "SGD: path values", "SGD: function"]
    assert [t.get_text() for t in below.get_legend().get_texts()] == ["original", "rescaled copy"]
    few = replace(result, steps=steps[:10], loss={k: v[:, :10] for k, v in result.loss.items()},
                  path_difference={k: v[:10] for k, v in result.path_difference.items()},
                  function_difference={k: v[:10] for k, v in result.function_difference.items()})  # fmt: skip
    assert invariance_figure(few).axes[0].lines[0].get_markevery() == 1


def test_depth_bands_are_deciles():
    """Eleven stacks, factors 0 … 1 of one curve: 0.1, 0.5, 0.9."""
    layer = np.arange(31)
    norms = np.linspace(0, 1, 11)[:, None] * 10.0 ** (layer - 30)
    check = HanCheck(
        np.ones(3), 0.0, np.ones(2), {"hannet": 1, "dense": 2}, {},
        {name: norms for name in ("hannet", "relu", "relu-default")}, {"layers": 30},
    )  # fmt: skip
    figure = gradient_norms(check)
    (axes,) = figure.axes
    assert axes.get_xlim() == (0, 30)
    assert axes.get_yscale() == "log"
    assert axes.get_xlabel() == r"layer $l$"
    assert axes.get_ylabel() == r"$\|\partial L/\partial h_l\|$ relative to the last layer"
    for band, line in zip(axes.collections, axes.lines, strict=True):
        np.testing.assert_allclose(line.get_ydata(), 0.5 * 10.0 ** (layer - 30))
        np.testing.assert_array_equal(line.get_xdata(), layer)
        assert line.get_markevery() == 3
        v = band.get_paths()[0].vertices
        for n in layer:
            at = v[v[:, 0] == n, 1]
            assert (at.min(), at.max()) == pytest.approx((0.1 * 10.0 ** (n - 30), 0.9 * 10.0 ** (n - 30)))
    assert [t.get_text() for t in axes.get_legend().get_texts()] == [
        *("Han layers", "ReLU layers, He initialisation", "ReLU layers, PyTorch's default")
    ]


def test_activations_are_relative_to_the_start():
    """Loss over L(0), networks too: eleven with factors 1/6 … 11/6; four decades, four of five modes."""
    T = np.linspace(0, 6, 61)
    teacher = Teacher.from_eigenvalues([5, 4, 3, 2, 1])
    problem = Problem(teacher, Student.initialise(2, 5, scale=0.3, seed=1))
    flow = GradientFlow(problem).integrate(times=T[:3])
    flow = replace(
        flow, times=T, loss=40 * 10.0**-T, modes=np.outer(T / 6, [5, 4, 3, 2, 1]),
        coordinates=np.repeat(flow.coordinates[:1], 61, 0), A=np.repeat(flow.A[:1], 61, 0),
    )  # fmt: skip
    factors = np.arange(1, 12)[:, None] / 6
    run = TrainingRun(
        np.arange(61), T, factors * flow.loss, factors[..., None] * flow.modes, np.zeros((11, 61, 2)), None,
        np.zeros((11, 61, 1, 2)), "x",
    )  # fmt: skip
    figure = activations_figure([ActivationCurves(flow, run)])
    left, right = figure.axes
    assert left.get_ylim() == pytest.approx((1e-4, 2))
    assert left.get_xlim() == right.get_xlim() == (0, 6)
    (band,) = [c for c in left.collections if c.get_paths()[0].vertices.shape[0] > 50]
    v = band.get_paths()[0].vertices
    for n in (0, 30, 60):
        at = v[np.isclose(v[:, 0], T[n]), 1]
        assert (at.min(), at.max()) == pytest.approx((10.0 ** -T[n] / 3, 10.0 ** -T[n] * 10 / 6))
    (markers,) = [line for line in left.lines if line.get_linestyle() == "None"]
    t, y = markers.get_data()
    np.testing.assert_allclose(y, 10.0**-t)
    assert t.max() < 4 and 6 <= len(t) <= 12
    drawn = [line for line in right.lines if line.get_linestyle() == "None" and len(line.get_xdata())]
    assert len(drawn) == 4
    for line in drawn:
        np.testing.assert_allclose(line.get_ydata(), line.get_xdata() / 6)
    assert set(right.lines[0].get_ydata()) == {1}
    assert left.get_yscale() == "log"
    assert (left.get_ylabel(), right.get_ylabel()) == ("loss $L/L(0)$", r"mode / $\lambda_i$")
    assert figure.get_supxlabel() == "time $t$ of the flow"
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert [text for text in texts if text.startswith("mode")] == [
        rf"mode $\lambda_{i + 1} = {5 - i}$" for i in range(4)
    ]
    assert "11 networks" in texts
    heavy = activations_figure([ActivationCurves(flow, replace(run, about={"momentum": 0.5}))])
    for axes, twin in zip(figure.axes, heavy.axes, strict=True):
        for line, slow in zip(axes.lines, twin.lines, strict=True):  # times are those of the flow already
            np.testing.assert_array_equal(slow.get_xdata(), line.get_xdata())
    alone = activations_figure([ActivationCurves(flow, replace(run, loss=run.loss[:1], modes=run.modes[:1]))])
    assert "1 network" in [text.get_text() for text in alone.legends[0].get_texts()]
