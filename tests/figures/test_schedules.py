"""The figure of schedules: made-up curves read back from its artists."""

import numpy as np
import pytest
from drawn import assert_aligned, names

from empirical.experiments.schedules import TrainedSchedule
from figures.schedules import MARKED, schedules_figure
from figures.style import COLUMN_WIDTH, LINES, MARKERS, PALETTE

STEPS = np.arange(0, 401, 10)


def made_up(name, rate, trained=True):
    predicted = 0.01 * np.exp(-rate * STEPS)
    rates = rate * (1 - np.arange(400) / 400)
    risk, error = (1.02 * predicted, 0.01 * predicted) if trained else (None, None)
    return TrainedSchedule(name, STEPS, rates, predicted, risk, error)


CURVES = [made_up("linear", 1e-3), made_up("wild", 4e-3, trained=False), made_up("optimal", 2e-3)]


@pytest.fixture
def figure():
    return schedules_figure(CURVES)


def test_lines_are_rates_and_predictions(figure):
    above, below = figure.axes
    for i, curve in enumerate(CURVES):
        for axes, x, y in ((above, np.arange(400), curve.rates), (below, STEPS, curve.predicted)):
            line = [line for line in axes.lines if line.get_linestyle() != "None"][i]
            np.testing.assert_array_equal(line.get_xdata(), x)
            np.testing.assert_array_equal(line.get_ydata(), y)
            assert line.get_color() == PALETTE[i]
    assert names(figure) == ["linear", "wild", "optimal", "trained networks, mean ± 2 s.e."]


def test_markers_are_means_with_two_standard_errors(figure):
    """Of those that were trained, the last measurement among them; the two at different steps before it."""
    below = figure.axes[1]
    drawn = [bars for bars in below.containers if len(bars[0].get_xdata())]
    assert len(drawn) == 2
    places = []
    for bars, i in zip(drawn, (0, 2), strict=True):
        points, _, (lines,) = bars
        x, y = points.get_xdata(), points.get_ydata()
        at = np.searchsorted(STEPS, x)
        np.testing.assert_array_equal(STEPS[at], x)
        np.testing.assert_array_equal(y, CURVES[i].risk[at])
        ends = np.array([segment[:, 1] for segment in lines.get_segments()])
        np.testing.assert_allclose(ends[:, 1] - ends[:, 0], 4 * CURVES[i].standard_error[at], rtol=1e-12)
        assert (points.get_marker(), points.get_color()) == (MARKERS[i], PALETTE[i])
        assert x[-1] == 400
        assert MARKED - 2 < len(x) < MARKED + 3
        places.append(set(x[:-1]))
    assert not places[0] & places[1]


def test_axes(figure):
    above, below = figure.axes
    assert above.get_yscale() == below.get_yscale() == "log"
    assert below.get_xlim() == (0, 400)
    names = [t.get_text() for t in below.get_yticklabels(which="both")]
    assert sum(bool(name) for name in names) >= 3  # of less than two decades 2, 3 and 5 are named
    low, high = below.get_ylim()
    assert low < min(curve.predicted.min() for curve in CURVES) < 0.0102 < high
    low, high = above.get_ylim()
    assert 4e-5 / 2 < low < 4e-5  # two decades below the largest rate, whatever falls to zero
    assert 4e-3 < high < 2 * 4e-3
    assert (below.get_xlabel(), above.get_ylabel()) == ("step $n$", "learning rate $η_n$")
    assert below.get_ylabel() == "mean loss (squared output units)"
    assert figure.get_size_inches()[0] == COLUMN_WIDTH
    assert len(LINES) >= len(CURVES)
    assert_aligned(figure, above, below)
