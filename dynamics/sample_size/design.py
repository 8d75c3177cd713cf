"""What the rows of the data, xxᵀ − I, do to the equations of the state evolution, d infinite or finite.

With q the degrees of freedom of the estimate over the number of samples, an infinite d has

    σ² = (MSE + Δ/2)/(2α),   t(1 − q) = ℓ/2,   training error (2 MSE + Δ)(1 − q)².

At finite d, to first order and heuristically (derived here, not proven): the diagonal of the noise makes the
semicircle wider, its variance (1 + 1/d) σ², and adds rank/(2d) to the degrees of freedom per d². And Gaussian inputs
have rows of different lengths, s = χ²_d/d, as in an elliptical design: with V from q = E[s²V/(1 + s²V)],

    r = E[s²/(1 + s²V)],   t r = ℓ/2,   2ασ² = E[s²(Δ/2 + s² MSE)/(1 + s²V)²]/r²,
    training error 2E[(Δ/2 + s² MSE)/(1 + s²V)²].

Of the difference from d = ∞ that proximal gradient measures at d = 30 … 100 this is about a third to a half with
weight decay, and most of it without. Measurements from the Gaussian orthogonal ensemble show no excess over their own
part of it: what is missing is in the rows xxᵀ − I, whose leverage depends on their direction, too. To treat the
direction of the trace by itself changes next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.optimize import brentq

from dynamics.aliases import Array

NODES, DEVIATIONS = 129, 9.0  # of ln s, and how many standard deviations they reach
LARGEST_LEVERAGE = 1e12  # V of an estimate that has all but as many degrees of freedom as samples


class Design(Protocol):
    """The rows of the data.

    Attributes
    ----------
    heuristic : bool
        Whether it is more than the limit of large d.
    """

    @property
    def heuristic(self) -> bool: ...

    def widening(self) -> float:
        """Variance of the semicircle over σ²."""
        ...

    def freedom(self, A: float, rank: float) -> float:
        """Degrees of freedom over d²."""
        ...

    def response(self, q: float) -> float:
        """r: the threshold t is ℓ/(2r)."""
        ...

    def noise(self, mse: float, label_noise: float, q: float) -> float:
        """2ασ²."""
        ...

    def training_error(self, mse: float, label_noise: float, q: float) -> float:
        """Mean of (y − f)² over the samples."""
        ...


@dataclass(frozen=True)
class Infinite:
    """The limit of large d."""

    @property
    def heuristic(self) -> bool:
        """No: this is the limit."""
        return False

    def widening(self) -> float:
        """Variance of the semicircle over σ²."""
        return 1.0

    def freedom(self, A: float, rank: float) -> float:
        """Degrees of freedom over d²."""
        return A

    def response(self, q: float) -> float:
        """1 − q."""
        return 1 - q

    def noise(self, mse: float, label_noise: float, q: float) -> float:
        """MSE + Δ/2."""
        return mse + label_noise / 2

    def training_error(self, mse: float, label_noise: float, q: float) -> float:
        """(2 MSE + Δ)(1 − q)²."""
        return (2 * mse + label_noise) * (1 - q) ** 2


INFINITE = Infinite()


@dataclass(frozen=True)
class SymmetricNoise(Infinite):
    """Finite d, rows that are drawn from the Gaussian orthogonal ensemble.

    Parameters
    ----------
    inputs : int
        d.
    """

    inputs: int

    @property
    def heuristic(self) -> bool:
        """Yes: first order in 1/d."""
        return True

    def widening(self) -> float:
        """1 + 1/d."""
        return 1 + 1 / self.inputs

    def freedom(self, A: float, rank: float) -> float:
        """A + rank/(2d)."""
        return A + rank / (2 * self.inputs)


@dataclass(frozen=True)
class GaussianInputs(SymmetricNoise):
    """Finite d, rows xxᵀ − I of Gaussian inputs x.

    Parameters
    ----------
    inputs : int
        d.
    """

    @cached_property
    def _lengths(self) -> tuple[Array, Array]:
        """s² and its weights: trapezoids in ln s, where the density of χ²_d/d is smooth and falls off on both sides."""
        half = self.inputs / 2
        y = np.linspace(-DEVIATIONS, DEVIATIONS, NODES) / np.sqrt(half)
        log_density = half * (y - np.expm1(y))
        w = np.exp(log_density - log_density.max())
        return np.exp(2 * y), w / w.sum()

    def _mean(self, values: Array) -> float:
        return float(self._lengths[1] @ values)

    def _leverage(self, q: float) -> float:
        """V."""
        s2 = self._lengths[0]
        if q <= 0:
            return 0.0

        def excess(log_v: float) -> float:
            V = np.exp(log_v)
            return self._mean(s2 * V / (1 + s2 * V)) - q

        top = np.log(LARGEST_LEVERAGE)
        return LARGEST_LEVERAGE if excess(top) <= 0 else float(np.exp(brentq(excess, -top, top)))

    def response(self, q: float) -> float:
        """E[s²/(1 + s²V)]."""
        s2 = self._lengths[0]
        return self._mean(s2 / (1 + s2 * self._leverage(q)))

    def noise(self, mse: float, label_noise: float, q: float) -> float:
        """E[s²(Δ/2 + s² MSE)/(1 + s²V)²]/r²."""
        s2, V = self._lengths[0], self._leverage(q)
        weighted = self._mean(s2 * (label_noise / 2 + s2 * mse) / (1 + s2 * V) ** 2)
        return weighted / self._mean(s2 / (1 + s2 * V)) ** 2

    def training_error(self, mse: float, label_noise: float, q: float) -> float:
        """2E[(Δ/2 + s² MSE)/(1 + s²V)²]."""
        s2, V = self._lengths[0], self._leverage(q)
        return 2 * self._mean((label_noise / 2 + s2 * mse) / (1 + s2 * V) ** 2)
