"""Gradient descent, with and without momentum: v ← βv + g, θ ← θ − ηv, v = 0 at first.

This is PyTorch's form of heavy ball (Polyak, *Some methods of speeding up the convergence of iteration methods*,
1964). Its theories are derived in `dynamics.flows.modified`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from empirical.optimizers.base import Optimizer, move

if TYPE_CHECKING:
    from torch import Tensor


class HeavyBall:
    """The rule of gradient descent with momentum."""

    def __init__(self, parameters: Sequence[Tensor], momentum: float, degree: int | None = None) -> None:
        self.parameters, self.momentum = list(parameters), momentum
        self.velocity: list[Tensor] = []

    def __call__(self, gradients: Sequence[Tensor], step: float | Tensor) -> None:
        """One step."""
        if not self.momentum:
            directions = gradients
        elif not self.velocity:
            directions = self.velocity = [g.clone() for g in gradients]
        else:
            directions = self.velocity
            for v, g in zip(self.velocity, gradients, strict=True):
                v.mul_(self.momentum).add_(g)
        for theta, v in zip(self.parameters, directions, strict=True):
            move(theta, v, step)


SGD = Optimizer(
    "sgd", HeavyBall, adds_up=True, theories=("flow", "modified", "sgd"), nature="is gradient descent"
)
MOMENTUM = replace(SGD, name="momentum", momentum=0.9)
