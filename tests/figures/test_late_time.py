"""The figure of late-time laws draws the curves that it is given; made-up data, so that every line is known."""

import numpy as np
import pytest
from drawn import assert_decades
from matplotlib.colors import same_color

from dynamics.closed_forms import PowerTail
from empirical.experiments.late_time import LateTime
from figures.late_time import late_time_figure
from figures.style import COLUMN_WIDTH, LINES, MARKERS, PALETTE


@pytest.fixture(scope="module")
def curves():
    """Two curves that are their laws from t = 1 on, one to t = 50, one to t = 40; networks 10 % above."""
    found = []
    for name, tail, end in (("first", PowerTail(0.25, 2.0), 50), ("second", PowerTail(0.7, 1.5), 40)):
        times = np.append(0.0, np.geomspace(0.01, end, 12))
        loss = np.where(times < 1, 2.0, tail(np.maximum(times, 1)))
        loss[0] = 20.0
        found.append(LateTime(name, times, loss, tail, times[:8], 1.1 * loss[:8]))
    return found


@pytest.fixture(scope="module")
def axes(curves):
    (axes,) = late_time_figure(curves).axes
    return axes


def lines_of(axes, colour):
    return [line for line in axes.lines if same_color(line.get_color(), colour)]


def test_curve_law_and_network_of_each_kind(curves, axes):
    """t = 0 has no place on a logarithmic axis; the law is drawn where it is below three times the first loss."""
    for i, curve in enumerate(curves):
        theory, law, network = lines_of(axes, PALETTE[i])
        np.testing.assert_array_equal(theory.get_xydata().T, [curve.times[1:], curve.loss[1:]])
        assert (theory.get_linestyle(), theory.get_label()) == (LINES[i], curve.name)
        t = curve.times[1:]
        t = t[curve.tail.prefactor * t**-curve.tail.exponent < 3 * 20.0]
        assert 0 < len(t) < len(curve.times) - 1
        np.testing.assert_allclose(law.get_xydata().T, [t, curve.tail.prefactor * t**-curve.tail.exponent])
        assert law.get_linewidth() < theory.get_linewidth()
        np.testing.assert_array_equal(
            network.get_xydata().T, [curve.trained_times[1:], curve.trained_loss[1:]]
        )
        assert (network.get_marker(), network.get_linestyle()) == (MARKERS[i], "None")


def test_the_formula_stands_at_the_end_of_its_curve(curves, axes):
    assert [text.get_text() for text in axes.texts] == ["$0.25\\,t^{-2}$", "$0.7\\,t^{-1.5}$"]
    for text, curve, colour in zip(axes.texts, curves, PALETTE, strict=False):
        assert text.xy == (curve.times[-1], curve.loss[-1])
        assert same_color(text.get_color(), colour)
        assert text.get_annotation_clip() is False  # it stands outside the frame


def test_axes_and_legend(curves, axes):
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert axes.get_xlim()[1] == 50  # that of the first
    assert_decades(axes.xaxis)
    assert_decades(axes.yaxis)
    assert "of the flow" in axes.get_xlabel() and "loss" in axes.get_ylabel()
    (legend,) = axes.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "first",
        "second",
        "one trained network each",
        "late-time law, derived",
    ]
    assert axes.figure.get_size_inches()[0] == COLUMN_WIDTH
    axes.figure.canvas.draw()
