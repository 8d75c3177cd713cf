"""Gradient descent on the population loss: no samples, finite steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.population.biased import unit_weights
from dynamics.problem import Problem
from dynamics.problem.weight_decay import WeightDecay
from dynamics.schedules.schedule import Spec
from dynamics.validation import validate_count, validate_real
from empirical.optimizers import OPTIMIZERS, find_optimizer
from empirical.optimizers.base import Chosen, Optimizer, Rule, Settings, SideBySide
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
        Or (T, O, K + 1), where the output bias is trained: the last column.
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
    optimizer: str = "sgd",
    momentum: float | None = None,
    weight_decay: float | Sequence[float] | None = None,
    rates: Sequence[float] = (1.0, 1.0),
    **parameters: Any,
) -> Descent:
    """Descend along the exact gradient of the population loss, in double precision.

    Parameters
    ----------
    problem : Problem
    step : float
        η.
    at : (T,) integer array
        Numbers of steps after which to record, in any order; the record keeps it.
    optimizer, momentum, **parameters
        As for `empirical.training.train`.
    weight_decay : float or (ρ_w, ρ_a), optional
        In place of that of the problem.
    rates : (η_w, η_a)
        Learning rates of the layers in units of η, of gradient descent only.

    Raises
    ------
    ProblemError
        If `at` is empty or holds something else than numbers of steps, or another optimiser has `rates`.
    TrainingDiverged
        If the weights become infinite; its `run` is the descent before, at the steps of `at` that it reached.
    """
    entry = find_optimizer(optimizer)
    settings = entry.choose(momentum, **parameters)
    clock = entry.clock(step, settings.momentum)
    if weight_decay is not None:
        decay = WeightDecay.of(weight_decay, problem.student.trainable)
        problem = replace(problem, weight_decay=decay)
    population = GradientFlow(problem, reduce=False).population
    W, A = problem.student.W.copy(), problem.second_layer.copy()
    trained = _trained(problem, W, A)
    factors = [validate_real("rates", rate, positive=True) for rate in rates]
    rule = entry.begin(trained, settings, problem)
    if factors != [1.0, 1.0]:
        rule = _layer_by_layer(entry, settings, problem, trained, factors)
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
        return None, _trained(problem, *(-v for v in velocity))

    descend(gradient, rule, clock.step, max(wanted), record=record)
    return so_far()


def _trained(problem: Problem, W: Array, A: Array) -> list[Tensor]:
    """What is trained of weights W (K, d) and A (O, K), or (O, K + 1) with the bias, in the same memory."""
    layers = [W, unit_weights(W, A)][: 1 + problem.student.trainable]
    return [torch.from_numpy(part) for part in [*layers, *([A[:, -1]] if problem.bias.trainable else [])]]


def _layer_by_layer(
    entry: Optimizer, settings: Settings, problem: Problem, trained: list[Tensor], factors: list[float]
) -> Rule:
    """A rule with a learning rate of its own for each layer."""
    if not entry.adds_up:
        raise ProblemError(
            f"`rates` are {factors[0]:g} and {factors[1]:g}, but only gradient descent has them, and `optimizer` is "
            f"{entry.name!r}."
        )
    if problem.bias.trainable:
        raise ProblemError(
            f"`rates` are {factors[0]:g} and {factors[1]:g} of the two layers, but `bias` is trainable: leave one out."
        )
    decay = problem.weight_decay
    alone = [
        replace(problem, weight_decay=WeightDecay(rate))
        for rate in (decay.first, decay.second)[: len(trained)]
    ]
    parts = zip(trained, alone, factors, strict=False)
    return SideBySide([(entry.begin([p], settings, part), 1, factor) for p, part, factor in parts])


def descent_loss(problem: Problem, chosen: Chosen, at: NDArray[np.int64]) -> Array:
    """Loss after given numbers of steps of an optimiser along the exact gradient of the population loss, (T,).

    In the reduced problem, unless the optimiser depends on the axes of the inputs.
    """
    flow, wanted = GradientFlow(problem, reduce=not chosen.entry.entrywise), set(at.tolist())
    small, population = flow.reduction.problem, flow.population
    W, A = small.student.W.copy(), small.second_layer.copy()
    trained = _trained(small, W, A)
    losses: list[float] = []

    def record(n: int) -> None:
        if n in wanted:
            losses.append(population.loss(W, A))

    def gradient(n: int) -> tuple[None, list[Tensor]]:
        return None, _trained(small, *(-v for v in population.velocity(W, A)))

    rule = chosen.entry.begin(trained, chosen.settings, small)
    with np.errstate(over="ignore", invalid="ignore"):
        descend(gradient, rule, chosen.clock.rate, int(at[-1]), record=record)
    return np.array(losses)


def gradient_descent_loss(
    flow: GradientFlow,
    step: float,
    at: NDArray[np.int64],
    momentum: float = 0.0,
    schedule: Spec = "constant",
    steps: int | None = None,
) -> Array:
    """Loss after given numbers of steps of gradient descent along the exact gradient of a flow's problem, (T,).

    The schedule of its learning rate is one of a run of `steps` steps.
    """
    entry = OPTIMIZERS["sgd"]
    return descent_loss(flow.problem, Chosen(entry, entry.choose(momentum), step, schedule, steps), at)
