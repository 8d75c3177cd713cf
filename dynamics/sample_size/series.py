"""Integrals over one interval of a density, from any point of it to its upper end.

On u = mid − half cos φ an analytic function is a cosine series in φ, and so is sin φ times an integrand with the square
roots of the ends of a density in it. Its values at the midpoints φ = (j + ½)π/N give the coefficients, and these the
integral from φ to π, everywhere as accurate as the series.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.fft import dct
from scipy.optimize import brentq

from dynamics.aliases import Array


def midpoints(count: int) -> Array:
    """φ = (j + ½)π/N."""
    return np.asarray((np.arange(count) + 0.5) * (np.pi / count))


def cosine_coefficients(values: Array) -> Array:
    """Coefficients c of f(φ) = Σ c_k cos kφ from the values at the midpoints, along the last axis."""
    c = dct(values, axis=-1) / values.shape[-1]
    c[..., 0] /= 2
    return np.asarray(c)


@dataclass(frozen=True, eq=False)
class Interval:
    """One interval of the support of a density.

    Parameters
    ----------
    low, high : float
        Ends, in x.
    place : (N,) array
        Coefficients of x(φ).
    integrands : (q, N) array
        Those of q integrands over φ.
    """

    low: float
    high: float
    place: Array
    integrands: Array

    @property
    def whole(self) -> Array:
        """The integrals over all of it, (q,)."""
        return np.asarray(np.pi * self.integrands[:, 0])

    def above(self, x: float) -> Array:
        """The integrals from x, inside of it, to its upper end, (q,)."""
        k = np.arange(1, len(self.place))

        def excess(phi: float) -> float:
            return float(self.place[0] + self.place[1:] @ np.cos(k * phi)) - x

        phi = np.pi if excess(np.pi) <= 0 else 0.0 if excess(0.0) >= 0 else brentq(excess, 0.0, np.pi)
        part = self.integrands[:, 1:] @ (np.sin(k * phi) / k)
        return np.asarray(self.integrands[:, 0] * (np.pi - phi) - part)
