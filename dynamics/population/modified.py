"""The loss whose gradient flow gradient descent with a finite step follows: L + (h/4)‖∇L‖²."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array
from dynamics.population.base import Population

DIFFERENCE = 1e-5  # shift for central differences of the Hessian, relative to the size of the weights


@dataclass(frozen=True, eq=False)
class ModifiedLoss(Population):
    """The loss L + (h/4)‖∇L‖², the gradient taken over the trained parameters.

    Value and gradient are exact, through one Hessian–vector product. The Hessian needs ∂H, the third derivative
    of L, along ∇L: a central difference of exact Hessians, good to ten digits.

    Parameters
    ----------
    base : Population
        L.
    step : float
        h.
    trainable : bool
        Whether the second layer is trained.
    """

    base: Population
    step: float
    trainable: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "smooth", self.base.smooth)

    def loss(self, W: Array, A: Array) -> float:
        """L + (h/4)‖∇L‖²."""
        vW, vA = self._base_velocity(W, A)
        return self.base.loss(W, A) + self.step / 4 * float(np.sum(vW**2) + np.sum(vA**2))

    def velocity(self, W: Array, A: Array) -> tuple[Array, Array]:
        """Minus the gradient, v + (h/2) H v with v = −∇L."""
        vW, vA = self._base_velocity(W, A)
        hW, hA = self._base_hessian_vector(W, A, vW, vA)
        return vW + self.step / 2 * hW, vA + self.step / 2 * hA

    def hessian_vector(self, W: Array, A: Array, dW: Array, dA: Array) -> tuple[Array, Array]:
        """[H + (h/2)(H² + ∂H)] (dW, dA)."""
        hW, hA = self._base_hessian_vector(W, A, dW, dA)
        hhW, hhA = self._base_hessian_vector(W, A, hW, hA)
        upper, lower, distance = self._shifted(W, A)
        upW, upA = self._base_hessian_vector(*upper, dW, dA)
        loW, loA = self._base_hessian_vector(*lower, dW, dA)
        return (
            hW + self.step / 2 * (hhW + (upW - loW) / distance),
            hA + self.step / 2 * (hhA + (upA - loA) / distance),
        )

    def hessian(self, W: Array, A: Array) -> Array:
        """Dense Hessian H + (h/2)(H² + ∂H)."""
        H = self._base_hessian(W, A)
        upper, lower, distance = self._shifted(W, A)
        third = (self._base_hessian(*upper) - self._base_hessian(*lower)) / distance
        return H + self.step / 2 * (H @ H + third)

    def _shifted(self, W: Array, A: Array) -> tuple[tuple[Array, Array], tuple[Array, Array], float]:
        """Weights up and down the gradient, and their distance in units of it."""
        vW, vA = self._base_velocity(W, A)
        speed = np.sqrt(np.sum(vW**2) + np.sum(vA**2))
        size = np.sqrt(np.sum(W**2) + np.sum(A**2))
        s = DIFFERENCE * max(size, np.finfo(float).tiny) / max(speed, np.finfo(float).tiny)
        return (W - s * vW, A - s * vA), (W + s * vW, A + s * vA), 2 * s

    def _base_velocity(self, W: Array, A: Array) -> tuple[Array, Array]:
        vW, vA = self.base.velocity(W, A)
        return vW, vA if self.trainable else np.zeros_like(vA)

    def _base_hessian_vector(self, W: Array, A: Array, dW: Array, dA: Array) -> tuple[Array, Array]:
        hW, hA = self.base.hessian_vector(W, A, dW, dA)
        return hW, hA if self.trainable else np.zeros_like(hA)

    def _base_hessian(self, W: Array, A: Array) -> Array:
        H = self.base.hessian(W, A)
        if not self.trainable:
            H[W.size :] = H[:, W.size :] = 0
        return H
