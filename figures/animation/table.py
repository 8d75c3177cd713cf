"""The figures that can be animated: who draws each, and what moves in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from empirical.experiments.saddle_path import SaddlePath
from figures.animation.along_trajectories import AlongTrajectories
from figures.animation.motion import Motion
from figures.animation.over_time import OverTime
from figures.animation.through_graph import ThroughGraph
from figures.canvas import Drawn, GivenAxes
from figures.learning_curve import learning_curves
from figures.phase_portrait import phase_portrait_figure
from figures.saddle_graph import saddle_graph_figure


@dataclass(frozen=True)
class Animated:
    """A figure that can be animated.

    Parameters
    ----------
    draw : callable
        Its maker: a function of results, which takes `axes`.
    motion : callable
        What moves in it, `figures.animation.motion.Motion`: a function of the panels and of the same results.
    """

    draw: Callable[..., Drawn]
    motion: Callable[..., Motion]


def _saddle_path(path: SaddlePath, *, axes: GivenAxes = None) -> Drawn:
    """The graph with the path of the network."""
    return saddle_graph_figure(path.graph, path.visited, axes=axes)


ANIMATED: dict[str, Animated] = {
    "learning-curves": Animated(learning_curves, OverTime),
    "phase-portrait": Animated(phase_portrait_figure, AlongTrajectories),
    "saddle-graph": Animated(_saddle_path, ThroughGraph),
}
