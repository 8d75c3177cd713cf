"""Expectations of a function of a Gaussian form, as sums over exponentials.

With Q = Σ_j δ_j z_j², z ~ N(0, I), and M(s) = E e^{sQ} = Π_j (1 − 2sδ_j)^{−½}, every function that is a sum of
exponentials, here a slope ℓ′(Q) = ℓ₀′ + Re Σ_n c_n e^{s_nQ}, has (derived here)

    E ℓ(Q) = ℓ₀ + ℓ₀′ E Q + Re Σ c_n/s_n (M(s_n) − 1),   E ℓ′(Q) z_i² = ℓ₀′ + Re Σ c_n M(s_n) u_i(s_n),
    E ℓ″(Q) z_i² z_j² = (1 + 2δ_ij) [ℓ₀″ + Re Σ k_n M(s_n) u_i(s_n) u_j(s_n)],   u_i(s) = 1/(1 − 2sδ_i),

so that equal eigenvalues, and zeros, are like all others. `dynamics.population.slope_rules` finds the exponentials.

As a function of the form E itself, S(E) = E ℓ′(Q) zzᵀ is Newton's polynomial through its eigenvalues

    S(E) = ℓ₀′ + Σ_k S_k (E − δ_1) … (E − δ_{k−1}),   S_k = Re Σ c_n M(s_n) (2s_n)^{k−1} u_1(s_n) … u_k(s_n),

with divided differences S_k that need no difference (derived here). Eigenvectors would leave rounding errors of the
largest entry in all others; here every entry is a sum of products along the entries of E, so that those off the
diagonal keep their digits however small they are. Many nearly equal eigenvalues among large ones spoil Newton's form:
where it is not what eigenvectors say, the resolvents (I − 2s_nE)⁻¹ are summed, which takes longer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array

Complex = NDArray[np.complex128]
LOST = 1e-11  # of the largest eigenvalue of S: what Newton's form may err by


@dataclass(frozen=True, eq=False)
class Curvatures:
    """What second derivatives need.

    Parameters
    ----------
    whole : float
        E ℓ″.
    single : (d,) array
        E ℓ″ z_i².
    double : (d, d) array
        E ℓ″ z_i² z_j², of i = j E ℓ″ z_i⁴.
    """

    whole: float
    single: Array
    double: Array

    def __call__(self, X: Array) -> Array:
        """E ℓ″ (zᵀXz) zzᵀ of symmetric X (…, d, d) in the basis of eigenvectors."""
        Y = 2 * self.double * X
        diagonal = np.einsum("...ii->...i", X)
        np.einsum("...ii->...i", Y)[...] = diagonal @ self.double  # einsum gives the diagonals as a view
        return Y


@dataclass(frozen=True, eq=False)
class Exponentials:
    """A convex function ℓ(u − b) by its slope, a sum of exponentials.

    Parameters
    ----------
    nodes : (N,) complex array
        s_n.
    slopes, bends : (N,) complex arrays
        c_n and k_n.
    value, slope, bend : float
        ℓ₀, ℓ₀′ and ℓ₀″.
    """

    nodes: Complex
    slopes: Complex
    bends: Complex
    value: float
    slope: float
    bend: float

    def log_mean(self, delta: Array, shift: Array | float) -> Complex:
        """ln E e^{s_n(Q − b)}, (…, N), of eigenvalues (…, d) and shifts b (…)."""
        x = -2 * delta[..., None, :] * self.nodes[:, None]
        # ln(1 + x) by parts that keep the relative accuracy of small x
        size = 0.5 * np.log1p(2 * x.real + x.real**2 + x.imag**2)
        logs = np.empty(x.shape[:-1], dtype=complex)
        logs.real = -0.5 * size.sum(axis=-1)
        logs.imag = -0.5 * np.arctan2(x.imag, 1 + x.real).sum(axis=-1)
        return logs - self.nodes * np.asarray(shift)[..., None]

    def values(self, delta: Array, shift: Array | float) -> Array:
        """E ℓ(Q − b), (…), of eigenvalues (…, d) and shifts b (…)."""
        raised = np.expm1(self.log_mean(delta, shift)) @ (self.slopes / self.nodes)
        return np.asarray(self.value + self.slope * (delta.sum(axis=-1) - shift) + raised.real)

    def slope_means(self, delta: Array, shift: float) -> tuple[float, Array]:
        """E ℓ′(Q − b), and with z_i², (d,)."""
        weights = self.slopes * np.exp(self.log_mean(delta, shift))
        single = (weights @ (1 / (1 - 2 * self.nodes[:, None] * delta))).real
        return self.slope + float(weights.sum().real), self.slope + single

    def slope_matrix(self, E: Array, delta: Array, R: Array, shift: float) -> tuple[float, Array]:
        """E ℓ′(Q − b), and E ℓ′(Q − b) zzᵀ, (d, d), of a form E = R diag(δ) Rᵀ, entry by entry."""
        weights = self.slopes * np.exp(self.log_mean(delta, shift))
        twice, on = 2 * self.nodes, np.arange(len(E))
        product, differences, single = (
            weights,
            [],
            (weights @ (1 / (1 - np.multiply.outer(twice, delta)))).real,
        )
        points = delta[_spread(delta)]
        for point in points:
            product = product / (1 - twice * point)
            differences.append(float(product.sum().real))
            product = product * twice
        S = np.zeros(E.shape)
        for point, difference in zip(points[::-1], differences[::-1], strict=True):
            S = E @ S - point * S
            S[on, on] += difference
        by_vectors = (R * single) @ R.T
        if np.abs(S - by_vectors).max() > LOST * np.abs(single).max():
            resolvents = np.linalg.inv(np.eye(len(E)) - twice[:, None, None] * E)
            S = np.tensordot(weights, resolvents, 1).real
        S[on, on] += self.slope
        return self.slope + float(weights.sum().real), S

    def curvatures(self, delta: Array, shift: float) -> Curvatures:
        """E ℓ″(Q − b), with z_i², and with z_i² z_j²."""
        weights = self.bends * np.exp(self.log_mean(delta, shift))
        u = 1 / (1 - 2 * self.nodes[:, None] * delta)
        double = self.bend + ((u.T * weights) @ u).real
        double[np.diag_indices_from(double)] *= 3
        return Curvatures(self.bend + float(weights.sum().real), self.bend + (weights @ u).real, double)


def _spread(points: Array) -> NDArray[np.int64]:
    """Places of points in an order in which each is far from those before it (Leja's): Newton's form then is stable."""
    distances = np.log(np.maximum(np.abs(points[:, None] - points), np.finfo(float).tiny))
    far, order = np.abs(points), list[int]()
    for _ in points:
        order.append(int(far.argmax()))
        far = distances[order].sum(axis=0)
        far[order] = -np.inf
    return np.array(order)
