"""Drift figures draw the data they are given: theory as lines, measurement as markers with errors."""

import numpy as np
import pytest
from drawn import names

from empirical.conserved import ConservedCurves, DriftScaling
from figures.conserved import conserved_along_training, drift_against_step


@pytest.fixture
def curves(rng):
    t = np.linspace(0, 2, 50)
    predicted = 0.3 + np.outer(t, [0.01, -0.02])
    measured = predicted + 1e-3 * rng.normal(size=(6, 50, 2))
    measured[:, 0] = predicted[0]
    return ConservedCurves(("c_0", "c_1"), t, measured, predicted)


def test_drift_along_training(curves):
    axes = conserved_along_training(curves).axes[0]
    lines = [line for line in axes.lines if len(line.get_xdata()) == 50]
    np.testing.assert_allclose(lines[0].get_ydata(), 0.01 * curves.times, atol=1e-14)
    np.testing.assert_allclose(lines[1].get_ydata(), -0.02 * curves.times, atol=1e-14)
    assert lines[0].get_linestyle() != lines[1].get_linestyle()
    markers, _, (bars,) = axes.containers[1]
    shown = np.searchsorted(curves.times, markers.get_xdata())
    drift = curves.measured[:, shown, 1] - curves.measured[:, :1, 1]
    np.testing.assert_allclose(markers.get_ydata(), drift.mean(axis=0), atol=1e-14)
    heights = [segment[1, 1] - segment[0, 1] for segment in bars.get_segments()]
    np.testing.assert_allclose(heights, 2 * drift.std(axis=0, ddof=1) / np.sqrt(6), atol=1e-14)
    assert "of the flow" in axes.get_xlabel()


def test_a_single_network_has_no_error_bar(curves):
    alone = ConservedCurves(curves.names, curves.times, curves.measured[:1], curves.predicted)
    conserved_along_training(alone).canvas.draw()


def test_drift_against_step():
    step = np.array([1e-2, 1e-3, 3e-3])
    predicted = np.outer(step, [0.5, -0.2])
    data = DriftScaling(2.0, step, predicted * 1.02, predicted, ("c_0", "c_1"))
    np.testing.assert_allclose(data.slope, 1)
    figure = drift_against_step(data)
    axes = figure.axes[0]
    assert axes.get_xscale() == axes.get_yscale() == "log"
    theory, measured = axes.lines[:2]
    np.testing.assert_allclose(theory.get_xydata(), np.column_stack([np.sort(step), 0.5 * np.sort(step)]))
    np.testing.assert_allclose(measured.get_ydata(), 0.51 * np.sort(step))
    assert measured.get_linestyle() == "None"
    texts = [text.get_text() for text in axes.figure.legends[0].get_texts()]
    assert texts == ["$c_{0}$, slope 1.00", "$c_{1}$, slope 1.00"]
    assert "$t = 2$" in axes.get_ylabel()
    figure.canvas.draw()


def test_time_axis_and_zero(curves):
    """From the first record to 2 % beyond the last, for the last marker; a line at zero drift."""
    late = ConservedCurves(curves.names, 1 + curves.times, curves.measured, curves.predicted)
    (axes,) = conserved_along_training(late).axes
    assert axes.get_xlim() == pytest.approx((1, 3.04))
    assert axes.get_xlabel() == "time $t$ of the flow"
    assert axes.lines[0].get_ydata() == [0, 0]
    theory = [line for line in axes.lines if len(line.get_xdata()) == 50]
    assert [line.get_color() for line in theory] == [bars.lines[0].get_color() for bars in axes.containers]


@pytest.mark.parametrize(("measured", "predicted"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_weights_of_zero_do_not_drift(measured, predicted):
    """Zero has no place on a logarithmic axis: it stays linear where nothing drifts at all."""
    step = np.array([[1e-3], [1e-2]])
    figure = drift_against_step(DriftScaling(0.5, step[:, 0], measured * step, predicted * step, ("c_0",)))
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    assert axes.get_yscale() == ("log" if measured or predicted else "linear")
    assert axes.get_ylabel() == "|drift of $c_k$| at $t = 0.5$ (squared weights)"
    assert figure.legends[0].get_title().get_text() == (
        "lines: theory, markers: gradient descent, slopes: for $\\eta \\to 0$"
    )
    assert len(names(figure)) == 1
