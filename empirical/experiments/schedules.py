"""Learning-rate schedules at their best rates: networks trained under each, beside what theory predicts for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.problem import Problem
from dynamics.schedule_choice import ScheduleChoice, choose_schedule
from dynamics.validation import validate_count
from empirical.trainer import TrainingDiverged, record_steps
from empirical.training import train


@dataclass(frozen=True, eq=False)
class TrainedSchedule:
    """Networks under one schedule.

    Parameters
    ----------
    name : str
    steps : (T,) integer array
        From 0 to N.
    rates : (N,) array
        Learning rates of all steps.
    predicted : (T,) array
        Mean loss of the theory.
    risk, standard_error : (T,) arrays or None
        Mean loss of the networks, and its standard error; None if one of them diverged.
    """

    name: str
    steps: NDArray[np.int64]
    rates: Array
    predicted: Array
    risk: Array | None
    standard_error: Array | None


def train_schedules(
    choice: ScheduleChoice,
    seeds: int,
    *,
    seed: int = 0,
    records: int = 41,
    gradients: str | None = None,
    device: str = "cpu",
    progress: bool = False,
) -> tuple[TrainedSchedule, ...]:
    """Train S networks from the start of the theory, on data of their own, under each schedule at its best rate.

    Parameters
    ----------
    choice : ScheduleChoice
    seeds : int
        S, at least 2.
    seed : int
        Of the data under the first schedule, the next one under the second, and so on: their errors are independent.
    records : int
        Number of records, evenly spaced.
    gradients, device : str
        As for `empirical.train`.
    progress : bool
        Show progress bars on standard error if that is a terminal.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    S = validate_count("seeds", seeds, minimum=2)
    at = record_steps(choice.steps, validate_count("records", records, minimum=2))
    found = []
    for i, name in enumerate(choice.names):
        rates, predicted = choice.rates(name), choice.risks(name)[at]
        peak = float(rates.max())
        try:
            run = train(
                choice.problem,
                steps=choice.steps,
                step=peak,
                schedule=rates / peak,
                batch=choice.batch,
                label_noise=choice.label_noise,
                seeds=S,
                seed=seed + i,
                record_at=at,
                gradients=gradients,
                device=device,
                progress=progress,
            )
        except TrainingDiverged:
            found.append(TrainedSchedule(name, at, rates, predicted, None, None))
            continue
        error = run.loss.std(axis=0, ddof=1) / np.sqrt(S)
        found.append(TrainedSchedule(name, at, rates, predicted, run.loss.mean(axis=0), error))
    return tuple(found)


def schedule_curves(
    problem: Problem,
    *,
    steps: int,
    batch: int = 1,
    label_noise: float = 0.0,
    schedules: Sequence[str] = ("constant", "linear", "cosine", "step"),
    start_risk: float = 0.012,
    seeds: int = 256,
    seed: int = 0,
    progress: bool = False,
) -> tuple[TrainedSchedule, ...]:
    """The best rate of every schedule, and networks trained with it.

    Parameters
    ----------
    problem, steps, batch, label_noise, schedules, start_risk
        See `dynamics.schedule_choice.choose_schedule`.
    seeds, seed, progress
        See `train_schedules`.
    """
    choice = choose_schedule(
        problem,
        steps,
        batch=batch,
        label_noise=label_noise,
        schedules=schedules,
        start_risk=start_risk,
        progress=progress,
    )
    return train_schedules(choice, seeds, seed=seed, progress=progress)
