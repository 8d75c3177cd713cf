"""The look of every figure, and how a figure becomes a file."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import IO, cast

import matplotlib.style
import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from figures.crowding import fit_notes
from figures.palette import PALETTE as PALETTE

COLUMN_WIDTH = 3.4  # inches, one column of a two-column page
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))  # theory is told apart by its dashes
MARKERS = ("o", "s", "^", "D", "v", "P")  # measurement by its markers
# regions of the palette's vermilion and blue, pale on paper and dark on dark pages
FAILS, SUCCEEDS = to_rgba(PALETTE[1], 0.22), to_rgba(PALETTE[0], 0.14)
EDGE = 0.001  # of the axes: rounding of points on their edge
TIME = "time $t$ of the flow"  # label of every time axis
ZERO_LEVEL = 1e-9  # of a loss: below, it counts as zero
TINY = 1e-300  # logarithmic axes end here: beyond, doubles lose their digits
FORMATS = ("png", "pdf", "svg")
DPI = 300.0  # of files


def paper() -> AbstractContextManager[None]:
    """Context in which figures are created and saved in the project's style."""
    return matplotlib.style.context(Path(__file__).with_name("paper.mplstyle"))


def shades(colour: str, strongest: float) -> LinearSegmentedColormap:
    """From nothing to a colour that covers so much of the ground: on any ground the least values are the ground."""
    ends = [to_rgba(colour, 0.0), to_rgba(colour, strongest)]
    return LinearSegmentedColormap.from_list(f"shades of {colour}", ends)


def show_span(axes: Axes, low: float, high: float) -> None:
    """Let the horizontal axis show [low, high], with room around a single point, which is no interval."""
    room = 0.0 if high > low else 0.5 * abs(low) or 0.5
    axes.set_xlim(low - room, high + room)


def show_decades(axes: Axes, low: float, high: float) -> None:
    """Let the vertical axis, logarithmic, show [low, high] > 0; an axis on which everything is zero is linear.

    Where powers of ten are less than two, 2 and 5 are named as well, and more where those are less than three.
    """
    if high > 0:
        high = max(high, 10 * TINY)
        low = max(low if 0 < low < high else high / 10, TINY)
        axes.set_autoscaley_on(False)  # limits of its own for all the data could overflow
        axes.set_yscale("log")
        axes.set_ylim(low, high)
        name_decades(axes.yaxis, low, high)
    else:
        axes.set_ylim(-0.05, 1.0)


def show_levels(axes: Axes, levels: Array, *, below: float, above: float) -> None:
    """Let the vertical axis show levels of a loss: logarithmic, down to zero where one of them is.

    Parameters
    ----------
    axes : Axes
    levels : (n,) array
    below, above : float
        Room beyond the lowest and the highest: of the smallest level above zero, and as a factor.
    """
    smallest = levels[levels > ZERO_LEVEL].min(initial=1.0)
    if levels.min() > ZERO_LEVEL:
        show_decades(axes, levels.min() / above, levels.max() * above)
    else:
        axes.set_yscale("symlog", linthresh=max(smallest, 1e-6), linscale=0.5)
        axes.set_ylim(-below * smallest, above * levels.max())


def name_decades(axis: XAxis | YAxis, low: float, high: float) -> None:
    """Name powers of ten on a logarithmic axis that shows [low, high]; where they are less than two, 2 and 5 too."""
    axis.set_major_locator(LogLocator(numticks=8))
    axis.set_minor_formatter(NullFormatter())
    if np.floor(np.log10(high)) <= np.ceil(np.log10(low)):
        axis.set_minor_locator(LogLocator(subs=_named_digits(low, high)))
        axis.set_minor_formatter(lambda value, _: f"{value:g}")
        parameters = cast("Mapping[str, float]", rcParams)
        ticks = "xtick" if isinstance(axis, XAxis) else "ytick"
        size, pad = (parameters[f"{ticks}.major.{part}"] for part in ("size", "pad"))
        axis.set_tick_params("minor", pad=size + pad - parameters[f"{ticks}.minor.size"])  # in line
        axis.set_major_formatter(lambda value, _: f"{value:g}")


def _named_digits(low: float, high: float) -> tuple[float, ...]:
    """First digits beside 1 that are named on a logarithmic axis: the fewest with which there are three names."""
    decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.floor(np.log10(high)) + 1)
    for digits in ((2.0, 5.0), (2.0, 3.0, 5.0)):
        names = np.outer(decades, (1.0, *digits))
        if np.sum((low <= names) & (names <= high)) >= 3:
            return digits
    return tuple(float(n) for n in range(2, 10))


def show_between(axes: Axes, low: float, high: float) -> None:
    """Let the vertical axis, linear, show [low, high] > 0 with a margin, and a hundredth of `high` at least."""
    margin = 0.08 * (high - low) + max(0.0, 0.01 * high - (high - low)) / 2
    axes.set_ylim(low - margin, high + margin)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, min_n_ticks=4))


def _clip_what_leaves(axes: Axes) -> None:
    """Clip lines that are drawn whole at the edges of the axes, where a point lies beyond (as 0 on a logarithmic axis).

    It would be drawn over everything else, and the layout would make room for it.
    """
    for line in axes.lines:
        if not line.get_clip_on() and line.get_transform() == axes.transData:
            points = axes.transAxes.inverted().transform(line.get_transform().transform(line.get_xydata()))
            if (np.abs(points - 0.5) > 0.5 + EDGE).any():
                line.set_clip_on(True)


def plain_text(text: str) -> str:
    """Text of a user as the font can draw it: no mathematics between dollars, "?" for characters it lacks."""
    known = _characters()
    return "".join(c if ord(c) in known else "?" for c in text).replace("$", r"\$")


@cache
def _characters() -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    with paper():
        return frozenset(get_font(findfont(FontProperties())).get_charmap())


def validate_format(path: str | Path) -> str:
    """Format of a figure file, from its suffix."""
    suffix = Path(path).suffix.lower().lstrip(".")
    if suffix not in FORMATS:
        raise ProblemError(f"`output` is {str(path)!r}, but a figure must end in: {', '.join(FORMATS)}.")
    return suffix


def save_figure(
    figure: Figure, file: str | Path | IO[bytes], format: str | None = None, dpi: float | None = None
) -> None:
    """Write a figure as PNG, PDF or SVG; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    file : path or binary file
    format : str, optional
        "png", "pdf" or "svg"; needed if `file` is not a path.
    dpi : float, optional
        Points per inch of a PNG, and of what a PDF or SVG has as an image; default `DPI`.
    """
    kind = validate_format(file) if format is None else format  # type: ignore[arg-type]
    # Dates would make two identical runs differ.
    metadata = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(kind, {})
    for axes in figure.axes:
        _clip_what_leaves(axes)
    with paper():
        if any(axes.texts for axes in figure.axes):
            figure.draw_without_rendering()
            for axes in figure.axes:
                fit_notes(axes)
        figure.savefig(file, format=kind, metadata=metadata, dpi=DPI if dpi is None else dpi)
