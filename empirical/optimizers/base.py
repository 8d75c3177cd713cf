"""What an optimiser is to everybody else: how it steps, what a step counts, and which theory follows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from dynamics.errors import ProblemError

if TYPE_CHECKING:
    from torch import Tensor

    from dynamics.clock import Clock
    from dynamics.schedules.schedule import Spec


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


class Start(Protocol):
    """Begins a descent."""

    def __call__(self, parameters: Sequence[Tensor], momentum: float, degree: int | None) -> Rule:
        """Rule for some parameters.

        Parameters
        ----------
        parameters : sequence of tensors
            Trained weights from the first layer to the last; with a leading axis those of an ensemble.
        momentum : float
            β.
        degree : int or None
            Degree of homogeneity of the activation; None if it has none.
        """
        ...


@dataclass(frozen=True)
class Optimizer:
    """One optimiser.

    Parameters
    ----------
    name : str
        As on the command line.
    start : Start
        How PyTorch steps.
    momentum : float or None
        β where none is given; None: it takes no momentum.
    adds_up : bool
        Whether its velocity adds gradients up to ∇L/(1 − β), so that a step counts η/(1 − β) on the clock. Otherwise
        it counts η.
    theories : tuple of str
        Which theories of `empirical.comparison.THEORIES` follow it.
    nature : str
        Why it is those and no others: "`optimizer` is …, which {nature}".
    shared : str
        What networks trained together have in common ("a skeleton"), if they therefore must have one start and one
        learning rate.
    """

    name: str
    start: Start
    momentum: float | None = 0.0
    adds_up: bool = False
    theories: tuple[str, ...] = ()
    nature: str = "no theory follows"
    shared: str = ""

    def choose_momentum(self, momentum: float | None) -> float:
        """β in [0, 1): the given one, or the default.

        Raises
        ------
        ProblemError
            If it is not in this range, or there is no momentum to be chosen.
        """
        from dynamics.validation import validate_momentum

        beta = validate_momentum(self.momentum or 0.0 if momentum is None else momentum)
        if beta and self.momentum is None:
            raise ProblemError(f"`momentum` is {beta:g}, but `optimizer` {self.name} has none: leave it out.")
        return beta

    def clock(
        self, step: float, momentum: float, schedule: Spec = "constant", steps: int | None = None
    ) -> Clock:
        """Which time of the flow belongs to which step, of a run of so many steps with a schedule."""
        from dynamics.clock import Clock

        return Clock(step, momentum if self.adds_up else 0.0, schedule, steps)


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
