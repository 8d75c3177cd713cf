"""The one clock: the time of the flow that a descent has reached after a number of steps, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.validation import LARGEST_COUNT, validate_momentum, validate_real, validate_times

LAST_STEP = 2**62  # stands for all steps beyond it


@dataclass(frozen=True)
class Clock:
    """Time of the flow after n steps of a descent, t = Σ η/(1 − β) over the steps.

    To first order in η a descent is after n steps where the gradient flow is at the time t. The velocity of heavy ball
    (and of Nesterov), v ← βv + ∇L, adds the gradients up to ∇L/(1 − β): each of its steps goes that much further. An
    optimiser whose momentum is a mean of gradients has β = 0 here.

    Parameters
    ----------
    step : float
        Learning rate η.
    momentum : float
        β in [0, 1).

    Raises
    ------
    ProblemError
        If the step is not positive, or the momentum not in [0, 1).

    Examples
    --------
    >>> clock = Clock(0.01, momentum=0.9)
    >>> clock.times([0, 10, 20]).round(12).tolist()
    [0.0, 1.0, 2.0]
    >>> clock.steps_until(2.0)
    20
    """

    step: float
    momentum: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "step", validate_real("step", self.step, positive=True))
        object.__setattr__(self, "momentum", validate_momentum(self.momentum))

    def times(self, steps: ArrayLike) -> Array:
        """Times after numbers of steps, of any shape."""
        return self.step * np.asarray(steps, dtype=float) / (1 - self.momentum)

    def steps(self, times: ArrayLike) -> Array:
        """Numbers of steps up to times, as they are: not rounded."""
        return np.asarray(times, dtype=float) * (1 - self.momentum) / self.step

    def steps_until(self, time: Any, *, name: str = "t_end", least: int = 1) -> int:
        """Steps up to a time called `name`, rounded; at least so many."""
        end = validate_real(name, time, nonnegative=True)
        with np.errstate(over="ignore"):
            count = float(self.steps(end))
        if count > LARGEST_COUNT:
            raise ProblemError(
                f"`{name}` is {end:g} and `step` {self.step:g}, which means more than 2^63 − 1 steps, but at most as"
                " many are allowed: shorten the time or enlarge the step."
            )
        return max(least, round(count))

    def steps_at(self, times: ArrayLike) -> NDArray[np.int64]:
        """Step 0 and those nearest to the given times, without repetition; `LAST_STEP` for all beyond it."""
        with np.errstate(over="ignore"):
            nearest = np.round(self.steps(validate_times(times)))
        return np.unique(np.append(0, np.minimum(nearest, float(LAST_STEP)).astype(np.int64)))
