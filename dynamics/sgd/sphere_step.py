"""One step of one unit on the sphere, in its overlap with one teacher direction: exact at every d, to order η².

The student aφ(w·x), ‖w‖ = 1, learns bφ(v·x), ‖v‖ = 1, and w ← (w + ηg)/‖w + ηg‖ with the mean g of the gradients
2aδ(zx − tw) over a batch, z = w·x, y = v·x, δ = b(y² − t) − a(z² − t) + ξ; t is 0 for quadratic units and 1 for centred
ones. The overlap m = w·v then changes by (derived here)

    Δm = η(g·v − m g·w) + η²[−½m‖g‖² − (g·v)(g·w) + (3/2) m (g·w)²] + O(η³).

Given z and y, ‖x‖² has the mean z² + (y − mz)²/(1 − m²) + d − 2, so that the expectations are those of polynomials of
degree 8 in two Gaussians: Gauss–Hermite quadrature with six nodes each is exact. For a = b = 1 and B = 1, with
c = 1 − m²,

    E Δm = 4ηmc + η²{−½m[48(d+6)c + 4(d+2)Δ] + 2m(84c² + 60m²c) + 96mc² + 6mΔ}      (quadratic units).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array

NODES = 6  # exact up to degree 11
_Z, _WEIGHTS = np.polynomial.hermite_e.hermegauss(NODES)
_WEIGHTS = np.outer(_WEIGHTS, _WEIGHTS).ravel() / np.sum(_WEIGHTS) ** 2
_Z, _U = (grid.ravel() for grid in np.meshgrid(_Z, _Z, indexing="ij"))


@dataclass(frozen=True)
class OneUnitStep:
    """Mean and variance of the change of the overlap in one step.

    Parameters
    ----------
    inputs : int
        d.
    a, b : float
        Weights of student and teacher, both directions having norm 1.
    centred : bool
        Whether units are centred.
    batch : int
        B.
    label_noise : float
        Δ.
    """

    inputs: int
    a: float = 1.0
    b: float = 1.0
    centred: bool = False
    batch: int = 1
    label_noise: float = 0.0

    def mean(self, m: Array) -> tuple[Array, Array]:
        """The coefficients of η and of η² in E Δm, of overlaps (…), which may be complex."""
        m = np.asarray(m)
        (v, _), (w, ww), vw, square = self._moments(m)
        first = v - m * w
        B = self.batch

        def of_batch(product: Array, mean_product: Array) -> Array:
            return product / B + (1 - 1 / B) * mean_product

        # E‖ḡ‖² of the mean over a batch: E g is along w and v
        along = _square_of_mean(v, w, m)
        second = -m / 2 * of_batch(square, along) - of_batch(vw, v * w) + 3 / 2 * m * of_batch(ww, w * w)
        return first, second

    def variance(self, m: Array) -> Array:
        """The coefficient of η² in the variance of Δm, of overlaps (…)."""
        m = np.asarray(m)
        (v, vv), (w, ww), vw, _ = self._moments(m)
        return np.asarray((vv - 2 * m * vw + m * m * ww - (v - m * w) ** 2) / self.batch)

    def _moments(self, m: Array) -> tuple[tuple[Array, Array], tuple[Array, Array], Array, Array]:
        """(E g·v, E(g·v)²), (E g·w, E(g·w)²), E(g·v)(g·w) and E‖g‖² of one sample."""
        t = float(self.centred)
        m = m[..., None]
        z, u = _Z, _U  # y = mz + √(1 − m²) u, of which even powers of u are left
        y = m * z + np.sqrt(1 - m * m + 0j if np.iscomplexobj(m) else np.maximum(1 - m * m, 0.0)) * u
        delta = self.b * (y * y - t) - self.a * (z * z - t)
        variance = delta**2 + self.label_noise
        x2 = z * z + u * u + self.inputs - 2
        gv, gw = 2 * self.a * (z * y - t * m), 2 * self.a * (z * z - t)
        gg = 4 * self.a**2 * (z * z * x2 - 2 * t * z * z + t)

        def mean(values: Array) -> Array:
            return np.asarray(values @ _WEIGHTS)

        return (
            (mean(delta * gv), mean(variance * gv**2)),
            (mean(delta * gw), mean(variance * gw**2)),
            mean(variance * gv * gw),
            mean(variance * gg),
        )


def _square_of_mean(v: Array, w: Array, m: Array) -> Array:
    """‖E g‖² from E g·v and E g·w: E g lies in the span of w and v, along one of them alone where they are parallel."""
    c = 1 - m * m
    across = v - m * w  # times 1/√c the component across w, which vanishes with c
    share = np.divide(across, c, out=np.zeros_like(across), where=np.abs(c) > 0)
    return np.asarray(w * w + across * share)
