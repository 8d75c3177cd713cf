"""The learning rate as a function of the time of the flow, smooth between its jumps.

Step n lasts from t_n to t_{n+1} = t_n + η_n/(1 − β). Half way it has the rate η_n; in between a spline through these
points. Replacing it by another smooth curve with the same values at other places within the steps moves the rate by
O(η), which no theory here sees: the rate stands in front of corrections of order η.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from dynamics.aliases import Array

KNOTS = 2000  # of a spline along one stretch; where it has more steps, each knot is the mean of a few


@dataclass(frozen=True, eq=False)
class RateCurve:
    """η(t), made of smooth stretches.

    Parameters
    ----------
    ticks : (N + 1,) array
        Times t_0 … t_N.
    rates : (N,) array
        η_0 … η_{N−1}.
    breaks : sequence of int
        Steps that begin a stretch.
    """

    ticks: Array
    rates: Array
    breaks: Sequence[int] = ()

    @property
    def end(self) -> float:
        """Time t_N."""
        return float(self.ticks[-1])

    @cached_property
    def ends(self) -> Array:
        """Times at which the stretches end, (m,)."""
        return self.ticks[[*self.breaks, len(self.rates)]]

    @cached_property
    def pieces(self) -> tuple[Callable[[float], float], ...]:
        """η(t) along each stretch, continued smoothly beyond it."""
        corners = [0, *self.breaks, len(self.rates)]
        return tuple(self._smooth(a, b) for a, b in pairwise(corners))

    def _smooth(self, first: int, last: int) -> Callable[[float], float]:
        """η(t) through steps first … last − 1."""
        steps = np.arange(first, last)
        steps = steps[self.rates[steps] > 0]  # the others take no time
        if not len(steps):
            return lambda t: 0.0
        eta, middle = self.rates[steps], (self.ticks[steps] + self.ticks[steps + 1]) / 2
        if not np.ptp(eta):
            constant = float(eta[0])
            return lambda t: constant
        from scipy.interpolate import CubicSpline  # slow to import, for rates that change alone

        # means over time, in which a step counts as long as it lasts: the integral of η(t) is that of the steps
        bins = np.unique(np.linspace(0, len(steps), KNOTS + 1).astype(int))[:-1]
        eta, middle = (np.add.reduceat(eta * x, bins) / np.add.reduceat(eta, bins) for x in (eta, middle))
        spline = CubicSpline(middle, eta)
        # a spline continued beyond its knots, half a step, may change sign where the rate goes to zero
        return lambda t: max(float(spline(t)), 0.0)

    def __call__(self, t: float) -> float:
        """η(t); that of the last stretch beyond the end."""
        k = int(np.searchsorted(self.ends, t, side="right"))
        return self.pieces[min(k, len(self.pieces) - 1)](t)
