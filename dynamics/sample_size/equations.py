"""The state evolution of

    min_{S ⪰ 0} (1/2n) Σ (y − f_S(x))² + (ℓ/d) tr S,   y = tr(S*(xxᵀ − I))/√d + √Δ ξ,   n = αd²,  d → ∞

(derived here as for Gaussian measurements, where results of this type are proven; not proven for xxᵀ − I): the error is
that of soft thresholding S* + σ·GOE at t, and σ and t solve

    (1)  2ασ² = MSE + Δ/2,        (2)  t (1 − A/α) = ℓ/2.

The raw activation z² adds √d tr(S)/d to the outputs, which pins the trace up to O(d^{−1/2}): in the place of (2)
stands tr Ŝ = tr S*, and a weight decay ℓ of order one has no effect. What is left of the trace, δ/√d, is an intercept
of the outputs. Where A < α that is no more; where raw units can fit all labels, the least trace is the most negative
intercept with which they still can: A = α, and (1) with Δ + δ² in the place of Δ says what δ² is (derived here, tested
by proximal gradient).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from dynamics.errors import ComputationError, ProblemError
from dynamics.sample_size.denoiser import Denoiser, Estimate
from dynamics.sample_size.design import INFINITE, Design
from dynamics.sample_size.spectral_law import SpectralLaw
from dynamics.validation import validate_label_noise, validate_real

SMALLEST_ALPHA, LARGEST_ALPHA = 1e-4, 1e4
FLOOR = 1e-6  # of √m₂: σ below which recovery counts as exact
TOLERANCE, ROUNDING = 1e-12, 1e-13  # of ln σ, and of what is to vanish there
MOST = 500  # evaluations
HIGHEST = 60.0  # ln σ over √(m₂ + Δ) beyond which nothing is looked for
LARGEST, SMALLEST_WIDTH = 1e50, 1e-3
LENGTHS = 0.6  # by how much rows of different lengths can lower ln σ, d = 1


@dataclass(frozen=True)
class Point:
    """The regularised minimum at one α.

    Parameters
    ----------
    alpha : float
        n/d².
    mse : float
        ‖Ŝ − S*‖²/d; half of the expected squared error of the outputs of centred units.
    training_error : float
        Mean of (y − f)² over the samples.
    rank_fraction : float
        Rank of Ŝ over d.
    trace : float
        tr Ŝ/d.
    sigma, threshold : float
        σ and t.
    """

    alpha: float
    mse: float
    training_error: float
    rank_fraction: float
    trace: float
    sigma: float
    threshold: float


@dataclass(frozen=True)
class Regression:
    """What is minimised, apart from the number of samples.

    Parameters
    ----------
    law : SpectralLaw
        Of S*.
    decay : float
        ℓ ≥ 0; 0 is the limit ℓ → 0.
    label_noise : float
        Δ.
    raw : bool
        Whether units are z², not z² − 1.
    width : float
        κ = K/d; below 1 conjectural.
    design : Design

    Raises
    ------
    ProblemError
        If an argument is not usable, or raw units are to have a width below 1.
    """

    law: SpectralLaw
    decay: float = 0.0
    label_noise: float = 0.0
    raw: bool = False
    width: float = 1.0
    design: Design = INFINITE

    def __post_init__(self) -> None:
        if self.law.second == 0:
            raise ProblemError("`teacher` is zero, which is nothing to learn: give it an eigenvalue above 0.")
        validate_real("weight_decay_order", self.decay, nonnegative=True, size=(0, LARGEST))
        validate_label_noise(self.label_noise)
        width = validate_real("width", self.width, positive=True)
        if width < SMALLEST_WIDTH:
            raise ProblemError(
                f"`width` is {width:g}, but must be at least {SMALLEST_WIDTH:g} hidden units per input."
            )
        if width < 1 and self.raw:
            raise ProblemError(
                f"`width` is {width:g}, but raw units are known only from a width of 1 on: use centred ones."
            )

    def estimate(self, sigma: float, alpha: float) -> Estimate:
        """The estimate at one σ, its threshold by (2) or by the trace."""
        denoiser = self.denoiser(sigma)
        return denoiser.at(denoiser.trace_threshold() if self.raw else denoiser.threshold(alpha, self.decay))

    def denoiser(self, sigma: float) -> Denoiser:
        """Thresholding at one σ."""
        return Denoiser(self.law, sigma, self.design, min(self.width, 1.0))

    def solve(self, alpha: float) -> Point:
        """The minimum at one α.

        Raises
        ------
        ProblemError
            If α is not usable.
        ComputationError
            If the equations have no solution.
        """
        alpha = validate_alpha(alpha)
        found = self._least_trace(alpha) if self.raw else None
        if found is None:
            found = self.root(lambda sigma: self.estimate(sigma, alpha), alpha)
        if found is None:
            return Point(alpha, 0.0, 0.0, self.law.rank, self.law.mean, 0.0, 0.0)
        q = min(found.freedom / alpha, 1.0)
        error = self.design.training_error(found.mse, self.label_noise, q)
        return Point(alpha, found.mse, error, found.rank, found.trace, found.sigma, found.threshold)

    def root(
        self,
        estimate: Callable[[float], Estimate],
        alpha: float,
        excess: Callable[[Estimate, float], float] | None = None,
    ) -> Estimate | None:
        """The estimate, a function of σ, where an excess goes from positive to negative; None if it never is positive.

        The excess is that of the right side of (1) over the left one, unless another one is given.
        """
        above = self.excess if excess is None else excess
        scale = np.sqrt(self.law.second)

        def at(log_sigma: float) -> float:
            value = above(estimate(float(np.exp(log_sigma))), alpha)
            return (
                value if abs(value) > ROUNDING else 0.0
            )  # at the peak of double descent it is flat on one side

        low = np.log(FLOOR * scale)
        if excess is None and self.label_noise > 0:  # MSE ≥ 0
            low = max(low, 0.5 * np.log(self.label_noise / (4 * alpha)) - LENGTHS)
        if at(low) <= 0:
            return None
        high = max(0.5 * np.log((self.law.second + self.label_noise / 2) / (2 * alpha)) + 0.1, low + 0.1)
        end = high + HIGHEST
        while at(high) > 0:
            low, high = high, high + 1.0
            if high > end:
                raise ComputationError(f"The state evolution has no solution at alpha = {alpha:g}.")
        return estimate(float(np.exp(brentq(at, low, high, xtol=TOLERANCE, maxiter=MOST))))

    def excess(self, estimate: Estimate, alpha: float) -> float:
        """How far the right side of (1) is above the left one, relative to that."""
        q = min(estimate.freedom / alpha, 1.0)
        return self.design.noise(estimate.mse, self.label_noise, q) / (2 * alpha * estimate.sigma**2) - 1

    def _least_trace(self, alpha: float) -> Estimate | None:
        """Raw units that fit all labels; None where they cannot."""
        found = self.root(
            lambda sigma: self.estimate(sigma, alpha), alpha, lambda e, alpha: e.freedom / alpha - 1
        )
        # (1) with more noise than there is: an intercept is left
        return found if found is not None and self.excess(found, alpha) < 0 else None


def validate_alpha(alpha: float) -> float:
    """α = n/d²."""
    if not SMALLEST_ALPHA <= validate_real("alpha", alpha, positive=True) <= LARGEST_ALPHA:
        raise ProblemError(
            f"`alpha` is {alpha:g}, but must lie between {SMALLEST_ALPHA:g} and {LARGEST_ALPHA:g}."
        )
    return float(alpha)
