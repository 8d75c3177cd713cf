"""Gradient descent, with and without momentum: v ← βv + g, θ ← θ − ηv, v = 0 at first; and Nesterov's form of it.

The first is PyTorch's form of heavy ball (Polyak, *Some methods of speeding up the convergence of iteration methods*,
1964). Its theories are derived in `dynamics.flows.modified`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dynamics.flows.momentum import NESTEROV as AHEAD
from empirical.optimizers.base import Optimizer, Settings, law_of_descent, move

if TYPE_CHECKING:
    from torch import Tensor

    from dynamics.problem import Problem


class HeavyBall:
    """The rule of gradient descent with momentum."""

    def __init__(self, parameters: Sequence[Tensor], momentum: float) -> None:
        self.parameters, self.momentum = list(parameters), momentum
        self.velocity: list[Tensor] = []

    def __call__(self, gradients: Sequence[Tensor], step: float | Tensor) -> None:
        """One step."""
        import torch

        if not self.momentum:
            directions = gradients
        elif not self.velocity:
            directions = self.velocity = [g.clone() for g in gradients]
        else:
            directions = self.velocity
            torch._foreach_mul_(self.velocity, self.momentum)
            torch._foreach_add_(self.velocity, list(gradients))
        _move_all(self.parameters, directions, step)


class Nesterov:
    """The rule of Nesterov's momentum as PyTorch has it: v ← βv + g, θ ← θ − η(g + βv)."""

    def __init__(self, parameters: Sequence[Tensor], momentum: float) -> None:
        self.parameters, self.momentum = list(parameters), momentum
        self.velocity = [theta.detach().clone().zero_() for theta in self.parameters]

    def __call__(self, gradients: Sequence[Tensor], step: float | Tensor) -> None:
        """One step."""
        for theta, v, g in zip(self.parameters, self.velocity, gradients, strict=True):
            v.mul_(self.momentum).add_(g)
            move(theta, g.add(v, alpha=self.momentum), step)


def _move_all(parameters: Sequence[Tensor], directions: Sequence[Tensor], step: float | Tensor) -> None:
    """`move` of several parameters, in one launch where they have one η."""
    import torch

    if isinstance(step, int | float):
        torch._foreach_add_(list(parameters), list(directions), alpha=-step)
    else:
        for theta, direction in zip(parameters, directions, strict=True):
            move(theta, direction, step)


def start(parameters: Sequence[Tensor], settings: Settings, problem: Problem) -> HeavyBall:
    """Begin with a velocity of zero."""
    return HeavyBall(parameters, settings.momentum)


def start_ahead(parameters: Sequence[Tensor], settings: Settings, problem: Problem) -> Nesterov:
    """Begin Nesterov's form with a velocity of zero."""
    return Nesterov(parameters, settings.momentum)


SGD = Optimizer(
    "sgd",
    start,
    adds_up=True,
    balance_share=law_of_descent,
    theories=("flow", "modified", "sgd"),
    nature="is gradient descent",
    survives="all as the step goes to zero: each drifts in proportion to the step",
)
MOMENTUM = replace(SGD, name="momentum", momentum=0.9, copies=5)
NESTEROV = replace(
    MOMENTUM,
    name="nesterov",
    start=start_ahead,
    form=AHEAD,
    theories=("flow", "modified"),
    nature="is gradient descent with momentum",
)
