"""A loss times a number: the same flow by another clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from dynamics.aliases import Array
from dynamics.population.base import Population, Pull
from dynamics.population.ways import Slope, Way


@dataclass(frozen=True, eq=False)
class ScaledPopulation(Population):
    """γL: its flow is that of L in the time γt.

    Parameters
    ----------
    base : Population
        L.
    factor : float
        γ > 0.
    """

    base: Population
    factor: float

    def __post_init__(self) -> None:
        for capability in ("force", "pull_on"):
            if getattr(self.base, capability) is not None:
                object.__setattr__(self, capability, getattr(self, f"_{capability}"))

    def loss(self, W: Array, A: Array) -> float:
        """γL."""
        return self.factor * self.base.loss(W, A)

    def losses(self, W: Array, A: Array) -> Array:
        """γL of many weights, (T,)."""
        return self.factor * self.base.losses(W, A)

    def velocity(self, W: Array, A: Array) -> tuple[Array, Array]:
        """Minus the gradient, (K, d) and (O, K)."""
        vW, vA = self.base.velocity(W, A)
        return self.factor * vW, self.factor * vA

    def ways(self, hidden: int, outputs: int, trainable: bool) -> Sequence[Way]:
        """Those of L, each with two more passes."""
        return [
            replace(way, calls=way.calls + 1 + trainable, build=partial(self._scaled, way.build))
            for way in self.base.ways(hidden, outputs, trainable)
        ]

    def _scaled(self, build: Callable[[], Slope]) -> Slope:
        base = build()

        def slope(W: Array, A: Array, vW: Array, vA: Array | None) -> None:
            base(W, A, vW, vA)
            vW *= self.factor
            if vA is not None:
                vA *= self.factor

        return slope

    def hessian_vector(self, W: Array, A: Array, dW: Array, dA: Array) -> tuple[Array, Array]:
        """Hessian times (dW, dA)."""
        hW, hA = self.base.hessian_vector(W, A, dW, dA)
        return self.factor * hW, self.factor * hA

    def hessian(self, W: Array, A: Array) -> Array:
        """Dense Hessian, (Kd + OK, Kd + OK)."""
        return self.factor * self.base.hessian(W, A)

    def invariants(self, W: Array, A: Array) -> Array:
        """Those of L."""
        return self.base.invariants(W, A)

    def _force(self, W: Array, A: Array) -> Array:
        assert self.base.force is not None
        return self.factor * self.base.force(W, A)

    def _pull_on(self, W: Array, A: Array, output: Array) -> Pull:
        assert self.base.pull_on is not None
        return _ScaledPull(self.base.pull_on(W, A, output), self.factor)


@dataclass(frozen=True, eq=False)
class _ScaledPull:
    """A pull times a number."""

    base: Pull
    factor: float

    def force(self, X: Array) -> Array:
        """Gradient at several directions (m, d)."""
        return self.factor * self.base.force(X)

    @property
    def stiffness(self) -> float:
        """Bound on the curvature on the unit sphere."""
        return self.factor * self.base.stiffness
