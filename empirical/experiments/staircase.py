"""The staircase, predicted without integration, beside the flow and networks that it is about."""

from __future__ import annotations

from dataclasses import dataclass

from dynamics.clock import Clock
from dynamics.curves.trajectory import Trajectory
from dynamics.errors import ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.problem import Problem
from dynamics.saddle_to_saddle.staircase import Staircase, staircase
from dynamics.validation import validate_count
from empirical.training import train
from empirical.training_run import TrainingRun

BEYOND = 1.3  # times the last predicted jump: how far flow and networks go
STAYS = 2.0  # times 1/ρ, at least that long after it where weight decay stops the staircase
SAMPLES = 1000  # of the flow: a jump is short


@dataclass(frozen=True, eq=False)
class StaircaseCurves:
    """A prediction, the flow from the same initial weights, and networks trained from them.

    Parameters
    ----------
    prediction : Staircase
    trajectory : Trajectory
    run : TrainingRun or None
        None: theory alone.
    """

    prediction: Staircase
    trajectory: Trajectory
    run: TrainingRun | None = None


def staircase_curves(
    problem: Problem, *, step: float, batch: int, seeds: int, seed: int = 0, progress: bool = False
) -> StaircaseCurves:
    """Predict the staircase, and follow flow and networks until shortly after its last jump.

    Parameters
    ----------
    problem : Problem
        With small initial weights.
    step, batch, seed
        As for `empirical.training.train`.
    seeds : int
        Number of networks; 0: theory alone.
    progress : bool
        Show progress bars on standard error if that is a terminal.

    Raises
    ------
    ProblemError
        If no jump is predicted, or an argument is not usable.
    """
    clock = Clock(step)
    validate_count("batch", batch)
    validate_count("seeds", seeds, minimum=0)
    prediction = staircase(problem)
    if not prediction.jumps:
        raise ProblemError(f"Nothing to draw: from these initial weights no jump follows ({prediction.end})")
    t_end = BEYOND * prediction.jumps[-1].time
    if prediction.missing is not None:
        t_end = max(t_end, prediction.jumps[-1].time + STAYS / max(problem.weight_decay.rates))
    trajectory = GradientFlow(problem).integrate(t_end, samples=SAMPLES, progress=progress)
    if not seeds:
        return StaircaseCurves(prediction, trajectory)
    steps = clock.steps_until(t_end)
    run = train(problem, steps=steps, step=step, batch=batch, seeds=seeds, seed=seed, progress=progress)
    return StaircaseCurves(prediction, trajectory, run)
