"""The saddle graph: a network that goes from stationary point to stationary point, at the height of its loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.text import Annotation

from dynamics.aliases import Array
from figures.saddle_graph import leg_name

if TYPE_CHECKING:
    from empirical.experiments.saddle_path import SaddlePath

AFTER = 1.03  # times the arrival at the last plateau: how long the network is watched
POINT = 5.0  # size of the network, points
AHEAD = 0.5  # line width of an arrow that the network has yet to take, of the width that it has afterwards


@dataclass(frozen=True)
class Leg:
    """An arrow of the path, and how far along it the network is.

    Parameters
    ----------
    arrow : Annotation
        As it is drawn: from `xyann` to `xy`.
    width : float
        Of its line, points.
    leap : bool
        Whether it is no arrow of the graph, but of the path alone.
    begins : float
        Time at which the network leaves for it.
    times, shares : (T,) arrays
        What part of it the network has passed.
    """

    arrow: Annotation
    width: float
    leap: bool
    begins: float
    times: Array
    shares: Array

    def at(self, time: float) -> Array:
        """Points (n, 2) of the part of the arrow, straight or bent, that the network has passed; it is at the last."""
        axes, patch = self.arrow.axes, self.arrow.arrow_patch
        ends = axes.transData.transform([self.arrow.get_position(), self.arrow.xy])  # type: ignore[union-attr]
        style: Any = patch.get_connectionstyle()  # type: ignore[union-attr]
        (drawn,) = style(*ends, shrinkA=0, shrinkB=0).to_polygons(closed_only=False)
        height = ends[0, 1] + np.interp(time, self.times, self.shares) * (ends[1, 1] - ends[0, 1])
        passed = drawn[drawn[:, 1] > height] if height < ends[0, 1] else drawn[:1]
        here = [np.interp(-height, -drawn[:, 1], drawn[:, 0]), height]  # arrows lead downwards
        return axes.transData.inverted().transform([*passed, here])  # type: ignore[union-attr]

    def show(self, taken: bool) -> None:
        """As it is drawn once the network has passed, and thin before; a leap is not seen before."""
        patch = self.arrow.arrow_patch
        patch.set_linewidth(self.width if taken else AHEAD * self.width)  # type: ignore[union-attr]
        self.arrow.set_visible(taken or not self.leap)


class ThroughGraph:
    """A point walks along the arrows of the path, which become thick as it has passed them.

    It is where the arrow has the height of the loss of the network: on a plateau at the stationary point. It sets out
    on the next arrow when the plateau ends.

    Parameters
    ----------
    panels : sequence of Axes
        One, with the saddle graph.
    path : SaddlePath
        What is drawn on it.
    """

    def __init__(self, panels: Sequence[Axes], path: SaddlePath) -> None:
        (axes,) = panels
        ink = axes.xaxis.label.get_color()
        self._legs = _legs(axes, path)
        self._end = AFTER * path.stages[-1].start if self._legs else float(path.run.times[-1])
        self._trail = Line2D([], [], linewidth=2.4, color=ink, zorder=2.5, visible=False)
        self._point = Line2D([], [], marker="o", markersize=POINT, color=ink, zorder=9, visible=False)
        self._point.set_markerfacecolor(axes.get_facecolor())
        for line in (self._trail, self._point):
            axes.add_artist(line)

    def times(self, count: int) -> Array:
        """Evenly spaced, until the network has come to the last plateau."""
        return np.linspace(0.0, self._end, count)

    def show(self, time: float) -> None:
        """The network on its arrow, those before as it has passed them."""
        under_way = [leg for leg in self._legs if leg.begins <= time]
        for leg in self._legs:
            leg.show(taken=leg in under_way[:-1])
        if under_way:
            way = under_way[-1].at(time)
            self._trail.set_data(*way.T)
            self._point.set_data(*way[-1:].T)
        for line in (self._trail, self._point):
            line.set_visible(bool(under_way))

    def finish(self) -> None:
        """The whole path, without the network."""
        for leg in self._legs:
            leg.show(taken=True)
        for line in (self._trail, self._point):
            line.set_visible(False)


def _legs(axes: Axes, path: SaddlePath) -> list[Leg]:
    """The arrows of the path, in order: the first begins at time 0, the others where a plateau ends."""
    named = {text.get_gid(): text for text in axes.texts if isinstance(text, Annotation)}
    scale = axes.yaxis.get_transform()
    loss = scale.transform(np.median(path.run.loss, axis=0))
    legs = []
    for n, stage in enumerate(path.stages[:-1]):
        leap = leg_name(n) not in named
        arrow = named.get(leg_name(n, leap))
        if arrow is None or arrow.arrow_patch is None:
            continue
        high, low = scale.transform(np.array([arrow.get_position()[1], arrow.xy[1]], dtype=float))
        shares = np.clip((high - loss) / ((high - low) or 1.0), 0.0, 1.0)  # degenerate modes are as high
        width = float(arrow.arrow_patch.get_linewidth())
        legs.append(Leg(arrow, width, leap, stage.end if n else 0.0, path.run.times, shares))
    return legs
