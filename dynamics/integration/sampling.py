"""Where a solution is wanted, and how accurately."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.errors import ProblemError
from dynamics.validation import validate_count, validate_real, validate_times

DEFAULT_RTOL = 1e-12
BYTES_PER_TIME = 500  # of times, loss, stages and their text in a file
SHORTEST = 1e-100  # time to integrate over; LSODA's first step, smaller by far, must not underflow


@dataclass(frozen=True, eq=False)
class Sampling:
    """Where a solution is wanted: at given times, or at a number of times up to the end."""

    t_end: float
    times: Array | None
    count: int
    logarithmic: bool

    @classmethod
    def create(
        cls, t_end: object, times: object, samples: object, log_times: bool, horizon: float
    ) -> Sampling:
        """Check the user's wishes; without `t_end` and `times` the end is `horizon`; `samples` counts if none are."""
        t = None if times is None else validate_times(times)  # type: ignore[arg-type]
        count = validate_count("samples", samples, minimum=2) if t is None else len(t)
        check_memory(f"A curve at {count} times", BYTES_PER_TIME * count, "ask for fewer times")
        if t is not None:
            end = float(t[-1]) if t_end is None else validate_real("t_end", t_end, nonnegative=True)
            if end < t[-1]:
                raise ProblemError(f"`times` goes up to {t[-1]:g}, but `t_end` is only {end:g}.")
            _check_end("times" if t_end is None else "t_end", end)
            return cls(end, t, count, False)
        end = horizon if t_end is None else validate_real("t_end", t_end, positive=True)
        _check_end("t_end", end)
        return cls(end, None, count, log_times)

    def resolve(self, reached: float) -> Array:
        """Sample times: those that were given, or others that end at the time that was reached."""
        if self.times is not None:
            return self.times
        if self.logarithmic:
            late = np.geomspace(1e-4 * reached, reached, self.count - 1) if reached else np.empty(0)
            return np.append(0.0, late)
        return np.linspace(0.0, reached, self.count) if reached else np.zeros(1)


def _check_end(name: str, end: float) -> None:
    if 0 < end < SHORTEST:
        raise ProblemError(
            f"`{name}` ends at {end:g}, which is too short to integrate over: allowed is {SHORTEST:g} or more."
        )


def validate_tolerance(rtol: float) -> float:
    """Relative tolerance that double precision can meet."""
    rtol = validate_real("rtol", rtol, positive=True)
    if not 1e-13 <= rtol < 1:
        raise ProblemError(f"`rtol` is {rtol:g}, but must lie between 1e-13 (double precision) and 1.")
    return rtol


def state_scale(theta0: Array) -> float:
    """Root mean square of an initial state, at most 1, which errors are measured against; 1 of a state that is zero."""
    scale = float(np.sqrt(np.mean(theta0**2)))
    return min(scale, 1.0) if scale > 0 else 1.0
