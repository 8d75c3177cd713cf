"""What a criterion of `torch.nn` is to the theory: which loss ℓ(f, y), and how many times that it is.

A criterion takes the mean over all outputs of all samples, the theory a mean over samples of a sum over outputs. A
class that is not in the table `READERS` is none that is known here: its loss can be named instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from dynamics.errors import ProblemError
from dynamics.losses import LOGISTIC, SQUARE, Loss


@dataclass(frozen=True)
class Criterion:
    """A loss that a loop minimises, as a multiple of one of the theory.

    Parameters
    ----------
    loss : Loss
    factor : float
        The loop minimises so many times it, so that gradient descent takes steps so many times as long.
    name : str
        What messages call it.
    """

    loss: Loss
    factor: float
    name: str

    @classmethod
    def of(cls, criterion: nn.Module | Loss | str, outputs: int) -> Criterion:
        """Read a criterion of PyTorch's of so many outputs; or the loss that a loop minimises, or its name.

        Raises
        ------
        ProblemError
            If it is another loss than there are, or takes no mean.
        """
        if not isinstance(criterion, nn.Module):
            loss = Loss.parse(criterion, "criterion")
            return cls(loss, 1.0, loss.name)
        reader = READERS.get(type(criterion))
        if reader is None:
            known = ", ".join(f"torch.nn.{kind.__name__}" for kind in READERS)
            raise ProblemError(
                f"`criterion` is a {type(criterion).__name__}, which is none of {known}: name the loss that the loop"
                " minimises instead, such as 'log-cosh'."
            )
        if criterion.reduction != "mean":
            raise ProblemError(
                f"`criterion` has the reduction {criterion.reduction!r}, but the loss of the theory is a mean over"
                " samples: take 'mean'."
            )
        loss, factor = reader(criterion)
        return cls(loss, factor / outputs, type(criterion).__name__)


def _square(criterion: Any) -> tuple[Loss, float]:
    """(f − y)², twice the loss."""
    return SQUARE, 2.0


def _huber(criterion: Any) -> tuple[Loss, float]:
    return Loss.parse(f"huber:{float(criterion.delta)!r}"), 1.0


def _smooth_l1(criterion: Any) -> tuple[Loss, float]:
    """Huber's loss over its C."""
    if not criterion.beta:
        raise ProblemError(
            "`criterion` has `beta` 0, |f − y|, which is not strictly convex: take a positive one."
        )
    return Loss.parse(f"huber:{float(criterion.beta)!r}"), 1 / float(criterion.beta)


def _logistic(criterion: Any) -> tuple[Loss, float]:
    for name in ("weight", "pos_weight"):
        if getattr(criterion, name) is not None:
            raise ProblemError(
                f"`criterion` has `{name}`, which the loss of the theory has not: leave it out."
            )
    return LOGISTIC, 1.0


READERS: dict[type[nn.Module], Callable[[Any], tuple[Loss, float]]] = {
    nn.MSELoss: _square,
    nn.HuberLoss: _huber,
    nn.SmoothL1Loss: _smooth_l1,
    nn.BCEWithLogitsLoss: _logistic,
}
