"""Curves that are drawn as time goes by, those of all panels together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from dynamics.aliases import Array
from figures.animation.motion import drawn_against_time

NOW: dict[str, Any] = {"linewidth": 0.5, "alpha": 0.6, "zorder": 0.5}  # a line through all panels


class OverTime:
    """Whatever is drawn against time is seen up to the present, which a thin line marks.

    Parameters
    ----------
    panels : sequence of Axes
        Their horizontal axes are time, and the same.
    *results
        What is drawn; not looked at.
    """

    def __init__(self, panels: Sequence[Axes], *results: object) -> None:
        self._panels = panels
        self._parts = [part for axes in panels for part in drawn_against_time(axes)]
        self._now = [_upright(axes) for axes in panels]

    def times(self, count: int) -> Array:
        """Evenly spaced along the axis as it is drawn: on a logarithmic one, in the logarithm of time."""
        scale = self._panels[-1].xaxis.get_transform()
        first, last = scale.transform(np.array(self._panels[-1].get_xlim()))
        return np.asarray(scale.inverted().transform(np.linspace(first, last, count)), dtype=float)

    def show(self, time: float) -> None:
        """Cut all panels at a time."""
        for part in self._parts:
            part.show(time)
        for line in self._now:
            line.set_visible(True)
            line.set_xdata([time, time])

    def finish(self) -> None:
        """All of it, without the line."""
        for part in self._parts:
            part.finish()
        for line in self._now:
            line.set_visible(False)


def _upright(axes: Axes) -> Line2D:
    """A line over the height of axes; it takes no part in their limits."""
    colour = axes.xaxis.label.get_color()
    line = Line2D([0, 0], [0, 1], transform=axes.get_xaxis_transform(), color=colour, visible=False, **NOW)
    axes.add_artist(line)
    return line
