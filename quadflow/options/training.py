"""Options of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dynamics.errors import ProblemError
from quadflow.options.optimizer import OptimizerOptions
from quadflow.options.struct import option, take

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dynamics.clock import Clock


@dataclass(frozen=True)
class TrainingOptions(OptimizerOptions):
    """How networks are trained; the names are those of `empirical.train`."""

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
    device: str = option(default="cpu", show_default=True, help="PyTorch device, such as cuda.")
    dtype: str = option(default="float32", show_default=True, help="float32 or float64.")
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
        return self.entry.clock(self.step, self.settings.momentum)

    def length(self, t_end: float | None, times: Sequence[float] | None) -> int:
        """Number of steps: as said, or up to the end time, or to the last of the times that are asked for."""
        from dynamics.validation import validate_real, validate_times

        if self.steps is not None:
            if t_end is not None:
                raise ProblemError("`--steps` and `--t-end` both say how long to train: give one of them.")
            return self.steps
        if t_end is not None:
            return self.clock.steps_until(validate_real("t_end", t_end, positive=True))
        if times is None:
            raise ProblemError("The length of training is missing: give `--steps` or `--t-end`.")
        # at least one step: the only time may be 0
        return self.clock.steps_until(validate_times(times)[-1], name="times")


training_options = take(TrainingOptions, "training")
