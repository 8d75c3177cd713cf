"""Ticks, annotations and legends where there is little room: panels of known sizes, texts of known places."""

import numpy as np
import pytest
from drawn import beside as file_beside
from legible import faults
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import LogLocator, MaxNLocator

from dynamics import ProblemError
from figures.canvas import canvas
from figures.crowding import SMALLEST, fit_notes, shown_labels
from figures.finishing import fit_labels
from figures.learning_curve import learning_curves
from figures.legends import fitting_legend
from figures.look import look
from figures.style import COLUMN_WIDTH, paper, save_figure

made_up = file_beside("test_learning_curve_made_up")
trajectory = made_up.trajectory


def panel(width, height, **layout):
    with paper():
        figure = Figure(figsize=(width, height), **layout)
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1])
        return figure, axes


def names(axis):
    return [label.get_text() for label in shown_labels(axis)]


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_ticks_are_fewer_where_their_names_lie_on_each_other(scale):
    """Nine of them on half an inch; on five inches all of them stay."""
    for height, fewer in ((0.9, True), (5.0, False)):
        figure, axes = panel(3, height)
        axes.set_yscale(scale)
        axes.set_ylim(1e-8, 1.0)
        axes.yaxis.set_major_locator(MaxNLocator(8) if scale == "linear" else LogLocator(numticks=10))
        figure.draw_without_rendering()
        before = names(axes.yaxis)
        with paper():
            fit_labels(figure)
        figure.draw_without_rendering()
        assert (len(names(axes.yaxis)) < len(before)) == fewer
        assert len(names(axes.yaxis)) >= 1
        assert not faults(figure)


def test_names_as_ticks_become_smaller_and_too_many_are_refused():
    for number, height, size in ((3, 2.0, 7.0), (16, 1.8, None), (16, 0.9, 0.0)):
        figure, axes = panel(4, height)
        axes.set_yticks(np.linspace(0, 1, number), [f"name {n}" for n in range(number)])
        with paper():
            if size == 0.0:
                with pytest.raises(ProblemError, match="which leaves the panels no room"):
                    fit_labels(figure)
                continue
            fit_labels(figure)
        found = axes.get_yticklabels()[0].get_fontsize()
        assert found == size if size else SMALLEST <= found < 7
        assert not faults(figure)


def test_panels_without_room_for_the_names_of_two_ticks_are_refused():
    """Eight panels on one another in two inches."""
    with paper():
        figure = Figure(figsize=(3, 2.0))
        for axes in figure.subplots(8, 1, sharex=True):
            axes.plot([0, 1], [0, 1])
        with pytest.raises(ProblemError, match="`size` is 3x2, which leaves the panels no room"):
            fit_labels(figure)


def note(axes, text, height, **where):
    given = {"xycoords": ("axes fraction", "data"), "xytext": (0, 1.5), "textcoords": "offset points"}
    return axes.annotate(
        text, (1.0, height), ha="right", va="bottom", fontsize=6.5, in_layout=False, **(given | where)
    )


def test_annotations_stay_in_their_panel():
    """One at the top is moved down, one that is wider than the panel made smaller; beside the panel nothing changes."""
    figure, axes = panel(2, 1.5)
    axes.set_ylim(0, 1)
    top, wide = (
        note(axes, "top", 1.0),
        note(axes, "a level with a very long name, longer than the panel", 0.3),
    )
    right = axes.annotate(
        "right", (1.0, 0.99), xycoords=("axes fraction", "data"), xytext=(5, 6), textcoords="offset points",
        annotation_clip=False,
    )  # fmt: skip
    figure.draw_without_rendering()
    kept = right.xyann
    fit_notes(axes)
    for text in (top, wide):
        box, room = Text.get_window_extent(text), axes.bbox
        assert room.x0 - 1 <= box.x0 and box.y1 <= room.y1 + 1
    assert wide.get_fontsize() < 6.5
    assert top.get_fontsize() == 6.5
    assert right.xyann == kept


