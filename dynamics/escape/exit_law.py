"""How much the exit times of networks scatter: the law of the time at which one unit reaches an overlap, for k = 2.

While the overlap is small it grows at the rate μ of the mean of SGD, and every step adds noise: e^{−μt}m(t) tends to a
Gaussian m̂, of the start's mean and of the variance v/d, v = d Var m₀ + ησ²d/(2μB) (`dynamics.escape.single_index`;
a random start has d Var m₀ = 1). From then on growth is deterministic: with the overlap ρ that would be reached at the
rate μ all the way, ln ρ = ln m_T + μ∫₀^{m_T} (1/ṁ − 1/(μm)) dm, the time is (derived here)

    T = (1/μ) ln(ρ/|m̂|),

from a random start T = (1/2μ)[ln(dρ²/v) − ln χ²₁], of mean (1/2μ)[ln(dρ²/v) + γ + ln 2] and of the standard deviation
π/(2√2 μ), which does not shrink with d: the mean grows like ln d, its spread stays. For quadratic units of weight 1,
μ = 4 − (24 + 2Δ)ηd/B and, without noise, ρ² = m²/(1 − m²), v = 1/(1 − 6ηd/B). The next order is 1/d:
with Δ = 1 and ηd = 0.06 the mean of 1,600 networks was 4 % larger at d = 100, 1 % at 200, equal at 400. The standard
deviation of 6,000 and more exact chains of m was larger by 10 % at d = 50, 5.7 % at 100, 2.8 % at 200 and 1.5 % at 400
(± 0.7 to 1.5 %): by 5.4/d, in that setting.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import ndtr

from dynamics.aliases import Array

QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
FAR = 40.0  # of ln|m̂|, in units of one: below the largest by so much nothing is left
NODES = 4001  # of the trapezoid in ln|m̂|, whose error is that of rounding


@dataclass(frozen=True)
class ExitLaw:
    """The law of T = (1/μ) ln(ρ/|m̂|), m̂ Gaussian.

    Parameters
    ----------
    growth : float
        μ > 0.
    reach : float
        ρ.
    start_mean : float
        Mean of m̂: the overlap at the start, 0 of a random one.
    start_deviation : float
        Its standard deviation, √(v/d); 0 of a given start without noise, which has one time.
    even : bool
        Whether m and −m are alike; otherwise only positive m̂ get there, and the law is that of these.
    """

    growth: float
    reach: float
    start_mean: float
    start_deviation: float
    even: bool

    @property
    def reached(self) -> float:
        """Part of the networks that get there."""
        if self.even:
            return 1.0
        if not self.start_deviation:
            return float(self.start_mean > 0)
        return float(ndtr(self.start_mean / self.start_deviation))

    def distribution(self, times: ArrayLike) -> Array:
        """Part of those that get there which are there by the given times."""
        t = np.asarray(times, dtype=float)
        m = self.reach * np.exp(-self.growth * np.maximum(t, -1e300))
        if not self.start_deviation:
            return np.asarray(abs(self.start_mean) >= m, dtype=float)
        above = ndtr((self.start_mean - m) / self.start_deviation)
        below = ndtr((-m - self.start_mean) / self.start_deviation) if self.even else 0.0
        return np.asarray((above + below) / self.reached)

    def density(self, times: ArrayLike) -> Array:
        """Its derivative, 1/time; of a law with a deviation."""
        m = self.reach * np.exp(-self.growth * np.asarray(times, dtype=float))
        return np.asarray(self.growth * m * self._weight(m))

    def quantile(self, probability: float) -> float:
        """Time by which this part is there of those that get there."""
        if not self.start_deviation:
            return self.mean
        low, high = self._span
        return float(
            brentq(
                lambda t: self.distribution(t) - probability, self._time(high), self._time(low), xtol=1e-13
            )
        )

    @cached_property
    def mean(self) -> float:
        """E T."""
        if not self.start_deviation:
            return self._time(np.log(abs(self.start_mean))) if self.start_mean else float("inf")
        return self._time(self._moments[0])

    @cached_property
    def deviation(self) -> float:
        """Standard deviation of T."""
        return self._moments[1] / self.growth if self.start_deviation else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Parameters, mean, spread and quantiles, as `quadflow escape --json` prints them."""
        return {
            "growth": self.growth,
            "reach": self.reach,
            "start_mean": self.start_mean,
            "start_deviation": self.start_deviation,
            "reached": self.reached,
            "mean": self.mean,
            "std": self.deviation,
            "quantiles": [{"probability": p, "time": self.quantile(p)} for p in QUANTILES],
        }

    def summary(self) -> str:
        """Mean, spread and median, in a line."""
        return (
            f"mean {self.mean:.5g}, standard deviation {self.deviation:.4g}, median {self.quantile(0.5):.5g} "
            f"(growth rate {self.growth:.5g})"
        )

    def _time(self, log_size: float) -> float:
        return float((np.log(self.reach) - log_size) / self.growth)

    def _weight(self, m: Array) -> Array:
        """Density of |m̂| at m among those that get there."""
        z = [(m - self.start_mean) / self.start_deviation]
        if self.even:
            z.append((m + self.start_mean) / self.start_deviation)
        bells = sum(np.exp(-(x**2) / 2) for x in z)
        return np.asarray(bells / (np.sqrt(2 * np.pi) * self.start_deviation * self.reached))

    @property
    def _span(self) -> tuple[float, float]:
        """ln|m̂| beyond which nothing is left."""
        high = np.log(abs(self.start_mean) + FAR * self.start_deviation)
        return np.log(self.start_deviation) - FAR, float(high)

    @cached_property
    def _moments(self) -> tuple[float, float]:
        """Mean and standard deviation of ln|m̂|, by the trapezoidal rule, which for such integrals is exact."""
        s = np.linspace(*self._span, NODES)
        weight = np.exp(s) * self._weight(np.exp(s))
        weight /= weight.sum()
        mean = float(weight @ s)
        return mean, float(np.sqrt(weight @ (s - mean) ** 2))
