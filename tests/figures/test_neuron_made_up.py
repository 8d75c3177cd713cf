"""Bands, limits and legends of the figures of quadratic neurons: made-up data."""

from dataclasses import replace

import numpy as np
import pytest
from drawn import assert_decades, bands

from dynamics.neuron import NeuronFlow, Neurons, QuadraticTarget, Rates
from dynamics.neuron.function_space import FunctionSpace
from empirical.experiments.neuron_rates import NeuronCurves
from empirical.neuron.collapse import CollapseStudy
from empirical.neuron.training import train_neurons
from figures.markers import markers_along
from figures.neuron import collapse_map, function_space, neuron_curves
from figures.style import LINES, MARKERS

T = np.linspace(0, 4, 41)
FACTORS = np.arange(1, 12)[:, None] / 6  # deciles 2/6 and 10/6, median 1


@pytest.fixture(scope="module")
def flow():
    """A solution whose loss is replaced by eight decades in four units of time."""
    target, start = QuadraticTarget.random(2, seed=1), Neurons.initialise(1, 2, seed=1)
    trajectory = NeuronFlow(target, start).integrate(t_end=0.1, samples=3)
    run = train_neurons(target, start, steps=1, step=0.01, batch=4, seeds=1, records=2)
    return replace(trajectory, times=T, loss=100 * 10.0 ** (-2 * T)), run


def networks(flow, loss):
    return replace(flow[1], times=T, loss=loss)


def test_bands_floor_and_markers(flow):
    """Six decades below the largest loss: markers end there, at t = 3; the axis a factor 1.5 lower."""
    figure = neuron_curves([NeuronCurves(flow[0], networks(flow, FACTORS * flow[0].loss))])
    (axes,) = figure.axes
    assert axes.get_ylim() == pytest.approx((1e-4 / 1.5, 200))
    assert axes.get_xlim() == (0, 4)
    (band,) = axes.collections
    v = band.get_paths()[0].vertices
    for t, loss in zip(T, flow[0].loss, strict=True):
        at = v[np.isclose(v[:, 0], t), 1]
        assert (at.min(), at.max()) == pytest.approx((loss / 3, loss * 10 / 6))
    (markers,) = [line for line in axes.lines if line.get_linestyle() == "None"]
    t, y = markers.get_data()
    np.testing.assert_allclose(y, 100 * 10.0 ** (-2 * t))
    assert 2.8 < t.max() < 3.01
    assert 10 <= len(t) <= 16
    assert axes.get_yscale() == "log"
    assert axes.get_ylabel() == "loss $L$ (squared output units)"
    title = figure.legends[0].get_title().get_text()
    assert title.endswith("lines: gradient flow, markers: trained networks")


def test_the_shallow_and_the_alone(flow):
    """Without networks the title says so; a loss that falls little has no floor; the longest curve sets the axis."""
    slow = replace(flow[0], times=2 * T, loss=2 - T / 4, rates=Rates(g=0.5, b=0.5), shrink=0.25)
    figure = neuron_curves([NeuronCurves(replace(flow[0], loss=2 - T / 4)), NeuronCurves(slow)])
    (axes,) = figure.axes
    assert axes.get_ylim() == pytest.approx((1 / 1.5, 4))
    assert axes.get_xlim() == (0, 8)
    assert figure.legends[0].get_title().get_text().endswith("lines: gradient flow")
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [r"$\gamma = 1$", r"$\gamma = 0.5$, $\lambda = 0.25$"]
    assert [line.get_linestyle() for line in axes.lines[:3:2]] == ["-", "--"]


def test_markers_are_spaced_along_the_curve(flow):
    """A drop at half time: as many markers as the flat parts together, and the first and last sample."""
    times = np.linspace(0, 4, 401)
    drop = np.where(times < 2, 100.0, 1.0)[None]
    flat = replace(flow[0], times=times, loss=drop[0])
    axes = neuron_curves([NeuronCurves(flat, replace(flow[1], times=times, loss=drop))]).axes[0]
    (markers,) = [line for line in axes.lines if line.get_linestyle() == "None"]
    t = markers.get_xdata()
    assert t[0] == 0 and t[-1] == pytest.approx(4, abs=0.3)
    assert len(t) <= 16 / 2 + 2
    steady = replace(flow[1], times=times, loss=np.ones((1, 401)))
    axes = neuron_curves([NeuronCurves(flat, steady)]).axes[0]
    (markers,) = [line for line in axes.lines if line.get_linestyle() == "None"]
    np.testing.assert_allclose(np.diff(markers.get_xdata()), 4 / 15, atol=0.011)


def test_the_best_affine_loss_is_shown_where_it_is_in_sight(flow):
    affine = flow[0].target.best_affine_loss
    near = replace(flow[0], loss=np.linspace(2 * affine, 0.5 * affine, 41))
    axes = neuron_curves([NeuronCurves(near)]).axes[0]
    (dotted,) = [line for line in axes.lines if len(line.get_ydata()) == 2]
    assert set(dotted.get_ydata()) == {affine}
    assert axes.texts[0].xy == (1, affine)
    far = replace(flow[0], loss=np.linspace(3 * affine, 2 * affine, 41))
    assert not neuron_curves([NeuronCurves(far)]).axes[0].texts


