"""Figures become files reproducibly."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure

from dynamics import ProblemError
from figures import paper, save_figure
from figures.style import COLUMN_WIDTH, LINES, MARKERS, PALETTE, plain_text, show_decades, show_span


def drawn():
    with paper():
        figure = Figure()
        figure.subplots().plot([0, 1], [1, 0])
    return figure


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_the_same_figure_gives_the_same_bytes(kind):
    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        save_figure(drawn(), file, kind)
    assert files[0].getvalue() == files[1].getvalue()
    assert len(files[0].getvalue()) > 500


def test_unknown_formats_are_refused(tmp_path):
    with pytest.raises(ProblemError, match="png, pdf, svg"):
        save_figure(drawn(), tmp_path / "x.bmp")


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (0, 2, (0, 2)),
        (1, 1 + 1e-9, (1, 1 + 1e-9)),
        (0, 0, (-0.5, 0.5)),
        (3, 3, (1.5, 4.5)),
        (-2, -2, (-3, -1)),
    ],
)
def test_a_single_time_has_room_around_it(low, high, shown):
    """Matplotlib would warn of an empty interval, and warnings are errors here."""
    axes = drawn().axes[0]
    show_span(axes, low, high)
    assert axes.get_xlim() == pytest.approx(shown, rel=1e-15)


@pytest.mark.parametrize(
    ("low", "high", "scale", "shown"),
    [
        (0.1, 10, "log", (0.1, 10)),
        (0, 10, "log", (1, 10)),
        (10, 10, "log", (1, 10)),
        (0, 0, "linear", (-0.05, 1)),
        (5e-324, 1e-320, "log", (1e-300, 1e-299)),  # 16 digits end at 2.2e-308, a few decades below
    ],
)
def test_losses_that_are_constant_or_vanish(low, high, scale, shown):
    figure = drawn()
    axes = figure.axes[0]
    show_decades(axes, low, high)
    assert axes.get_yscale() == scale
    assert axes.get_ylim() == pytest.approx(shown, abs=0)
    save_figure(figure, io.BytesIO(), "png")


def test_limits_of_data_of_any_size_do_not_overflow():
    """A loss from 10⁻³⁰⁰ to 10³⁰⁰: margins around all of it, 5 % of 600 decades, would leave the numbers."""
    figure = drawn()
    axes = figure.axes[0]
    axes.plot([1e-300, 1e300])
    show_decades(axes, 1e294, 1e301)
    assert axes.get_ylim() == pytest.approx((1e294, 1e301), rel=1e-12)
    save_figure(figure, io.BytesIO(), "png")


def test_lines_that_leave_the_axes_are_clipped():
    """Zero is beyond every logarithmic axis: drawn whole, the line would leave the figure, and no layout fits that.

    Lines that stay inside, up to their very edges, keep their markers whole.
    """
    with paper():
        figure = Figure()
        axes = figure.subplots()
        inside, outside = (
            axes.plot([0, 1, 2], y, "o-", clip_on=False)[0] for y in ([1, 0.1, 1], [1, 0.1, 0])
        )
    axes.set_yscale("log")
    axes.set_ylim(0.1, 1)
    axes.set_xlim(0, 2)
    save_figure(figure, io.BytesIO(), "png")
    assert not inside.get_clip_on()
    assert outside.get_clip_on()


def test_every_one_of_six_decades_has_its_number():
    """In a panel so low that Matplotlib by itself would number every second one; of sixty decades, eight at most."""
    with paper():
        axes = Figure(figsize=(3.4, 1.5)).subplots()
    show_decades(axes, 1e-6, 1)
    np.testing.assert_allclose([t for t in axes.get_yticks() if 1e-6 <= t <= 1], 10.0 ** np.arange(-6, 1))
    show_decades(axes, 1e-60, 1)
    assert 4 <= sum(1e-60 <= t <= 1 for t in axes.get_yticks()) <= 8


def test_texts_of_users_are_drawn_as_they_are():
    """Dollars would begin a formula, which may not even be one, and signs that the font lacks a warning."""
    text = plain_text("$\\frac{$ ε_漢_a$b.npy")
    assert text == r"\$\frac{\$ ε_?_a\$b.npy"
    figure = drawn()
    figure.axes[0].set_title(text)
    save_figure(figure, io.BytesIO(), "png")


@pytest.mark.parametrize(("beyond", "clipped"), [(0.0005, False), (0.0015, True), (-0.0005, False)])
def test_rounding_at_the_edge_is_no_leaving(beyond, clipped):
    """A thousandth of the axes, on every side."""
    for x, y in ((1 + beyond, 0.5), (-beyond, 0.5), (0.5, 1 + beyond), (0.5, -beyond)):
        with paper():
            figure = Figure()
            axes = figure.subplots()
            (line,) = axes.plot([0.5, x], [0.5, y], clip_on=False)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        save_figure(figure, io.BytesIO(), "svg")
        assert line.get_clip_on() == clipped


def test_figures_are_in_the_style_of_the_paper_when_they_are_saved(tmp_path):
    """Text stays text in an SVG file, whose identifiers do not change from run to run."""
    save_figure(drawn(), tmp_path / "x.SVG")
    assert "<text" in (tmp_path / "x.SVG").read_text()


def test_palette_lines_and_markers_tell_apart():
    assert len(set(PALETTE)) == 7
    assert len(set(LINES)) == len(set(MARKERS)) == 6
    assert COLUMN_WIDTH == 3.4
