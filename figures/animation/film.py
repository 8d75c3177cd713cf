"""A figure that moves, from results: `animate`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.validation import validate_choice, validate_real
from figures.animation.motion import Motion
from figures.animation.table import ANIMATED
from figures.canvas import GivenAxes
from figures.style import paper

SECONDS, RATE = 8.0, 20.0  # how long a film lasts, and its frames per second
LENGTHS = 0.1, 60.0  # seconds
RATES = 1.0, 50.0  # GIFs count in hundredths of a second, and browsers slow down what is faster
FEWEST, MOST = 2, 1200  # frames
POINTS = 1e9  # of all frames together: a byte of memory each


class Film(FuncAnimation):
    """An animation that ends in the whole figure.

    Parameters
    ----------
    figure : Figure
    show : callable
        Shows the figure at a time, or for None the whole figure.
    times : (N,) array
        Of the frames before the last.
    frames_per_second : float
    """

    def __init__(
        self, figure: Figure, show: Callable[[float | None], None], times: Array, frames_per_second: float
    ) -> None:
        self.figure, self.frames_per_second = figure, frames_per_second
        self._show = show
        super().__init__(
            figure,
            show,
            [*times.tolist(), None],
            interval=1000 / frames_per_second,
            cache_frame_data=False,
        )

    def finish(self) -> None:
        """Show the whole figure."""
        self._show(None)


def animate(
    figure: str,
    *results: Any,
    seconds: float = SECONDS,
    frames_per_second: float = RATE,
    axes: GivenAxes = None,
    **options: Any,
) -> Film:
    """Draw a figure and let it happen: theory and networks up to a time, which goes by; at the end the whole figure.

    Parameters
    ----------
    figure : str
        "learning-curves" and "spectrum" are drawn from left to right; in "phase-portrait" points run along their
        trajectories; in "saddle-graph" a network goes from stationary point to stationary point.
    *results
        What its maker draws, such as a comparison; for the saddle graph the path of a network,
        `empirical.experiments.saddle_path.saddle_path`.
    seconds : float
        How long it lasts, at most 60. Frames are evenly spaced in time; along a logarithmic axis, in its logarithm.
    frames_per_second : float
        At most 50.
    axes : Axes or sequence of Axes, optional
        To draw into instead, as for the maker.
    **options
        Further ones of the maker.

    Returns
    -------
    Film
        A `matplotlib.animation.FuncAnimation`. `figures.save_animation` writes it as GIF or MP4; in a notebook
        ``HTML(animation.to_jshtml())`` shows it.

    Raises
    ------
    ProblemError
        If there is no such figure among them, or the film would be too long.
    """
    animated = ANIMATED[validate_choice("figure", figure, ANIMATED)]()
    count_frames(seconds, frames_per_second)
    drawn = animated.draw(*results, axes=axes, **options)
    if axes is None:
        return animate_drawn(figure, drawn, *results, seconds=seconds, frames_per_second=frames_per_second)
    panels = np.ravel(np.asarray(axes, dtype=object)).tolist()
    return _set_in_motion(panels, animated.motion(panels, *results), seconds, frames_per_second)


def animate_drawn(
    name: str, figure: Figure, *results: Any, seconds: float = SECONDS, frames_per_second: float = RATE
) -> Film:
    """As `animate`, of a figure of its own that its maker has drawn from these results.

    Its layout stays as it is at its resolution, `Figure.dpi`.
    """
    with paper():
        panels = figure.axes
        return _set_in_motion(panels, ANIMATED[name]().motion(panels, *results), seconds, frames_per_second)


def _set_in_motion(panels: list[Axes], motion: Motion, seconds: float, frames_per_second: float) -> Film:
    """The frames: a motion, and then the picture as it is."""
    figure: Any = panels[0].figure
    count = count_frames(seconds, frames_per_second)
    width, height = (round(part * figure.dpi) for part in figure.get_size_inches())
    if width * height * count > POINTS:
        raise ProblemError(
            f"An animation of {count} frames of {width} x {height} points has more than {POINTS:.0e} points: make it "
            "shorter, smaller or coarser."
        )
    times = motion.times(count - 1)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    clock = _clock(figure, panels[-1])
    name = _reading(float(times[-1]))

    def show(time: float | None) -> None:
        clock.set_visible(time is not None)
        if time is None:
            motion.finish()
        else:
            motion.show(time)
            clock.set_text(name.format(time))

    return Film(figure, show, times, frames_per_second)


def count_frames(seconds: float, frames_per_second: float) -> int:
    """Frames of a film.

    Raises
    ------
    ProblemError
        If they are too few or too many.
    """
    seconds = validate_real("seconds", seconds, positive=True, size=LENGTHS)
    rate = validate_real("frames_per_second", frames_per_second, positive=True, size=RATES)
    count = round(seconds * rate)
    if not FEWEST <= count <= MOST:
        raise ProblemError(
            f"`seconds` is {seconds:g} and `frames_per_second` {rate:g}, which makes {count} frames, but there must be "
            f"{FEWEST} to {MOST:,} of them."
        )
    return count


def _clock(figure: Figure, lowest: Axes) -> Text:
    """The time, at the right end of the line in which the lowest panel has the name of its horizontal axis."""
    box = lowest.get_window_extent()
    name = lowest.xaxis.label.get_window_extent()
    x, y = figure.transFigure.inverted().transform((box.x1, name.y0))
    label = lowest.xaxis.label
    like: dict[str, Any] = {"fontsize": label.get_fontsize(), "color": label.get_color()}
    return figure.text(x, y, "", ha="right", va="bottom", visible=False, **like)


def _reading(end: float) -> str:
    """Format of a time, with three or more digits of the last one."""
    if not 1e-3 <= end < 1e5:
        return "$t$ = {:.2e}"
    return f"$t$ = {{:.{max(0, 2 - int(np.floor(np.log10(end))))}f}}"
