"""Expectations of erf(z/√2), tanh and sigmoid units: those of two factors less, under a tilted Gaussian.

The slope of a sum of steps is a sum of Gaussians, φ′(z) = √(2/π) Σ_j (p_j/a_j) exp(−z²/2a_j²). Under the weight
exp(−ζ_k²/2a² − ζ_l²/2b²) ζ ~ N(0, Ω) stays Gaussian (derived here),

    E[φ′_kφ′_l g(ζ)] = (2/π) Σ_ab p_ap_b det^{−1/2} E_{Ω̃}[g],   Ω̃_ij = Ω_ij − y_iᵀ S y_j,  y_i = S⁻¹(Ω_ki, Ω_li)ᵀ,

S = [[Ω_kk + a², Ω_kl], [Ω_kl, Ω_ll + b²]], and for g = u_iu_j that is the arc sine of two steps. For one step of width
1 it is the formula of Saad & Solla (Phys. Rev. E 52 (1995) 4225, not consulted) in another form. In the scale c of Ω

    c∂_c ln det^{−1/2} = −½ (2 − tr S⁻¹ diag(a², b²)),   c∂_cΩ̃_ij = Ω̃_ij − y_iᵀ diag(a², b²) y_j.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dynamics.aliases import Array
from dynamics.population.expansion import Expansion
from dynamics.sgd.analytic import angle
from dynamics.sgd.unit_step import Index, Scaled

SMALLEST = 1e-14  # products of four weights below this are left out
CHUNK = 16  # tilts at a time


@dataclass(frozen=True, eq=False)
class Steps:
    """c + Σ_j p_j erf(z/(√2 a_j)).

    Parameters
    ----------
    constant : float
        c.
    squares : (J,) array
        a_j².
    weights : (J,) array
        p_j.
    """

    constant: float
    squares: Array
    weights: Array

    @classmethod
    def of(cls, expansion: Expansion) -> Steps:
        """The steps of an expansion that has no other parts."""
        parts = expansion.components
        widths = np.concatenate([c.widths for c in parts])
        return cls(sum(expansion.polynomial), widths**2, np.concatenate([c.weights for c in parts]))

    def with_other(self, other: Steps) -> tuple[Array, Array, Array]:
        """a², b² and the products of the weights, the largest first, (J J′,) each."""
        products = np.outer(self.weights, other.weights).ravel()
        order = np.argsort(-np.abs(products), kind="stable")
        a2, b2 = np.meshgrid(self.squares, other.squares, indexing="ij")
        return a2.ravel()[order], b2.ravel()[order], products[order]


@dataclass(frozen=True, eq=False)
class TiltedUnits:
    """Expectations of units, see `dynamics.sgd.unit_step.UnitMoments`.

    Parameters
    ----------
    student, teacher : Steps
        φ and ψ.
    hidden : int
        K.
    """

    student: Steps
    teacher: Steps
    hidden: int

    def _sorts(self, i: Index, j: Index) -> Iterator[tuple[Index, Steps, Steps]]:
        """The pairs (i, j) sorted by what their units are: places and functions."""
        for left, ours in ((self.student, True), (self.teacher, False)):
            for right, theirs in ((self.student, True), (self.teacher, False)):
                places = np.flatnonzero(((i < self.hidden) == ours) & ((j < self.hidden) == theirs))
                if len(places):
                    yield places, left, right

    def pairs(self, Omega: Array) -> tuple[Array, Array, Array]:
        """E u_iu_j, E u″_iu_j and E u′_iu′_j, (…, n, n)."""
        n = Omega.shape[-1]
        i, j = (x.ravel() for x in np.indices((n, n)))
        flat = [np.empty((*Omega.shape[:-2], n * n), dtype=Omega.dtype) for _ in range(3)]
        for places, left, right in self._sorts(i, j):
            a2, b2, p = left.with_other(right)
            pair = Pair.of(Omega, i[places], j[places], a2, b2)
            flat[0][..., places] = left.constant * right.constant + 2 / np.pi * pair.theta @ p
            flat[1][..., places] = -2 / np.pi * (pair.s / (pair.A * pair.sigma)) @ p
            flat[2][..., places] = 2 / np.pi * (1 / pair.sigma) @ p
        return tuple(x.reshape(Omega.shape) for x in flat)  # type: ignore[return-value]

    @cached_property
    def _tilts(self) -> tuple[Array, Array, Array]:
        """a², b² and weights of the products of two slopes, for which the order of the two matters."""
        return self.student.with_other(self.student)

    def _chunks(self, alike: bool) -> Iterator[tuple[Array, Array, Array]]:
        """The tilts, some at a time; those of one and the same unit twice where its two widths differ."""
        a2, b2, p = self._tilts
        if alike:
            kept = a2 <= b2
            a2, b2, p = a2[kept], b2[kept], (p * np.where(a2 < b2, 2, 1))[kept]
        for start in range(0, len(p), CHUNK):
            part = slice(start, start + CHUNK)
            yield a2[part], b2[part], p[part]

    def slopes(self, Omega: Array, k: int, l: int) -> Scaled:
        """E φ′_kφ′_l and c∂_c of it, (…)."""
        a2, b2, p = self._tilts
        tilt = Tilt.of(Omega[..., None, :, :], k, l, a2, b2)
        return tilt.weight @ p, (tilt.weight * tilt.growth) @ p

    def products(self, Omega: Array, k: int, l: int, i: Index, j: Index) -> Scaled:
        """E φ′_kφ′_l u_iu_j and c∂_c of it, (…, s)."""
        value, scaled = (np.zeros((*Omega.shape[:-2], len(i)), dtype=Omega.dtype) for _ in range(2))
        sorts = [(places, left, right, left.with_other(right)) for places, left, right in self._sorts(i, j)]
        for a2, b2, p in self._chunks(k == l):
            tilt = Tilt.of(Omega[..., None, :, :], k, l, a2, b2)
            weight, growth = (p * tilt.weight)[..., None], tilt.growth[..., None]
            for places, left, right, (c2, d2, r) in sorts:
                m = np.count_nonzero(np.abs(r) > SMALLEST / np.abs(p).max())
                at = Pair.of(tilt.Omega, i[places], j[places], c2[:m], d2[:m])
                mean = left.constant * right.constant + 2 / np.pi * at.theta @ r[:m]
                along = 2 / np.pi * at.along(tilt.moved, i[places], j[places]) @ r[:m]
                value[..., places] += np.sum(weight * mean, axis=-2)
                scaled[..., places] += np.sum(weight * (growth * mean + along), axis=-2)
        return value, scaled


@dataclass(frozen=True, eq=False)
class Pair:
    """A = a² + Ω_ii, B = b² + Ω_jj, s = Ω_ij and σ = √(AB − s²) of pairs and widths, (…, s, widths) each."""

    A: Array
    B: Array
    s: Array
    sigma: Array

    @classmethod
    def of(cls, Omega: Array, i: Index, j: Index, a2: Array, b2: Array) -> Pair:
        """The pairs (i, j) seen through widths a and b."""
        q, r, s = (Omega[..., x, y, None] for x, y in ((i, i), (j, j), (i, j)))
        return cls(a2 + q, b2 + r, s, np.sqrt(a2 * b2 + a2 * r + b2 * q + (q * r - s * s)))

    @property
    def theta(self) -> Array:
        """θ = atan2(s, σ), of which the mean of two steps is 2/π times."""
        return angle(np.broadcast_to(self.s, self.sigma.shape), self.sigma)

    def along(self, moved: Array, i: Index, j: Index) -> Array:
        """Derivative of θ along a change of Ω."""
        dq, dr, ds = (moved[..., x, y, None] for x, y in ((i, i), (j, j), (i, j)))
        return (ds - 0.5 * self.s * (dq / self.A + dr / self.B)) / self.sigma


@dataclass(frozen=True, eq=False)
class Tilt:
    """The Gaussian under the weight exp(−ζ_k²/2a² − ζ_l²/2b²).

    Parameters
    ----------
    weight : (…) array
        (2/π) det^{−1/2}.
    growth : (…) array
        c∂_c of its logarithm.
    Omega, moved : (…, n, n) arrays
        Ω̃, and c∂_c of it.
    """

    weight: Array
    growth: Array
    Omega: Array
    moved: Array

    @classmethod
    def of(cls, Omega: Array, k: int, l: int, a2: Array, b2: Array) -> Tilt:
        """The tilt of N(0, Ω) at two units with widths a and b."""
        q, r, s = Omega[..., k, k], Omega[..., l, l], Omega[..., k, l]
        det = a2 * b2 + a2 * r + b2 * q + (q * r - s * s)
        X, Y, Z = (r + b2) / det, -s / det, (q + a2) / det  # S⁻¹ = [[X, Y], [Y, Z]]
        to_k, to_l = Omega[..., k, :], Omega[..., l, :]
        y_k, y_l = (x[..., None] * to_k + z[..., None] * to_l for x, z in ((X, Y), (Y, Z)))
        seen = Omega - to_k[..., :, None] * y_k[..., None, :] - to_l[..., :, None] * y_l[..., None, :]
        a2, b2 = (np.asarray(x)[..., None, None] for x in (a2, b2))
        moved = seen - a2 * y_k[..., :, None] * y_k[..., None, :] - b2 * y_l[..., :, None] * y_l[..., None, :]
        growth = -0.5 * (2 - a2[..., 0, 0] * X - b2[..., 0, 0] * Z)
        return cls(2 / np.pi / np.sqrt(det), growth, seen, moved)
