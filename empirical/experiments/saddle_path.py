"""The saddle-to-saddle graph, and the path that a network trained from small weights takes through it."""

from __future__ import annotations

from dataclasses import dataclass

from dynamics.clock import Clock
from dynamics.curves.stages import Stage
from dynamics.problem import Problem
from dynamics.stationary.catalogue import fixed_points
from dynamics.stationary.connections import Modes, SaddleGraph, saddle_graph, visited
from empirical.training import train
from empirical.training_run import TrainingRun

RECORDS = 400  # of the training: plateaus are found on them


@dataclass(frozen=True, eq=False)
class SaddlePath:
    """All connections between stationary points, and those that one network took.

    Parameters
    ----------
    graph : SaddleGraph
    run : TrainingRun
        One network.
    stages : tuple of Stage
        Its plateaus, each matched with a stationary point.
    """

    graph: SaddleGraph
    run: TrainingRun
    stages: tuple[Stage, ...]

    @property
    def visited(self) -> list[Modes]:
        """Learned modes on each plateau, in order of time."""
        return [stage.learned_modes for stage in self.stages]


def saddle_path(
    problem: Problem, *, step: float, batch: int, t_end: float, seed: int = 0, progress: bool = False
) -> SaddlePath:
    """Connect the stationary points of a problem, train one network, and find the plateaus that it visits.

    Parameters
    ----------
    problem : Problem
        With small initial weights.
    step, batch, seed
        As for `empirical.training.train`.
    t_end : float
        Time of the flow up to which is trained.
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Raises
    ------
    ProblemError
        If the problem has no such graph, or an argument is not usable.
    """
    graph = saddle_graph(fixed_points(problem))
    steps = Clock(step).steps_until(t_end)
    run = train(problem, steps=steps, step=step, batch=batch, records=RECORDS, seed=seed, progress=progress)
    return SaddlePath(graph, run, visited(run, problem, seed=0))
