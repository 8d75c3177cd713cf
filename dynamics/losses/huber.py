"""Huber's loss: quadratic up to a residual C, linear beyond."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dynamics.losses.base import Loss, register_family, residual_loss
from dynamics.named import Family, NoMember

SMALLEST, LARGEST = 1e-20, 1e20  # of C, whose squares are multiplied by those of others


@dataclass(frozen=True)
class Huber:
    """½u² for |u| ≤ C, C|u| − ½C² beyond, and its derivatives.

    Parameters
    ----------
    threshold : float
        C.
    """

    threshold: float

    def value(self, u: Any) -> Any:
        """ℓ = v(u − ½v) with v = ℓ′."""
        v = self.slope(u)
        return v * (u - 0.5 * v)

    def slope(self, u: Any) -> Any:
        """u cut off at ±C."""
        return u.clip(-self.threshold, self.threshold)

    def curvature(self, u: Any) -> Any:
        """1 up to C, 0 beyond."""
        return (abs(u) < self.threshold) * (0 * u + 1.0)


@lru_cache(maxsize=64)
def _member(parameters: str) -> Loss:
    needed = f"C must be a number between {SMALLEST:g} and {LARGEST:g}, as in huber:1"
    try:
        C = float(parameters)
    except ValueError:
        raise NoMember(needed) from None
    if not SMALLEST <= C <= LARGEST:
        raise NoMember(needed)
    function = Huber(C)
    return residual_loss(
        f"huber:{parameters}",
        f"ℓ = ½(f − y)² up to |f − y| = {C:g}, linear beyond",
        function.value,
        function.slope,
        function.curvature,
        breaks=(-C, C),
        pieces=((-C, C, 1.0),),
        label=f"Huber, C = {C:g}",
    )


HUBER = register_family(Family("huber", "C", _member, "1"))
