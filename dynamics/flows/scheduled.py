"""A field that depends on the learning rate, along a schedule of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from dynamics.aliases import Array
from dynamics.clock import Clock
from dynamics.integration import VectorField
from dynamics.integration.contract import Curvature, Write
from dynamics.schedules import RateCurve


class StepField(VectorField):
    """A right-hand side that knows the learning rate: F(θ, η), at the rate η(t) that the clock shows.

    Attributes
    ----------
    clock : Clock
        Learning rate, momentum and schedule.
    """

    clock: Clock

    @abstractmethod
    def velocity_at(self, eta: float, theta: Array) -> Array:
        """F(θ, η), (n,)."""

    @abstractmethod
    def jacobian_at(self, eta: float, theta: Array) -> Array:
        """dF/dθ, (n, n)."""

    @cached_property
    def rate_curve(self) -> RateCurve | None:
        """η(t); None if it is constant."""
        return self.clock.rate_curve

    def rate(self, t: float) -> float:
        """η(t)."""
        return self.clock.step if self.rate_curve is None else self.rate_curve(t)

    @property
    def last_time(self) -> float | None:
        """End of the schedule; None if the rate is constant."""
        return None if self.rate_curve is None else self.rate_curve.end

    def __call__(self, t: float, theta: Array) -> Array:
        """Right-hand side at the rate η(t)."""
        return self.velocity_at(self.rate(t), theta)

    def in_place(self) -> Write:
        """The right-hand side, written into memory of the caller."""
        return VectorField.in_place(self)

    def curvature(self) -> Curvature | None:
        """None: of a rate that changes, or of SGD, the right-hand side is no gradient of one function."""
        return None

    def jacobian(self, t: float, theta: Array) -> Array:
        """Jacobian of the right-hand side at the rate η(t)."""
        return self.jacobian_at(self.rate(t), theta)

    def stretches(self) -> list[tuple[float, VectorField]] | None:
        """The field between the jumps and bends of the rate; None if the rate is constant."""
        curve = self.rate_curve
        if curve is None:
            return None
        parts = zip(curve.ends.tolist(), curve.pieces, strict=True)
        return [(end, _Stretch(self, piece)) for end, piece in parts]


@dataclass(frozen=True, eq=False)
class _Stretch(VectorField):
    """The field along one smooth stretch of the rate."""

    field: StepField
    rate: Callable[[float], float]

    def __call__(self, t: float, theta: Array) -> Array:
        return self.field.velocity_at(self.rate(t), theta)

    def jacobian(self, t: float, theta: Array) -> Array:
        return self.field.jacobian_at(self.rate(t), theta)
