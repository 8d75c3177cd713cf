"""The staircase figure draws the predicted heights and times beside flow and networks."""

from dataclasses import replace

import numpy as np

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.saddle_to_saddle.staircase import staircase
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


def test_shared_jumps_say_how_many_units():
    """Four aligned units in two inputs: each jump is that of two copies."""
    problem = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(4, 2, scale=0.01, init="aligned"))
    trajectory = GradientFlow(problem).integrate(20.0, samples=50)
    axes = staircase_figure(StaircaseCurves(staircase(problem), trajectory)).axes[0]
    assert [text.get_text() for text in axes.texts] == ["mode 1 (2 units)", "mode 2 (2 units)"]
