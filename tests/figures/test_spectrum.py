"""The spectrum figure shows every eigenvalue, the index, and the stationary points where they are known."""

from types import SimpleNamespace

import numpy as np
import pytest
from drawn import names
from matplotlib.collections import LineCollection

from dynamics.curvature.hessian import HessianSpectrum
from dynamics.curvature.saddles import Plateau, SaddleSpectrum
from dynamics.curves.stages import Stage
from dynamics.problem.levels import Level
from figures.spectrum import spectrum_figure
from figures.style import PALETTE

T = np.array([0.0, 1.0, 2.0, 4.0])
VALUES = np.array([[6.0, 0.01, -3.0], [20.0, 1.0, -4.0], [18.0, 2.0, -0.05], [19.0, 2.0, 0.0]])
LOSS = np.array([8.0, 4.0, 1.0, 1e-9])


def plateau(start, end, index, known=None, eigenvalues=None, loss=None):
    level = None if loss is None else Level((), np.empty(0), 0.0, loss)
    stage = Stage(start, end, 5.0, (), level)
    return Plateau(stage, start, index, 0, known, None, eigenvalues)


def curves(*plateaus, zero=0.005):
    """Of three weights, the second eigenvalue double."""
    spectrum = HessianSpectrum(T, LOSS, VALUES, np.tile([1, 2, 1], (4, 1)), 4, zero)
    return SaddleSpectrum(SimpleNamespace(times=T, loss=LOSS), spectrum, plateaus)


@pytest.fixture
def known():
    return curves(
        plateau(0.0, 1.0, 1, 1, np.array([6.5, 0.0, 0.0, -3.5]), 7.5), plateau(2.0, 3.0, 0, 3, None, 1.25)
    )


def segments(collection):
    return [path.vertices.tolist() for path in collection.get_paths()]


def test_what_is_drawn(known):
    figure = spectrum_figure(known)
    above, middle, below = figure.axes
    (loss,) = above.lines
    np.testing.assert_array_equal(loss.get_xydata(), np.stack([T, LOSS], axis=1))
    (levels,) = above.collections
    assert segments(levels) == [[[0, 7.5], [1, 7.5]], [[2, 1.25], [3, 1.25]]]

    lines, bars = [c for c in middle.collections if isinstance(c, LineCollection)]
    np.testing.assert_array_equal(segments(lines), [np.stack([T, v], axis=1) for v in VALUES.T])
    assert segments(bars) == [[[0, y], [1, y]] for y in (6.5, 0, 0, -3.5)]
    *negative, sharpest = middle.lines
    np.testing.assert_array_equal(sharpest.get_ydata(), VALUES[:, 0])
    tolerance = 0.005 * 20
    np.testing.assert_array_equal(
        [line.get_ydata() for line in negative], np.where(VALUES + tolerance < 0, VALUES, np.nan).T
    )
    assert not middle.patches  # 0.1 above and below cannot be seen on an axis of 24
    assert middle.get_ylim() == pytest.approx((-4 - 0.06 * 24, 20 + 0.06 * 24))

    (index,) = below.lines
    np.testing.assert_array_equal(index.get_xydata(), np.stack([T, [1, 1, 0, 0]], axis=1))
    assert index.get_drawstyle() == "steps-mid"
    (predicted,) = below.collections
    assert segments(predicted) == [[[0, 1], [1, 1]], [[2, 3], [3, 3]]]
    assert below.get_ylim() == pytest.approx((-0.24, 3.36))  # the catalogue's 3 is more than is ever measured


def test_axes_and_names(known):
    figure = spectrum_figure(known)
    above, middle, below = figure.axes
    assert above.get_yscale() == "log"
    assert above.get_ylim() == pytest.approx((8e-6 / 2, 24))
    low, high = above.get_ylim()
    assert sum(low <= tick <= high for tick in above.get_yticks()) <= 5  # powers of ten, in a low panel
    assert {panel.get_xlim() for panel in figure.axes} == {(0, 4)}
    assert [a.get_ylabel() for a in figure.axes] == ["loss $L$", "Hessian eigenvalues (1 / time)", "index"]
    assert below.get_xlabel() == "time $t$ of the flow"
    assert names(figure) == [
        *("gradient flow", "stationary point", "negative eigenvalues", "sharpness"),
    ]
    assert middle.lines[0].get_color() == below.lines[0].get_color() == PALETTE[1]
    assert above.lines[0].get_color() == PALETTE[0]


def test_what_counts_as_zero_is_shown_where_it_can_be_seen():
    """From a hundredth of the axis on either side: of 24, with a largest eigenvalue of 20, from 0.012 of that on."""
    assert not spectrum_figure(curves(zero=0.0119)).axes[1].patches
    figure = spectrum_figure(curves(zero=0.0121))
    (band,) = figure.axes[1].patches
    assert (band.get_y(), band.get_height()) == pytest.approx((-0.242, 0.484))
    assert names(figure)[-1] == "counts as zero"


def test_without_stationary_points():
    """Nothing is drawn for them, and the legend does not name them; an index that is always 0 has an axis."""
    bare = curves(plateau(0.0, 1.0, 1))
    figure = spectrum_figure(bare)
    assert [len(panel.collections) for panel in figure.axes] == [0, 1, 0]
    assert "stationary point" not in names(figure)
    flat = SaddleSpectrum(
        bare.trajectory, HessianSpectrum(T, LOSS, np.ones((4, 1)), np.ones((4, 1), dtype=int), 1, 0.1), ()
    )
    _, middle, below = spectrum_figure(flat).axes
    assert below.get_ylim() == pytest.approx((-0.08, 1.12))
    assert middle.get_ylim() == pytest.approx((-0.06, 1.06))
