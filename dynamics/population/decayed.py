"""A loss with weight decay, R = L + ½ρ_w‖W‖² + ½ρ_a‖A‖², the objective of everything that is trained with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dynamics.aliases import Array
from dynamics.population.base import FormLoss, Population, Pull
from dynamics.population.biased import unit_weights
from dynamics.population.ways import Slope, Spare

if TYPE_CHECKING:
    from dynamics.population.flow_shape import FlowShape


@dataclass(frozen=True, eq=False)
class DecayedLoss(Population):
    """The loss R = L + ½ρ_w‖W‖² + ½ρ_a‖A‖².

    Of the capabilities of L it keeps the flow as a polynomial, and the pull on an infinitely small unit, to which decay
    is of second order. A bias that is trained does not decay. It is no loss of the forms M_o itself: `forms` is that
    part of it which is, L.

    Parameters
    ----------
    base : Population
        L.
    first, second : float
        ρ_w and ρ_a; the latter 0 where the second layer is fixed.
    """

    base: Population
    first: float
    second: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "smooth", self.base.smooth)
        if self.base.pull_on is not None:
            object.__setattr__(self, "pull_on", self._pull_on)

    def loss(self, W: Array, A: Array) -> float:
        """R."""
        a = unit_weights(W, A)
        return self.base.loss(W, A) + 0.5 * float(self.first * np.sum(W**2) + self.second * np.sum(a**2))

    def velocity(self, W: Array, A: Array) -> tuple[Array, Array]:
        """Minus the gradient, −∂L/∂W − ρ_w W and −∂L/∂A − ρ_a A."""
        vW, vA = self.base.velocity(W, A)
        return vW - self.first * W, vA - self.second * self._decaying(W, A)

    @staticmethod
    def _decaying(W: Array, A: Array) -> Array:
        """A with zero for a bias, which does not decay."""
        if A.shape[-1] == W.shape[-2]:
            return A
        return np.pad(unit_weights(W, A), ((0, 0), (0, 1)))

    def slope(self, hidden: int, outputs: int, trainable: bool) -> Slope:
        """That of L, less the decay."""
        base, spare = self.base.slope(hidden, outputs, trainable), Spare()

        def slope(W: Array, A: Array, vW: Array, vA: Array | None) -> None:
            base(W, A, vW, vA)
            vW -= np.multiply(W, self.first, out=spare.like(vW))
            if vA is not None:
                vA -= np.multiply(self._decaying(W, A), self.second, out=spare.like(vA))

        return slope

    def hessian_vector(self, W: Array, A: Array, dW: Array, dA: Array) -> tuple[Array, Array]:
        """Hessian of L and ρ_w, ρ_a on its diagonal, applied to the direction."""
        hW, hA = self.base.hessian_vector(W, A, dW, dA)
        return hW + self.first * dW, hA + self.second * self._decaying(dW, dA)

    def hessian(self, W: Array, A: Array) -> Array:
        """Dense Hessian of L, and ρ_w, ρ_a on its diagonal."""
        H = self.base.hessian(W, A)
        rates = self.second * self._decaying(W, np.ones_like(A))
        H[np.diag_indices_from(H)] += np.concatenate([np.full(W.size, self.first), rates.ravel()])
        return H

    def invariants(self, W: Array, A: Array) -> Array:
        """Those of L, and √R in units of the output: the same function can be made of smaller weights."""
        return np.append(self.base.invariants(W, A), np.sqrt(self.loss(W, A)))

    def taylor_shape(self, W: Array, A: Array, trainable: bool) -> FlowShape | None:
        """That of L, with decay."""
        shape = self.base.taylor_shape(W, A, trainable)
        return None if shape is None else replace(shape, decayed=True)

    @property
    def forms(self) -> FormLoss | None:
        """L as a loss of the forms M_o; None if it is none."""
        return self.base.forms

    def _pull_on(self, W: Array, A: Array, output: Array) -> Pull:
        assert self.base.pull_on is not None
        return self.base.pull_on(W, A, output)
