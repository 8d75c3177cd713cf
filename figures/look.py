"""How figures look: for paper, for slides or on a dark page, and how large.

Makers draw black on white. What is shown on another ground is drawn so too, and its greys are exchanged afterwards:
from black, which becomes the ink, to white, which becomes the ground. Colours stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import Collection
from matplotlib.colors import to_rgba, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from dynamics.validation import validate_choice

GREY = 0.02  # difference of the parts of a colour below which it is a grey


@dataclass(frozen=True)
class Style:
    """One look.

    Parameters
    ----------
    ink, ground : str
        What black and white become.
    aspect : float or None
        Height over width, at most; None: that of the figure.
    """

    ink: str = "black"
    ground: str = "white"
    aspect: float | None = None


STYLES = {
    "paper": Style(),
    "slides": Style(aspect=9 / 16),
    "dark": Style("#e6e6e6", "#131416"),
}


@dataclass(frozen=True)
class Look:
    """A style, and a size that all figures have.

    Parameters
    ----------
    style : str
        One of `STYLES`.
    size : (float, float) or None
        Width and height, inches; None: those of each figure.
    """

    style: str = "paper"
    size: tuple[float, float] | None = None

    def size_of(self, size: tuple[float, float]) -> tuple[float, float]:
        """Size of a figure that would have this one on paper.

        On slides a figure that is higher than 9/16 of its width is made wider: it is enlarged to the height of the
        slide, and its letters with it.
        """
        aspect = STYLES[self.style].aspect
        if self.size is not None or aspect is None:
            return self.size or size
        return max(size[0], size[1] / aspect), size[1]


PAPER = Look()
_look: ContextVar[Look] = ContextVar("look", default=PAPER)


@contextmanager
def look(style: str = "paper", size: tuple[float, float] | None = None) -> Iterator[None]:
    """Context in which figures have a style and, if one is given, a size.

    Parameters
    ----------
    style : str
        One of `STYLES`: "paper", "slides" (16 : 9, to be enlarged), "dark" (for dark pages).
    size : (float, float), optional
        Width and height, inches.

    Raises
    ------
    ProblemError
        If there is no such style.
    """
    token = _look.set(Look(validate_choice("style", style, STYLES), size))
    try:
        yield
    finally:
        _look.reset(token)


def current_look() -> Look:
    """The look that is in force."""
    return _look.get()


def exchanged(ink: Any, ground: Any) -> Callable[[Any], list[Any]]:
    """Function that puts ink for black and ground for white in colours, and what is between for greys.

    What cannot be seen at all is "none", which an artist's own transparency leaves as it is.
    """
    ends = np.array([to_rgba(ink)[:3], to_rgba(ground)[:3]])

    def colours(given: Any) -> list[Any]:
        found = to_rgba_array(given)
        grey = np.ptp(found[:, :3], axis=1) < GREY
        level = found[grey, :1]
        found[grey, :3] = (1 - level) * ends[0] + level * ends[1]
        return [tuple(colour) if colour[3] else "none" for colour in found.tolist()]

    return colours


def recolour(artists: Iterable[Artist], ink: Any, ground: Any) -> None:
    """Exchange the greys of artists."""
    new = exchanged(ink, ground)

    def one(colour: Any) -> Any:
        return "none" if isinstance(colour, str) and colour in ("none", "auto") else new(colour)[0]

    for artist in artists:
        if isinstance(artist, Line2D):
            # read before any is set: markers that have no colour of their own have that of the line
            line, face, edge = artist.get_color(), artist.get_markerfacecolor(), artist.get_markeredgecolor()
            artist.set_color(one(line))
            artist.set_markerfacecolor(one(face))
            artist.set_markeredgecolor(one(edge))
        elif isinstance(artist, Text):
            artist.set_color(one(artist.get_color()))
            behind = artist.get_bbox_patch(), getattr(artist, "arrow_patch", None)
            recolour([patch for patch in behind if patch is not None], ink, ground)
        elif isinstance(artist, Patch):
            face, edge = artist.get_facecolor(), artist.get_edgecolor()
            artist.set_facecolor(one(face))
            artist.set_edgecolor(one(edge))
        elif isinstance(artist, Collection) and artist.get_array() is None:
            artist.set_facecolor(new(artist.get_facecolor()))
            artist.set_edgecolor(new(artist.get_edgecolor()))


def recolour_figure(figure: Figure, ink: str, ground: str) -> None:
    """Exchange all greys of a figure, those of its axes included."""
    recolour(figure.findobj(), ink, ground)
    for axes in figure.axes:
        axes.tick_params(which="both", color=ink, labelcolor=ink)  # of the ticks that are made later
