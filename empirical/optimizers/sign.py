"""Sign descent, θ ← θ − η sign(g): Adam without memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from empirical.optimizers.base import Optimizer, Settings, move

if TYPE_CHECKING:
    from torch import Tensor

    from dynamics.problem import Problem


class SignRule:
    """The rule of sign descent."""

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self.parameters = list(parameters)

    def __call__(self, gradients: Sequence[Tensor], step: float | Tensor) -> None:
        """One step."""
        for theta, g in zip(self.parameters, gradients, strict=True):
            move(theta, g.sign(), step)


def start(parameters: Sequence[Tensor], settings: Settings, problem: Problem) -> SignRule:
    """Begin; there is nothing to remember."""
    return SignRule(parameters)


SIGN = Optimizer(
    "sign",
    start,
    momentum=None,
    entrywise=True,
    theories=("sign",),
    nature="follows the sign flow, which is known for aligned starts",
    survives="none but, from an aligned start, |p| − |a| of each unit that grows",
)
