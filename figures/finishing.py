"""What is changed of a figure that is drawn: a title, and the scale of its time axis."""

from __future__ import annotations

import warnings

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text

from dynamics.errors import ProblemError
from dynamics.validation import validate_choice
from figures.crowding import SMALLEST, fit_notes, fit_ticks
from figures.style import TIME, plain_text

SCALES = ("linear", "log")
LATE = 1e-4  # of the last time: where a logarithmic axis begins at the earliest


def finish(figure: Figure, title: str | None = None, xscale: str | None = None) -> None:
    """Give a figure a title and its time axes a scale.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    title : str, optional
        Shown as it is: no mathematics.
    xscale : {"linear", "log"}, optional
        Of all time axes. A logarithmic one begins at the first time after 0 that is drawn, four decades before the end
        at the earliest.

    Raises
    ------
    ProblemError
        If there is no such scale, or no time axis.
    """
    if xscale is not None:
        validate_choice("xscale", xscale, SCALES)
        timed = time_axes(figure)
        if not timed:
            raise ProblemError(f"`xscale` is {xscale!r}, but this figure has no time axis: leave it out.")
        for axes in timed:
            _rescale(axes, xscale)
    if title is not None:
        _name(figure, plain_text(title))


def time_axes(figure: Figure) -> list[Axes]:
    """The axes whose horizontal axis is time, or shared with such a one."""
    if figure.get_supxlabel() == TIME:
        return list(figure.axes)
    named = [axes for axes in figure.axes if axes.get_xlabel() == TIME]
    shared = [a for a in figure.axes if any(a.get_shared_x_axes().joined(a, other) for other in named)]
    return shared or named


def _name(figure: Figure, title: str) -> None:
    """Put a title above the legend of a figure, or above all where it has none there."""
    if figure.legends and not figure.legends[0].get_title().get_text():
        figure.legends[0].set_title(title, prop=FontProperties(size=rcParams["axes.titlesize"]))
    else:
        figure.suptitle(title, fontsize=rcParams["axes.titlesize"])


def fit_labels(figure: Figure) -> None:
    """Give what is written the room that a figure of this size has.

    Names of axes that are longer than their axes are broken into two lines, and made smaller if they still are; ticks
    are fewer where their names would lie on each other, and annotations moved apart (`figures.crowding`).

    Raises
    ------
    ProblemError
        If the figure is too small for its panels.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="constrained_layout not applied")
        try:
            figure.draw_without_rendering()
        except UserWarning:
            raise _too_small(figure) from None
    for axes in figure.axes:
        room = axes.get_window_extent()
        for label, vertical in ((axes.yaxis.label, True), (axes.xaxis.label, False)):
            _fit(label, room.height if vertical else room.width, vertical)
        if axes.axison and not all([fit_ticks(axes.xaxis), fit_ticks(axes.yaxis)]):
            raise _too_small(figure)
    figure.draw_without_rendering()
    for axes in figure.axes:
        fit_notes(axes)


def _too_small(figure: Figure) -> ProblemError:
    width, height = figure.get_size_inches()
    return ProblemError(
        f"`size` is {width:g}x{height:g}, which leaves the panels no room beside what is written: make it larger."
    )


def _fit(label: Text, room: float, vertical: bool) -> None:
    def length() -> float:
        extent = label.get_window_extent()
        return float(extent.height if vertical else extent.width)

    text = label.get_text()
    if not text or length() <= room:
        return
    if "\n" not in text:
        label.set_text(in_two_lines(text))
    if length() > room:
        label.set_fontsize(max(float(label.get_fontsize()) * room / length(), SMALLEST))


def in_two_lines(text: str) -> str:
    """A text broken before its unit or near its middle, at a space that is not within mathematics.

    Before the unit if that makes the longer line longer by a quarter at most.
    """
    spaces = [i for i, c in enumerate(text) if c == " " and text[:i].count("$") % 2 == 0]
    if not spaces:
        return text
    middle = min(spaces, key=lambda i: max(i, len(text) - i) * (1 if text[i + 1 : i + 2] == "(" else 1.25))
    return f"{text[:middle]}\n{text[middle + 1 :]}"


def _rescale(axes: Axes, scale: str) -> None:
    low, high = axes.get_xlim()
    axes.set_xscale(scale)
    if scale == "log":
        for artist in (*axes.lines, *axes.collections):
            artist.set_clip_on(True)  # what is drawn whole at the edges may lie at 0, infinitely far away
        drawn = [np.asarray(line.get_xdata(), dtype=float) for line in axes.lines]
        times = np.concatenate([*drawn, [high]])
        first = times[(times > 0) & np.isfinite(times)].min()
        axes.set_xlim(max(first, LATE * high, low), high)
