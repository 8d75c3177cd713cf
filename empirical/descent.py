"""Gradient descent on the population loss: no samples, finite steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from dynamics.aliases import Array
from dynamics.clock import Clock
from dynamics.errors import ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.problem import Problem
from dynamics.schedules.schedule import Spec
from dynamics.validation import validate_count, validate_real
from empirical.optimizers import OPTIMIZERS
from empirical.optimizers.base import Optimizer, SideBySide
from empirical.optimizers.heavy_ball import HeavyBall
from empirical.trainer import TrainingDiverged, descend


@dataclass(frozen=True, eq=False)
class Descent:
    """Gradient descent on the population loss.

    Parameters
    ----------
    steps : (T,) integer array
    times : (T,) array
        Of the flow.
    W : (T, K, d) array
    A : (T, O, K) array
    """

    steps: NDArray[np.int64]
    times: Array
    W: Array
    A: Array


def population_descent(
    problem: Problem,
    step: float,
    at: ArrayLike,
    *,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    rates: Sequence[float] = (1.0, 1.0),
) -> Descent:
    """Descend along the exact gradient of the population loss, in double precision.

    Parameters
    ----------
    problem : Problem
    step : float
        η.
    at : (T,) integer array
        Numbers of steps after which to record, in any order; the record keeps it.
    momentum, weight_decay : float
        As PyTorch means them.
    rates : (η_w, η_a)
        Learning rates of the layers in units of η.

    Raises
    ------
    ProblemError
        If `at` is empty or holds something else than numbers of steps.
    TrainingDiverged
        If the weights become infinite; its `run` is the descent before, at the steps of `at` that it reached.
    """
    clock = Clock(step, momentum)
    population = GradientFlow(problem, reduce=False).population
    W, A = problem.student.W.copy(), problem.student.A.copy()
    layers = [torch.from_numpy(array) for array in (W, A)]  # the same memory
    trained = layers[: 1 + problem.student.trainable]
    factors = [validate_real("rates", rate, positive=True) for rate in rates]
    rule = SideBySide(
        [(HeavyBall([p], clock.momentum), 1, factor) for p, factor in zip(trained, factors, strict=False)]
    )
    wanted = [validate_count("at", n, minimum=0) for n in np.asarray(at)]
    if not wanted:
        raise ProblemError("`at` is empty, but must hold at least one number of steps.")
    due = set(wanted)
    states: dict[int, tuple[Array, Array]] = {}

    def so_far() -> Descent:
        steps = np.array([n for n in wanted if n in states], dtype=np.int64)
        found = [states[n] for n in steps.tolist()]
        return Descent(steps, clock.times(steps), *(np.array(arrays) for arrays in zip(*found, strict=True)))

    def record(n: int) -> None:
        if n in due:
            states[n] = W.copy(), A.copy()

    def gradient(n: int) -> tuple[None, list[Tensor]]:
        with np.errstate(over="ignore", invalid="ignore"):
            velocity = population.velocity(W, A)
        if not np.isfinite(velocity[0]).all():
            raise TrainingDiverged(
                f"Gradient descent diverged: `step` is {clock.step:g}, try a smaller one.", so_far(), n
            )
        uphill = [torch.from_numpy(-v) for v in velocity]
        return None, [g.add(p, alpha=weight_decay) for g, p in zip(uphill, trained, strict=False)]

    descend(gradient, rule, clock.step, max(wanted), record=record)
    return so_far()


def gradient_descent_loss(
    flow: GradientFlow,
    step: float,
    at: NDArray[np.int64],
    momentum: float = 0.0,
    optimizer: Optimizer = OPTIMIZERS["sgd"],
    schedule: Spec = "constant",
    steps: int | None = None,
) -> Array:
    """Loss after given numbers of steps of an optimiser along the exact gradient of a flow, (T,).

    The schedule of its learning rate is one of a run of `steps` steps.
    """
    clock = optimizer.clock(step, momentum, schedule, steps)
    theta, wanted = flow.theta0.copy(), set(at.tolist())
    parameters = [torch.from_numpy(theta)]  # the same memory
    losses: list[float] = []

    def record(n: int) -> None:
        if n in wanted:
            losses.append(flow.loss(theta))

    descend(
        lambda n: (None, [torch.from_numpy(-flow(0.0, theta))]),
        optimizer.start(parameters, momentum, None),
        clock.rate,
        int(at[-1]),
        record=record,
    )
    return np.array(losses)
