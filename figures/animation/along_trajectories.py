"""The phase portrait: points that run along their trajectories, all from time 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from dynamics.aliases import Array
from dynamics.phase_plane import PhasePlane
from figures.phase_portrait import trajectory_name

POINT = 4.5  # size, points
ARRIVED = 0.01  # of the width of the plane: nearer to its end a point is not seen to move


class AlongTrajectories:
    """Every trajectory grows behind a point, which is where its unit is.

    Parameters
    ----------
    panels : sequence of Axes
        One, with the phase portrait.
    plane : PhasePlane
        What is drawn on it.
    """

    def __init__(self, panels: Sequence[Axes], plane: PhasePlane) -> None:
        self._plane = plane
        named = {line.get_gid(): line for line in panels[0].lines}
        self._trails = [named[trajectory_name(k)] for k in range(len(plane.paths))]
        self._heads = [_head(panels[0], trail) for trail in self._trails]

    def times(self, count: int) -> Array:
        """Evenly spaced, until all points are as good as where they end."""
        near = ARRIVED * np.ptp(self._plane.a)
        arrivals = [
            _arrival(t, path, near) for t, path in zip(self._plane.times, self._plane.paths, strict=True)
        ]
        return np.linspace(0.0, max(arrivals, default=0.0), count)

    def show(self, time: float) -> None:
        """Trajectories up to a time, with the point that they have reached; what has ended stays there."""
        for trail, head, path, t in zip(
            self._trails, self._heads, self._plane.paths, self._plane.times, strict=True
        ):
            here = np.array([np.interp(time, t, along) for along in path])
            trail.set_data(*np.column_stack([path[:, t < time], here]))
            head.set_data(*here[:, None])
            head.set_visible(True)

    def finish(self) -> None:
        """Whole trajectories, without the points."""
        for trail, head, path in zip(self._trails, self._heads, self._plane.paths, strict=True):
            trail.set_data(*path)
            head.set_visible(False)


def _head(axes: Axes, trail: Line2D) -> Line2D:
    """The point that runs ahead of a trajectory, in its colour."""
    above = trail.get_zorder() + 2
    head = Line2D([], [], marker="o", markersize=POINT, color=trail.get_color(), zorder=above, visible=False)
    axes.add_artist(head)
    return head


def _arrival(times: Array, path: Array, near: float) -> float:
    """The first time after which a path (2, T) stays near to its end."""
    far = np.flatnonzero(np.hypot(*(path - path[:, -1:])) > near)
    return float(times[min(far.max(initial=-1) + 1, len(times) - 1)])
