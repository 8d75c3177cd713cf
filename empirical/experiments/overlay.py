"""Trained networks on the flow of any activation: how far their mean is from it, against the error bar of that mean.

The loss of gradient descent on the population is known without training: the modified flow follows it to second order
in the step η, and what it leaves out is computed (`empirical.gap`). Networks on fresh samples differ from it by the
noise of their batches: in their mean over S seeds by its standard error, of order √(η/(B S)) for batches of B, and by a
true effect of order η/B, which the error bar does not hold. Large batches and few networks keep the latter below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from dynamics.aliases import Array
from dynamics.clock import Clock
from dynamics.errors import ProblemError
from dynamics.problem import Problem
from dynamics.validation import validate_count, validate_real
from empirical.comparison import Comparison, compare
from empirical.gap import Gap

CHANCE = 0.01  # that a mean of normal deviations leaves its simultaneous error bar anywhere in a run, at most


@dataclass(frozen=True, eq=False)
class Overlay:
    """Networks of one activation on their flow.

    Parameters
    ----------
    comparison : Comparison
        With the account of its gap.
    """

    comparison: Comparison

    @property
    def gap(self) -> Gap:
        """Mean loss of the networks, and the curves that it is held against."""
        assert self.comparison.gap is not None
        return self.comparison.gap

    @property
    def deviation(self) -> Array:
        """Mean loss of the networks minus that of the flow of their finite step, (T,)."""
        return self.gap.measured - self.gap.on_data

    @property
    def error_bar(self) -> Array:
        """Of the deviation, (T,): two standard errors, and what the modified flow leaves out."""
        return self.gap.error_bar

    @property
    def simultaneous_bar(self) -> Array:
        """Which normal deviations leave in at most one run of a hundred, (T,).

        Student's t with Bonferroni's correction for the number of records, so that none need be independent.
        """
        S, T = self.comparison.run.loss.shape
        quantile = float(stdtrit(S - 1, 1 - CHANCE / (2 * T)))
        return quantile * self.gap.standard_error + self.gap.truncation

    def summary(self) -> str:
        """Largest deviation with its error bar, on one line."""
        far, start = np.abs(self.deviation), self.gap.flow[0]
        worst = int(far.argmax())
        share = f"{np.mean(far <= self.error_bar):.0%} of the records"
        left = (
            "left" if (far > self.simultaneous_bar)[1:].any() else "never left"
        )  # all start at the same weights
        return (
            f"{self.comparison.trajectory.problem.activation}: networks within {far[worst] / start:.3%} of the initial "
            f"loss, error bar there {self.error_bar[worst] / start:.3%}; within it at {share}, and the bar that "
            f"at most {CHANCE:.0%} of runs leave was {left}"
        )


def overlays(
    problems: Sequence[Problem],
    ends: Sequence[float],
    *,
    steps: Sequence[float],
    batch: int,
    seeds: int,
    seed: int = 0,
    records: int = 100,
    progress: bool = False,
) -> tuple[Overlay, ...]:
    """Integrate the flow of every problem, and train networks from its initial weights up to its end time.

    Parameters
    ----------
    problems : sequence of Problem
        One for each activation.
    ends, steps : sequences of float
        End time and learning rate of each.
    batch, seeds, seed, records
        As for `empirical.training.train`; an error bar takes two seeds.
    progress : bool
        Show progress bars on standard error if that is a terminal.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    if validate_count("seeds", seeds) < 2:
        raise ProblemError(f"`seeds` is {seeds}, but the error bar of a mean takes at least 2.")

    def overlay(problem: Problem, t_end: float, step: float) -> Overlay:
        end = validate_real("t_end", t_end, positive=True)
        number = Clock(step).steps_until(end)
        if step > end:
            raise ProblemError(f"`step` is {step:g}, but must be at most `t_end` = {end:g}: not one fits in.")
        how: dict[str, Any] = {
            "batch": batch,
            "seeds": seeds,
            "seed": seed,
            "dtype": "float64",
            "records": records,
        }
        return Overlay(compare(problem, steps=number, step=step, progress=progress, **how))

    return tuple(overlay(*one) for one in zip(problems, ends, steps, strict=True))
