"""A loss that is the sum of several: hidden units among themselves in one, with the teacher in another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array
from dynamics.population.base import Population
from dynamics.population.ways import Slope, Spare


@dataclass(frozen=True, eq=False)
class SumPopulation(Population):
    """The sum of losses of the same weights, never below 0.

    Parameters
    ----------
    parts : tuple of Population
    """

    parts: tuple[Population, ...]

    def loss(self, W: Array, A: Array) -> float:
        """Loss L, in squared units of the output."""
        return max(sum(part.loss(W, A) for part in self.parts), 0.0)

    def velocity(self, W: Array, A: Array) -> tuple[Array, Array]:
        """Minus the gradient, (K, d) and (O, K)."""
        rows, columns = zip(*(part.velocity(W, A) for part in self.parts), strict=True)
        return np.sum(rows, axis=0), np.sum(columns, axis=0)

    def slope(self, hidden: int, outputs: int, trainable: bool) -> Slope:
        """Those of the parts, one after another."""
        first, *others = (part.slope(hidden, outputs, trainable) for part in self.parts)
        spare_W, spare_A = Spare(), Spare()

        def slope(W: Array, A: Array, vW: Array, vA: Array | None) -> None:
            first(W, A, vW, vA)
            more_W, more_A = spare_W.like(vW), None if vA is None else spare_A.like(vA)
            for other in others:
                other(W, A, more_W, more_A)
                vW += more_W
                if vA is not None and more_A is not None:
                    vA += more_A

        return slope

    def hessian_vector(self, W: Array, A: Array, dW: Array, dA: Array) -> tuple[Array, Array]:
        """Hessian times (dW, dA)."""
        rows, columns = zip(*(part.hessian_vector(W, A, dW, dA) for part in self.parts), strict=True)
        return np.sum(rows, axis=0), np.sum(columns, axis=0)

    def hessian(self, W: Array, A: Array) -> Array:
        """Dense Hessian, (Kd + OK, Kd + OK)."""
        return np.asarray(sum(part.hessian(W, A) for part in self.parts))
