"""Options of training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from dynamics.errors import ProblemError
from dynamics.schedules.families import FAMILIES
from quadflow import groups
from quadflow.options.click_options import complete_from, listed
from quadflow.options.one_of import OneOf
from quadflow.options.optimizer import OptimizerOptions
from quadflow.options.struct import option, take

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dynamics.clock import Clock


def gradients_option() -> Any:
    """How gradients are taken, an option of whatever trains two-layer networks."""
    return option(
        type=OneOf(("fused", "autograd")),
        help="Written out (fused), or by PyTorch's automatic differentiation (autograd), slower and the same up to "
        "rounding [default: fused].",
    )


@dataclass(frozen=True)
class TrainingOptions(OptimizerOptions):
    """How networks are trained; the names are those of `empirical.train`."""

    GROUP: ClassVar[str] = groups.TRAINING

    steps: int | None = option(type=int, help="Number of training steps.")
    step: float = option(type=float, default=1e-3, show_default=True, metavar="η", help="Learning rate.")
    batch: int = option(type=int, default=256, show_default=True, help="Batch size; 0 is the whole set.")
    samples: int = option(
        type=int, default=0, show_default=True, help="Training set size; 0: always fresh data."
    )
    label_noise: float = option(
        type=float, default=0.0, show_default=True, help="Variance of the label noise."
    )
    seeds: int = option(
        type=int, default=1, show_default=True, help="Networks trained together, each on its own data."
    )
    schedule: str = option(
        default="constant",
        show_default=True,
        metavar="NAME[:PARAMETER…]",
        shell_complete=complete_from("dynamics.schedules", "FAMILIES"),
        help=f"Learning rates over the run: {listed(FAMILIES)}, with parameters after colons "
        "(warmup-cosine:0.1), or a file of rates in units of --step (.npy, .csv).",
    )
    gradients: str | None = gradients_option()
    device: str = option(
        metavar="NAME", default="cpu", show_default=True, help="PyTorch device, such as cuda."
    )
    dtype: str = option(
        type=OneOf(("float32", "float64")),
        default="float32",
        show_default=True,
        help="Precision of training.",
    )
    records: int = option(type=int, default=200, show_default=True, help="Number of measurements.")
    log_times: bool = option(is_flag=True, help="Space them evenly in log time.")
    test_samples: int = option(
        type=int,
        default=0,
        show_default=True,
        help="Measure the loss on so many test samples; 0: exactly from the weights.",
    )

    @property
    def clock(self) -> Clock:
        """Which time of the flow belongs to which step."""
        return self.entry.clock(self.step, self.settings.momentum, self.schedule, self.steps)

    def steps_until(self, time: Any, name: str) -> int:
        """Number of steps, at least one, of a run up to a time called `name`, where its schedule ends."""
        from dynamics.clock import Clock

        plain = replace(self, schedule="constant").clock
        return Clock.until(time, plain.step, plain.momentum, self.schedule, name=name)[1]

    def length(self, t_end: float | None, times: Sequence[float] | None) -> int:
        """Number of steps: as said, or up to the end time, or to the last of the times that are asked for."""
        from dynamics.validation import validate_real, validate_times

        if self.steps is not None:
            if t_end is not None:
                raise ProblemError("`--steps` and `--t-end` both say how long to train: give one of them.")
            return self.steps
        if t_end is not None:
            return self.steps_until(validate_real("t_end", t_end, positive=True), "t_end")
        if times is None:
            raise ProblemError("The length of training is missing: give `--steps` or `--t-end`.")
        # at least one step: the only time may be 0
        return self.steps_until(validate_times(times)[-1], "times")


training_options = take(TrainingOptions, "training")
