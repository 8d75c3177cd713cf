"""The figures that can be animated: who draws each, and what moves in it. They are imported when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from figures.animation.motion import Motion
from figures.canvas import Drawn, GivenAxes

if TYPE_CHECKING:
    from empirical.experiments.saddle_path import SaddlePath


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


def _learning_curves() -> Animated:
    from figures.animation.over_time import OverTime
    from figures.learning_curve import learning_curves

    return Animated(learning_curves, OverTime)


def _phase_portrait() -> Animated:
    from figures.animation.along_trajectories import AlongTrajectories
    from figures.phase_portrait import phase_portrait_figure

    return Animated(phase_portrait_figure, AlongTrajectories)


def _saddle_graph() -> Animated:
    from figures.animation.through_graph import ThroughGraph
    from figures.saddle_graph import saddle_graph_figure

    def draw(path: SaddlePath, *, axes: GivenAxes = None) -> Drawn:
        return saddle_graph_figure(path.graph, path.visited, axes=axes)

    return Animated(draw, ThroughGraph)


def _spectrum() -> Animated:
    from figures.animation.over_time import OverTime
    from figures.spectrum import spectrum_figure

    return Animated(spectrum_figure, OverTime)


ANIMATED: dict[str, Callable[[], Animated]] = {
    "learning-curves": _learning_curves,
    "phase-portrait": _phase_portrait,
    "saddle-graph": _saddle_graph,
    "spectrum": _spectrum,
}
