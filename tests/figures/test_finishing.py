"""Titles, scales of time axes, and names of axes that fit beside them."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import beside
from matplotlib.figure import Figure

from dynamics import ProblemError
from figures.finishing import finish, fit_labels, in_two_lines, time_axes
from figures.gap import gap_figure
from figures.look import look
from figures.saddle_graph import saddle_graph_figure
from figures.style import TIME, paper

gap = beside("test_gap").gap
made_up = beside("test_saddle_graph").made_up


def test_a_title_stands_above_the_legend_as_it_was_written(gap):
    figure = gap_figure(gap)
    finish(figure, "a $b$ c_d")
    title = figure.legends[0].get_title()
    assert title.get_text() == r"a \$b\$ c_d"
    figure.draw_without_rendering()
    assert title.get_window_extent().y0 >= max(
        t.get_window_extent().y1 - 1 for t in figure.legends[0].get_texts()
    )
    bare = Figure()
    bare.subplots()
    finish(bare, "x")
    assert bare.get_suptitle() == "x"


def test_time_axes_become_logarithmic(gap):
    """From the first time after 0 that is drawn, at the earliest four decades before the end."""
    figure = gap_figure(gap)
    drawn = np.concatenate([line.get_xdata() for line in figure.axes[1].lines])
    finish(figure, xscale="log")
    for axes in figure.axes:
        assert axes.get_xscale() == "log"
        assert axes.get_xlim() == pytest.approx((drawn[drawn > 0].min(), 2.0))
    finish(figure, xscale="linear")
    assert figure.axes[0].get_xscale() == "linear"
    long = Figure()
    axes = long.subplots()
    axes.plot([0, 1e-9, 1], [1, 1, 1])
    axes.set_xlim(0, 1)
    axes.set_xlabel(TIME)
    finish(long, xscale="log")
    assert axes.get_xlim() == pytest.approx((1e-4, 1))


def test_a_label_for_all_means_all():
    figure = Figure()
    panels = figure.subplots(2, 2)
    assert time_axes(figure) == []
    figure.supxlabel(TIME)
    assert time_axes(figure) == list(panels.ravel())


def test_what_has_no_time_axis_is_refused(made_up):
    with pytest.raises(ProblemError, match="`xscale` is 'log', but this figure has no time axis"):
        finish(saddle_graph_figure(made_up), xscale="log")
    with pytest.raises(ProblemError, match="`xscale` is 'square'"):
        finish(saddle_graph_figure(made_up), xscale="square")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one two three", "one two\nthree"),
        ("loss $L$ (squared output units)", "loss $L$ (squared\noutput units)"),
        ("$a + b + c + d$ x", "$a + b + c + d$\nx"),
        ("drift of $c$ at $t = 2$ (squared weights)", "drift of $c$ at $t = 2$\n(squared weights)"),
        ("word", "word"),
    ],
)
def test_lines_break_at_spaces_outside_of_mathematics(text, lines):
    assert in_two_lines(text) == lines


@pytest.mark.parametrize("size", [(7.0, 3.0), (3.4, 2.6), (3.4, 4.4)])
def test_names_of_axes_do_not_collide(gap, size):
    """At any size those of panels above each other keep apart; where they have room they stay as they are."""
    with look(size=size):
        figure = gap_figure(gap)
    before = [axes.get_ylabel() for axes in figure.axes]
    with paper():
        fit_labels(figure)
    figure.draw_without_rendering()
    above, below = (axes.yaxis.label.get_window_extent() for axes in figure.axes)
    assert above.y0 >= below.y1 - 1
    broken = any("\n" in axes.get_ylabel() for axes in figure.axes)
    assert broken == (size[1] < 4)
    assert broken or before == [axes.get_ylabel() for axes in figure.axes]
