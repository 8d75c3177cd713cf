"""Expectations of a loss over a Gaussian form, functions of its eigenvalues alone: they balance states at rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from dynamics.aliases import Array
from dynamics.population.slope_rules import SlopeRule


@dataclass(frozen=True, eq=False)
class Expectations:
    """Means over u = Σ_i δ_i (z_i² − κ) − β, z ~ N(0, I): κ = 0 of quadratic units, 1 of centred ones.

    Parameters
    ----------
    value : float
        E ℓ(u).
    slope, bend : float
        E ℓ′(u) and E ℓ″(u).
    moments : (n,) array
        E ℓ′(u)(z_i² − κ).
    mixed : (n,) array
        E ℓ″(u)(z_i² − κ).
    second : (n, n) array
        E ℓ″(u)(z_i² − κ)(z_k² − κ).
    aside : float
        E ℓ′(u)(z² − κ) of a further direction, with δ = 0.
    """

    value: float
    slope: float
    bend: float
    moments: Array
    mixed: Array
    second: Array
    aside: float


Expect = Callable[[Array, float], Expectations]
"""Expectations of eigenvalues δ (n,) and a bias β."""


@dataclass(frozen=True, eq=False)
class GaussianExpectations:
    """Expectations of a loss by the exponentials of its slope, see `dynamics.population.exponentials`.

    Parameters
    ----------
    rule : SlopeRule
    coupling : float
        1 − κ.
    """

    rule: SlopeRule
    coupling: float

    def __call__(self, delta: Array, beta: float) -> Expectations:
        kappa = 1 - self.coupling
        if not delta.size:  # u is the same for all inputs: a form that vanishes says so
            return without_directions(self(np.zeros(1), beta))
        shift = beta + kappa * float(delta.sum())
        exponentials, moved = self.rule.at(shift, float(delta.min()), float(delta.max()))
        slope, single = exponentials.slope_means(delta, moved)
        bends = exponentials.curvatures(delta, moved)
        return Expectations(
            float(exponentials.values(delta[None], np.array([moved]))[0]),
            slope,
            bends.whole,
            single - kappa * slope,
            bends.single - kappa * bends.whole,
            bends.double - kappa * (bends.single[:, None] + bends.single - bends.whole),
            self.coupling * slope,
        )


@dataclass(frozen=True, eq=False)
class MeanExpectations:
    """Expectations over a mixture of Gaussian laws N(0, s²I), of quadratic units.

    Parameters
    ----------
    expect : Expect
        For s = 1.
    squares, weights : (S,) arrays
        s², and how often.
    """

    expect: Expect
    squares: Array
    weights: Array

    def __call__(self, delta: Array, beta: float) -> Expectations:
        parts = [self.expect(s2 * delta, beta) for s2 in self.squares]
        once, twice = self.weights * self.squares, self.weights * self.squares**2
        return Expectations(
            float(self.weights @ [part.value for part in parts]),
            float(self.weights @ [part.slope for part in parts]),
            float(self.weights @ [part.bend for part in parts]),
            once @ np.array([part.moments for part in parts]),
            once @ np.array([part.mixed for part in parts]),
            np.tensordot(twice, np.array([part.second for part in parts]), 1),
            float(once @ [part.aside for part in parts]),
        )


def without_directions(found: Expectations) -> Expectations:
    """The same of no direction at all."""
    return replace(found, moments=np.zeros(0), mixed=np.zeros(0), second=np.zeros((0, 0)))
