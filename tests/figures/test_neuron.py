"""The figures of quadratic neurons, from made-up and small data."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from dynamics.neuron import NeuronFlow, Neurons, QuadraticTarget, Rates, function_space_dimensions
from empirical.experiments.neuron_rates import NeuronCurves
from empirical.neuron.collapse import CollapseStudy
from empirical.neuron.training import train_neurons
from figures.neuron import collapse_map, function_space, neuron_curves
from figures.style import COLUMN_WIDTH


def assert_inside_column(figure):
    """Nothing is cut off at single-column width, and no two titles or labels overlap."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    assert figure.get_size_inches()[0] == COLUMN_WIDTH
    tight = figure.get_tightbbox(canvas.get_renderer())
    assert tight.x0 >= -0.01 and tight.x1 <= COLUMN_WIDTH + 0.01
    boxes = [
        text.get_window_extent()
        for axes in figure.axes
        for text in (axes.title, axes.xaxis.label, axes.yaxis.label)
        if text.get_text()
    ]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[i + 1 :])


@pytest.fixture(scope="module")
def curves():
    """Two choices of rates, the second without trained networks and shrunk."""
    target, start = QuadraticTarget.random(3, seed=1), Neurons.initialise(3, 3, seed=1)
    first = NeuronFlow(target, start).integrate(t_end=3.0, samples=31)
    run = train_neurons(target, start, steps=300, step=0.01, batch=64, seeds=3, records=31)
    second = NeuronFlow(target, start, Rates(g=0.2, b=0.1), 0.3).integrate(t_end=3.0, samples=31)
    return [NeuronCurves(first, run), NeuronCurves(second)]


def test_curves_show_the_flow_as_lines_and_training_as_markers(curves):
    figure = neuron_curves(curves)
    (axes,) = figure.axes
    lines = [line for line in axes.lines if len(line.get_xdata()) == 31]
    for line, curve in zip(lines, curves, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), curve.trajectory.loss)
    assert len({str(line.get_linestyle()) for line in lines}) == 2  # told apart without colour
    median = np.median(curves[0].run.loss, axis=0)
    markers = next(line for line in axes.lines if line.get_linestyle() == "None")
    assert len(markers.get_ydata()) > 5
    assert set(markers.get_ydata()) <= set(median)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [r"$\gamma = 1$", r"$\gamma_g = 0.2, \gamma_b = 0.1$, $\lambda = 0.3$"]
    assert "affine" in axes.texts[0].get_text()
    assert_inside_column(figure)


def test_map_writes_every_percentage_in_its_cell():
    fractions = {
        "random": np.array([[0.0, 0.25, 1.0]] * 2),
        "relinear": np.array([[0, 0, 0.5], [0, 0, 0.125]]),
    }
    about = {
        "hidden": 2,
        "inputs": 3,
        "steps": 20,
        "batch": 4,
        "init_scale": 0.5,
        "teacher": "a given teacher",
    }
    study = CollapseStudy(np.array([0.1, 0.2, 0.4]), np.array([1.0, 0.1]), fractions, 40, about)
    figure = collapse_map(study)
    assert figure.get_supxlabel() == study.conditions
    assert study.conditions == "2 units, 3 inputs, a given teacher\ninitial scale 0.5, 20 steps, batches of 4"
    for axes, name in zip(figure.axes, fractions, strict=True):
        texts = {tuple(t.get_position()): t.get_text() for t in axes.texts}
        for (i, j), value in np.ndenumerate(fractions[name]):
            assert texts[(j, i)] == f"{100 * value:.0f}"
        np.testing.assert_allclose(axes.images[0].get_array(), 100 * fractions[name])
        assert [t.get_text() for t in axes.get_yticklabels()] == ["1", "0.1"]
    assert_inside_column(figure)


def test_function_space_draws_ranks_on_formulas():
    space = function_space_dimensions(4)
    figure = function_space(space)
    (axes,) = figure.axes
    drawn = [line for line in axes.lines if len(line.get_xdata()) == 5]
    for line, values in zip(
        drawn, (space.quadratic, space.quadratic, space.ordinary, space.ordinary), strict=True
    ):
        np.testing.assert_array_equal(line.get_ydata(), values)
    assert_inside_column(figure)
