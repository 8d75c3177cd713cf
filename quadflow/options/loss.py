"""Options of the loss: what is minimised, which labels it sees, and the bias of the output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from dynamics.errors import ProblemError
from quadflow import groups
from quadflow.options.click_options import complete_from
from quadflow.options.struct import option

if TYPE_CHECKING:
    from dynamics.losses import Loss


@dataclass(frozen=True)
class LossOptions:
    """Loss, labels and bias."""

    GROUP: ClassVar[str] = groups.PROBLEM

    loss: str = option(
        default="square",
        show_default=True,
        metavar="SPEC",
        shell_complete=complete_from("dynamics.losses", "LOSSES"),
        help="square, log-cosh, huber:C (of the residual), or logistic (of two classes).",
    )
    labels: str | None = option(
        metavar="SPEC",
        shell_complete=complete_from("dynamics.labels", "LABELS"),
        help="Labels of the logistic loss: bernoulli, drawn with the probability σ(f*), or hard[:THRESHOLD], 1 above "
        "it [default: bernoulli, or those of the data].",
    )
    flip: float = option(
        type=float,
        default=0.0,
        show_default=True,
        metavar="P",
        help="Share of the classes that are turned round.",
    )
    bias: str = option(
        default="0",
        show_default=True,
        metavar="β",
        help="Output f = Σ a_k φ(w_k·x) − β of student and teacher, of other losses than the square: a number; or "
        "trainable[:β], trained from 0, and that of the teacher.",
    )

    def learned(self) -> dict[str, Any]:
        """Arguments of a `Problem`."""
        return {"loss": self.loss, "labels": self.labels, "flip": self.flip, "bias": self.bias}


def refuse_losses(options: LossOptions) -> None:
    """Refuse other losses, and labels and biases that come with them, where only the square loss is known.

    Raises
    ------
    ProblemError
    """
    from dynamics.losses import Loss
    from dynamics.problem.bias import Bias

    loss: Loss = Loss.parse(options.loss)
    if not loss.is_square:
        raise ProblemError(f"`--loss` is {options.loss!r}, but this is known only for the square loss.")
    if options.labels not in (None, "exact") or options.flip or Bias.of(options.bias):
        raise ProblemError(
            "`--labels`, `--flip` and `--bias` belong to other losses than the square: leave them out."
        )
