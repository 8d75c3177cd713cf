"""A spectrum of single eigenvalues, each with its weight: of a matrix, a list, a power law."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.errors import ProblemError
from dynamics.sample_size.roots import roots
from dynamics.sample_size.spectral_law import ComplexArray
from dynamics.words import counted

EQUAL = 1e-12  # of the largest: eigenvalues that are one
CLOSE = 1e-9  # to a neighbour, as a part of the gap
NEWTON = 60  # steps at most; ten are enough
SETTLED = 1e-15
NODES = 4096  # of the curve at a time, at most


class Atoms:
    """The law of d given eigenvalues, each of weight 1/d, a `SpectralLaw`.

    Parameters
    ----------
    eigenvalues : (d,) array
        Of S*, zeros included; none negative.
    name : str

    Raises
    ------
    ProblemError
        If there are none, or one is negative or not finite.
    """

    def __init__(self, eigenvalues: ArrayLike, name: str = "eigenvalues") -> None:
        lam = np.atleast_1d(np.asarray(eigenvalues, dtype=float))
        if lam.ndim != 1 or not lam.size:
            raise ProblemError(f"`eigenvalues` has shape {lam.shape}, but must be a list of at least one.")
        if not np.isfinite(lam).all():
            raise ProblemError("`eigenvalues` has an entry that is not finite, but they must be numbers.")
        if lam.min() < 0:
            raise ProblemError(
                f"`eigenvalues` has {lam.min():g}, but a teacher of positive second layer has none below 0."
            )
        lam = np.sort(lam)
        first = np.append(True, np.diff(lam) > EQUAL * lam[-1])
        groups = np.cumsum(first) - 1
        weights = np.bincount(groups) / lam.size
        check_memory(
            f"A spectrum of {counted(len(weights), 'different eigenvalue')}",
            64 * max(NODES, len(weights)) * len(weights),
            "give fewer eigenvalues, or a law such as marchenko-pastur:0.5",
        )
        self.name, self.weights = name, weights
        self.points = np.bincount(groups, lam / lam.size) / weights
        self.points[self.points <= EQUAL * lam[-1]] = 0.0
        self.mean, self.second = float(lam.mean()), float((lam**2).mean())
        self.rank = 1.0 - float(weights[self.points == 0].sum())  # exactly 1 where there is no zero
        self.atoms = weights
        self.clusters = np.stack([self.points, self.points], axis=1)
        self.gaps = self._gaps()

    def _gaps(self) -> Array:
        """Where Σ w/(u − λ)² is least between neighbours: Σ w/(u − λ)³ changes sign there."""
        low, high = self.points[:-1], self.points[1:]
        if not low.size:
            return np.zeros((0, 2))

        def slope(share: Array) -> Array:
            # times the cube of the distance to the nearer one, which takes the poles away and keeps the sign
            u, near = low + share * (high - low), np.minimum(share, 1 - share) * (high - low)
            return np.asarray((near[:, None] / (u[:, None] - self.points)) ** 3 @ self.weights)

        u = low + roots(slope, np.full_like(low, CLOSE), np.full_like(low, 1 - CLOSE)) * (high - low)
        return np.stack([u, (self.weights / (u[:, None] - self.points) ** 2).sum(axis=1)], axis=1)

    def transform(self, u: Array, v: Array) -> tuple[ComplexArray, ComplexArray]:
        """G and G′ at z = u + iv, v ≥ 0, shapes as u; infinite at an eigenvalue."""
        u, v = np.atleast_1d(u), np.atleast_1d(v)
        G, slope = np.empty(u.shape, dtype=complex), np.empty(u.shape, dtype=complex)
        for part in _parts(u.size):
            with np.errstate(divide="ignore", invalid="ignore"):
                pole = 1 / ((u[part] + 1j * v[part])[:, None] - self.points)
                G[part] = pole @ self.weights
                slope[part] = -((pole**2) @ self.weights)
        return G, slope

    def height(self, u: Array, sigma: float) -> Array:
        """The v > 0 with Σ w/((u − λ)² + v²) = 1/σ².

        1/Σ w/((u − λ)² + s) is concave in s, a harmonic mean: Newton's method from below rises to s = v² and never
        passes it; the nearest eigenvalue by itself gives such a start.
        """
        v = np.empty_like(u)
        for part in _parts(u.size):
            D = (u[part, None] - self.points) ** 2
            s = np.maximum((sigma**2 * self.weights - D).max(axis=1), 0.0)
            for _ in range(NEWTON):
                with np.errstate(divide="ignore"):
                    inverse = 1 / (D + s[:, None])
                F = inverse @ self.weights
                step = (sigma**2 - 1 / F) * F**2 / ((inverse**2) @ self.weights)
                s = s + np.maximum(step, 0.0)
                if (step <= SETTLED * s).all():
                    break
            v[part] = np.sqrt(s)
        return v

    def __repr__(self) -> str:
        return f"Atoms({self.name}, {counted(len(self.points), 'different eigenvalue')})"


def _parts(size: int) -> list[slice]:
    """So many nodes at a time that their products with the eigenvalues fit into memory."""
    return [slice(start, start + NODES) for start in range(0, size, NODES)]
