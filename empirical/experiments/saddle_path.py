"""The saddle-to-saddle graph, and the path that a network trained from small weights takes through it."""

from __future__ import annotations

from dataclasses import dataclass

from dynamics.clock import Clock
from dynamics.curves.stages import Stage
from dynamics.problem import Problem
from dynamics.problem.mode_numbers import mode_set
from dynamics.stationary.catalogue import fixed_points
from dynamics.stationary.connections import Modes, SaddleGraph, saddle_graph
from dynamics.stationary.visited import visited
from empirical.training import train
from empirical.training_run import TrainingRun

RECORDS = 400  # of the training: plateaus are found on them
NEAR_END = 0.05  # of the time: a plateau that lasts so far is the one on which the network is at the end


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

    def summary(self) -> str:
        """The sets of learned modes on the way, and why it ends where it does: time was over, or nothing leads on."""
        t_end = float(self.run.times[-1])
        now = f"at t = {t_end:.4g}, with loss {self.run.loss[0, -1]:.4g}"
        if not self.stages:
            return f"network: no plateau; its time was over {now}"
        last = self.graph.node(self.visited[-1])
        leads_on = bool(self.graph.edges_from(last.learned_modes))
        if self.stages[-1].end < (1 - NEAR_END) * t_end:
            end = f"its time was over on the way down from there, {now}"
        elif leads_on:
            end = f"its time was over there, {now}: a saddle, which units of the signs of its arrows leave"
        elif last.loss > self.graph.nodes[0].loss:
            end = f"it is stuck there, {now}: nothing leads further down"
        else:
            end = f"nothing lies lower, {now}"
        return f"network: {' → '.join(map(mode_set, self.visited))}; {end}"


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
