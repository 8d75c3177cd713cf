"""What soft thresholding x ↦ (x − t)₊ of the eigenvalues of Y = S* + σ·GOE leaves.

    A = ∫_{x>t} (x − t) Hρ dx,   MSE = m₂ + ∫_{x>t} (t² − x²) ρ dx + 4σ²A,

degrees of freedom over d² and ‖Ŝ − S*‖²/d (Stein's identity: the mean of S* at an eigenvector of Y is x − 2σ²H;
derived here, tested on drawn matrices). A width κ < 1 keeps the κd largest eigenvalues alone: the same integrals above
the larger one of t and b, ρ(x > b) = κ. That is a conjecture: the denoiser jumps at b, and the equations ignore it.
"""

from __future__ import annotations

from dataclasses import dataclass

from scipy.optimize import brentq

from dynamics.sample_size.design import Design
from dynamics.sample_size.free_sum import FreeSum
from dynamics.sample_size.spectral_law import SpectralLaw


@dataclass(frozen=True)
class Estimate:
    """What thresholding leaves.

    Parameters
    ----------
    sigma, threshold : float
        σ and t.
    freedom : float
        Degrees of freedom over d².
    mse : float
        ‖Ŝ − S*‖²/d.
    rank : float
        Part of the eigenvalues of Ŝ that are not zero.
    trace : float
        tr Ŝ/d.
    """

    sigma: float
    threshold: float
    freedom: float
    mse: float
    rank: float
    trace: float


class Denoiser:
    """Soft thresholding at one σ and any t.

    Parameters
    ----------
    law : SpectralLaw
    sigma : float
        Of the noise, off its diagonal.
    design : Design
    width : float
        κ.
    """

    def __init__(self, law: SpectralLaw, sigma: float, design: Design, width: float = 1.0) -> None:
        self.law, self.sigma, self.design = law, sigma, design
        self.wide = sigma * design.widening() ** 0.5
        self.spectrum = FreeSum(law, self.wide)
        low, high = self.low, self.high = self.spectrum.low, self.spectrum.high
        self.cut = low
        if width < 1:
            self.cut = float(brentq(lambda b: self.spectrum.above(b)[0] - width, low, high))

    def at(self, t: float) -> Estimate:
        """The estimate at a threshold."""
        start = max(t, self.cut)
        mass, first, above, hilbert, x_hilbert = map(float, self.spectrum.above(start))
        A = x_hilbert - t * hilbert
        # m₂ less ∫ x²ρ above is ∫ x²ρ below less σ²: the smaller of both integrals loses no digits
        below = self.spectrum.second_below(start)
        lost = self.law.second - above if above < below else below - self.wide**2
        mse = lost + t**2 * mass + 4 * self.wide**2 * A
        return Estimate(self.sigma, t, self.design.freedom(A, mass), mse, mass, first - t * mass)

    def threshold(self, alpha: float, decay: float) -> float:
        """The t of a decay ℓ ≥ 0: t r = ℓ/2; with ℓ = 0 the limit ℓ → 0, which has t > 0 if the data are fitted."""
        interpolates = self.at(0.0).freedom >= alpha
        least = self.freedom_threshold(alpha) if interpolates else 0.0
        if decay == 0:
            return least

        def excess(t: float) -> float:
            return t * self.design.response(self.at(t).freedom / alpha) - decay / 2

        most = max(self.high, 0.0, decay)
        while excess(most) < 0:  # where nothing is left, r = E[s²] > ½
            most *= 2
        return float(brentq(excess, least, most, xtol=1e-15 * most)) if excess(least) < 0 else least

    def freedom_threshold(self, freedom: float) -> float:
        """The t ≥ 0 that leaves so many degrees of freedom over d², no more than t = 0 leaves."""
        return float(brentq(lambda t: self.at(t).freedom - freedom, 0.0, self.high, xtol=1e-15 * self.high))

    def trace_threshold(self) -> float:
        """The t that leaves the trace of S*."""
        low = min(self.low, 0.0)
        if low == 0:
            return 0.0
        return float(
            brentq(lambda t: self.at(t).trace - self.law.mean, low, self.high, xtol=1e-15 * self.high)
        )
