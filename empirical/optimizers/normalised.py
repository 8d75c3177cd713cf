"""Normalised gradient descent, θ ← θ − η g/‖g‖: every step has the length η."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from empirical.optimizers.base import Optimizer, Settings, move

if TYPE_CHECKING:
    from torch import Tensor

    from dynamics.problem import Problem


class NormalisedRule:
    """The rule of normalised gradient descent; the norm is over all weights of a network, not over those of others."""

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self.parameters = list(parameters)

    def __call__(self, gradients: Sequence[Tensor], step: float | Tensor) -> None:
        """One step; none where the gradient is zero."""
        import torch

        length = torch.stack([g.square().sum((-2, -1)) for g in gradients]).sum(0).sqrt()[..., None, None]
        for theta, g in zip(self.parameters, gradients, strict=True):
            move(theta, torch.where(length == 0, g, g / length), step)


def start(parameters: Sequence[Tensor], settings: Settings, problem: Problem) -> NormalisedRule:
    """Begin; there is nothing to remember."""
    return NormalisedRule(parameters)


def law_of_length(settings: Settings) -> float | None:
    """Decoupled decay goes with the length; coupled decay with the time of the gradient flow, which no step counts."""
    return 1.0 if settings.decoupled else None


NORMALISED = Optimizer(
    "normalised",
    start,
    two_layers=True,
    momentum=None,
    balance_share=law_of_length,
    theories=("arc length",),
    nature="follows the gradient flow in its arc length",
    survives="all as the step goes to zero: the path is that of the gradient flow, in whose time c_k falls under decay",
)
