"""The theory of an optimiser that was read off a loop: built from what a run says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.flows.layer_rates import LayerRateFlow
from dynamics.problem import Problem, Student
from dynamics.problem.weight_decay import WeightDecay
from dynamics.schedules import CONSTANT, Schedule
from dynamics.validation import validate_choice
from empirical.optimizers import find_optimizer
from empirical.optimizers.base import Chosen
from empirical.theories import THEORIES, Followed, choose_theory, follow

OF_SAMPLES = ("sgd",)  # theories that depend on what a loop draws
PARAMETERS = ("momentum", "betas", "epsilon", "damping", "decoupled")


def read_problem(about: Mapping[str, Any], given: Problem, W: Array, A: Array) -> Problem:
    """What was trained from the weights W (K, d), A (O, K) on.

    A problem without decay learns it from the optimiser; one that has its own adds it to the loss.
    """
    decay = tuple(about["weight_decay"]) if any(about["weight_decay"]) else given.weight_decay.rates
    trainable = about["trainable"]
    return replace(
        given,
        student=Student(W, A, trainable),
        weight_decay=WeightDecay(decay[0], decay[1] if trainable else 0.0),
    )


def read_theory(
    about: Mapping[str, Any],
    rates: Array,
    problem: Problem,
    theory: str | None = None,
    drawn: Mapping[str, Any] | None = None,
) -> tuple[Followed, str]:
    """The theory that follows an optimiser, and its name.

    Parameters
    ----------
    about : mapping
        What the run says of its optimiser (`empirical.torch_optimizers.Reading.about`).
    rates : (N,) array
        Learning rates of its steps.
    problem : Problem
        See `read_problem`.
    theory : str, optional
        One of `empirical.theories.THEORIES`; by default the first that follows the optimiser.
    drawn : mapping, optional
        Batch and label noise of the loop, for the theories `OF_SAMPLES`.

    Raises
    ------
    ProblemError
        If it does not follow, in one sentence.
    """
    entry = find_optimizer(about["optimizer"])
    settings = entry.choose(**{name: about[name] for name in PARAMETERS if name in about})
    if not any(
        about["weight_decay"]
    ):  # what decays is in the loss of the loop, whatever the optimiser would do
        settings = replace(settings, decoupled=False)
    schedule = Schedule.of(rates / about["step"]) if np.ptp(rates) else CONSTANT
    chosen = Chosen(entry, settings, about["step"], schedule, len(rates))
    name = choose_theory(entry.theories, theory)
    validate_choice("theory", name, THEORIES)
    if name in OF_SAMPLES and not drawn:
        raise ProblemError(
            f"`batch` is missing: the theory {name!r} depends on it, and an optimiser does not say it."
        )
    layers = about.get("layer_rates")
    if layers is None:
        return follow(problem, chosen, name, drawn or {}), name
    if name != "flow":
        what = (
            f"The layers have the learning rates {layers[0]:g} and {layers[1]:g} in units of the first"
            if layers[0]
            else "The first layer is fixed"
        )
        raise ProblemError(
            f"{what}, for which only `theory` flow of gradient descent is known, but it is {name}."
        )
    return LayerRateFlow(chosen.minimised(problem), layers), name
