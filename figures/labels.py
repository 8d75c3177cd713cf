"""Where labels go, so that none lies over another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.typing import ArrayLike
from scipy.optimize import isotonic_regression

from dynamics.aliases import Array

POINTS = 72.0  # per inch


def spread(heights: ArrayLike, distance: float, low: float = -np.inf, high: float = np.inf) -> Array:
    """Heights (n,) moved as little as possible, in the sum of squares, until neighbours are `distance` apart.

    In order, y_i − i·distance must not fall: an isotonic regression. Those that leave [low, high] are moved into it,
    where there is room for all.
    """
    wanted = np.asarray(heights, dtype=float)
    if not wanted.size:
        return wanted
    order = np.argsort(wanted, kind="stable")
    steps = distance * np.arange(len(wanted))
    moved = isotonic_regression(wanted[order] - steps).x
    moved = np.minimum(moved, high - steps[-1]) if np.isfinite(high) else moved
    found = np.empty_like(wanted)
    found[order] = np.maximum(moved, low) + steps
    return found


def in_points(axes: Axes, places: ArrayLike) -> Array:
    """Data coordinates (n, 2) as points on the paper, from the lower left corner of the figure."""
    return np.asarray(axes.transData.transform(np.asarray(places, dtype=float))) * POINTS / axes.figure.dpi


def from_points(axes: Axes, points: ArrayLike) -> Array:
    """The inverse of `in_points`."""
    pixels = np.asarray(points, dtype=float) * axes.figure.dpi / POINTS
    return np.asarray(axes.transData.inverted().transform(pixels))


@dataclass
class Room:
    """What is taken of the room on axes: boxes of what is drawn, in pixels.

    Parameters
    ----------
    axes : Axes
        Laid out, with their final limits.
    taken : list of Bbox
    """

    axes: Axes
    taken: list[Bbox] = field(default_factory=list)

    def take(self, texts: Iterable[Text]) -> None:
        """Keep the place of texts."""
        self.taken += [text.get_window_extent() for text in texts]

    def take_points(self, places: ArrayLike, size: float) -> None:
        """Keep the places of markers of so many points, at data coordinates (n, 2)."""
        half = size / 2 * self.axes.figure.dpi / POINTS
        self.taken += [
            Bbox([[x - half, y - half], [x + half, y + half]])
            for x, y in self.axes.transData.transform(np.asarray(places, dtype=float))
        ]

    def put(self, text: Text, candidates: Sequence[tuple[float, float]]) -> None:
        """Move a text at data coordinates to the first candidate where it covers nothing.

        Where there is none, to the one where it covers least.
        """
        covered = []
        for place in candidates:
            text.set_position(place)
            box = text.get_window_extent()
            covered.append(sum(_common(box, other) for other in self.taken))
            if not covered[-1]:
                break
        text.set_position(candidates[int(np.argmin(covered))])
        self.take([text])


def _common(one: Bbox, other: Bbox) -> float:
    """Area that two boxes share."""
    both = Bbox.intersection(one, other)
    return 0.0 if both is None else float(both.width * both.height)
