"""Gaussian kernels κ(u, v) = E φ(u·z) φ(v·z), z ~ N(0, I), of activations of degree 1, with their derivatives.

With norms r_u, r_v, the angle θ between u and v, ψ = π/2 − θ and c = 2/π (theory: "Gaussian kernels"; the kernel
of |·| is that of Cho & Saul, NIPS 2009, degree 1, made even):

    linear   φ(z) = z:        κ = u·v
    abs      φ(z) = |z|:      κ = c r_u r_v (sin θ + ψ cos θ)
    relu     φ(z) = max(z, 0) = (z + |z|)/2:   κ = ¼ (linear + abs), since E z|z'| = 0

so that one pair of weights for the linear and the folded (absolute-value) part describes all three. Derivatives
of the folded part, with unit vectors û, v̂ and, in the plane of both, e ⟂ û towards v̂ and n ⟂ v̂ towards û
(derived here):

    ∂_u κ      = c [r_v sin θ û + ψ v]
    ∂_u∂_uᵀ κ  = c (r_v/r_u) sin θ [I − ûûᵀ + eeᵀ]
    ∂_u∂_vᵀ κ  = c [ψ I + sin θ (v̂ûᵀ + n eᵀ)]

The angle comes from the lengths of û − v̂ and û + v̂ (W. Kahan's formula), never from an arc cosine, which near
ρ = cos θ = ±1 would lose half of the digits. So the errors of θ, and of the kernels relative to r_u r_v, are some 1e-16
everywhere. The kernel is twice continuously differentiable where neither vector vanishes. Where one does it
is zero, and so is what has no derivative there, ∂_u of a kinked activation at u = 0: the choice of automatic
differentiation, φ'(0) = 0 for the ReLU, sign(0) = 0 for |·|.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from dynamics.aliases import Array

FOLD = 2 / np.pi  # c


@dataclass(frozen=True)
class Kernel:
    """κ = linear · (u·v) + folded · E|u·z||v·z|.

    Parameters
    ----------
    linear, folded : float or (m,) array
        Weights of the two parts; rows of them where the vectors v belong to units of several activations.
    """

    linear: float | Array
    folded: float | Array

    def __call__(self, U: Array, V: Array) -> Array:
        """Kernel of all pairs of rows of U (n, d) and V (m, d), (n, m)."""
        return self.value(Pairs.of(U, V))

    def value(self, pairs: Pairs) -> Array:
        """κ of pairs that are known already, (n, m)."""
        p = pairs
        return p.r_u[:, None] * p.r_v * (self.linear * p.cos + FOLD * self.folded * (p.sin + p.psi * p.cos))

    def gradient(self, U: Array, V: Array) -> Array:
        """∂_u κ of all pairs, (n, m, d)."""
        return self.slopes(Pairs.of(U, V))

    def slopes(self, pairs: Pairs) -> Array:
        """∂_u κ of pairs that are known already, (n, m, d)."""
        p = pairs
        along_v = (self.linear + FOLD * self.folded * p.psi) * p.r_v
        along_u = FOLD * self.folded * p.sin * p.r_v
        slopes = along_v[..., None] * p.v + along_u[..., None] * p.u[:, None, :]
        return slopes * self.differentiable(p)[:, None, None]

    def differentiable(self, pairs: Pairs) -> NDArray[np.bool_]:
        """Whether κ has a derivative at each u, (n,): not where a kinked activation meets u = 0."""
        return (pairs.r_u > 0) | (not np.any(self.folded))


KERNELS = {"linear": Kernel(1.0, 0.0), "abs": Kernel(0.0, 1.0), "relu": Kernel(0.25, 0.25)}


@dataclass(frozen=True, eq=False)
class Pairs:
    """Lengths and angles of all pairs of n vectors u and m vectors v.

    Parameters
    ----------
    u, v : (n, d) and (m, d) arrays
        Unit vectors; zero where the vector is.
    r_u, r_v : (n,) and (m,) arrays
        Lengths.
    theta, sin, cos : (n, m) arrays
        θ in [0, π], sin θ, cos θ; π/2 if one of the vectors is zero.
    """

    u: Array
    v: Array
    r_u: Array
    r_v: Array
    theta: Array
    sin: Array
    cos: Array

    @classmethod
    def of(cls, U: Array, V: Array) -> Pairs:
        """All pairs of rows of U (n, d) and V (m, d)."""
        (u, r_u), (v, r_v) = normalised(U), normalised(V)
        theta = 2 * np.arctan2(cdist(u, v), cdist(u, -v))
        return cls(u, v, r_u, r_v, theta, np.sin(theta), np.cos(theta))

    @property
    def psi(self) -> Array:
        """ψ = π/2 − θ = arcsin ρ, (n, m)."""
        return np.pi / 2 - self.theta

    @property
    def inverse_sin(self) -> Array:
        """1/sin θ, but 0 where it is infinite: parallel vectors have no e and no n, (n, m)."""
        return np.divide(1.0, self.sin, out=np.zeros_like(self.sin), where=self.sin > 0)

    def e(self) -> Array:
        """Unit vectors e ⟂ u towards v, (n, m, d)."""
        return (self.v - self.cos[..., None] * self.u[:, None, :]) * self.inverse_sin[..., None]

    def n(self) -> Array:
        """Unit vectors n ⟂ v towards u, (n, m, d)."""
        return (self.u[:, None, :] - self.cos[..., None] * self.v) * self.inverse_sin[..., None]


def normalised(X: Array) -> tuple[Array, Array]:
    """Unit vectors (n, d) and lengths (n,) of the rows of X, without overflow or underflow; zero stays zero."""
    size = np.abs(X).max(axis=1, initial=0.0)
    scaled = X / np.where(size > 0, size, 1.0)[:, None]
    length = np.linalg.norm(scaled, axis=1)
    return scaled / np.where(size > 0, length, 1.0)[:, None], size * length
