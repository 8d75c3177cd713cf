"""How parameters are moved: what a rule of descent is, and rules made of others.

PyTorch is not imported: the table of optimisers is read for ``--help``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor


class Rule(Protocol):
    """Moves the parameters that it was started with, and keeps its own state between steps."""

    def __call__(self, gradients: Sequence[Tensor], step: float | Tensor) -> None:
        """One step in place, while PyTorch records no gradients.

        Parameters
        ----------
        gradients : sequence of tensors
            Of the parameters, in their order.
        step : float or (S,) tensor
            Learning rate η of all networks, or of each, where the first axis of every parameter counts networks.
        """
        ...


@dataclass(frozen=True, eq=False)
class Decayed:
    """A rule with weight decay: coupled, by the gradient (ρ/2)‖θ‖² has, or decoupled, by θ ← (1 − ηρ)θ before the step.

    Both as in PyTorch, whose AdamW is Adam decoupled. For plain gradient descent they are the same.

    Parameters
    ----------
    rule : Rule
    parameters : list of tensors
    rates : sequence of float
        ρ of each.
    decoupled : bool
    """

    rule: Rule
    parameters: list[Tensor]
    rates: Sequence[float]
    decoupled: bool

    def __call__(self, gradients: Sequence[Tensor], step: float | Tensor) -> None:
        """One step."""
        decaying = list(zip(self.parameters, self.rates, strict=True))
        if self.decoupled:
            for theta, rho in decaying:
                move(theta, rho * theta, step)
        else:
            gradients = [g.add(theta, alpha=rho) for g, (theta, rho) in zip(gradients, decaying, strict=True)]
        self.rule(gradients, step)


@dataclass(frozen=True, eq=False)
class Constrained:
    """A rule after every step of which first-layer weights are put back to where a constraint keeps them.

    Parameters
    ----------
    rule : Rule
    weights : tensor
        ([S,] K, d).
    put_back : callable
        See `dynamics.problem.constraint.Constraint`.
    """

    rule: Rule
    weights: Tensor
    put_back: Callable[[Tensor], Tensor]

    def __call__(self, gradients: Sequence[Tensor], step: float | Tensor) -> None:
        """One step, and back."""
        self.rule(gradients, step)
        self.weights.copy_(self.put_back(self.weights))


@dataclass(frozen=True)
class SideBySide:
    """Several rules as one, each with parameters of its own.

    Parameters
    ----------
    parts : sequence of (rule, count, factor)
        A rule, the number of its parameters, and its learning rate in units of the common one.
    """

    parts: Sequence[tuple[Rule, int, float]]

    def __call__(self, gradients: Sequence[Tensor], step: float | Tensor) -> None:
        """Give each rule its gradients."""
        remaining = iter(gradients)
        for rule, count, factor in self.parts:
            rule(list(islice(remaining, count)), factor * step)


def move(theta: Tensor, direction: Tensor, step: float | Tensor) -> None:
    """θ ← θ − η direction, with one η or one for each entry of the first axis of θ."""
    if isinstance(step, int | float):
        theta.add_(direction, alpha=-step)
    else:
        theta.addcmul_(direction, step.reshape(-1, *[1] * (theta.ndim - 1)), value=-1)
