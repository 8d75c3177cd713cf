"""The spectrum of Y = S* + σ·GOE in large dimension: a law plus a semicircle, by Biane's map.

For u with ∫ dμ*(λ)/(u − λ)² > 1/σ² let v(u) > 0 be where ∫ dμ*(λ)/((u − λ)² + v²) = 1/σ². With G at u + iv,

    x = u + σ² Re G,   ρ(x) = v/(πσ²),   H(x) = PV∫ ρ(y)/(x − y) dy = Re G,   dx/du = |c|²/Re c,   c = 1 + σ²G′,

(Biane 1997, not consulted; derived here, tested on a semicircle, the Marchenko–Pastur cubic, and eigenvalues of drawn
matrices). No fixed point is iterated and no root chosen, whatever the spectrum.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from dynamics.aliases import Array
from dynamics.sample_size.roots import roots
from dynamics.sample_size.series import Interval, cosine_coefficients, midpoints
from dynamics.sample_size.spectral_law import SpectralLaw

FEWEST, MOST = 32, 4096  # nodes of an interval
CONVERGED = 1e-13  # last eighth of the coefficients over the largest
ROUNDING = 2e-15  # of an end, ten units in its last place
BEYOND = 1.01  # of σ: nothing of the support is farther from the law than σ
TAIL, SECOND = slice(0, 5), 2  # of the integrands: those asked for above a threshold; x²ρ


class FreeSum:
    """Density and Hilbert transform of a law plus a semicircle.

    Parameters
    ----------
    law : SpectralLaw
    sigma : float
        Standard deviation σ > 0 of the semicircle.

    Attributes
    ----------
    intervals : tuple of Interval
        Of the support, in increasing order, with the integrands ρ, xρ, x²ρ, Hρ, xHρ, H²ρ and ρ³.
    """

    def __init__(self, law: SpectralLaw, sigma: float) -> None:
        self.law, self.sigma = law, sigma
        ends = support(law, sigma)
        intervals: list[Interval | None] = [None] * len(ends)
        left, nodes = np.arange(len(ends)), FEWEST
        while left.size:
            x_ends, place, integrands = _expand(law, sigma, ends[left], nodes)
            settled = np.logical_or(_settled(ends[left], place, integrands[:, 0]), nodes >= MOST)
            for i in np.flatnonzero(settled):
                low, high = x_ends[i]
                intervals[left[i]] = Interval(float(low), float(high), place[i], integrands[i])
            left, nodes = left[~settled], 2 * nodes
        self.intervals = tuple(interval for interval in intervals if interval is not None)

    @property
    def low(self) -> float:
        """Lower end of the support."""
        return self.intervals[0].low

    @property
    def high(self) -> float:
        """Upper end of the support."""
        return self.intervals[-1].high

    @cached_property
    def totals(self) -> Array:
        """Integrals of ρ, xρ, x²ρ, Hρ, xHρ, H²ρ and ρ³ over everything."""
        return np.asarray(np.sum([interval.whole for interval in self.intervals], axis=0))

    @cached_property
    def _upper(self) -> Array:
        """Integrals over all intervals from each on upwards, and none."""
        whole = np.array([interval.whole for interval in self.intervals])
        return np.concatenate([np.cumsum(whole[::-1], axis=0)[::-1], np.zeros((1, whole.shape[1]))])

    @cached_property
    def _lows(self) -> Array:
        return np.array([interval.low for interval in self.intervals])

    def above(self, t: float) -> Array:
        """∫ of ρ, xρ, x²ρ, Hρ and xHρ over x > t, (5,)."""
        i, part = self._place(t)
        return np.asarray((self._upper[i + 1] + part)[TAIL])

    def second_below(self, t: float) -> float:
        """∫ x²ρ over x < t: not as a difference of large numbers where all of that is small."""
        i, part = self._place(t)
        below = sum(float(interval.whole[SECOND]) for interval in self.intervals[: i + 1])
        return below - float(part[SECOND])

    def _place(self, t: float) -> tuple[int, Array]:
        """The interval at or below t, −1 if there is none, and the integrals over what of it is above t."""
        i = int(np.searchsorted(self._lows, t, side="right")) - 1
        if i < 0 or t >= self.intervals[i].high:
            return i, np.zeros_like(self.totals)
        return i, self.intervals[i].above(t)


def support(law: SpectralLaw, sigma: float) -> Array:
    """Ends (k, 2) of the intervals of u with ∫ dμ*/(u − λ)² > 1/σ², in increasing order."""
    low, high = law.clusters[:, 0], law.clusters[:, 1]
    open_ = law.gaps[:, 1] < sigma**-2 if len(law.gaps) else np.zeros(0, dtype=bool)
    middle = law.gaps[open_, 0]
    first, last = low[np.append(True, open_)], high[np.append(open_, True)]
    below = np.append(low[0] - BEYOND * sigma, middle)
    above = np.append(middle, high[-1] + BEYOND * sigma)

    def excess(u: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = 1 / np.sqrt(-law.transform(u, np.zeros_like(u))[1].real)
        return np.where(np.isfinite(distance), distance, 0.0) - sigma

    found = roots(excess, np.append(below, last), np.append(first, above))
    return np.asarray(found.reshape(2, -1).T)


def _expand(law: SpectralLaw, sigma: float, ends: Array, nodes: int) -> tuple[Array, Array, Array]:
    """Ends in x (k, 2), coefficients of x (k, N) and of the integrands (k, 7, N) of some intervals."""
    phi, low, high = midpoints(nodes), ends[:, :1], ends[:, 1:]
    half = (high - low) / 2
    u = ((low + high) / 2 - half * np.cos(phi)).ravel()
    v = law.height(u, sigma)
    G, slope = law.transform(u, v)
    c = 1 + sigma**2 * slope
    H, rho = G.real, v / (np.pi * sigma**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        stretch = np.where(c.real > 0, np.abs(c) ** 2 / c.real, 0.0)
    x = u + sigma**2 * H
    measure = stretch * (half * np.sin(phi)).ravel() * rho
    values = np.stack([np.ones_like(x), x, x**2, H, x * H, H**2, rho**2]) * measure
    place = cosine_coefficients(x.reshape(-1, nodes))
    x_ends = np.stack([place @ np.ones(nodes), place @ (-1.0) ** np.arange(nodes)], axis=1)
    shaped = values.reshape(len(values), -1, nodes).transpose(1, 0, 2)
    return x_ends, place, cosine_coefficients(shaped)


def _settled(ends: Array, *coefficients: Array) -> Array:
    """In which intervals the last eighth of coefficients is nothing beside the largest, or rounding of the ends."""
    rounding = np.abs(ends).max(axis=1) / (ends[:, 1] - ends[:, 0]) * ROUNDING
    enough = np.maximum(CONVERGED, rounding)
    tails = [np.abs(c[:, -(c.shape[1] // 8) :]).max(axis=1) / np.abs(c).max(axis=1) for c in coefficients]
    return np.asarray(np.max(tails, axis=0) <= enough)
