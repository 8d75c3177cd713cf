"""Expectations of units αz + β|z|, such as ReLU: products of slopes and units for one unit and one teacher unit.

With (α + β sgn z)² = α² + β² + 2αβ sgn z the products are, besides E u_iu_j, expectations of sgn(ζ_0) ζ_i|ζ_j|

    ζ_0|ζ_0|: q,   ζ_0|ζ_1|: E|ζ_0||ζ_1|,   ζ_1|ζ_0|: s,   ζ_1|ζ_1|: (2/π)(r θ + sσ/q),

q, r, s = Ω_00, Ω_11, Ω_01, σ = √(qr − s²), θ = atan2(s, σ) (derived here). They are of degree 1 in Ω. With more units
four different ones meet in E[φ′_kφ′_l u_iu_j], which has no elementary form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array
from dynamics.sgd.analytic import angle, root
from dynamics.sgd.unit_step import Index, Scaled

FOLD = 2 / np.pi


@dataclass(frozen=True, eq=False)
class KinkedUnits:
    """Expectations of units, see `dynamics.sgd.unit_step.UnitMoments`.

    Parameters
    ----------
    student, teacher : (α, β)
        φ and ψ.
    hidden : int
        K.
    """

    student: tuple[float, float]
    teacher: tuple[float, float]
    hidden: int

    def _weights(self, Omega: Array) -> tuple[Array, Array]:
        """α and β of every unit, (n,) each."""
        own = np.arange(Omega.shape[-1]) < self.hidden
        linear, folded = (np.where(own, x, y) for x, y in zip(self.student, self.teacher, strict=True))
        return linear, folded

    def pairs(self, Omega: Array) -> tuple[Array, Array, Array]:
        """E u_iu_j, E u″_iu_j and E u′_iu′_j, (…, n, n)."""
        linear, folded = self._weights(Omega)
        sigma, theta, q = _shape(Omega)
        straight, bent = np.multiply.outer(linear, linear), FOLD * np.multiply.outer(folded, folded)
        value = straight * Omega + bent * (sigma + Omega * theta)
        return value, bent * _over(sigma, q[..., :, None]), straight + bent * theta

    def slopes(self, Omega: Array, k: int, l: int) -> Scaled:
        """E φ′_k² = α² + β² and c∂_c of it, (…)."""
        value = np.full(Omega.shape[:-2], self.student[0] ** 2 + self.student[1] ** 2, dtype=Omega.dtype)
        return value, np.zeros_like(value)

    def products(self, Omega: Array, k: int, l: int, i: Index, j: Index) -> Scaled:
        """E φ′_0² u_iu_j and c∂_c of it, which is the same, (…, s)."""
        alpha, beta = self.student
        linear, folded = self._weights(Omega)
        sigma, theta, q = _shape(Omega)
        signed = np.empty_like(Omega)  # E sgn(ζ_0) ζ_i|ζ_j|
        signed[..., 0, 0] = q[..., 0]
        signed[..., 0, 1] = FOLD * (sigma + Omega * theta)[..., 0, 1]
        signed[..., 1, 0] = Omega[..., 0, 1]
        across = _over(Omega * sigma, q[..., :, None])
        signed[..., 1, 1] = FOLD * (q[..., 1] * theta[..., 0, 1] + across[..., 0, 1])
        mixed = linear[i] * folded[j] * signed[..., i, j] + folded[i] * linear[j] * signed[..., j, i]
        even = self.pairs(Omega)[0][..., i, j]
        value = (alpha**2 + beta**2) * even + 2 * alpha * beta * mixed
        return value, value


def _shape(Omega: Array) -> tuple[Array, Array, Array]:
    """σ and θ of all pairs, (…, n, n), and the variances, (…, n)."""
    q = np.einsum("...aa->...a", Omega)
    sigma = root(q[..., :, None] * q[..., None, :] - Omega * Omega)
    return sigma, angle(Omega, sigma), q


def _over(x: Array, q: Array) -> Array:
    """x/q, zero where a unit vanishes."""
    q = np.broadcast_to(q, x.shape)
    return np.divide(x, q, out=np.zeros_like(x), where=q.real > 0)
