"""The gap figure draws every correction that changes something, and the distances that remain."""

import numpy as np
import pytest

from empirical.gap import Gap
from figures.gap import gap_figure, shown_curves


@pytest.fixture
def gap():
    t = np.linspace(0, 2, 40)
    flow = np.exp(-t)
    measured = 1.2 * flow
    measured[0] = flow[0]
    noisy = 1.19 * flow
    return Gap(t, flow, 1.1 * flow, 1.1 * flow, noisy, measured, 0.01 * flow, 0 * t, None, {})


def test_curves_and_distances(gap):
    """Finite data change nothing here and are left out; the others keep their styles."""
    assert list(shown_curves(gap)) == ["gradient flow", "+ finite step", "+ sampling noise"]
    figure = gap_figure(gap)
    above, below = figure.axes
    lines = [line for line in above.lines if len(line.get_xdata()) == 40]
    np.testing.assert_allclose(lines[2].get_ydata(), gap.with_noise)
    assert len({line.get_linestyle() for line in lines[:3]}) == 3
    np.testing.assert_allclose(below.lines[0].get_ydata(), np.abs(gap.measured - gap.flow)[1:], rtol=1e-12)
    np.testing.assert_allclose(
        below.lines[2].get_ydata(), np.abs(gap.measured - gap.with_noise)[1:], rtol=1e-12
    )
    assert "learning rate × steps" in below.get_xlabel()
    figure.canvas.draw()


def test_unknown_error_bars_are_not_drawn(gap):
    alone = Gap(**{**gap.__dict__, "standard_error": np.full(40, np.nan)})
    gap_figure(alone).canvas.draw()
