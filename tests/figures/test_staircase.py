"""The staircase figure draws the predicted heights and times beside flow and networks."""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from drawn import assert_decades, bands, names

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.problem.levels import Level
from dynamics.saddle_to_saddle.staircase import Jump, Staircase, staircase
from empirical import train
from empirical.experiments.staircase import StaircaseCurves
from figures.staircase import staircase_figure


def test_prediction_flow_and_networks_are_drawn():
    problem = Problem(Teacher.from_eigenvalues([3, 1]), Student.initialise(4, 2, scale=0.05, seed=1))
    prediction = staircase(problem)
    trajectory = GradientFlow(problem).integrate(1.2 * prediction.jumps[-1].time, samples=50)
    run = train(problem, steps=20, step=1e-2, batch=16, seeds=2)
    axes = staircase_figure(StaircaseCurves(prediction, trajectory, run)).axes[0]
    steps = axes.patches[0].get_data()
    np.testing.assert_allclose(steps.edges[1:-1], [jump.time for jump in prediction.jumps])
    np.testing.assert_allclose(steps.values[:-1], [level.loss for level in prediction.levels[:-1]])
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), trajectory.loss)
    assert [text.get_text()[:6] for text in axes.texts] == ["mode 1", "mode 2"]  # λ₁ = 3 is learned first
    for text, jump in zip(axes.texts, prediction.jumps, strict=True):
        assert text.xy[0] == jump.time
        assert min(jump.loss_after, jump.loss_before) <= text.xy[1] <= jump.loss_before
    (networks,) = [line for line in axes.lines if line.get_label() == "median of 2 networks"]
    medians = dict(zip(run.times, run.loss.mean(axis=0), strict=True))  # of two: their mean
    assert len(networks.get_xdata()) > 5
    np.testing.assert_allclose([medians[t] for t in networks.get_xdata()], networks.get_ydata(), rtol=1e-14)
    heavy = replace(run, about={"momentum": 0.75})  # times are those of the flow already
    same = staircase_figure(StaircaseCurves(prediction, trajectory, heavy)).axes[0].lines[-1].get_xdata()
    np.testing.assert_array_equal(same, networks.get_xdata())
    names = [text.get_text() for text in axes.figure.legends[0].get_texts()]
    assert "integrated flow" in names and "median of 2 networks" in names
    assert len(staircase_figure(StaircaseCurves(prediction, trajectory)).axes[0].lines) == 1


def test_a_staircase_that_decay_stops_says_so():
    """On the last plateau, up to the end of the curves, and only there."""
    problem = Problem(
        Teacher.from_eigenvalues([3, 1]), Student.initialise(4, 2, scale=0.01, seed=1), weight_decay=0.07
    )
    prediction = staircase(problem)
    trajectory = GradientFlow(problem).integrate(3 * prediction.jumps[-1].time, samples=50)
    axes = staircase_figure(StaircaseCurves(prediction, trajectory)).axes[0]
    assert [text.get_text() for text in axes.texts] == ["mode 1", "stopped by weight decay"]
    assert axes.texts[-1].xy == (trajectory.times[-1], prediction.levels[-1].loss)


def test_shared_jumps_say_how_many_units():
    """Four aligned units in two inputs: each jump is that of two copies."""
    problem = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(4, 2, scale=0.01, init="aligned"))
    trajectory = GradientFlow(problem).integrate(20.0, samples=50)
    axes = staircase_figure(StaircaseCurves(staircase(problem), trajectory)).axes[0]
    assert [text.get_text() for text in axes.texts] == ["mode 1 (2 units)", "mode 2 (2 units)"]


def made_up(*losses):
    """Plateaus at these heights; jumps at the times 10, 20, 30 are those of modes 3, 2, 1 and of 1, 2, 3 units."""
    pairs = pairwise(losses)
    jumps = [
        Jump(10.0 * (n + 1), 0, 2 - n, (), before, after, tuple(range(n + 1)))
        for n, (before, after) in enumerate(pairs)
    ]
    return Staircase(tuple(Level((), np.zeros(0), 0.0, loss) for loss in losses), tuple(jumps), "1/ε", "")


@pytest.mark.parametrize(("records", "marked"), [(79, 1), (81, 2), (39, 1)])
def test_every_number_in_full(records, marked):
    """From t = 1 to 35; the lowest plateau above rounding is 0.3, so that the axis ends at 0.01 and zero is below it.

    Names stand between the two heights of their jump, as the logarithmic axis shows them.
    """
    t = np.linspace(1, 35, records)
    flow, factors = 90 * np.exp(-t), np.array([0.5, 1, 3])[:, None]
    run = SimpleNamespace(times=t, loss=factors * flow)
    figure = staircase_figure(
        StaircaseCurves(made_up(90.0, 30.0, 0.3, 0.0), SimpleNamespace(times=t, loss=flow), run)
    )
    (axes,) = figure.axes
    steps = axes.patches[0].get_data()
    np.testing.assert_array_equal(steps.edges, [1, 10, 20, 30, 35])
    np.testing.assert_allclose(steps.values, [90, 30, 0.3, 0.005])
    line, networks = axes.lines
    np.testing.assert_array_equal(line.get_xydata(), np.stack([t, flow], axis=1))
    np.testing.assert_allclose(networks.get_xydata(), np.stack([t, flow], axis=1)[::marked])
    (band,) = bands(axes)
    np.testing.assert_allclose([band[x] for x in t.tolist()], np.outer(flow, [0.6, 2.6]))
    assert [text.get_text() for text in axes.texts] == ["mode 3", "mode 2 (2 units)", "mode 1 (3 units)"]
    heights = [np.sqrt(90 * 30), np.sqrt(30 * 0.3), np.sqrt(0.3 * 0.01)]
    np.testing.assert_allclose([text.xy for text in axes.texts], np.stack([[10, 20, 30], heights], axis=1))
    assert axes.get_ylim() == pytest.approx((0.01, 180))
    assert axes.get_xlim() == (1, 35)
    assert axes.get_yscale() == "log"
    assert_decades(axes.yaxis)
    assert axes.get_xlabel() == "time $t$ of the flow"
    assert axes.get_ylabel() == "loss $L$ (squared output units)"
    assert names(figure) == ["integrated flow", "predicted staircase", "median of 3 networks"]


def test_small_and_large_plateaus():
    """A plateau of 1e-6 counts, one of 1e-12 does not; where all are high the axis ends at 1/30; names stay on it."""
    t = np.linspace(0, 35, 9)
    curve = SimpleNamespace(times=t, loss=1 + t)
    (axes,) = staircase_figure(StaircaseCurves(made_up(1.0, 1e-6, 1e-12), curve)).axes
    assert axes.get_ylim() == pytest.approx((1e-6 / 30, 2))
    (axes,) = staircase_figure(StaircaseCurves(made_up(90.0, 30.0), curve)).axes
    assert axes.get_ylim() == pytest.approx((1 / 30, 180))
    (axes,) = staircase_figure(StaircaseCurves(made_up(90.0, 1e-12, 1e-13), curve)).axes
    np.testing.assert_allclose([text.xy[1] for text in axes.texts], [np.sqrt(90 / 30), 1 / 30])
