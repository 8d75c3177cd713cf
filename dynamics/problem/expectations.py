"""Expectations of a loss over a Gaussian form, functions of its eigenvalues alone: they balance states at rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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


def gaussian_expectations(rule: SlopeRule, coupling: float) -> Expect:
    """Expectations of a loss by the exponentials of its slope, see `dynamics.population.exponentials`.

    Parameters
    ----------
    rule : SlopeRule
    coupling : float
        1 − κ.
    """
    kappa = 1 - coupling

    def expect(delta: Array, beta: float) -> Expectations:
        shift = beta + kappa * float(delta.sum())
        if not delta.size:  # u is the same for all inputs: a form that vanishes says so
            return replace_empty(expect(np.zeros(1), beta))
        exponentials, moved = rule.at(shift, float(delta.min()), float(delta.max()))
        slope, single = exponentials.slope_means(delta, moved)
        bends = exponentials.curvatures(delta, moved)
        mixed = bends.single - kappa * bends.whole
        return Expectations(
            float(exponentials.values(delta[None], np.array([moved]))[0]),
            slope,
            bends.whole,
            single - kappa * slope,
            mixed,
            bends.double - kappa * (bends.single[:, None] + bends.single - bends.whole),
            coupling * slope,
        )

    return expect


def mean_expectations(expect: Expect, squares: Array, weights: Array) -> Expect:
    """Expectations over a mixture of Gaussian laws N(0, s²I), of quadratic units.

    Parameters
    ----------
    expect : Expect
        For s = 1.
    squares, weights : (S,) arrays
        s², and how often.
    """

    def mean(delta: Array, beta: float) -> Expectations:
        parts = [expect(s2 * delta, beta) for s2 in squares]
        once, twice = weights * squares, weights * squares**2
        return Expectations(
            float(weights @ [part.value for part in parts]),
            float(weights @ [part.slope for part in parts]),
            float(weights @ [part.bend for part in parts]),
            once @ np.array([part.moments for part in parts]),
            once @ np.array([part.mixed for part in parts]),
            np.tensordot(twice, np.array([part.second for part in parts]), 1),
            float(once @ [part.aside for part in parts]),
        )

    return mean


def replace_empty(found: Expectations) -> Expectations:
    """The same without any direction."""
    nothing = np.zeros(0)
    return Expectations(found.value, found.slope, found.bend, nothing, nothing, np.zeros((0, 0)), found.aside)
