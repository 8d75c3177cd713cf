"""Gradient descent on the population loss: no samples, finite steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from dynamics.aliases import Array
from dynamics.errors import ComputationError, ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.problem import Problem
from dynamics.validation import validate_count, validate_real
from empirical.networks import QuadraticNetwork


@dataclass(frozen=True, eq=False)
class Descent:
    """Gradient descent on the population loss.

    Parameters
    ----------
    steps : (T,) integer array
    times : (T,) array
        η × step / (1 − momentum).
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
    """Train with `torch.optim.SGD` on the exact gradient of the population loss, in double precision.

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
    ComputationError
        If the weights become infinite.
    """
    eta = validate_real("step", step, positive=True)
    flow = GradientFlow(problem, reduce=False)
    network = QuadraticNetwork.from_student(problem.student, activation=problem.activation)
    W, A = (p.detach().numpy() for p in (network.W, network.A))  # the same memory
    trained = [(network.W, rates[0])] + ([(network.A, rates[1])] if problem.student.trainable else [])
    groups = [{"params": [p], "lr": eta * validate_real("rates", rate, positive=True)} for p, rate in trained]
    sgd = torch.optim.SGD(groups, momentum=momentum, weight_decay=weight_decay)
    wanted = [validate_count("at", n, minimum=0) for n in np.asarray(at)]
    if not wanted:
        raise ProblemError("`at` is empty, but must hold at least one number of steps.")
    states: dict[int, tuple[Array, Array]] = dict.fromkeys(wanted, (W, A))
    for n in range(max(wanted) + 1):
        if n in states:
            states[n] = W.copy(), A.copy()
        with np.errstate(over="ignore", invalid="ignore"):
            dW, dA = flow.population.velocity(W, A)
        if not np.isfinite(dW).all():
            raise ComputationError(f"Gradient descent diverged: `step` is {eta:g}, try a smaller one.")
        network.W.grad = torch.from_numpy(-dW)
        if problem.student.trainable:
            network.A.grad = torch.from_numpy(-dA)
        sgd.step()
    steps = np.array(wanted)
    recorded = zip(*(states[n] for n in wanted), strict=True)
    return Descent(steps, eta * steps / (1 - momentum), *map(np.stack, recorded))


def gradient_descent_loss(flow: GradientFlow, eta: float, at: NDArray[np.int64], beta: float = 0.0) -> Array:
    """Loss after given numbers of steps of gradient descent on the population loss, (T,).

    Heavy ball in PyTorch's form: v ← βv + ∇L, θ ← θ − ηv.
    """
    theta, v = flow.theta0.copy(), np.zeros_like(flow.theta0)
    losses, wanted = [], set(at.tolist())
    for n in range(int(at[-1]) + 1):
        if n in wanted:
            losses.append(flow.loss(theta))
        v = beta * v + flow(0.0, theta)
        theta = theta + eta * v
    return np.array(losses)
