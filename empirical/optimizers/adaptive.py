"""Adam, AdamW and RMSProp: each weight has a step of its own, by running means of its gradient and of its square.

    m ← β₁m + (1 − β₁)g,   v ← β₂v + (1 − β₂)g²,   θ ← θ − η m̂/(√v̂ + ε),   m̂ = m/(1 − β₁ⁿ),  v̂ = v/(1 − β₂ⁿ)

in the n-th step (Kingma & Ba, *Adam: a method for stochastic optimization*, ICLR 2015, algorithm 1; not consulted).
AdamW decays decoupled (Loshchilov & Hutter, *Decoupled weight decay regularization*, ICLR 2019; not consulted). RMSProp
has neither m nor the corrections of the start. All are PyTorch's, step by step, which the tests confirm; but weights
decay only where the problem says so (PyTorch's AdamW has 0.01 where nothing is said).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from empirical.optimizers.base import Optimizer, Settings, move

if TYPE_CHECKING:
    from torch import Tensor

    from dynamics.problem import Problem


class AdamRule:
    """The rule of Adam."""

    def __init__(self, parameters: Sequence[Tensor], betas: tuple[float, ...], epsilon: float) -> None:
        self.parameters, self.epsilon, self.n = list(parameters), epsilon, 0
        self.first, self.second = betas
        self.means = [theta.detach().clone().zero_() for theta in self.parameters]
        self.squares = [theta.detach().clone().zero_() for theta in self.parameters]

    def __call__(self, gradients: Sequence[Tensor], step: float | Tensor) -> None:
        """One step."""
        self.n += 1
        scale, scale2 = 1 - self.first**self.n, 1 - self.second**self.n
        for theta, m, v, g in zip(self.parameters, self.means, self.squares, gradients, strict=True):
            m.mul_(self.first).add_(g, alpha=1 - self.first)
            v.mul_(self.second).addcmul_(g, g, value=1 - self.second)
            move(theta, m / scale / ((v / scale2).sqrt() + self.epsilon), step)


class RMSPropRule:
    """The rule of RMSProp."""

    def __init__(self, parameters: Sequence[Tensor], betas: tuple[float, ...], epsilon: float) -> None:
        self.parameters, self.epsilon = list(parameters), epsilon
        (self.beta,) = betas
        self.squares = [theta.detach().clone().zero_() for theta in self.parameters]

    def __call__(self, gradients: Sequence[Tensor], step: float | Tensor) -> None:
        """One step."""
        for theta, v, g in zip(self.parameters, self.squares, gradients, strict=True):
            v.mul_(self.beta).addcmul_(g, g, value=1 - self.beta)
            move(theta, g / (v.sqrt() + self.epsilon), step)


def start_adam(parameters: Sequence[Tensor], settings: Settings, problem: Problem) -> AdamRule:
    """Begin with means of zero."""
    return AdamRule(parameters, settings.betas, settings.epsilon)


def start_rmsprop(parameters: Sequence[Tensor], settings: Settings, problem: Problem) -> RMSPropRule:
    """Begin with a mean of zero."""
    return RMSPropRule(parameters, settings.betas, settings.epsilon)


ADAM = Optimizer(
    "adam",
    start_adam,
    momentum=None,
    betas=(0.9, 0.999),
    epsilon=1e-8,
    copies=7,
    entrywise=True,
    theories=("adam",),
    nature="follows a flow with memories of the gradient",
    survives="none",
)
ADAMW = replace(ADAM, name="adamw", decoupled=True)
RMSPROP = replace(ADAM, name="rmsprop", start=start_rmsprop, betas=(0.99,), copies=5, theories=("rmsprop",))
