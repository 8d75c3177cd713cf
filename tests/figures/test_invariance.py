"""The figure of the twin experiment, from made-up data."""

from __future__ import annotations

import io

import numpy as np
import pytest
from drawn import assert_aligned, assert_decades
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.ticker import NullFormatter

from empirical.experiments.invariance import Invariance
from figures.invariance import ROUNDING, invariance_figure
from figures.style import COLUMN_WIDTH, PALETTE, save_figure


@pytest.fixture
def result() -> Invariance:
    """31 records; G-SGD differs by exactly zero at first, as it may."""
    steps = np.arange(0, 301, 10)
    tiny = np.where(steps < 50, 0.0, 1e-15)
    decay = np.exp(-steps / 100)
    return Invariance(
        steps=steps,
        path_difference={"gsgd": tiny, "sgd": 0.3 * (1 - decay)},
        function_difference={"gsgd": tiny, "sgd": 0.2 * (1 - decay)},
        loss={"gsgd": np.array([decay, decay]), "sgd": np.array([decay, 2 * decay])},
        edges=64,
        hidden_units=8,
        basis_paths=56,
        rebases=(0, 0),
        about={"step": 0.01},
    )


def test_every_curve_is_drawn(result: Invariance) -> None:
    """Data come back from the axes; an exact zero is drawn at the rounding level, not lost."""
    above, below = invariance_figure(result).axes
    drawn = {line.get_label(): line.get_ydata() for line in above.lines}
    np.testing.assert_array_equal(drawn["SGD: path values"], result.path_difference["sgd"].clip(ROUNDING))
    np.testing.assert_array_equal(drawn["SGD: function"], result.function_difference["sgd"].clip(ROUNDING))
    assert drawn["G-SGD: path values"].min() == ROUNDING
    for line in [*above.lines[:4], *below.lines[:4]]:
        np.testing.assert_array_equal(line.get_xdata(), result.steps)
    losses = [line.get_ydata() for line in below.lines if len(line.get_ydata())]
    expected = [*result.loss["gsgd"], *result.loss["sgd"]]
    for curve, values in zip(losses, expected, strict=True):
        np.testing.assert_array_equal(curve, values)
    assert above.get_yscale() == below.get_yscale() == "log"


def test_original_and_copy_differ_without_colour(result: Invariance) -> None:
    """Lines for the original, markers for the rescaled copy, as the legend says."""
    _, below = invariance_figure(result).axes
    lines = [line for line in below.lines if len(line.get_ydata())]
    assert [line.get_marker() for line in lines[::2]] == ["None", "None"]
    assert all(line.get_marker() != "None" and line.get_linestyle() == "None" for line in lines[1::2])


def test_paths_have_markers_and_functions_dots(result: Invariance) -> None:
    """The two differences of one rule share a colour: markers on a solid line, or a dotted line alone."""
    above, _ = invariance_figure(result).axes
    drawn = {
        line.get_label(): (line.get_marker(), line.get_linestyle(), line.get_color())
        for line in above.lines
        if ": " in str(line.get_label())
    }
    for rule, marker, colour in (("G-SGD", "o", PALETTE[0]), ("SGD", "s", PALETTE[1])):
        assert drawn[f"{rule}: path values"] == (marker, "-", colour)
        assert drawn[f"{rule}: function"] == ("None", ":", colour)


def test_everything_lies_inside_the_column(result: Invariance) -> None:
    """No label is cut off at single-column width, and the same data give the same bytes."""
    figure = invariance_figure(result)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    assert figure.get_size_inches()[0] == COLUMN_WIDTH
    tight = figure.get_tightbbox(canvas.get_renderer())
    assert tight.x0 >= -0.01 and tight.x1 <= COLUMN_WIDTH + 0.01
    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        save_figure(invariance_figure(result), file, "png")
    assert files[0].getvalue() == files[1].getvalue()


def test_axes_and_styles_of_the_two_rules(result: Invariance) -> None:
    """Lines of two widths, since they may lie on each other; markers in the rule's own shape, as above."""
    figure = invariance_figure(result)
    above, below = figure.axes
    lines = [line for line in below.lines if len(line.get_ydata())]
    assert [line.get_linewidth() for line in lines[::2]] == [2.4, 1.0]
    assert [line.get_linestyle() for line in lines[::2]] == ["-", "--"]
    assert [line.get_marker() for line in lines[1::2]] == ["o", "s"]
    assert [line.get_markevery() for line in lines[1::2]] == [2, 2]  # 31 records
    assert [line.get_color() for line in lines] == [PALETTE[0]] * 2 + [PALETTE[1]] * 2
    assert np.finfo(float).eps == ROUNDING
    assert_decades(above.yaxis, 6)
    assert isinstance(below.yaxis.get_minor_formatter(), NullFormatter)
    (text,) = above.texts
    assert text.get_text() == "double precision" and text.get_annotation_clip() is False
    assert_aligned(figure, above, below)
    above.set_xlim(7, 8)
    assert below.get_xlim() == (7, 8)  # one axis of steps
