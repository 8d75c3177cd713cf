"""Closed-form population loss of networks of degree 1 (linear, ReLU, |·|), with gradient and Hessian.

Loss and gradient need only the Gaussian kernel κ(u, v) = E φ(u·x) φ(v·x) of `dynamics.population.kernels`. With
U = [W; V] (hidden units, then teacher directions) and C_o = [A_o, −B_o] the residual is
f_o − f*_o = Σ_j C_oj φ(u_j·x), hence (derived here)

    L = ½ Σ_o Σ_ij C_oi C_oj κ(u_i, u_j),
    ẇ_k = −Σ_j T_kj ∂₁κ(w_k, u_j),  T = AᵀC,       Ȧ_ok = −Σ_j C_oj κ(w_k, u_j).

Because φ(w·x) for x ~ N(0, Σ), Σ = FFᵀ, is φ((Fᵀw)·z) for z ~ N(0, I), correlated inputs are uncorrelated ones for the
weights WF. The ReLU splits: with its kernel ¼(linear + folded) its loss is a quarter of that of a linear and of that of
an absolute-value network with the same weights, added up.

L is a sum of terms of size (Σ|C|r)² and is exact to some 1e-16 of that; smaller losses are rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dynamics.aliases import Array
from dynamics.population.kernels import FOLD, KERNELS, Kernel, Pairs, normalised
from dynamics.population.whitened import WhitenedPopulation


@dataclass(frozen=True, eq=False)
class PiecewiseLinearPopulation(WhitenedPopulation):
    """Population loss of f_o = Σ_k A_ok φ(w_k·x) against f*_o = Σ_m B_om φ(v_m·x), x ~ N(0, Σ), φ of degree 1.

    A kinked φ has no derivative at w_k = 0; such a unit gets the
    velocity 0.

    Parameters
    ----------
    V : (R, d) array
    B : (O, R) array
    covariance : (d, d) array, optional
        Σ; None is the identity.
    kernel : Kernel
        Of φ; see `dynamics.population.kernels.KERNELS`.
    cross, teacher_kernel : Kernel, optional
        Of a hidden and a teacher unit, and of two teacher units, if the teacher has another activation.
    """

    V: Array
    B: Array
    covariance: Array | None = None
    kernel: Kernel = KERNELS["relu"]
    cross: Kernel | None = None
    teacher_kernel: Kernel | None = None

    @cached_property
    def _teacher_square(self) -> float:
        """Σ_o E f*_o²."""
        kernel = self.teacher_kernel or self.kernel
        return float(np.sum((self.B.T @ self.B) * kernel(self._teacher, self._teacher)))

    def _kernel(self, hidden: int) -> Kernel:
        """κ of a hidden unit with all rows of U = [W; V]: its weights are numbers, or rows (n,) of them."""
        if self.cross is None:
            return self.kernel
        counts = [hidden, len(self.V)]
        pair = self.kernel, self.cross
        linear, folded = np.array([k.linear for k in pair]), np.array([k.folded for k in pair])
        return Kernel(np.repeat(linear, counts), np.repeat(folded, counts))

    def _pairs(self, W: Array) -> tuple[Array, Pairs]:
        """U = [W; V], whitened, (n, d) with n = K + R, and all its pairs with W."""
        W = self._white(W)
        U = np.vstack([W, self._teacher])
        return U, Pairs.of(W, U)

    def loss(self, W: Array, A: Array) -> float:
        """Loss L, in squared units of the output, never below 0."""
        kappa = self._kernel(len(W)).value(self._pairs(W)[1])  # (K, n)
        student = np.sum((A.T @ np.hstack([A, -2 * self.B])) * kappa)
        return max(0.5 * float(student + self._teacher_square), 0.0)

    def velocity(self, W: Array, A: Array) -> tuple[Array, Array]:
        """Minus the gradient of the loss, (K, d) and (O, K)."""
        U, p = self._pairs(W)
        C = np.hstack([A, -self.B])  # (O, n)
        T = A.T @ C  # (K, n)
        kernel = self._kernel(len(W))
        fold = FOLD * kernel.folded
        dW = (T * (kernel.linear + fold * p.psi)) @ U
        T, fold = _taken_out(T, fold)
        dW += fold * ((T * p.sin) @ p.r_v)[:, None] * p.u
        dW *= self.kernel.differentiable(p)[:, None]
        return -self._back(dW), -C @ kernel.value(p).T

    def hessian_vector(self, W: Array, A: Array, dW: Array, dA: Array) -> tuple[Array, Array]:
        """Hessian times (dW, dA): the directional derivative of the gradient, from scalar products alone."""
        U, p = self._pairs(W)
        dW = self._white(dW) * self.kernel.differentiable(p)[:, None]
        dU = np.vstack([dW, np.zeros_like(self._teacher)])
        C, dC = np.hstack([A, -self.B]), np.hstack([dA, np.zeros_like(self.B)])
        T, dT = A.T @ C, dA.T @ C + A.T @ dC
        kernel = self._kernel(len(W))
        linear, fold = kernel.linear, FOLD * kernel.folded

        u_du, u_dv = _dot(p.u, dW)[:, None], p.u @ dU.T  # û_k·dw_k (K, 1), û_k·du_j (K, n)
        v_du, v_dv = dW @ p.v.T, _dot(p.v, dU)  # û_j·dw_k (K, n), û_j·du_j (n,)
        e_du, e_dv = (v_du - p.cos * u_du) * p.inverse_sin, (v_dv - p.cos * u_dv) * p.inverse_sin
        n_dv = (u_dv - p.cos * v_dv) * p.inverse_sin
        inverse_u, inverse_v = _inverse(p.r_u)[:, None], _inverse(p.r_v)
        dtheta = -e_du * inverse_u - n_dv * inverse_v
        dheight = e_dv - p.r_v * p.cos * e_du * inverse_u  # of r_j sin θ

        (turning, outside), (dturning, _) = _taken_out(T, fold), _taken_out(dT, fold)
        height = np.sum(turning * p.sin * p.r_v, axis=1)
        dheight_sum = np.sum(dturning * p.sin * p.r_v + turning * dheight, axis=1)
        hW = (dT * (linear + fold * p.psi) - fold * T * dtheta) @ U + (T * (linear + fold * p.psi)) @ dU
        hW += outside * (dheight_sum[:, None] * p.u + height[:, None] * (dW - u_du * p.u) * inverse_u)
        hW *= self.kernel.differentiable(p)[:, None]
        dkappa = p.r_v * ((linear + fold * p.psi) * v_du + fold * p.sin * u_du)
        dkappa += p.r_u[:, None] * ((linear + fold * p.psi) * u_dv + fold * p.sin * v_dv)
        return self._back(hW), dC @ kernel.value(p).T + C @ dkappa.T

    def hessian(self, W: Array, A: Array) -> Array:
        """Dense Hessian, (Kd + OK, Kd + OK), for θ = (W row by row, A row by row)."""
        _, p = self._pairs(W)
        kernel = self._kernel(len(W))
        H_WW = self._white_hessian(p, A.T @ np.hstack([A, -self.B]))
        return self._assembled(A, H_WW, kernel.slopes(p), kernel.value(p))

    def _white_hessian(self, p: Pairs, T: Array) -> Array:
        """∂²L/∂w_k∂w_l for uncorrelated inputs, (K, d, K, d)."""
        K, d = p.u.shape
        I, fold = np.eye(d), FOLD * self.kernel.folded
        differentiable = self.kernel.differentiable(p)
        N = T[:, :K] * differentiable[:, None] * differentiable
        e, n = p.e(), p.n()
        H = np.einsum("kl,ij->kilj", N * (self.kernel.linear + fold * p.psi[:, :K]), I)
        H += fold * np.einsum("kl,li,kj->kilj", N * p.sin[:, :K], p.u, p.u)
        H += fold * np.einsum("kl,kli,klj->kilj", N * p.sin[:, :K], n[:, :K], e[:, :K])
        bend = FOLD * self._kernel(K).folded * T * p.sin * p.r_v * _inverse(p.r_u)[:, None]  # (K, n)
        across = I - p.u[:, :, None] * p.u[:, None, :]  # (K, d, d)
        units = np.arange(K)
        H[units, :, units, :] += bend.sum(axis=1)[:, None, None] * across
        H[units, :, units, :] += np.einsum("kj,kja,kjb->kab", bend, e, e)
        return H

    @property
    def pull_on(self) -> Callable[[Array, Array, Array], Pull] | None:  # type: ignore[override]
        """The pull, where φ has a kink."""
        return self._pull_on if self.kernel.folded else None

    def _pull_on(self, W: Array, A: Array, output: Array) -> Pull:
        """What a further, infinitely small unit with output weights `output` (O,) would feel."""
        U = np.vstack([self._white(W), self._teacher])
        return Pull(self, U, -output @ np.hstack([A, -self.B]), self._kernel(len(W)))

    def invariants(self, W: Array, A: Array) -> Array:
        """Loss, and what the residual function does not change under rotations of the inputs, (m,).

        Per output the length of its linear part Σ_j C_oj u_j and the eigenvalues, ascending, of its even part
        Σ_j C_oj r_j û_jû_jᵀ (the second Hermite coefficient), as far as φ has them.
        """
        U = np.vstack([self._white(W), self._teacher])
        C, kernel = np.hstack([A, -self.B]), self._kernel(len(W))
        u, r = normalised(U)
        parts = [np.array([self.loss(W, A)])]
        if self.kernel.linear:
            parts.append(np.linalg.norm((C * (kernel.linear / self.kernel.linear)) @ U, axis=1))
        if self.kernel.folded:
            parts += [
                np.linalg.eigvalsh((u.T * (c * r)) @ u) for c in C * (kernel.folded / self.kernel.folded)
            ]
        return np.concatenate(parts)


@dataclass(frozen=True, eq=False)
class Pull:
    """The function r m(ŵ) = Σ_o A_o E (f*_o − f_o) φ(w·x) of a direction, in which a small unit w grows or shrinks.

    Parameters
    ----------
    population : PiecewiseLinearPopulation
    U : (n, d) array
        Whitened directions of units and teacher.
    weights : (n,) array
        Their weights, Σ_o A_o (−C_oj).
    kernel : Kernel
        Of the unit with each of them.
    """

    population: PiecewiseLinearPopulation
    U: Array
    weights: Array
    kernel: Kernel

    def force(self, X: Array) -> Array:
        """Gradient at several directions (m, d), (m, d); the value is its product with the direction."""
        kernel = self.kernel
        p = Pairs.of(self.population._white(X), self.U)
        fold = FOLD * kernel.folded
        force = (self.weights * (kernel.linear + fold * p.psi)) @ self.U
        weights, fold = _taken_out(self.weights, fold)
        force += fold * (p.sin @ (weights * p.r_v))[:, None] * p.u
        return self.population._back(force)

    @cached_property
    def stiffness(self) -> float:
        """Bound on the curvature on the unit sphere, hence on the force itself too."""
        spread = (
            1.0
            if self.population.covariance is None
            else float(np.linalg.norm(self.population.covariance, 2))
        )
        size = np.maximum(1.0, np.abs(self.kernel.linear) + np.abs(self.kernel.folded))
        return 4 / np.pi * spread * float(np.abs(self.weights * size) @ np.linalg.norm(self.U, axis=1))


def _taken_out(T: Array, fold: float | Array) -> tuple[Array, float]:
    """T · fold as an array and a number: rows of weights are multiplied in, one number is left for the end."""
    return (T * fold, 1.0) if isinstance(fold, np.ndarray) else (T, float(fold))


def _dot(X: Array, Y: Array) -> Array:
    """Scalar products of corresponding rows, (n,)."""
    return np.asarray(np.einsum("ni,ni->n", X, Y))


def _inverse(r: Array) -> Array:
    """1/r, but 0 where r is."""
    return np.divide(1.0, r, out=np.zeros_like(r), where=r > 0)
