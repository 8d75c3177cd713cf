"""Gradient flow in its arc length: what normalised gradient descent, θ ← θ − η g/‖g‖, becomes as its step goes to zero.

    dθ/ds = −∇R/‖∇R‖

has the path of the gradient flow and keeps all that this keeps, but runs through it at the speed 1: plateaus, which
have no length, take no time (derived here; theory: "normalised, sign, Adam, Muon, natural gradient"). At a minimum,
which comes at a finite length, it rests. A descent with a finite step h does not: what is learned chatters with
‖∇R‖ ~ h, and the plateaus after the first one are escaped from at a finite rate. These times are those of steps that
are small against the gradient on the plateaus.
"""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array
from dynamics.flows.steered import SteeredFlow

ROUNDING = 1e-14  # of the natural speed: no gradient at all, but rounding
FAINT = 1e-10  # of the natural speed: a slower gradient flow is not sped up any further


class ArcLengthFlow(SteeredFlow):
    """Gradient flow of the objective at the speed 1; its time is the length of the path, η × steps.

    Parameters
    ----------
    As of `dynamics.flows.gradient.GradientFlow`.

    Notes
    -----
    The speed is 1 up to a relative FAINT²/2 · (natural speed/‖∇R‖)²; the flow comes to rest within that much of a
    stationary point instead of stopping there with a jolt, which no solver could follow.
    """

    def __call__(self, t: float, theta: Array) -> Array:
        """Right-hand side −∇R/‖∇R‖."""
        slope = self.slope(theta)
        if np.linalg.norm(slope) < ROUNDING * self.natural_units.speed:
            return np.zeros_like(slope)
        return -slope / self._speed(slope)

    def jacobian(self, t: float, theta: Array) -> Array:
        """Its derivative −(1 − ĝĝᵀ)H/‖∇R‖, (n, n)."""
        slope = self.slope(theta)
        speed = self._speed(slope)
        unit, H = slope / speed, self.hessian(theta)
        return -(H - np.outer(unit, unit @ H)) / speed

    def _speed(self, slope: Array) -> float:
        return float(np.hypot(np.linalg.norm(slope), FAINT * self.natural_units.speed))