def test_annotations_keep_apart_in_their_order():
    """Three levels closer than a line of text: moved up; below the top, to the left. Those with room stay."""
    figure, axes = panel(3, 2)
    axes.set_ylim(0, 1)
    heights = {0.1: "far", 0.40: "low", 0.42: "middle", 0.44: "high", 0.93: "under", 0.95: "top"}
    notes = {name: note(axes, name, height) for height, name in heights.items()}
    figure.draw_without_rendering()
    fit_notes(axes)
    low, middle, high = (Text.get_window_extent(notes[name]).y0 for name in ("low", "middle", "high"))
    assert low < middle < high
    assert not faults(figure)
    assert notes["far"].xyann == notes["low"].xyann == (0, 1.5)
    assert notes["top"].xyann[0] < 0
    assert Text.get_window_extent(notes["top"]).y1 <= axes.bbox.y1 + 1


def test_saving_fits_annotations(tmp_path):
    figure, axes = panel(3, 2)
    axes.set_ylim(0, 1)
    note(axes, "one", 0.5)
    note(axes, "two", 0.51)
    assert faults(figure)
    save_figure(figure, tmp_path / "x.png")
    assert not faults(figure)


def test_names_of_levels_never_leave_their_axes(trajectory):
    """Plateaus of the made-up curve."""
    with look(size=(2.0, 3.4)):
        figure = learning_curves(made_up.waiting(trajectory, *made_up.ONE_BY_ONE))
    with paper():
        fit_labels(figure)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    levels = [text for text in axes.texts if text.get_text().startswith("$L_")]
    assert levels
    for text in levels:
        box = Text.get_window_extent(text)
        assert axes.bbox.x0 - 1 <= box.x0 and box.x1 <= axes.bbox.x1 + 1
        assert axes.bbox.y0 - 1 <= box.y0 and box.y1 <= axes.bbox.y1 + 1
    assert not faults(figure)


@pytest.mark.parametrize(
    ("width", "entries", "columns"),
    [(COLUMN_WIDTH, 6, 2), (2 * COLUMN_WIDTH, 6, 4), (2 * COLUMN_WIDTH, 3, 3), (1.2, 6, 1), (0.8, 6, 1)],
)
def test_a_legend_has_as_many_columns_as_have_room(width, entries, columns):
    """Two on the column of a page, in proportion on wider figures, but as many as entries; one where two leave it."""
    with paper():
        figure = Figure(figsize=(width, 3))
        lines = [figure.subplots().plot([], [])[0] for _ in range(entries)]
        legend = fitting_legend(figure, lines, ["an entry, long"] * entries, ncols=2, loc="upper left")
    assert len(figure.legends) == 1
    figure.draw_without_rendering()
    left = {round(text.get_window_extent().x0) for text in legend.get_texts()}
    assert len(left) == columns
    assert (legend.get_texts()[0].get_fontsize() < 7) == (width < 1)
    if width > 1:
        assert legend.get_window_extent().width <= figure.bbox.width


def test_columns_that_are_filled_up_stay_as_they_are():
    """An empty label is there for its column; and who says so has no more columns. Without entries there is none."""
    with paper():
        figure = Figure(figsize=(3 * COLUMN_WIDTH, 3))
        line = figure.subplots().plot([], [])[0]
        for labels, how in ((["a", "b", "c", ""], {}), (["a", "b", "c", "d"], {"spread": False})):
            legend = fitting_legend(figure, [line] * 4, labels, ncols=2, loc="upper left", **how)
            figure.draw_without_rendering()
            texts = [text for text in legend.get_texts() if text.get_text()]
            assert len({round(text.get_window_extent().x0) for text in texts}) == 2
        assert fitting_legend(figure, [], []) is None


@pytest.mark.parametrize(("size", "beside"), [((7, 3), True), ((3.4, 2.6), False), ((3.0, 2.0), True)])
def test_a_legend_beside_its_panel(size, beside):
    """From half as wide again as high: there the panel keeps its height, and has its entries in one column."""
    with look(size=size), canvas(None, (3.4, 3.9)) as drawing:
        drawing.axes[0].plot([0, 1], [0, 1], label="one")
        drawing.axes[0].plot([0, 1], [1, 0], label="two")
        drawing.legend(loc="outside lower center", beside=True, ncols=2)
    drawing.figure.draw_without_rendering()
    (legend,) = drawing.figure.legends
    box, axes = legend.get_window_extent(), drawing.axes[0].bbox
    assert (box.x0 >= axes.x1) == beside
    assert (box.y1 <= axes.y0) == (not beside)
