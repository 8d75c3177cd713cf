"""The loss of quadratic networks on a given data set.

The loss on samples x_i with labels y_i is quadratic in the forms M_o = Σ_k A_ok w_k w_kᵀ (derived here),

    L = (1/2n) Σ_io r_io²,   r_io = ⟨M_o, F_i⟩ − y_io,   F_i = x_i x_iᵀ (centred activation: x_i x_iᵀ − Σ),

so with S_o = ∂L/∂M_o = (1/n) Σ_i r_io F_i the flow is that of the population loss with −2S_o in place of G_o:

    ẇ_k = −2 Σ_o A_ok S_o w_k,   Ȧ_ok = −w_kᵀ S_o w_k.

It is computed in one of two ways, equal up to rounding. `SampleLoss` goes through the samples, O(n d K) operations.
`MomentLoss` knows the data through the empirical fourth moment alone, the covariance of the p = d(d + 1)/2 products
x_a x_b: the triangle of a QR factorisation of products and labels has the same Gram matrix as the n samples, hence
the same loss, in at most p + O rows. It takes O(p²) operations however large n is. (The moment matrix itself
would do as well, but squares the condition of the data.)

Samples are gone through in chunks: beside X and Y themselves memory does not grow with their number n. It is
8 · 4096 (d + 16K + 4O) bytes at most, and for a dense Hessian up to 130 MB beside the Hessian.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from dynamics.aliases import Array
from dynamics.population.base import Population
from dynamics.population.triangles import smat, svec
from dynamics.population.ways import Slope, Way

CHUNK = 4096  # samples that are held at a time with what is computed of them
LARGEST_CHUNK = 2**22  # numbers in one array of their derivatives, 32 MB


def through_samples(n: int, d: int, K: int, O: int, trainable: bool = True) -> int:
    """Multiplications of a slope of K units that goes through n samples."""
    return n * K * (2 * d + (2 + trainable) * O)


def through_moments(n: int, d: int, K: int, O: int) -> int:
    """Multiplications of a slope of K units through the triangle that stands for n samples."""
    p = d * (d + 1) // 2
    return 2 * O * (min(n, p + O) * p + K * d**2)


@dataclass(frozen=True, eq=False)
class SampleLoss(Population):
    """Loss on a data set, from the samples.

    Parameters
    ----------
    X : (n, d) array
    Y : (n, O) array
    mean : (d, d) array or None
        Σ, the mean of x xᵀ that the centred activation takes off; None: nothing is.
    """

    X: Array
    Y: Array
    mean: Array | None

    def loss(self, W: Array, A: Array) -> float:
        """Loss (1/2n) Σ r²."""
        total = 0.0
        for X, Y in batches(self.X, self.Y):
            r = self._features(X @ W.T, W) @ A.T - Y
            total += float(np.sum(r * r))
        return total / (2 * len(self.X))

    def velocity(self, W: Array, A: Array) -> tuple[Array, Array]:
        """Minus the gradient, (K, d) and (O, K)."""
        vW, vA = np.empty(W.shape), np.empty(A.shape)
        self.slope(len(W), len(A), True)(W, A, vW, vA)
        return vW, vA

    def ways(self, hidden: int, outputs: int, trainable: bool) -> Sequence[Way]:
        """The only one, through the samples."""
        (n, d), K, O = self.X.shape, hidden, outputs
        operations = through_samples(n, d, K, O, trainable) + (0 if self.mean is None else K * d**2)
        memory = min(n, CHUNK) * (3 * K + O) + K * (2 * d + O)
        calls = 6 + 12 * -(-n // CHUNK)
        return [Way("samples", operations, calls, memory, partial(self._in_place, hidden, outputs))]

    def _in_place(self, K: int, O: int) -> Slope:
        n, d = self.X.shape
        largest = min(n, CHUNK)
        units, features, pulls = (np.empty((largest, K)) for _ in range(3))
        residuals = np.empty((largest, O))
        part, mW, part_A, pull_sum = np.empty((K, d)), np.zeros((K, d)), np.empty((O, K)), np.empty(K)

        def slope(W: Array, A: Array, vW: Array, vA: Array | None) -> None:
            vW[...] = 0.0
            pull_sum[...] = 0.0
            if vA is not None:
                vA[...] = 0.0
            if self.mean is not None:
                np.matmul(W, self.mean, out=mW)
            norms = np.vecdot(W, mW)
            for X, Y in batches(self.X, self.Y):
                m = len(X)
                Z, phi, r, alpha = units[:m], features[:m], residuals[:m], pulls[:m]
                np.matmul(X, W.T, out=Z)
                np.multiply(Z, Z, out=phi)
                if self.mean is not None:
                    np.subtract(phi, norms, out=phi)
                np.matmul(phi, A.T, out=r)
                np.subtract(Y, r, out=r)
                if vA is not None:
                    vA += np.matmul(r.T, phi, out=part_A)
                np.matmul(r, A, out=alpha)
                if self.mean is not None:
                    np.add(pull_sum, alpha.sum(axis=0), out=pull_sum)
                np.multiply(alpha, Z, out=alpha)
                vW += np.matmul(alpha.T, X, out=part)
            if self.mean is not None:
                vW -= np.multiply(mW, pull_sum[:, None], out=part)
            vW *= 2 / n
            if vA is not None:
                vA /= n

        return slope

    def hessian_vector(self, W: Array, A: Array, dW: Array, dA: Array) -> tuple[Array, Array]:
        """Hessian times (dW, dA)."""
        mW, mdW = self._times_mean(W), self._times_mean(dW)
        n, hW, hA = len(self.X), np.zeros_like(W), np.zeros_like(A)
        for X, Y in batches(self.X, self.Y):
            Z, dZ = X @ W.T, X @ dW.T
            phi, dphi = self._features(Z, W), 2 * (Z * dZ - np.sum(W * mdW, axis=1))
            r, dr = phi @ A.T - Y, dphi @ A.T + phi @ dA.T
            alpha, dalpha = r @ A / n, (dr @ A + r @ dA) / n
            hW += 2 * (dalpha * Z + alpha * dZ).T @ X
            hW -= 2 * (dalpha.sum(axis=0)[:, None] * mW + alpha.sum(axis=0)[:, None] * mdW)
            hA += (dr.T @ phi + r.T @ dphi) / n
        return hW, hA

    def hessian(self, W: Array, A: Array) -> Array:
        """Dense Hessian, (Kd + OK, Kd + OK)."""
        n, (K, d), O = len(self.X), W.shape, len(A)
        S, H = np.zeros((O, d, d)), np.zeros((K * (d + O), K * (d + O)))
        mW = self._times_mean(W)
        for X, Y in batches(self.X, self.Y, width=H.shape[0]):
            Z = X @ W.T
            phi = self._features(Z, W)
            r = phi @ A.T - Y
            S += np.einsum("no,ni,nj->oij", r, X, X, optimize=True)
            if self.mean is not None:
                S -= r.sum(axis=0)[:, None, None] * self.mean
            slopes = 2 * (Z[:, :, None] * X[:, None, :] - mW)  # ∂φ_k/∂w_k, (n, K, d)
            add_gauss_newton(H, A, phi, slopes)
        return H / n + bending(S / n, W, A)

    def force(self, W: Array, A: Array) -> Array:
        """G_o = −2S_o, (O, d, d)."""
        S = np.zeros((len(A), self.X.shape[1], self.X.shape[1]))
        for X, Y in batches(self.X, self.Y):
            r = self._features(X @ W.T, W) @ A.T - Y  # (m, O)
            for S_o, residual in zip(S, r.T, strict=True):
                S_o += (X.T * residual) @ X
            if self.mean is not None:
                S -= r.sum(axis=0)[:, None, None] * self.mean
        return -2 * S / len(self.X)

    def _features(self, Z: Array, W: Array) -> Array:
        """φ(w_k·x), (n, K), from Z = XWᵀ."""
        return Z * Z - np.sum(W * self._times_mean(W), axis=1)

    def _times_mean(self, W: Array) -> Array:
        """Rows w_kᵀΣ, or zero."""
        return np.zeros_like(W) if self.mean is None else W @ self.mean


@dataclass(frozen=True, eq=False)
class MomentLoss(Population):
    """Loss on a data set, from a triangle that stands for all of its samples: ½ Σ_o ‖R svec(M_o) − t_o‖².

    svec lists the upper triangle of a symmetric matrix, off-diagonal entries times √2, so that
    svec(A)·svec(B) = tr(AB).

    Parameters
    ----------
    R : (q, p) array
        q ≤ p + O rows.
    T : (q, O) array
    """

    R: Array
    T: Array

    @classmethod
    def from_samples(cls, X: Array, Y: Array, mean: Array | None) -> MomentLoss:
        """Compress samples X (n, d), labels Y (n, O); `mean` as for `SampleLoss`."""
        factor = np.zeros((0, X.shape[1] * (X.shape[1] + 1) // 2 + Y.shape[1]))
        for x, y in batches(X, Y):
            products = x[:, :, None] * x[:, None, :]
            if mean is not None:
                products -= mean
            rows = np.vstack([factor, np.hstack([svec(products), y])])
            factor = np.asarray(np.linalg.qr(rows, mode="r"))
        factor /= np.sqrt(len(X))
        p = factor.shape[1] - Y.shape[1]
        return cls(factor[:, :p], factor[:, p:])

    def loss(self, W: Array, A: Array) -> float:
        """Loss ½ Σ_o ‖R svec(M_o) − t_o‖²."""
        return 0.5 * float(np.sum(self._residual(W, A) ** 2))

    def velocity(self, W: Array, A: Array) -> tuple[Array, Array]:
        """Minus the gradient, (K, d) and (O, K)."""
        SW = W @ self._slope(self._residual(W, A))  # (O, K)
        return -2 * np.einsum("ok,oki->ki", A, SW), -np.einsum("oki,ki->ok", SW, W)

    def hessian_vector(self, W: Array, A: Array, dW: Array, dA: Array) -> tuple[Array, Array]:
        """Hessian times (dW, dA)."""
        half = (W.T * A[:, None, :]) @ dW
        dM = (W.T * dA[:, None, :]) @ W + half + half.transpose(0, 2, 1)
        S = self._slope(self._residual(W, A))
        dS = self._slope(self.R @ svec(dM).T)
        SW, SdW, dSW = W @ S, dW @ S, W @ dS
        hW = np.einsum("ok,oki->ki", dA, SW) + np.einsum("ok,oki->ki", A, dSW + SdW)
        return 2 * hW, np.einsum("oki,ki->ok", dSW + 2 * SdW, W)

    def hessian(self, W: Array, A: Array) -> Array:
        """Dense Hessian, (Kd + OK, Kd + OK)."""
        (K, d), O = W.shape, len(A)
        H = bending(self._slope(self._residual(W, A)), W, A)
        direction = np.eye(d)
        pairs = W[:, None, :, None] * direction[None, :, None, :]  # (K, d, d, d): w_k e_iᵀ
        by_W = self.R @ svec(pairs + pairs.transpose(0, 1, 3, 2)).reshape(K * d, -1).T  # (q, Kd)
        by_A = self.R @ svec(W[:, :, None] * W[:, None, :]).T  # (q, K)
        for o in range(O):
            J = np.zeros((len(self.R), len(H)))
            J[:, : K * d] = by_W * np.repeat(A[o], d)
            J[:, K * (d + o) : K * (d + o + 1)] = by_A
            H += J.T @ J
        return H

    def force(self, W: Array, A: Array) -> Array:
        """G_o = −2S_o, (O, d, d)."""
        return -2 * self._slope(self._residual(W, A))

    def _residual(self, W: Array, A: Array) -> Array:
        """R svec(M_o) − t_o, (q, O)."""
        return self.R @ svec((W.T * A[:, None, :]) @ W).T - self.T

    def _slope(self, residual: Array) -> Array:
        """S_o = ∂L/∂M_o, (O, d, d)."""
        return smat(residual.T @ self.R)


def add_gauss_newton(H: Array, A: Array, phi: Array, slopes: Array) -> None:
    """Add Σ_io (∂f_o/∂θ)(∂f_o/∂θ)ᵀ over some samples to H, from units φ (m, K) and slopes ∂φ_k/∂w_k (m, K, d)."""
    m, K, d = slopes.shape
    for o, a in enumerate(A):
        J = np.zeros((m, len(H)))  # ∂f_o/∂θ
        J[:, : K * d] = (a[:, None] * slopes).reshape(m, -1)
        J[:, K * (d + o) : K * (d + o + 1)] = phi
        H += J.T @ J


def batches(*arrays: Array, width: int = 1) -> Iterator[tuple[Array, ...]]:
    """The rows of arrays of one length, at most `CHUNK` at a time, fewer where `width` numbers come of each."""
    step = max(1, min(CHUNK, LARGEST_CHUNK // width))
    for start in range(0, len(arrays[0]), step):
        yield tuple(array[start : start + step] for array in arrays)


def bending(S: Array, W: Array, A: Array) -> Array:
    """Part Σ_o tr(S_o ∂²M_o) of the Hessian, due to M_o = Σ_k A_ok w_k w_kᵀ not being linear in θ."""
    (K, d), O = W.shape, len(A)
    H_WW, H_WA = np.zeros((K, d, K, d)), np.zeros((K, d, O, K))
    units = np.arange(K)
    H_WW[units, :, units, :] = 2 * np.einsum("ok,oij->kij", A, S)
    H_WA[units, :, :, units] = 2 * (W @ S).transpose(1, 2, 0)
    mixed = H_WA.reshape(K * d, O * K)
    return np.block([[H_WW.reshape(K * d, K * d), mixed], [mixed.T, np.zeros((O * K, O * K))]])
