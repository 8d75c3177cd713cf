"""What moves in a figure: the contract of all motions, and the parts of a picture that are seen up to a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox, TransformedBbox

from dynamics.aliases import Array


class Motion(Protocol):
    """Shows a drawn figure as it was at some time.

    Until `show` is first called, and again after `finish`, the figure is as its maker left it.
    """

    def times(self, count: int) -> Array:
        """Times of the flow of so many frames, increasing, from the beginning to the end of what happens."""
        ...

    def show(self, time: float) -> None:
        """Let be seen what has happened up to a time, and nothing later."""
        ...

    def finish(self) -> None:
        """The figure as it was drawn."""
        ...


class Clipped:
    """A line or band that is seen up to a time of the horizontal axis."""

    def __init__(self, artist: Artist, axes: Axes) -> None:
        self._artist, self._axes = artist, axes
        self._before = artist.get_clip_box(), artist.get_clip_on()

    def show(self, time: float) -> None:
        """Cut what lies to the right."""
        box = Bbox([[self._axes.get_xlim()[0], 0.0], [time, 1.0]])
        self._artist.set_clip_box(TransformedBbox(box, self._axes.get_xaxis_transform()))
        self._artist.set_clip_on(True)

    def finish(self) -> None:
        """All of it."""
        box, on = self._before
        self._artist.set_clip_box(box)
        self._artist.set_clip_on(on)


class Dotted:
    """Markers, each of which is seen whole from its time on."""

    def __init__(self, line: Line2D) -> None:
        self._line = line
        self._x, self._y = (np.asarray(values, dtype=float) for values in line.get_data(orig=True))

    def show(self, time: float) -> None:
        """Leave out those to the right."""
        seen = self._x <= time
        self._line.set_data(self._x[seen], self._y[seen])

    def finish(self) -> None:
        """All of them."""
        self._line.set_data(self._x, self._y)


def drawn_against_time(axes: Axes) -> Sequence[Clipped | Dotted]:
    """What is drawn on axes at times of their horizontal axis; what spans their whole width, as a level, is not."""
    found: list[Clipped | Dotted] = []
    for artist in (*axes.lines, *axes.collections, *axes.patches):
        if not artist.get_transform().contains_branch_seperately(axes.transData)[0]:
            continue
        if isinstance(artist, Line2D) and artist.get_linestyle() == "None":
            found.append(Dotted(artist))
        else:
            found.append(Clipped(artist, axes))
    return found