def test_collapse_is_in_per_cent():
    """White at 0, mid grey at 100 so that numbers can be read on it; titles say of how many."""
    fractions = {"random": np.array([[0.004, 0.006]]), "relinear": np.array([[0.5, 1.0]])}
    figure = collapse_map(CollapseStudy(np.array([0.1, 0.25]), np.array([0.5]), fractions, 200))
    above, below = figure.axes
    assert [t.get_text() for t in above.texts] == ["0", "1"]
    assert [t.get_text() for t in below.texts] == ["50", "100"]
    assert above.images[0].get_clim() == (0, 100)
    assert all(spine.get_visible() for spine in above.spines.values())  # a frame about the cells
    assert above.get_title() == "random start: diverging runs (% of 200)"
    assert below.get_title() == "ReLinear start: diverging runs (% of 200)"
    assert [t.get_text() for t in below.get_xticklabels()] == ["0.1", "0.25"]
    assert (below.get_xlabel(), below.get_ylabel()) == (r"learning rate $\eta$", r"$\gamma_g = \gamma_b$")


def test_function_space():
    """d = 2: quadratic neurons reach all 6 dimensions; room for the text above."""
    space = FunctionSpace(2, np.array([1, 2, 3]), np.array([5, 6, 6]), np.array([3, 5, 6]), 6)
    figure = function_space(space)
    (axes,) = figure.axes
    assert axes.get_ylim() == pytest.approx((0, 1.15 * 6))
    assert set(axes.lines[0].get_ydata()) == {6}
    assert axes.texts[0].get_text() == "all polynomials of degree 2, $d = 2$: 6"
    assert axes.texts[0].xy == (1, 6)
    assert axes.get_xlabel() == "hidden units $h$"
    assert axes.get_ylabel() == "dimension of the functions reached"
    lines = [line for line in axes.lines if len(line.get_xdata()) == 3]
    assert [line.get_linestyle() for line in lines] == ["-", "None", "--", "None"]
    assert lines[0].get_color() == lines[1].get_color() != lines[2].get_color() == lines[3].get_color()
    np.testing.assert_array_equal(lines[1].get_ydata(), space.quadratic)
    np.testing.assert_array_equal(lines[3].get_ydata(), space.ordinary)
    # formulas, not ranks: quadratic neurons reach all from h = 1 on, ordinary ones the 3 × 3 matrices of rank h
    assert lines[0].get_ydata().tolist() == [6, 6, 6]
    assert lines[2].get_ydata().tolist() == [3, 5, 6]
    legend = axes.get_legend()
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["quadratic neurons", "ordinary neurons, $\\varphi(z) = z^2$"]
    for handle, line, marks in zip(legend.legend_handles, lines[::2], lines[1::2], strict=True):
        assert (handle.get_color(), handle.get_linestyle()) == (line.get_color(), line.get_linestyle())
        assert handle.get_marker() == marks.get_marker()
    (everything,) = [line for line in axes.lines if len(line.get_ydata()) == 2]
    assert set(everything.get_ydata()) == {6}
    assert legend.get_title().get_text() == "lines: formula, markers: exact rank"
    ticks = axes.xaxis.get_major_locator().tick_values(0.9, 2.1)
    assert all(tick == round(tick) for tick in ticks)


def test_curves_with_and_without_networks(flow):
    """Markers in the legend where there are networks; sixteen at most along each; deciles of three are 0.6 and 2.6."""
    factors = np.array([0.5, 1, 3])[:, None]
    slow = replace(flow[0], loss=10 * flow[0].loss)
    figure = neuron_curves(
        [NeuronCurves(flow[0], networks(flow, factors * flow[0].loss)), NeuronCurves(slow)]
    )
    (axes,) = figure.axes
    (band,) = bands(axes)
    np.testing.assert_allclose([band[t] for t in T.tolist()], np.outer(flow[0].loss, [0.6, 2.6]))
    shown = markers_along(T, np.log10(np.maximum(flow[0].loss, 1e-3)), 16)
    (markers,) = [line for line in axes.lines if line.get_linestyle() == "None"]
    np.testing.assert_array_equal(markers.get_xdata(), T[shown[flow[0].loss[shown] >= 1e-3]])
    assert figure.legends[0].get_title().get_text() == (
        "relative rate $\\gamma$ of the quadratic weights\nlines: gradient flow, markers: trained networks"
    )
    handles = [line for line in axes.lines if not len(line.get_xdata())]
    assert [line.get_marker() for line in handles] == [MARKERS[0], ""]
    assert markers.get_marker() == MARKERS[0]
    curves = [line for line in axes.lines if len(line.get_xdata()) == 41]
    assert (
        [line.get_linestyle() for line in curves]
        == [line.get_linestyle() for line in handles]
        == [*LINES[:2]]
    )
    assert axes.get_xlabel() == "time $t$ of the flow"
    assert_decades(axes.yaxis)
    nothing = replace(flow[0], loss=np.zeros(41))
    zero = neuron_curves([NeuronCurves(nothing, networks(flow, np.zeros((1, 41))))])
    assert zero.axes[0].get_yscale() == "linear"


def test_cells_have_no_ticks():
    study = CollapseStudy(
        np.array([0.1]), np.array([0.5]), {name: np.ones((1, 1)) for name in ("random", "relinear")}, 5
    )
    for axes in collapse_map(study).axes:
        for axis in (axes.xaxis, axes.yaxis):
            assert {tick.tick1line.get_markersize() for tick in axis.get_major_ticks()} == {0}
