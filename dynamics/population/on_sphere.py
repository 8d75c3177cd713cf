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
    anchor : float
        Stiffness α of a further term ¼α Σ_k (‖w_k‖² − 1)², which vanishes on the sphere: with it a search for
        stationary points finds those of norm 1, and only these.
    """

    base: Population
    anchor: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "smooth", self.base.smooth)

    def loss(self, W: Array, A: Array) -> float:
        """L at the directions, and the anchor."""
        loss = self.base.loss(directions(W)[0], A)
        return loss + self.anchor / 4 * float(np.sum(_beyond(W) ** 2)) if self.anchor else loss

    def velocity(self, W: Array, A: Array) -> tuple[Array, Array]:
        """Minus the gradient: across each unit; along it nothing."""
        unit, size = directions(W)
        vW, vA = self.base.velocity(unit, A)
        vW = across(unit, vW) / size
        return vW - self.anchor * _beyond(W) * W if self.anchor else vW, vA

    def hessian_vector(self, W: Array, A: Array, dW: Array, dA: Array) -> tuple[Array, Array]:
        """Hessian applied to the direction (dW, dA)."""
        unit, size = directions(W)
        g = -self.base.velocity(unit, A)[0]
        u = across(unit, dW) / size  # how the direction turns
        hW, hA = self.base.hessian_vector(unit, A, u, dA)
        along = _dot(unit, dW) / size
        turned = across(unit, hW) - _dot(unit, g) * u - unit * _dot(g, u) - across(unit, g) * along
        if self.anchor:
            return turned / size + self.anchor * (_beyond(W) * dW + 2 * W * _dot(W, dW)), hA
        return turned / size, hA

    def hessian(self, W: Array, A: Array) -> Array:
        """Dense Hessian over θ = (W, A)."""
        unit, size = directions(W)
        (K, d), n = W.shape, W.size
        g = -self.base.velocity(unit, A)[0]
        P = np.eye(d) - unit[:, :, None] * unit[:, None]  # (K, d, d)
        turn = np.zeros((n, n))  # from dw to how the directions turn
        rays = _dot(unit, g)[:, :, None] * P
        bent = across(unit, g)[:, :, None] * unit[:, None]
        own = -(rays + bent + np.swapaxes(bent, 1, 2)) / size[:, :, None] ** 2
        if self.anchor:
            own += self.anchor * (_beyond(W)[:, :, None] * np.eye(d) + 2 * W[:, :, None] * W[:, None])
        H = self.base.hessian(unit, A)
        for k in range(K):
            part = slice(k * d, (k + 1) * d)
            turn[part, part] = P[k] / size[k]
        H[:n, :n] = turn @ H[:n, :n] @ turn
        H[:n, n:] = turn @ H[:n, n:]
        H[n:, :n] = H[:n, n:].T
        for k in range(K):
            part = slice(k * d, (k + 1) * d)
            H[part, part] += own[k]
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


def _beyond(W: Array) -> Array:
    """‖w_k‖² − 1, (…, K, 1)."""
    return np.asarray(np.sum(W * W, axis=-1, keepdims=True) - 1)


def _dot(X: Array, Y: Array) -> Array:
    return np.asarray(np.sum(X * Y, axis=-1, keepdims=True))
