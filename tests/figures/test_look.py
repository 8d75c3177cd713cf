"""Figures for paper, slides and dark pages, of any size: sizes, colours, contrast."""

from __future__ import annotations

import matplotlib.style
import numpy as np
import pytest
from drawn import beside
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.text import Text

from dynamics import ProblemError
from figures.canvas import canvas
from figures.gap import gap_figure
from figures.look import STYLES, exchanged, look
from figures.neuron import collapse_map
from figures.saddle_graph import saddle_graph_figure
from figures.style import COLUMN_WIDTH, save_figure

gap = beside("test_gap").gap
made_up = beside("test_saddle_graph").made_up

DARK = STYLES["dark"]


def luminance(colour) -> float:
    """Relative luminance, WCAG 2."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgba(colour)[:3]]
    return float(np.dot(parts, [0.2126, 0.7152, 0.0722]))


def contrast(one, other) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_greys_are_exchanged_and_colours_stay():
    """Linearly between the ends; what cannot be seen stays so, transparency is kept."""
    change = exchanged("#ff0000", "#0000ff")
    assert change("black") == [(1, 0, 0, 1)]
    assert change("white") == [(0, 0, 1, 1)]
    np.testing.assert_allclose(change("0.25"), [(0.75, 0, 0.25, 1)])
    assert change((0, 0, 0, 0.5)) == [(1, 0, 0, 0.5)]
    assert change((0.1, 0.1, 0.1, 0)) == ["none"]
    assert change("#0072B2") == [to_rgba("#0072B2")]


@pytest.mark.parametrize("make", ["gap", "graph"])
def test_a_dark_figure_can_be_read(make, request):
    """All that is written has a contrast of 4.5 with the ground, WCAG 2's AA for small letters; greys of 3."""
    with look("dark"):
        figure = _make(make, request)
    figure.draw_without_rendering()  # ticks get their names
    ground = figure.get_facecolor()
    assert to_rgba(ground) == to_rgba(DARK.ground)
    written = [t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible()]
    assert len(written) > 15
    for text in written:
        assert contrast(text.get_color(), ground) > (4.5 if text.get_fontsize() >= 7 else 3.0), text
    for axes in figure.axes:
        assert to_rgba(axes.get_facecolor()) == to_rgba(DARK.ground)
        assert to_rgba(axes.spines["left"].get_edgecolor()) == to_rgba(DARK.ink)
        for line in axes.lines:
            if line.get_label().startswith(("gradient", "trained")):
                assert contrast(line.get_color(), ground) > 3


def _make(name, request) -> Figure:
    if name == "gap":
        return gap_figure(request.getfixturevalue("gap"))
    return saddle_graph_figure(request.getfixturevalue("made_up"))


def test_markers_without_a_colour_of_their_own_follow_their_line():
    """A cross that is black becomes the ink, on dark axes of one's own too."""
    with look("dark"), canvas(None, (3.0, 2.0)) as drawing:
        (cross,) = drawing.axes[0].plot([0], [0], "x", color="black")
    assert to_rgba(cross.get_markeredgecolor()) == to_rgba(cross.get_color()) == to_rgba(DARK.ink)


def test_boxes_behind_letters_have_the_colour_of_the_ground(made_up):
    with look("dark"):
        figure = saddle_graph_figure(made_up)
    boxes = [t.get_bbox_patch() for t in figure.axes[0].texts if t.get_bbox_patch() is not None]
    assert boxes
    for box in boxes:
        assert box.get_facecolor()[:3] == to_rgba(DARK.ground)[:3]
        assert box.get_edgecolor()[3] == 0


def test_axes_of_a_dark_figure_of_ones_own(made_up):
    """Black becomes the colour in which the axes are named, white that of the axes; what was there before stays."""
    with matplotlib.style.context("dark_background"):
        axes = Figure().subplots()
        (before,) = axes.plot([0, 1], color="0.2")
        saddle_graph_figure(made_up, axes=axes)
    assert before.get_color() == "0.2"
    names = [t for t in axes.texts if t.get_text()]
    assert len(names) > 8
    assert all(to_rgba(t.get_color()) == to_rgba("white") for t in names)
    assert to_rgba(axes.get_legend().get_frame().get_facecolor())[:3] == to_rgba("black")[:3]
    assert axes.xaxis.label.get_color() == "white"


def test_sizes():
    """Slides are 16 : 9 where a figure is higher; what is said goes before."""

    def size(inches, **how):
        with look(**how), canvas(None, inches) as drawing:
            return tuple(drawing.figure.get_size_inches())

    assert size((COLUMN_WIDTH, 4.0)) == (COLUMN_WIDTH, 4.0)
    assert size((COLUMN_WIDTH, 4.5), style="slides") == pytest.approx((8.0, 4.5))
    assert size((7.0, 2.0), style="slides") == (7.0, 2.0)
    assert size((COLUMN_WIDTH, 4.0), size=(7.0, 3.0)) == (7.0, 3.0)
    assert size((COLUMN_WIDTH, 4.0), style="slides", size=(7.0, 3.0)) == (7.0, 3.0)
    assert size((COLUMN_WIDTH, 4.0)) == (COLUMN_WIDTH, 4.0)  # what was said is over


def test_no_such_style():
    with pytest.raises(ProblemError, match="`style` is 'bright'"), look("bright"):
        pass


def test_a_figure_on_paper_has_the_colours_it_always_had(gap, tmp_path):
    """Byte by byte the same file with and without the context."""
    with look("paper"):
        save_figure(gap_figure(gap), tmp_path / "a.svg")
    save_figure(gap_figure(gap), tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@pytest.mark.parametrize("style", ["paper", "dark"])
def test_numbers_on_a_map_can_be_read_on_any_ground(style):
    """Contrast of at least 4.5, as WCAG 2 asks of text; a cell of zero is the ground itself."""
    study = beside("test_axes").collapse_study()
    with look(style):
        figure = collapse_map(study)
    ground = np.array(to_rgba(STYLES[style].ground)[:3])
    for axes in figure.axes:
        (image,) = axes.images
        for text, value in zip(axes.texts, np.ravel(image.get_array()), strict=True):
            *colour, cover = image.cmap(image.norm(value))
            cell = cover * np.array(colour) + (1 - cover) * ground
            assert contrast(text.get_color(), tuple(cell)) >= 4.5
            assert value > 0 or cell == pytest.approx(ground, abs=1e-9)
