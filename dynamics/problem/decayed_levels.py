"""Plateaus and minima under weight decay: what is learned of a mode, and what decay keeps back.

Where the modes S are learned, M = diag(μ) on them, and of G = 4D + 2τ there is left what decay balances: γ_i on the
mode i, at which its units would grow. With τ = tr D (0 for the centred activation), for Σ = I (derived here)

    λ_i + τ/2 = μ_i + γ_i/4   (i ∈ S),    τ = Σ_j λ_j − Σ_{i∈S} μ_i,    L = Σ_S (γ_i − 2τ)²/16 + Σ_{j∉S} λ_j² + τ²/2.

* Second layer trained: n units that share a mode have a = ρ_w/γ, ‖w‖² = 2ρ_a a²/ρ_w, so that μ = nR̂/γ³ with
  R̂ = 2ρ_aρ_w²: see `dynamics.problem.decayed_mode`. Of the two roots for γ the smaller, the *upper* root with the
  larger μ, is the one that a flow from small weights comes to.
* Second layer fixed at one value α: γ = ρ_w/α for all modes.

On the upper roots the left side of the equation for τ increases: there is one solution or none. In whitened modes of
inputs of variance σ_i everything holds with γ_i/σ_i in place of γ_i and R̂/σ_i² in place of R̂.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from dynamics.aliases import Array
from dynamics.problem.decayed_mode import decay_strength, eigenvalue, fold
from dynamics.problem.levels import Level, plateau_level
from dynamics.problem.weight_decay import WeightDecay

if TYPE_CHECKING:
    from dynamics.problem.problem import Problem

ROUNDING = 1e-16  # of the width of the bracket: the solution for τ is found to rounding


class Shrinkage(Protocol):
    """How decay holds back a learned mode: the force γ_i that is left on it."""

    def threshold(self, variances: Array) -> Array:
        """Least |λ_i + τ/2| of modes that can be learned, (n,)."""

    def forces(self, wanted: Array, variances: Array) -> Array:
        """γ_i/σ_i on modes with λ_i + τ/2 = `wanted`, none of which is below its threshold, (n,)."""


@dataclass(frozen=True)
class TrainedLayer:
    """Both layers are trained, with R̂ = 2ρ_aρ_w²; every learned mode has one unit."""

    strength: float

    def threshold(self, variances: Array) -> Array:
        """θ_i = (12R̂/σ_i²)^¼/3."""
        return np.array([fold(c) for c in self.strength / variances**2])

    def forces(self, wanted: Array, variances: Array) -> Array:
        """The upper roots of |m| = c/x³ + x/4, c = R̂/σ²."""
        pairs = zip(np.abs(wanted), self.strength / variances**2, strict=True)
        return np.sign(wanted) * np.array([eigenvalue(float(m), float(c), lower=False) for m, c in pairs])


@dataclass(frozen=True)
class FixedLayer:
    """The second layer is fixed at one value α, with the force ρ_w/α."""

    force: float

    def threshold(self, variances: Array) -> Array:
        """γ_i/4σ_i: what is left of the mode is larger than nothing."""
        return np.asarray(abs(self.force) / (4 * variances))

    def forces(self, wanted: Array, variances: Array) -> Array:
        """The same force on all."""
        return self.force / variances


def shrinkage(decay: WeightDecay, fixed: float | None) -> Shrinkage | None:
    """How a decay holds back what is learned, `fixed` the common value of a second layer that is not trained.

    None where it does not: without decay, and where only one of two trained layers decays (such weights never rest).
    """
    if fixed is not None:
        return FixedLayer(decay.first / fixed) if decay and fixed else None
    strength = decay_strength(decay)
    return TrainedLayer(strength) if strength else None


@dataclass(frozen=True, eq=False)
class DecayedLevel(Level):
    """A plateau under weight decay.

    Parameters
    ----------
    forces : (|S|,) array
        γ_i, that remain on the learned modes.
    trace : float
        κτ, what is left of the trace; 0 for the centred activation.
    """

    forces: NDArray[np.float64]
    trace: float


def decayed_level(
    eigenvalues: ArrayLike,
    learned: Sequence[int],
    shrinks: Shrinkage,
    trace_coupling: float = 1.0,
    variances: ArrayLike | None = None,
) -> DecayedLevel | None:
    """Level of the plateau on which the modes `learned` are learned; None if decay leaves no such plateau.

    Parameters
    ----------
    eigenvalues : (m,) array
        Of the (whitened) teacher; zeros may be left out.
    learned : sequence of int
    shrinks : Shrinkage
    trace_coupling : float
        1 for the quadratic activation, 0 for the centred one.
    variances : (m,) array, optional
        σ_i; all 1 if not given.
    """
    plain = plateau_level(eigenvalues, learned, trace_coupling)
    S = list(plain.learned)
    lam = np.asarray(eigenvalues, dtype=float)
    sigma = np.ones(len(S)) if variances is None else np.asarray(variances, dtype=float)[S]
    sign, least = np.sign(plain.values), shrinks.threshold(sigma)
    if (sign == 0).any():
        return None
    tau = 0.0
    if trace_coupling:
        found = _trace(lam, lam[S], sign, least, shrinks, sigma)
        if found is None:
            return None
        tau = found
    m = lam[S] + tau / 2
    if (sign * m < least).any():
        return None
    gamma = shrinks.forces(m, sigma)
    values = m - gamma / 4
    if (values * sign <= 0).any() or (gamma * sign <= 0).any():
        return None
    rest = np.delete(lam, S)
    loss = float(np.sum((lam[S] - values) ** 2) + rest @ rest + tau**2 / 2)
    return DecayedLevel(plain.learned, values, plain.residual_trace, loss, gamma * sigma, tau)


def _trace(
    lam: Array, held: Array, sign: Array, least: Array, shrinks: Shrinkage, sigma: Array
) -> float | None:
    """Solution τ of τ = Σλ − Σμ(τ) between the values at which a learned mode falls below its threshold."""

    def excess(tau: float) -> float:
        m = sign * np.maximum(sign * (held + tau / 2), least)
        return float(tau - lam.sum() + np.sum(m - shrinks.forces(m, sigma) / 4))

    edges = 2 * (sign * least - held)
    far = 4 * float(np.abs(lam).sum() + least.sum())
    low = float(edges[sign > 0].max(initial=-far))
    high = float(edges[sign < 0].min(initial=far))
    if low > high or excess(low) > 0 or excess(high) < 0:
        return None
    return float(brentq(excess, low, high, xtol=ROUNDING * far, rtol=4 * np.finfo(float).eps))


@dataclass(frozen=True, eq=False)
class DecayedMinimum:
    """A minimum of R = L + penalty with a trained second layer: the r₊ largest and r₋ smallest modes are learned.

    Parameters
    ----------
    level : DecayedLevel
    objective : float
        R.
    """

    level: DecayedLevel
    objective: float

    @property
    def learned(self) -> tuple[int, ...]:
        """The learned modes."""
        return self.level.learned


def decayed_minima(
    eigenvalues: ArrayLike, hidden: int, decay: WeightDecay, trace_coupling: float = 1.0
) -> tuple[DecayedMinimum, ...]:
    """All minima on upper roots for Σ = I, by ascending objective: one for every r₊ + r₋ ≤ K that is feasible.

    Each learned mode has one unit, ½ρ_w‖w‖² + ½ρ_a a² = 3ρ_a a²/2, and all other units are zero. (A minimum with one
    lower root can exist beside them, just above the threshold of a mode: theory 14.5.)

    Parameters
    ----------
    eigenvalues : (d,) array
        Descending, zeros included.
    hidden : int
        Units K.
    decay : WeightDecay
        Of both layers.
    trace_coupling : float
    """
    lam = np.asarray(eigenvalues, dtype=float)
    shrinks = TrainedLayer(decay_strength(decay))
    found = []
    for positive in range(min(hidden, len(lam)) + 1):
        for negative in range(min(hidden, len(lam)) - positive + 1):
            S = (*range(positive), *range(len(lam) - negative, len(lam)))
            level = decayed_level(lam, S, shrinks, trace_coupling)
            if level is None or (level.forces[:positive] < 0).any() or (level.forces[positive:] > 0).any():
                continue
            penalty = 1.5 * decay.second * float(np.sum((decay.first / level.forces) ** 2))
            found.append(DecayedMinimum(level, level.loss + penalty))
    return tuple(sorted(found, key=lambda minimum: minimum.objective))


def stiffness(learned: int, trace_coupling: float) -> float:
    """q of L = (q/2)(m − μ)², the loss in one further mode whose μ = m would be best, while r learned ones give way.

    2 for the centred activation, 2(r + 3)/(r + 2) for the quadratic one (derived here: learning the mode would lower
    the loss by q m²/2 = (r + 2)/(r + 3) λ̃², m = (r + 2)/(r + 3) λ̃).
    """
    return 2 + 2 * trace_coupling / (learned + 2)


def level_under_decay(
    problem: Problem, eigenvalues: Array, learned: Sequence[int], *, trace_coupling: float
) -> Level | None:
    """Level of a plateau of a problem with Σ = I, with its decay; None if there is none, or none is known.

    None is known for a fixed second layer of different values, where it matters which of them holds which mode.
    """
    if not problem.weight_decay:
        return plateau_level(eigenvalues, learned, trace_coupling)
    fixed = None
    if not problem.student.trainable:
        fixed = float(problem.student.A.flat[0])
        if np.ptp(problem.student.A) > 0:
            return None
    shrinks = shrinkage(problem.weight_decay, fixed)
    if shrinks is None:
        return plateau_level(eigenvalues, learned, trace_coupling)
    return decayed_level(eigenvalues, learned, shrinks, trace_coupling)
