"""Gradient descent below and beyond the largest stable step: loss and sharpness of trained networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array
from dynamics.budget import check_number
from dynamics.clock import Clock
from dynamics.errors import ProblemError
from dynamics.flows.finite_data import FiniteDataFlow
from dynamics.problem import Problem
from dynamics.problem.scope import require
from dynamics.stability import sharpness
from dynamics.validation import validate_count, validate_real
from empirical.practice import Practice, data_sets
from empirical.trainer import TrainingDiverged
from empirical.training import train

POINTS = 60  # of the flow, at which the sharpness is computed
RECORDS = (
    240  # of a network at most: most runs have all their steps, as beyond the edge one is unlike the next
)
FLATTEST = 1e-100  # largest sharpness of which 2/λ is still a step
MOST_STEPS = 10_000_000  # hours, which nobody asks for by a factor


@dataclass(frozen=True, eq=False)
class TrainedBeside:
    """One network, trained with the whole data set in every step.

    Parameters
    ----------
    factor : float
        Step in units of the largest stable one.
    step : float
        η.
    times, loss, sharpness : (T,) arrays
        Loss on the data, and largest Hessian eigenvalue of that loss.
    diverged_at : float or None
        Time at which training exploded, if it did.
    """

    factor: float
    step: float
    times: Array
    loss: Array
    sharpness: Array
    diverged_at: float | None


@dataclass(frozen=True, eq=False)
class EdgeOfStability:
    """Flow on a data set, and networks trained on it with steps about the largest stable one.

    Parameters
    ----------
    times, loss, sharpness : (T,) arrays
        Of the flow on the data.
    largest_step : float
        2/(largest sharpness along the flow).
    descents : tuple of TrainedBeside
    """

    times: Array
    loss: Array
    sharpness: Array
    largest_step: float
    descents: tuple[TrainedBeside, ...]


def edge_of_stability(
    problem: Problem,
    *,
    samples: int,
    t_end: float,
    factors: Sequence[float],
    label_noise: float = 0.0,
    seed: int = 0,
    progress: bool = False,
) -> EdgeOfStability:
    """Predict the largest stable step from the flow on a data set, and train with multiples of it.

    Parameters
    ----------
    problem : Problem
    samples : int
        N, all of which enter every step.
    t_end : float
    factors : sequence of float
        Steps in units of the predicted largest stable one.
    label_noise : float
        Δ.
    seed : int
        Of the data.
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    require("second derivatives", problem)
    validate_count("samples", samples)
    end = validate_real("t_end", t_end, positive=True)
    if not len(factors):
        raise ProblemError("`factors` is empty, but must hold at least one step.")
    practice = Practice(1.0, 0.0, 0, samples, label_noise, 1, seed)
    X, Y = (array[0] for array in data_sets(problem, practice))
    flow = FiniteDataFlow(problem, X, Y)
    trajectory = flow.integrate(end, samples=POINTS)
    along = sharpness(flow, trajectory, POINTS)
    if not along.max() > FLATTEST:
        raise ProblemError(
            f"The largest sharpness along the flow is {along.max():.3g}, so flat that no step is too large: take larger"
            " initial weights or a later `t_end`."
        )
    largest = float(2 / along.max())
    descents = []
    for factor in factors:
        eta = validate_real("factors", factor, positive=True) * largest
        descents.append(_descend(problem, flow, factor, eta, end, samples, label_noise, seed, progress))
    return EdgeOfStability(trajectory.times, flow.train_loss(trajectory), along, largest, tuple(descents))


def _descend(
    problem: Problem,
    flow: FiniteDataFlow,
    factor: float,
    eta: float,
    t_end: float,
    samples: int,
    label_noise: float,
    seed: int,
    progress: bool,
) -> TrainedBeside:
    """Train one network and compute loss and sharpness on its data from the recorded weights."""
    clock, diverged = Clock(eta), None
    steps = clock.steps_until(t_end, least=2)
    check_number(
        f"Training up to t = {t_end:g} with {factor:g} of the largest stable step, {eta:.3g},",
        steps,
        MOST_STEPS,
        "steps",
        "shorten `t_end`, or take larger `factors`",
    )
    try:
        run = train(
            problem,
            steps=steps,
            step=eta,
            batch=0,
            samples=samples,
            label_noise=label_noise,
            seed=seed,
            records=RECORDS,
            dtype="float64",
            progress=progress,
        )
    except TrainingDiverged as error:
        run, diverged = error.run, float(clock.times(error.step))
    assert run.W is not None
    basis = flow.reduction.basis
    reduced = run.W[0] if basis is None else run.W[0] @ basis
    states = [flow.pack(W, A) for W, A in zip(reduced, run.A[0], strict=True)]
    losses = [flow.objective.loss(*flow.unpack(theta)) for theta in states]
    values = [flow.extreme_eigenvalue(theta, "highest") for theta in states]
    return TrainedBeside(factor, eta, run.times, np.array(losses), np.array(values), diverged)
