"""Names on the panels of learning curves: of levels, off the curve, and of curves, beside the panel."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from dynamics.curves.trajectory import Trajectory
from dynamics.sgd.trajectory import SGDTrajectory
from figures.labels import in_points, spread

SMALLER = 5.7  # points: of a name that does not fit in its own size
ON = 1.02  # ratio of the loss to a level below which the curve has come down to it
LIFT = 4.0  # points of a name above a level on which the curve, with its markers, goes on below it
LINE = 8.0  # points from one name beside a panel to the next


def clear_levels(axes: Axes, trajectory: Trajectory | SGDTrajectory) -> None:
    """Names of levels, from the highest, where the curve does not cross them and no other name is.

    Those that it would cross at the right go to the left, below their level; what fits nowhere is written smaller,
    shortened, or left out.
    """
    first, last = axes.get_xlim()
    scale = (last - first) / axes.get_window_extent().width
    taken: list[Bbox] = []
    for text in axes.texts:
        level = text.xy[1]  # type: ignore[attr-defined]
        later = trajectory.times[trajectory.loss <= ON * level]
        crossed = later[0] if later.size else last
        full, size = text.get_text(), text.get_fontsize()
        for words, points in ((full, size), (full, SMALLER), (full.rpartition("= ")[2], size)):
            text.set(text=words, fontsize=points)
            width = scale * text.get_window_extent().width
            if crossed < last - width:
                if np.interp(last - width, trajectory.times, trajectory.loss) * ON > level:
                    text.set(y=LIFT)
                break
            if first + width < crossed:
                text.set(x=2, y=-1.5, ha="left", va="top")
                text.xy = (0.0, level)  # type: ignore[attr-defined]
                break
        box = text.get_window_extent()
        text.set_visible(not box.count_overlaps(taken))
        taken += [box] if text.get_visible() else []


def name_at_the_right(axes: Axes, height: float, name: str, colour: str) -> None:
    """A name beside the panel, at a height of its axis."""
    axes.annotate(
        name,
        (1.0, height),
        xycoords=("axes fraction", "data"),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        color=colour,
        fontsize=6.5,
        annotation_clip=False,
    )


def part_names(axes: Axes) -> None:
    """Move names beside a panel, which is laid out, so far apart that they can be read."""
    names = [text for text in reversed(axes.texts) if isinstance(text, Annotation)]  # the first one on top
    if not names:
        return
    heights = in_points(axes, [text.xy for text in names])[:, 1]
    lowest = in_points(axes, [(0.0, axes.get_ylim()[0])])[0, 1]
    for text, height, moved in zip(names, heights, spread(heights, LINE, low=lowest), strict=True):
        text.set_position((text.get_position()[0], moved - height))
