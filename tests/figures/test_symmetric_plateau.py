"""The figure of the symmetric plateau shows saddle, flow and networks as they are."""

from types import SimpleNamespace

import numpy as np
import pytest
from drawn import assert_decades, bands, names

from empirical.experiments.symmetric_plateau import PlateauCurves
from figures.symmetric_plateau import symmetric_plateau_figure


@pytest.fixture
def curves():
    """Made up: from 8 to 2 to nothing; two units that part, 70 records of three networks."""
    t = np.linspace(0, 35, 50)
    apart = 0.5 + 0.4 * np.tanh(t - 20)
    overlaps = np.stack([np.stack([1 - apart, apart], 1), np.stack([0.9 * apart, 0.8 - apart], 1)], 1)
    trajectory = SimpleNamespace(times=t, loss=8 * np.exp(-t), overlaps=overlaps)
    s = np.linspace(0, 35, 70)
    factors = np.array([0.5, 1, 3])
    run = SimpleNamespace(
        times=s,
        loss=factors[:, None] * 8 * np.exp(-s),
        overlaps=factors[:, None, None, None] * np.cos(s)[:, None, None] * [[0.1, 0.2], [0.3, 0.4]],
    )
    root = SimpleNamespace(loss=2.0, index=1)
    return PlateauCurves(root, np.array([[0.6, 0.7], [0.6, 0.7]]), trajectory, run)


def test_the_loss(curves):
    """Down to a thousandth of the plateau; every second record has a dot, the band is the middle 80 %."""
    figure = symmetric_plateau_figure(curves)
    upper = figure.axes[0]
    flow, level, networks = upper.lines
    t, s = curves.trajectory.times, curves.run.times
    np.testing.assert_array_equal(flow.get_xydata(), np.stack([t, curves.trajectory.loss], axis=1))
    assert set(level.get_ydata()) == {2.0}
    np.testing.assert_allclose(networks.get_xydata(), np.stack([s, 8 * np.exp(-s)], axis=1)[::2])
    (band,) = bands(upper)
    np.testing.assert_allclose([band[x] for x in s.tolist()], np.outer(8 * np.exp(-s), [0.6, 2.6]))
    assert [text.get_text() for text in upper.texts] == ["$L$ = 2, 1 direction down"]
    assert upper.texts[0].xy == (35, 2.0)
    assert upper.get_ylim() == pytest.approx((2e-3, 16))
    assert upper.get_xlim() == (0, 35)
    assert_decades(upper.yaxis)
    assert names(figure) == ["flow", "saddle found by search", "median of 3 networks"]
    assert upper.get_ylabel() == "loss $L$ (squared output units)"


def test_the_overlaps(curves):
    """A line and dots for each unit and direction; its own direction is the one that it has turned to at the end."""
    lower = symmetric_plateau_figure(curves).axes[1]
    pairs, levels = lower.lines[:8], lower.lines[8:]
    for number, (k, m) in enumerate(np.ndindex(2, 2)):
        line, dots = pairs[2 * number], pairs[2 * number + 1]
        np.testing.assert_array_equal(line.get_ydata(), curves.trajectory.overlaps[:, k, m])
        np.testing.assert_allclose(dots.get_ydata(), curves.run.overlaps[1, ::2, k, m])
        np.testing.assert_array_equal(dots.get_xdata(), curves.run.times[::2])
        own = k != m  # the first unit ends on the second direction, the second on the first
        assert (line.get_linestyle(), dots.get_marker()) == (("-", "o") if own else ("-.", "s"))
    assert [set(level.get_ydata()) for level in levels] == [{0.6}, {0.7}]
    assert [text.get_text() for text in lower.texts] == ["own teacher unit", "other teacher units"]
    assert lower.get_xlabel() == "time $t$ of the flow"
    assert lower.get_ylabel() == "cosine of $w_k$ and $v_m$"
