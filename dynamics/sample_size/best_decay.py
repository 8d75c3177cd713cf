"""The weight decay of the least error.

(1) is σ² = (MSE(σ, t) + Δ/2)/(2α), and its solution is least if MSE is, over t, at the σ that solves it: with

    ∂MSE/∂t = 0:   t ρ(x > t) = 2σ² ∫_{x>t} Hρ dx

in the place of (2), one root gives the best of all decays, ℓ = 2t(1 − A/α) (derived here, tested by search). Where
this t would leave as many degrees of freedom as samples, ℓ → 0 is the best.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from scipy.optimize import brentq

from dynamics.errors import ProblemError
from dynamics.sample_size.denoiser import Denoiser, Estimate
from dynamics.sample_size.equations import Regression

EDGE = 1e-6  # of the spectrum, next to its upper end: both sides of the equation vanish at the end itself


@dataclass(frozen=True)
class BestDecay:
    """The weight decay of the least error at one α.

    Parameters
    ----------
    decay : float
        ℓ.
    mse : float
        What it leaves.
    """

    decay: float
    mse: float


def best_decay(regression: Regression, alpha: float) -> BestDecay:
    """The weight decay of the least error at one α; that of `regression` is put aside.

    Raises
    ------
    ProblemError
        If units are raw, whose error does not depend on it, or the dimension is finite, where this is not known.
    """
    if regression.raw:
        raise ProblemError("Raw units have no best weight decay: of order one it has no effect on them.")
    if regression.design.heuristic:
        raise ProblemError("The best weight decay is known only for d → ∞: leave out `inputs`.")
    without = replace(regression, decay=0.0)

    def estimate(sigma: float) -> Estimate:
        denoiser = without.denoiser(sigma)
        return denoiser.at(max(_least(denoiser), denoiser.threshold(alpha, 0.0)))

    found = without.root(estimate, alpha)
    if found is None:
        return BestDecay(0.0, 0.0)
    return BestDecay(max(2 * found.threshold * (1 - found.freedom / alpha), 0.0), found.mse)


def _least(denoiser: Denoiser) -> float:
    """The t ≥ 0 of the least MSE at one σ."""

    def slope(t: float) -> float:
        mass, _, _, hilbert, _ = denoiser.spectrum.above(max(t, denoiser.cut))
        return float(t * mass - 2 * denoiser.sigma**2 * hilbert)

    if slope(0.0) >= 0:  # nothing of the spectrum is near zero
        return 0.0
    most = denoiser.high - EDGE * (denoiser.high - max(denoiser.low, 0.0))
    return float(brentq(slope, 0.0, most, xtol=1e-15 * most)) if slope(most) > 0 else most
