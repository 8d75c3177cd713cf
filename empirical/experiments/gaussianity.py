"""Networks trained on real inputs, beside the exact flow and what the Gaussian theory would have said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamics.clock import Clock
from dynamics.gaussian_theory.comparison import GaussianComparison, gaussian_comparison
from dynamics.problem import Problem
from dynamics.validation import validate_real
from dynamics.words import counted
from empirical.training import train
from empirical.training_run import TrainingRun


@dataclass(frozen=True, eq=False)
class GaussianityCurves:
    """Learning curves of the theories at the times of trained networks, all from the same weights.

    Parameters
    ----------
    comparison : GaussianComparison
    run : TrainingRun
        On the same data, or on samples of the same law.
    """

    comparison: GaussianComparison
    run: TrainingRun

    @property
    def trained(self) -> float:
        """Largest difference of the mean of the networks from the exact flow, relative to the initial loss."""
        exact = self.comparison.loss
        return float(np.abs(self.run.loss.mean(axis=0) - exact).max() / exact[0])

    def summary(self) -> str:
        """What was found, in a few lines."""
        networks = f"{counted(len(self.run.loss), 'trained network')}: mean within {100 * self.trained:.3g} %"
        return f"{self.comparison.summary()}\n{networks} of the exact flow"


def gaussianity_curves(
    problem: Problem,
    t_end: float,
    *,
    step: float,
    batch: int = 512,
    seeds: int = 8,
    seed: int = 0,
    records: int = 200,
    progress: bool = False,
    **solver: Any,
) -> GaussianityCurves:
    """Integrate exact and Gaussian flows, and train networks for as long.

    Parameters
    ----------
    problem : Problem
        Quadratic or centred units; its law or data are the inputs.
    t_end : float
        How far.
    step, batch, seeds, seed, records
        As for `empirical.training.train`.
    progress, solver
        As for `dynamics.gaussian_comparison`.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    steps = Clock(step).steps_until(validate_real("t_end", t_end, positive=True))
    run = train(
        problem,
        steps=steps,
        step=step,
        batch=batch,
        seeds=seeds,
        seed=seed,
        dtype="float64",
        records=records,
        progress=progress,
    )
    return GaussianityCurves(gaussian_comparison(problem, times=run.times, progress=progress, **solver), run)
