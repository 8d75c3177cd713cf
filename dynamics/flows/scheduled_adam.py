"""Adam with a schedule of learning rates, as a flow.

The memories of Adam count steps, not rates. In the time s = η n of n steps at the largest rate η of the schedule they
are as long as ever, and the weights move by the rate of the moment (derived here):

    τ₁ dm/ds = g − m,   τ₂ dv/ds = g² − v,   dθ/ds = (η(s)/η) [−m̂/(√v̂ + ε) − λθ],

m̂ and v̂ as of `dynamics.flows.adam`. That is what is integrated, also where a warm-up begins with a rate of zero; the
curve is in the time of the flow, t = ∫ (η(s)/η) ds. The error is of first order in η.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.clock import Clock
from dynamics.curves.trajectory import Trajectory
from dynamics.flows.adam import AdamFlow
from dynamics.integration import SolverReport, VectorField
from dynamics.problem import Problem
from dynamics.schedules import RateCurve

Rate = Callable[[float], float]


class ScheduledAdamFlow(AdamFlow):
    """The flow with memories that Adam follows along a schedule, to first order in its steps.

    Parameters
    ----------
    problem : Problem
    clock : Clock
        Learning rate and schedule, for a number of steps; without momentum, since Adam's is a mean.
    betas, epsilon, decay
        As of `AdamFlow`.
    """

    def __init__(
        self,
        problem: Problem,
        clock: Clock,
        betas: tuple[float, ...] = (0.9, 0.999),
        epsilon: float = 1e-8,
        decay: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        super().__init__(problem, float(clock.rates.max()), betas, epsilon, decay)
        self.clock = clock
        steps = len(clock.rates)
        breaks = clock.schedule.breaks(steps)
        self.rate = RateCurve(self.step * np.arange(steps + 1), clock.rates, breaks)

    @property
    def last_time(self) -> float:
        """End of the schedule, in the time s."""
        return self.rate.end

    def __call__(self, t: float, theta: Array) -> Array:
        """Right-hand side (dθ/ds, dm/ds, dv/ds) at the time s."""
        return self.velocity_at(self.rate(t), t, theta)

    def jacobian(self, t: float, theta: Array) -> Array:
        """Jacobian of the right-hand side."""
        return self.jacobian_at(self.rate(t), t, theta)

    def velocity_at(self, eta: float, s: float, theta: Array) -> Array:
        """Right-hand side at a rate η(s)."""
        speed = super().__call__(s, theta)
        speed[: self.weights] *= eta / self.step
        return speed

    def jacobian_at(self, eta: float, s: float, theta: Array) -> Array:
        """Its derivative, (3n, 3n)."""
        J = super().jacobian(s, theta)
        J[: self.weights] *= eta / self.step
        return J

    def stretches(self) -> list[tuple[float, VectorField]]:
        """The field between the jumps and bends of the rate."""
        parts = zip(self.rate.ends.tolist(), self.rate.pieces, strict=True)
        return [(end, _Stretch(self, piece)) for end, piece in parts]

    def integrate(
        self, t_end: float | None = None, *, times: ArrayLike | None = None, **options: Any
    ) -> Trajectory:
        """Integrate; see `dynamics.flows.base.Flow.integrate`. Times are those of the flow."""
        if times is not None:
            times = self._to_s(np.asarray(times, dtype=float))
        end = None if t_end is None else float(self._to_s(np.asarray(t_end, dtype=float)))
        return super().integrate(end, times=times, **options)

    def _to_s(self, times: Array) -> Array:
        """The time s at times of the flow, up to the end of the schedule."""
        rounded = np.where(np.isclose(times, self.clock.end, rtol=1e-9, atol=0), self.clock.end, times)
        return self.step * self.clock.steps(rounded)

    def result(self, times: Array, states: Array, report: SolverReport) -> Trajectory:
        """The learning curve, in the time of the flow."""
        return replace(super().result(times, states, report), times=self.clock.times(times / self.step))


@dataclass(frozen=True, eq=False)
class _Stretch(VectorField):
    """The field along one smooth stretch of the rate."""

    field: ScheduledAdamFlow
    rate: Rate

    def __call__(self, t: float, theta: Array) -> Array:
        return self.field.velocity_at(self.rate(t), t, theta)

    def jacobian(self, t: float, theta: Array) -> Array:
        return self.field.jacobian_at(self.rate(t), t, theta)
