"""The loss of networks of any activation on a given data set, with two derivatives.

For inputs x_i, labels y_i and residuals r_io = Σ_k A_ok φ(z_ik) − y_io, z_ik = w_k·x_i (derived here),

    L = (1/2n) Σ r²,   ∂L/∂w_k = (1/n) Σ_i α_ik φ′(z_ik) x_i,   ∂L/∂A_ok = (1/n) Σ_i r_io φ(z_ik),   α = rA,

and one more derivative gives products with the Hessian. Quadratic networks have losses of their own, which need fewer
operations: `dynamics.population.samples`, where it is said what memory all these losses take.

Where φ has a kink the gradient jumps by a part of the order 1/n as a unit comes to the boundary w_k·x_i = 0 of a
sample; it may stay there for some time, held from both sides. Solutions go on as limits of short steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array
from dynamics.population.base import Population
from dynamics.population.samples import add_gauss_newton, batches


@dataclass(frozen=True, eq=False)
class UnitSampleLoss(Population):
    """Loss on a data set, from the samples.

    Parameters
    ----------
    X : (n, d) array
    Y : (n, O) array
    phi : callable z → φ(z)
    derivative : callable (order, z) → φ′(z) or φ″(z)
    smooth : bool
        Whether φ has no kink.
    """

    X: Array
    Y: Array
    phi: Callable[[Array], Array]
    derivative: Callable[[int, Array], Array]
    smooth: bool = True

    def loss(self, W: Array, A: Array) -> float:
        """Loss (1/2n) Σ r²."""
        total = 0.0
        for X, Y in batches(self.X, self.Y):
            r = self.phi(X @ W.T) @ A.T - Y
            total += float(np.sum(r * r))
        return total / (2 * len(self.X))

    def velocity(self, W: Array, A: Array) -> tuple[Array, Array]:
        """Minus the gradient, (K, d) and (O, K)."""
        n, dW, dA = len(self.X), np.zeros_like(W), np.zeros_like(A)
        for X, Y in batches(self.X, self.Y):
            Z = X @ W.T  # (m, K)
            phi = self.phi(Z)
            r = phi @ A.T - Y
            dW -= ((r @ A) * self.derivative(1, Z)).T @ X / n
            dA -= (r.T @ phi) / n
        return dW, dA

    def hessian_vector(self, W: Array, A: Array, dW: Array, dA: Array) -> tuple[Array, Array]:
        """Hessian times (dW, dA)."""
        n, hW, hA = len(self.X), np.zeros_like(W), np.zeros_like(A)
        for X, Y in batches(self.X, self.Y):
            Z, dZ = X @ W.T, X @ dW.T
            phi, first, second = self.phi(Z), self.derivative(1, Z), self.derivative(2, Z)
            dphi = first * dZ
            r, dr = phi @ A.T - Y, dphi @ A.T + phi @ dA.T
            alpha, dalpha = r @ A, dr @ A + r @ dA
            hW += (dalpha * first + alpha * second * dZ).T @ X / n
            hA += (dr.T @ phi + r.T @ dphi) / n
        return hW, hA

    def hessian(self, W: Array, A: Array) -> Array:
        """Dense Hessian, (Kd + OK, Kd + OK)."""
        (K, d), O = W.shape, len(A)
        H = np.zeros((K * (d + O), K * (d + O)))
        bent, mixed = np.zeros((K, d, d)), np.zeros((O, K, d))
        for X, Y in batches(self.X, self.Y, width=len(H)):
            Z = X @ W.T
            phi, first, second = self.phi(Z), self.derivative(1, Z), self.derivative(2, Z)
            r = phi @ A.T - Y
            steep = first[:, :, None] * X[:, None, :]  # ∂φ_k/∂w_k, (m, K, d)
            bent += np.einsum("nk,ni,nj->kij", (r @ A) * second, X, X, optimize=True)
            mixed += np.einsum("no,nki->oki", r, steep, optimize=True)
            add_gauss_newton(H, A, phi, steep)
        for k in range(K):
            own = slice(k * d, (k + 1) * d)
            H[own, own] += bent[k]
            for o in range(O):
                H[own, K * (d + o) + k] += mixed[o, k]
                H[K * (d + o) + k, own] += mixed[o, k]
        return H / len(self.X)
