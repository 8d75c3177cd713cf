"""The overlap m₀ of a random direction with a given one: m₀² follows the Beta law with parameters ½, (d − 1)/2."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, betaincinv

from dynamics.escape.overlap_flow import OverlapFlow


@dataclass(frozen=True)
class RandomStart:
    """A direction drawn evenly from the sphere in d dimensions, √(E m₀²) = 1/√d.

    Parameters
    ----------
    inputs : int
        d, at least 2.
    stretch : float
        Factor on m₀.
    """

    inputs: int
    stretch: float = 1.0

    @property
    def typical(self) -> float:
        """√(E m₀²)."""
        return self.stretch / self.inputs**0.5

    def above(self, m: float) -> float:
        """Probability of an overlap above m."""
        x = min(abs(m) / self.stretch, 1.0)
        beyond = 0.5 * float(1 - betainc(0.5, (self.inputs - 1) / 2, x * x))
        return beyond if m >= 0 else 1 - beyond

    def quantile_above(self, probability: float) -> float:
        """Overlap above which a start is with this probability."""
        size = float(np.sqrt(betaincinv(0.5, (self.inputs - 1) / 2, abs(1 - 2 * probability))))
        return float(np.copysign(self.stretch * size, 0.5 - probability))


@dataclass(frozen=True)
class Starts:
    """Random starts of a flow of the overlap.

    Parameters
    ----------
    flow : OverlapFlow
    law : RandomStart
    overlap : float
        That is to be reached.
    even : bool
        Whether m and −m are alike.
    """

    flow: OverlapFlow
    law: RandomStart
    overlap: float
    even: bool

    @property
    def reached(self) -> float:
        """Part of all that reach the overlap, those included that are there at once."""
        return (2 if self.even else 1) * self.law.above(self.flow.lowest_start(self.overlap))

    def fastest(self, probability: float) -> float:
        """Overlap at the start above which this part is of those that get there."""
        return self.law.quantile_above(probability * self.reached / (2 if self.even else 1))

    def time(self, probability: float) -> float:
        """Time within which this part is there of those that get there."""
        return self.flow.time(self.fastest(probability), self.overlap)
