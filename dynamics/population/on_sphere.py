"""A loss of the directions of the units alone, L(w₁/‖w₁‖, …), the objective of weights that are kept on the sphere.

With P = I − ŵŵᵀ and g the gradient of L at the units ŵ of norm 1, of a unit w = ‖w‖ŵ (derived here)

    ∇ = P g/‖w‖,      ∇² = [P H P − (g·ŵ) P − (P g ŵᵀ + ŵ gᵀP)]/‖w‖²      (the last two for each unit by itself),

so that the flow is the projected one at norm 1, where it stays. At its stationary points the Hessian is that of L on
the product of spheres (the Riemannian one), and zero along each ŵ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array
from dynamics.population.base import Population


@dataclass(frozen=True, eq=False)
class OnSphere(Population):
    """The loss of units put back on the sphere.

    A unit that is zero, which has no direction, adds what it adds to the base.

    Parameters
    ----------
    base : Population
        L.
    """

    base: Population

    def __post_init__(self) -> None:
        object.__setattr__(self, "smooth", self.base.smooth)

    def loss(self, W: Array, A: Array) -> float:
        """L at the directions."""
        return self.base.loss(directions(W)[0], A)

    def losses(self, W: Array, A: Array) -> Array:
        """Likewise of many weights, W (T, K, d) and A (T, O, K)."""
        return self.base.losses(directions(W)[0], A)

    def velocity(self, W: Array, A: Array) -> tuple[Array, Array]:
        """Minus the gradient: across each unit; along it nothing."""
        unit, size = directions(W)
        vW, vA = self.base.velocity(unit, A)
        return across(unit, vW) / size, vA

    def hessian_vector(self, W: Array, A: Array, dW: Array, dA: Array) -> tuple[Array, Array]:
        """Hessian applied to the direction (dW, dA)."""
        unit, size = directions(W)
        g = -self.base.velocity(unit, A)[0]
        u = across(unit, dW) / size  # how the direction turns
        hW, hA = self.base.hessian_vector(unit, A, u, dA)
        along = _dot(unit, dW) / size
        turned = across(unit, hW) - _dot(unit, g) * u - unit * _dot(g, u) - across(unit, g) * along
        return turned / size, hA

    def hessian(self, W: Array, A: Array) -> Array:
        """Dense Hessian over θ = (W, A)."""
        n, units = W.size + A.size, W.size
        H = np.empty((n, n))
        for i, e in enumerate(np.eye(n)):
            dW, dA = self.hessian_vector(W, A, e[:units].reshape(W.shape), e[units:].reshape(A.shape))
            H[i] = np.concatenate([dW.ravel(), dA.ravel()])
        return np.asarray((H + H.T) / 2)

    def invariants(self, W: Array, A: Array) -> Array:
        """Those of L at the directions."""
        return self.base.invariants(directions(W)[0], A)


def directions(W: Array) -> tuple[Array, Array]:
    """Rows (…, K, d) at norm 1, and norms (…, K, 1); a row of zeros stays, and has the norm 1."""
    size = np.linalg.norm(W, axis=-1, keepdims=True)
    size = np.where(size == 0, 1.0, size)
    return W / size, size


def across(unit: Array, X: Array) -> Array:
    """The part of rows X (…, K, d) that is orthogonal to units of norm 1."""
    return np.asarray(X - unit * _dot(unit, X))


def _dot(X: Array, Y: Array) -> Array:
    return np.asarray(np.sum(X * Y, axis=-1, keepdims=True))
