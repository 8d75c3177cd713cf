"""Drift figures draw the data they are given: theory as lines, measurement as markers with errors."""

from dataclasses import replace

import numpy as np
import pytest
from drawn import assert_aligned, names
from matplotlib.colors import same_color

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
    """A panel for each quantity, on a scale of its own: the smaller drift, of −0.02 to 0.01, is seen as well."""
    figure = conserved_along_training(curves)
    for q, (axes, slope) in enumerate(zip(figure.axes, [0.01, -0.02], strict=True)):
        zero, theory = axes.lines[:2]
        assert zero.get_ydata() == [0, 0]
        np.testing.assert_allclose(theory.get_xdata(), curves.times)
        np.testing.assert_allclose(theory.get_ydata(), slope * curves.times, atol=1e-14)
        low, high = axes.get_ylim()
        assert 2 * abs(slope) > 0.7 * (high - low)
        (container,) = axes.containers
        markers, _, (bars,) = container
        shown = np.searchsorted(curves.times, markers.get_xdata())
        drift = curves.measured[:, shown, q] - curves.measured[:, :1, q]
        np.testing.assert_allclose(markers.get_ydata(), drift.mean(axis=0), atol=1e-14)
        heights = [segment[1, 1] - segment[0, 1] for segment in bars.get_segments()]
        np.testing.assert_allclose(heights, 2 * drift.std(axis=0, ddof=1) / np.sqrt(6), atol=1e-14)
        assert axes.get_ylabel() == f"$c_{{{q + 1}}} - c_{{{q + 1}}}(0)$"
        assert same_color(theory.get_color(), markers.get_color())
    first, second = figure.axes
    assert first.lines[1].get_linestyle() != second.lines[1].get_linestyle()
    assert names(figure) == ["theory", "mean and error of 6 networks"]
    assert first.get_title() == "drift, in squared weights"
    assert_aligned(figure, first, second)


def test_under_decay_the_drift_is_that_from_its_law(curves):
    """Measured and predicted minus the law, whatever that is."""
    law = np.exp(-curves.times)[:, None] * [1.0, 2.0]
    decayed = replace(curves, predicted=law + 0.5, measured=np.tile(law + 0.7, (2, 1, 1)), law=law)
    for q, axes in enumerate(conserved_along_training(decayed).axes):
        np.testing.assert_allclose(axes.lines[1].get_ydata(), 0.5)
        np.testing.assert_allclose(axes.containers[0][0].get_ydata(), 0.7)
        assert axes.get_ylabel() == f"$c_{{{q + 1}}} - c_{{{q + 1}}}(0)\\, e^{{-2 \\rho t}}$"


def test_a_single_network_has_no_error_bar(curves):
    figure = conserved_along_training(replace(curves, measured=curves.measured[:1]))
    assert names(figure) == ["theory", "network"]
    assert not any(axes.containers[0].has_yerr for axes in figure.axes)


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
    assert texts == ["$c_{1}$, slope 1.00", "$c_{2}$, slope 1.00"]
    assert "$t = 2$" in axes.get_ylabel()
    figure.canvas.draw()


def test_time_axis(curves):
    """From the first record to 2 % beyond the last, for the last marker; shared by all panels."""
    first, last = conserved_along_training(replace(curves, times=1 + curves.times)).axes
    assert first.get_xlim() == last.get_xlim() == pytest.approx((1, 3.04))
    assert (first.get_xlabel(), last.get_xlabel()) == ("", "time $t$ of the flow")


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
