"""Several activations from the same kind of start: the flow of each, and networks trained from its initial weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dynamics.clock import Clock
from dynamics.curves.trajectory import Trajectory
from dynamics.flows.gradient import GradientFlow
from dynamics.problem import Problem
from dynamics.validation import validate_real
from dynamics.words import counted
from empirical.training import train
from empirical.training_run import TrainingRun

SAMPLES = 1000  # of the flow: plateaus are found on it
LEARNED = 1e-3  # of the initial loss: what rests below is no plateau on the way, but the end


@dataclass(frozen=True, eq=False)
class ActivationCurves:
    """The flow of one activation, and networks trained from the same initial weights.

    Parameters
    ----------
    trajectory : Trajectory
    run : TrainingRun or None
        None: theory alone.
    """

    trajectory: Trajectory
    run: TrainingRun | None = None

    @property
    def plateaus(self) -> int:
        """How many the flow rests on before the end."""
        least = LEARNED * self.trajectory.loss[0]
        return len([stage for stage in self.trajectory.stages if stage.loss > least])

    @property
    def apart(self) -> float | None:
        """Largest deviation of the mean loss of the networks from the flow, relative to the initial loss."""
        if self.run is None:
            return None
        flow = self.trajectory
        theory = np.interp(self.run.times, flow.times, flow.loss)
        return float(np.abs(self.run.loss.mean(axis=0) - theory).max() / flow.loss[0])

    def summary(self) -> str:
        """How far flow and networks are apart, and the plateaus, on one line."""
        near = "" if self.apart is None else f"networks within {self.apart:.2%} of the initial loss, "
        plateaus = f"{counted(self.plateaus, 'plateau')} before the end"
        return f"{self.trajectory.problem.activation}: {near}{plateaus}"


def activation_curves(
    problems: Sequence[Problem],
    ends: Sequence[float],
    *,
    step: float,
    batch: int,
    seeds: int,
    seed: int = 0,
    progress: bool = False,
) -> tuple[ActivationCurves, ...]:
    """Integrate the flow of every problem up to its end time, and train networks from the same weights.

    Parameters
    ----------
    problems : sequence of Problem
        One for each activation.
    ends : sequence of float
        Time up to which each is followed.
    step, batch, seed
        As for `empirical.training.train`.
    seeds : int
        Networks for each activation; 0: theory alone.
    progress : bool
        Show progress bars on standard error if that is a terminal.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """

    def follow(problem: Problem, t_end: float) -> ActivationCurves:
        end = validate_real("t_end", t_end, positive=True)
        trajectory = GradientFlow(problem).integrate(end, samples=SAMPLES, progress=progress)
        if not seeds:
            return ActivationCurves(trajectory)
        steps = Clock(step).steps_until(end)
        run = train(problem, steps=steps, step=step, batch=batch, seeds=seeds, seed=seed, progress=progress)
        return ActivationCurves(trajectory, run)

    return tuple(follow(problem, end) for problem, end in zip(problems, ends, strict=True))
