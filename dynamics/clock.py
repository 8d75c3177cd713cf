"""The one clock: the time of the flow that a descent has reached after a number of steps, and back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.schedules import CONSTANT, RateCurve, Schedule, chosen_schedule
from dynamics.validation import LARGEST_COUNT, validate_momentum, validate_real, validate_times

if TYPE_CHECKING:
    from dynamics.schedules.schedule import Spec

LAST_STEP = 2**62  # stands for all steps beyond it
LARGEST_STEP = 1e50  # so that the time after any number of steps, with any momentum, is a number
MOST_GUESSES = 50  # of the number of steps up to a time


@dataclass(frozen=True)
class Clock:
    """Time of the flow after n steps of a descent, t_n = Σ_{m<n} η_m/(1 − β).

    To first order in η a descent is after n steps where the gradient flow is at the time t. The velocity of heavy ball
    (and of Nesterov), v ← βv + ∇L, adds the gradients up to ∇L/(1 − β): each of its steps goes that much further. An
    optimiser whose momentum is a mean of gradients has β = 0 here.

    Parameters
    ----------
    step : float
        Learning rate η.
    momentum : float
        β in [0, 1).
    schedule : Schedule, str, callable or array
        Rates η_n = η s_n of the steps, see `dynamics.schedules.Schedule.of`.
    length : int, optional
        Number N of steps of the schedule; a constant one needs none.

    Raises
    ------
    ProblemError
        If the step is not positive or beyond 10⁵⁰, the momentum not in [0, 1), or the schedule none for so many steps.

    Examples
    --------
    >>> clock = Clock(0.01, momentum=0.9)
    >>> clock.times([0, 10, 20]).round(12).tolist()
    [0.0, 1.0, 2.0]
    >>> clock.steps_until(2.0)
    20
    >>> Clock(0.1, schedule="linear", length=4).times([0, 1, 2, 3, 4]).round(12).tolist()
    [0.0, 0.1, 0.175, 0.225, 0.25]
    """

    step: float
    momentum: float = 0.0
    schedule: Schedule = CONSTANT
    length: int | None = None

    if TYPE_CHECKING:  # the constructor takes whatever says rates

        def __init__(
            self, step: float, momentum: float = 0.0, schedule: Spec = CONSTANT, length: int | None = None
        ) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "step", validate_real("step", self.step, positive=True, size=(0, LARGEST_STEP))
        )
        object.__setattr__(self, "momentum", validate_momentum(self.momentum))
        schedule, length = chosen_schedule(self.schedule, self.length)
        object.__setattr__(self, "schedule", schedule)
        object.__setattr__(self, "length", length)

    @classmethod
    def until(
        cls, time: Any, step: float, momentum: float = 0.0, schedule: Spec = CONSTANT, *, name: str = "t_end"
    ) -> tuple[Clock, int]:
        """The clock of a run up to a time called `name`, and its number of steps, at least one.

        The length of a schedule that is not constant is chosen so that its last step ends there, up to one step.

        Raises
        ------
        ProblemError
            If the time is not one, or the schedule is for a number of steps that end elsewhere.
        """
        plain = cls(step, momentum)
        count = plain.steps_until(time, name=name)
        if Schedule.of(schedule).is_constant:
            return plain, count
        end, tried = validate_real(name, time, nonnegative=True), set[int]()
        while count not in tried and len(tried) < MOST_GUESSES:
            tried.add(count)
            clock = cls(step, momentum, schedule, count)
            count = max(1, round(count * end / clock.end))
        return clock, len(clock.rates)

    @cached_property
    def rates(self) -> Array:
        """Rates η_n of the steps of a schedule, (N,); one rate, (1,), if it is constant."""
        return self.step * self.schedule.factors(self.length or 1)

    @cached_property
    def ticks(self) -> Array:
        """Times t_0 … t_N of the steps of a schedule, (N + 1,)."""
        return np.append(0.0, np.cumsum(self.rates / (1 - self.momentum)))

    @property
    def end(self) -> float:
        """Time at which the schedule ends; infinite if it is constant."""
        return np.inf if self.length is None else float(self.ticks[-1])

    @property
    def rate_curve(self) -> RateCurve | None:
        """The rate as a function of time; None if it is constant."""
        if self.length is None:
            return None
        return RateCurve(self.ticks, self.rates, self.schedule.breaks(self.length))

    def rate(self, n: int) -> float:
        """η_n."""
        return self.step if self.length is None else float(self.rates[n])

    def times(self, steps: ArrayLike) -> Array:
        """Times after numbers of steps, of any shape.

        Raises
        ------
        ProblemError
            If they are more than the schedule has.
        """
        n = np.asarray(steps, dtype=float)
        if self.length is None:
            return self.step * n / (1 - self.momentum)
        if (n > self.length).any():
            raise ProblemError(f"`steps` is {n.max():g}, but the schedule ends after {self.length}.")
        return np.asarray(np.interp(n, np.arange(self.length + 1), self.ticks))

    def steps(self, times: ArrayLike) -> Array:
        """Numbers of steps up to times, as they are: not rounded; infinite beyond the end of the schedule."""
        t = np.asarray(times, dtype=float)
        if self.length is None:
            return t * (1 - self.momentum) / self.step
        moving = np.append(True, self.rates > 0)  # steps of rate 0 take no time
        return np.interp(t, self.ticks[moving], np.arange(self.length + 1)[moving], right=np.inf)

    def steps_until(self, time: Any, *, name: str = "t_end", least: int = 1) -> int:
        """Steps up to a time called `name`, rounded; at least so many."""
        end = validate_real(name, time, nonnegative=True)
        with np.errstate(over="ignore"):
            count = float(self.steps(end))
        if self.length is not None and count > self.length:
            raise ProblemError(f"`{name}` is {end:g}, but the schedule ends at {self.end:g}.")
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
