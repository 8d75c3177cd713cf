"""The least loss L*(V) over all M that live on a subspace V, as a function on the Grassmannian, with two derivatives.

Stationary points of a network are the M with G(M) M = 0. Given V of dimension r with orthonormal columns U (d, r), let
M = UAUᵀ with A = A(V) minimise L: UᵀGU = 0. Then, with N an orthonormal basis of what is orthogonal to V and the chart
U + NX, X (d − r, r) (derived here),

    ∂L*/∂X = −NᵀGU A,

so V is critical iff GM = 0: stationary points of rank r are the critical subspaces on which M has full rank, one each.
Where M has a smaller rank, V is critical too: it holds the range of M, and directions v with vᵀGv = 0. The second
derivative is the one of L(ZAZᵀ), Z = U + NX, with A eliminated,

    H = H_XX − H_XA H_AA⁻¹ H_AX,   ∂²L[ξ, ξ] = ⟨∂M, C[∂M]⟩ − ½⟨G, ∂²M⟩,
    ∂M = NXAUᵀ + UAXᵀNᵀ + U∂A Uᵀ,   ½∂²M = NXAXᵀNᵀ + NX∂A Uᵀ + U∂A XᵀNᵀ.

All is computed for many subspaces at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.population.triangles import smat, svec
from dynamics.stationary.subspaces.form import FormLoss


@dataclass(frozen=True, eq=False)
class ReducedLoss:
    """L* at n subspaces of dimension r.

    Parameters
    ----------
    frame : (n, d, d) array
        Orthonormal columns, the first r of them a basis U of each subspace.
    M : (n, d, d) array
        The best M on it.
    A : (n, r, r) array
        The same in the basis U.
    loss : (n,) array
    gradient : (n, m) array
        Over X row by row, m = (d − r) r.
    hessian : (n, m, m) array
    """

    frame: Array
    M: Array
    A: Array
    loss: Array
    gradient: Array
    hessian: Array

    def where(self, better: NDArray[np.bool_], other: ReducedLoss) -> ReducedLoss:
        """That of `other` where `better` (n,) is true."""
        mixed = (
            np.where(better.reshape(-1, *[1] * (mine.ndim - 1)), theirs, mine)
            for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True)
        )
        return ReducedLoss(*mixed)


def reduced_loss(form: FormLoss, frame: Array, rank: int) -> ReducedLoss:
    """L* and two derivatives at the subspaces of frames (n, d, d), r = `rank`."""
    n, d, _ = frame.shape
    r, q = rank, rank * (rank + 1) // 2
    U, N = frame[:, :, :r], frame[:, :, r:]
    inside = svec(_pairs(U))  # (n, q, p): an orthonormal basis of the symmetric matrices on V
    across = svec(_mixed_pairs(N, U))  # (n, m, p)
    C_inside = inside @ form.C
    C_AA = C_inside @ inside.swapaxes(1, 2)  # (n, q, q)
    alpha = np.asarray(np.linalg.solve(C_AA, (inside @ form.B)[:, :, None])[:, :, 0], dtype=float)
    m = np.einsum("nq,nqp->np", alpha, inside)
    half_force = form.B - m @ form.C  # svec of G/2
    loss = form.at_zero - 0.5 * m @ form.B
    A, G = smat(alpha), 2 * smat(half_force)
    G_NU = N.swapaxes(1, 2) @ G @ U
    G_NN = N.swapaxes(1, 2) @ G @ N
    # NXAUᵀ and its transpose are √2 (XA)_ji times the orthonormal pairs
    J = np.sqrt(2) * _kron(np.broadcast_to(np.eye(d - r), (n, d - r, d - r)), A)  # (n, m, m)
    C_XX = across @ form.C @ across.swapaxes(1, 2)
    H_XX = J.swapaxes(1, 2) @ C_XX @ J - _kron(G_NN, A)
    C_XA = across @ C_inside.swapaxes(1, 2)  # (n, m, q)
    units = smat(np.eye(q))  # (q, r, r)
    turning = np.einsum("njk,qki->njiq", G_NU, units).reshape(n, (d - r) * r, q)
    H_XA = J.swapaxes(1, 2) @ C_XA - turning
    hessian = H_XX - H_XA @ np.linalg.solve(C_AA, H_XA.swapaxes(1, 2))
    gradient = -(G_NU @ A).reshape(n, (d - r) * r)
    return ReducedLoss(frame, smat(m), A, loss, gradient, (hessian + hessian.swapaxes(1, 2)) / 2)


def moved(frame: Array, X: Array) -> Array:
    """Frames (n, d, d) of the subspaces U + NX, X (n, d − r, r)."""
    r = X.shape[2]
    Z = frame[:, :, :r] + frame[:, :, r:] @ X
    return framed(Z)


def framed(Z: Array) -> Array:
    """Orthonormal columns (n, d, d), the first r of them with the span of Z (n, d, r)."""
    return np.asarray(np.linalg.qr(Z, mode="complete")[0])


def _pairs(U: Array) -> Array:
    """U E Uᵀ, (n, q, d, d), for the orthonormal basis E of symmetric (r, r) matrices of `smat`."""
    r = U.shape[2]
    units = smat(np.eye(r * (r + 1) // 2))
    return np.asarray(U[:, None] @ units @ U.swapaxes(1, 2)[:, None])


def _mixed_pairs(N: Array, U: Array) -> Array:
    """(n_j u_iᵀ + u_i n_jᵀ)/√2, (n, m, d, d), j slower than i."""
    products = np.einsum("naj,nbi->njiab", N, U)
    n, d, _ = U.shape
    both = (products + products.swapaxes(3, 4)) / np.sqrt(2)
    return np.asarray(both.reshape(n, U.shape[2] * N.shape[2], d, d))


def _kron(left: Array, right: Array) -> Array:
    """Kronecker products of n matrices."""
    n, a, _ = left.shape
    b = right.shape[1]
    return np.einsum("nij,nkl->nikjl", left, right).reshape(n, a * b, a * b)
