"""The loss of networks of any activation on a given data set, for every loss ℓ(f, y), with two derivatives.

For inputs x_i, labels y_io, outputs f_io = Σ_k A_ok φ_ik − β_o and units φ_ik = φ(w_k·x_i), of centred ones less their
mean w_kᵀΣw_k over the samples (derived here),

    L = (1/n) Σ ℓ(f, y),   ∂L/∂w_k = (1/n) Σ_i α_ik ∂φ_ik/∂w_k,
    ∂L/∂A_ok = (1/n) Σ_i g_io φ_ik,   ∂L/∂β_o = −(1/n) Σ_i g_io

with g = ∂ℓ/∂f and α = gA; one more derivative, with ∂²ℓ/∂f², gives products with the Hessian. The square loss has
forms of its own, which need fewer operations: `dynamics.population.samples` and `dynamics.population.unit_samples`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dynamics.aliases import Array
from dynamics.population.base import Population
from dynamics.population.biased import biases, with_bias
from dynamics.population.samples import batches

Function = Callable[[Array, Array], Array]


class Loss(Protocol):
    """What is asked of a loss, see `dynamics.losses.base.Loss`."""

    @property
    def value(self) -> Function:
        """ℓ(f, y)."""

    @property
    def slope(self) -> Function:
        """∂ℓ/∂f."""

    @property
    def curvature(self) -> Function:
        """∂²ℓ/∂f²."""


@dataclass(frozen=True, eq=False)
class _Chunk:
    """Some samples at some weights.

    Parameters
    ----------
    X, Y : (m, d) and (m, O) arrays
    Z, phi : (m, K) arrays
        Pre-activations and units.
    f, g : (m, O) arrays
        Outputs, and ∂ℓ/∂f over the number of all samples.
    """

    X: Array
    Y: Array
    Z: Array
    phi: Array
    f: Array
    g: Array


@dataclass(frozen=True, eq=False)
class LossOnSamples(Population):
    """Loss on a data set, from the samples.

    Weights A are (O, K), or (O, K + 1) where the last column is β (`dynamics.population.biased`).

    Parameters
    ----------
    X : (n, d) array
    Y : (n, O) array
    of : Loss
    phi : callable z → φ(z)
    derivative : callable (order, z) → φ′(z) or φ″(z)
    mean : (d, d) array or None
        Σ of the means wᵀΣw that centred units take off; None: nothing is.
    bias : float
        β where A does not say it.
    smooth : bool
        Whether φ has no kink.
    forms_alone : bool
        Whether units are quadratic or centred, and β is not trained: L then depends on the forms M_o alone.
    """

    X: Array
    Y: Array
    of: Loss
    phi: Callable[[Array], Array]
    derivative: Callable[[int, Array], Array]
    mean: Array | None = None
    bias: float = 0.0
    smooth: bool = True
    forms_alone: bool = False

    def __post_init__(self) -> None:
        if self.forms_alone:
            object.__setattr__(self, "force", self._force)

    def outputs(self, W: Array, A: Array) -> Array:
        """f on all samples, (n, O)."""
        return np.concatenate([chunk.f for chunk in self._chunks(W, A)])

    def _chunks(self, W: Array, A: Array, width: int = 1) -> Iterator[_Chunk]:
        units, beta = biases(W, A, self.bias)
        norms = np.sum(W * self._times_mean(W), axis=1)
        for X, Y in batches(self.X, self.Y, width=width):
            Z = X @ W.T
            phi = self.phi(Z) - norms
            f = phi @ units.T - beta
            yield _Chunk(X, Y, Z, phi, f, self.of.slope(f, Y) / len(self.X))

    def _times_mean(self, W: Array) -> Array:
        """Rows w_kᵀΣ, or zero."""
        return np.zeros_like(W) if self.mean is None else W @ self.mean

    def loss(self, W: Array, A: Array) -> float:
        """Loss (1/n) Σ ℓ."""
        total = sum(float(np.sum(self.of.value(part.f, part.Y))) for part in self._chunks(W, A))
        return total / len(self.X)

    def velocity(self, W: Array, A: Array) -> tuple[Array, Array]:
        """Minus the gradient, (K, d), and (O, K) or (O, K + 1)."""
        units, beta = biases(W, A, self.bias)
        vW, vA, pull, weight = np.zeros_like(W), np.zeros(units.shape), np.zeros(beta.shape), np.zeros(len(W))
        for part in self._chunks(W, A):
            alpha = part.g @ units
            vW -= (alpha * self.derivative(1, part.Z)).T @ part.X
            vA -= part.g.T @ part.phi
            pull += part.g.sum(axis=0)
            weight += alpha.sum(axis=0)
        return vW + 2 * weight[:, None] * self._times_mean(W), with_bias(vA, pull, A)

    def hessian_vector(self, W: Array, A: Array, dW: Array, dA: Array) -> tuple[Array, Array]:
        """Hessian times (dW, dA)."""
        (units, beta), (more, dbeta) = biases(W, A, self.bias), biases(dW, dA, 0.0)
        mW, mdW = self._times_mean(W), self._times_mean(dW)
        turning = 2 * np.sum(dW * mW, axis=1)
        hW, hA, pull = np.zeros_like(W), np.zeros(units.shape), np.zeros(beta.shape)
        for part in self._chunks(W, A):
            first, second, dZ = self.derivative(1, part.Z), self.derivative(2, part.Z), part.X @ dW.T
            dphi = first * dZ - turning
            df = dphi @ units.T + part.phi @ more.T - dbeta
            dg = self.of.curvature(part.f, part.Y) * df / len(self.X)
            alpha, dalpha = part.g @ units, dg @ units + part.g @ more
            hW += (dalpha * first + alpha * second * dZ).T @ part.X
            hW -= 2 * (dalpha.sum(axis=0)[:, None] * mW + alpha.sum(axis=0)[:, None] * mdW)
            hA += dg.T @ part.phi + part.g.T @ dphi
            pull -= dg.sum(axis=0)
        return hW, with_bias(hA, pull, A)

    def hessian(self, W: Array, A: Array) -> Array:
        """Dense Hessian, for θ = (W row by row, A row by row)."""
        (K, d), (O, columns) = W.shape, A.shape
        units, _ = biases(W, A, self.bias)
        H = np.zeros((K * d + O * columns,) * 2)
        bent, mixed, mW = np.zeros((K, d, d)), np.zeros((O, K, d)), self._times_mean(W)
        for part in self._chunks(W, A, width=len(H)):
            alpha = part.g @ units
            steep = (
                self.derivative(1, part.Z)[:, :, None] * part.X[:, None, :] - 2 * mW
            )  # ∂φ_k/∂w_k, (m, K, d)
            bent += np.einsum(
                "nk,ni,nj->kij", alpha * self.derivative(2, part.Z), part.X, part.X, optimize=True
            )
            if self.mean is not None:
                bent -= 2 * alpha.sum(axis=0)[:, None, None] * self.mean
            mixed += np.einsum("no,nki->oki", part.g, steep, optimize=True)
            roots = np.sqrt(np.maximum(self.of.curvature(part.f, part.Y), 0.0) / len(self.X))
            for o, a in enumerate(units):
                J = np.zeros((len(part.X), len(H)))  # ∂f_o/∂θ
                J[:, : K * d] = (a[:, None] * steep).reshape(len(J), -1)
                start = K * d + o * columns
                J[:, start : start + K] = part.phi
                J[:, start + K : start + columns] = -1.0
                J *= roots[:, o, None]
                H += J.T @ J
        for k in range(K):
            own = slice(k * d, (k + 1) * d)
            H[own, own] += bent[k]
            for o in range(O):
                H[own, K * d + o * columns + k] += mixed[o, k]
                H[K * d + o * columns + k, own] += mixed[o, k]
        return H

    def _force(self, W: Array, A: Array) -> Array:
        """G_o = −2 Σ_i g_io (x_i x_iᵀ − Σ), (O, d, d), of quadratic units without Σ."""
        d = self.X.shape[1]
        S = np.zeros((len(A), d, d))
        for part in self._chunks(W, A):
            S += np.stack([(part.X.T * g) @ part.X for g in part.g.T])
            if self.mean is not None:
                S -= part.g.sum(axis=0)[:, None, None] * self.mean
        return -2 * S
