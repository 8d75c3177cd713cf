"""The Marchenko–Pastur law: S* = GGᵀ/(κ*d) with κ*d columns of standard Gaussian entries.

With c = 1/κ*, R(g) = 1/(1 − cg) in z = 1/g + R(g), so that

    G(z) = (A − r)/(2cz) = 2/(A + r),   A = z + c − 1,   r = √(z − λ₊) √(z − λ₋),   λ± = (1 ± √c)²,

of which the one without cancellation is taken. Mean 1, second moment 1 + c, a mass 1 − κ* at zero if κ* < 1; between
zero and λ₋, z″(g) = 0 gives the least −G′ = (c^⅔ − c^⅓)^{−3} at (1 − c^⅓)(1 − c^⅔) (derived here).
"""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.sample_size.roots import roots
from dynamics.sample_size.spectral_law import ComplexArray
from dynamics.validation import validate_real

SMALLEST, LARGEST = 1e-3, 1e3  # κ*
NODES = 100_000  # of the density, where it is divided into equal parts
LOWEST = 1e-12  # height over σ up to which points of the curve are looked for


class MarchenkoPastur:
    """The law of GGᵀ/m* for m* = κ*d, a `SpectralLaw`.

    Parameters
    ----------
    kappa : float
        κ*, from 1e-3 to 1e3.

    Raises
    ------
    ProblemError
        If it is out of range.
    """

    def __init__(self, kappa: float) -> None:
        k = validate_real("kappa", kappa, positive=True)
        if not SMALLEST <= k <= LARGEST:
            raise ProblemError(
                f"`kappa` of Marchenko–Pastur is {k:g}, but must lie between {SMALLEST:g} and {LARGEST:g}."
            )
        c = self.c = 1 / k
        self.name = f"marchenko-pastur:{k:g}"
        self.mean, self.second, self.rank = 1.0, 1 + c, min(k, 1.0)
        self.edges = (1 - np.sqrt(c)) ** 2, (1 + np.sqrt(c)) ** 2
        bulk = [self.edges]
        self.atoms, self.clusters, self.gaps = np.zeros(0), np.array(bulk), np.zeros((0, 2))
        if k < 1:
            a = np.cbrt(c)
            self.atoms = np.array([1 - k])
            self.clusters = np.array([(0.0, 0.0), *bulk])
            self.gaps = np.array([[(1 - a) * (1 - a**2), (a**2 - a) ** -3]])

    def transform(self, u: Array, v: Array) -> tuple[ComplexArray, ComplexArray]:
        """G and G′ at z = u + iv, v ≥ 0, shapes as u; infinite at the ends of the support."""
        c, (low, high) = self.c, self.edges
        z = u + 1j * v
        with np.errstate(divide="ignore", invalid="ignore"):
            r = np.sqrt(z - high) * np.sqrt(z - low)
            slope = (z - 1 - c) / r
            A = z + c - 1
            plus = np.abs(A + r) >= np.abs(A - r)
            G = np.where(plus, 2 / (A + r), (A - r) / (2 * c * z))
            return G, np.where(plus, -(G**2) * (1 + slope) / 2, ((1 - slope) / (2 * c) - G) / z)

    def height(self, u: Array, sigma: float) -> Array:
        """The v > 0 with −Im G(u + iv)/v = 1/σ²: a root in ln v, below ln σ."""

        def excess(log_v: Array) -> Array:
            v = np.exp(log_v)
            return np.asarray(np.log(-self.transform(u, v)[0].imag / v) + 2 * np.log(sigma))

        lowest, highest = np.full_like(u, np.log(LOWEST * sigma)), np.full_like(u, np.log(sigma))
        return np.asarray(np.exp(roots(excess, lowest, highest)))

    def eigenvalues(self, count: int) -> Array:
        """Means of so many equal parts of the law, in increasing order: the spectrum of a typical S*, (count,)."""
        low, high = self.edges
        theta = (np.arange(NODES) + 0.5) * (np.pi / NODES)
        lam = (low + high) / 2 - (high - low) / 2 * np.cos(theta)
        mass = ((high - low) * np.sin(theta)) ** 2 / (8 * self.c * lam * NODES)  # of the density at the nodes
        ends = np.arange(1, count + 1) / count
        # ∫ λ up to a mass, piecewise linear between the nodes; a mass of zeros comes first
        sums = np.interp(ends, 1 - self.rank + np.cumsum(mass), np.cumsum(lam * mass), left=0.0)
        return np.asarray(np.diff(sums, prepend=0.0) * count)

    def __repr__(self) -> str:
        return f"MarchenkoPastur({1 / self.c:g})"
