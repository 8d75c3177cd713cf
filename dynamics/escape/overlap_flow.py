"""A flow of the overlap, ṁ = m^j r(m) on (−1, 1): the time it takes, and where it rests.

The power m^j in front, exact, is what makes a plateau; r(0) ≠ 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.polynomial.polynomial import polyval
from scipy.integrate import quad
from scipy.optimize import brentq

from dynamics.aliases import Array
from dynamics.errors import ComputationError
from dynamics.escape.closed_forms import monomial_time

GRID = 4001  # points of (−1, 1) between which zeros of r are found by their change of sign
LAST, LEFT_OUT = (
    20,
    1e-10,
)  # coefficients that stand for those left out; what these may add, relative to the largest
ACCURACY = 1e-11  # relative, of the time


@dataclass(frozen=True, eq=False)
class OverlapFlow:
    """ṁ = Σ_n c_n mⁿ.

    Parameters
    ----------
    coefficients : (n,) array
        c_n; those that are exactly zero in front make the power m^j.
    """

    coefficients: Array

    @property
    def order(self) -> int | None:
        """The power j; None if the overlap never moves."""
        found = np.flatnonzero(self.coefficients)
        return int(found[0]) if found.size else None

    def rate(self, m: Array | float) -> Array:
        """ṁ at the overlap m."""
        return np.asarray(polyval(m, self.coefficients))

    def is_known(self, m: float) -> bool:
        """Whether coefficients that are left out cannot matter at this overlap, were they as large as the last ones."""
        n = len(self.coefficients)
        rest = np.abs(self.coefficients[-LAST:]).max() * abs(m) ** n / (1 - abs(m))
        return bool(rest <= LEFT_OUT * np.abs(self.coefficients).max())

    @cached_property
    def zeros(self) -> Array:
        """Overlaps −1 < m < 1 at which the flow rests, ascending.

        Where the rate touches zero without changing its sign, that is found at m = 0 alone.
        """
        if self.order is None:
            return np.zeros(0)
        r = self.coefficients[self.order :]
        grid = np.linspace(-1, 1, GRID)[1:-1]
        values = polyval(grid, r)
        found = [float(m) for m in grid[values == 0]]
        for n in np.flatnonzero(values[:-1] * values[1:] < 0):
            found.append(float(brentq(lambda m: polyval(m, r), grid[n], grid[n + 1], xtol=1e-15)))
        return np.array(sorted({*found, *([0.0] if self.order else [])}))

    def limit(self, start: float) -> float:
        """Overlap to which the flow goes from a start."""
        rate, ends = float(self.rate(start)), np.concatenate([[-1.0], self.zeros, [1.0]])
        if rate == 0 or start in ends:
            return start
        return float(ends[ends > start].min() if rate > 0 else ends[ends < start].max())

    def lowest_start(self, overlap: float) -> float:
        """Overlap above which every start below `overlap` reaches that; `overlap` itself if none does."""
        if self.order is None or not self.rate(overlap) > 0:
            return overlap
        return float(self.zeros[self.zeros < overlap].max(initial=-1.0))

    def reach(self, overlap: float) -> float | None:
        """The overlap that the growth rate at m = 0 would have reached all the way, in the time to this one.

        ρ = m exp(μ∫₀ᵐ (1/ṁ − 1/(μm)) dm), so that ln(ρ/m₀)/μ is the time from a small m₀; None where m does not grow
        like e^{μt} from 0 on to the overlap.
        """
        if self.order != 1 or not self.coefficients[1] > 0 or self.lowest_start(overlap) > 0:
            return None
        r = self.coefficients[1:] / self.coefficients[1]
        value, _ = quad(
            lambda m: -polyval(m, r[1:]) / polyval(m, r),
            0.0,
            overlap,
            epsabs=0.0,
            epsrel=ACCURACY,
            limit=1000,
        )
        return float(overlap * np.exp(value))

    def time(self, start: float, overlap: float) -> float:
        """Time from one overlap to a larger one; infinite if that is never reached.

        Raises
        ------
        ComputationError
            If the integral ∫ dm/ṁ cannot be computed to 1e-11.
        """
        if start >= overlap:
            return 0.0
        if not start > self.lowest_start(overlap):
            return float("inf")
        j = self.order or 0
        r = self.coefficients[j:]
        if np.flatnonzero(r).tolist() == [0, 2] and r[2] == -r[0]:
            return monomial_time(j, start, overlap) / float(r[0])
        how = {"epsabs": 0.0, "epsrel": ACCURACY, "limit": 1000, "full_output": 1}
        if j:  # 0 < m: the logarithm of m spreads the plateau out
            found = quad(
                lambda u: np.exp((1 - j) * u) / polyval(np.exp(u), r), np.log(start), np.log(overlap), **how
            )
        else:
            found = quad(lambda m: 1 / polyval(m, r), start, overlap, **how)
        value, error = found[:2]
        if not error <= 1e3 * ACCURACY * value:
            raise ComputationError(
                f"The time from overlap {start:g} to {overlap:g} is known to {error / value:.1g} only: "
                "the flow all but rests in between."
            )
        return float(value)
