"""From which α on labels can no longer be fitted, and without label noise S* is recovered (derived here).

As σ → 0 the spectrum of S* + σ·GOE is a part κ* of all eigenvalues far above σ, and a semicircle of variance σ²e,
e = 1 − κ*, of the others. What is asked is then the statistical dimension of a cone:

- S ⪰ 0 alone: α = ½ − e²/4,
- the minimum of the trace, and raw units, whose trace is given:
  α = min_t ½[1 − e² + κ*e t² + e² ∫_t^2 (s − t)² √(4 − s²)/(2π) ds], 3κ* for small κ*.

With noise S* is never recovered exactly. The labels can be fitted up to the α at which the degrees of freedom of the
estimate are α, at ℓ = 0: from ½ − e²/4 at Δ → 0 down to ¼ at Δ → ∞, of centred units.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import brentq

from dynamics.sample_size.bayes import bayes_threshold
from dynamics.sample_size.denoiser import Denoiser
from dynamics.sample_size.design import INFINITE
from dynamics.sample_size.equations import FLOOR, TOLERANCE
from dynamics.sample_size.spectral_law import SpectralLaw
from dynamics.validation import validate_label_noise

ABOUT = {
    "interpolation": "up to it all labels can be fitted, at ℓ = 0",
    "recovery": "above it S* is recovered exactly, at label noise 0 and ℓ → 0 (raw units: any ℓ)",
    "bayes": "above it the Bayes-optimal estimate recovers S*, at label noise 0; it knows all eigenvalues of S*, and "
    "where several are equal there is less to learn: ½(1 − Σw²), w the part of each value",
}
NOISY = "with label noise S* is never recovered exactly"
NARROW = "not known for a width below 1"
NOISIEST = 1e10  # Δ/m₂ beyond which the interpolation threshold is that of pure noise


@dataclass(frozen=True)
class Thresholds:
    """Values of α = n/d², d large.

    Parameters
    ----------
    interpolation : float or None
        Below it, all labels can be fitted, at ℓ = 0 and the given label noise; None where that is not known.
    recovery : float or None
        Above it, S* is recovered exactly, in the limit ℓ → 0 (raw units: at any ℓ); None with label noise.
    bayes : float or None
        The same of the Bayes-optimal estimate, at any width; None with label noise.
    reasons : dict of str to str
        Why one is None, a sentence each.
    """

    interpolation: float | None
    recovery: float | None
    bayes: float | None
    reasons: dict[str, str] = field(default_factory=dict)

    def values(self) -> dict[str, float | None]:
        """All of them by name."""
        return {name: getattr(self, name) for name in ABOUT}

    def summary(self) -> str:
        """A line for each: its value and what it is for, or why there is none."""
        lines = [
            f"  {name:<14}{'none' if value is None else format(value, '.6g'):<10}"
            f"{ABOUT[name] if value is not None else self.reasons.get(name, 'not known')}"
            for name, value in self.values().items()
        ]
        return "\n".join(["thresholds α, d → ∞:", *lines])


def thresholds(
    law: SpectralLaw, label_noise: float = 0.0, *, raw: bool = False, width: float = 1.0
) -> Thresholds:
    """All of them; with a width below 1 that of Bayes alone is known, with label noise that of interpolation.

    Parameters
    ----------
    law : SpectralLaw
    label_noise : float
        Δ.
    raw : bool
        Whether units are z², not z² − 1.
    width : float
        κ = K/d.
    """
    noisy, narrow = validate_label_noise(label_noise) > 0, width < 1
    reasons = dict.fromkeys(("interpolation", "recovery"), NARROW) if narrow else {}
    if noisy:
        reasons |= dict.fromkeys(("recovery", "bayes"), NOISY)
    return Thresholds(
        None if narrow else interpolation_threshold(law, label_noise, raw=raw),
        None if narrow or noisy else trace_threshold(law),
        None if noisy else bayes_threshold(law),
        reasons,
    )


def cone_threshold(law: SpectralLaw) -> float:
    """½ − e²/4: where S ⪰ 0 and the labels without noise leave S* alone."""
    return 0.5 - (1 - law.rank) ** 2 / 4


def trace_threshold(law: SpectralLaw) -> float:
    """The same of S ⪰ 0 whose trace is least, or given."""
    kappa, e = law.rank, 1 - law.rank
    if e <= 0:
        return 0.5

    def slope(phi: float) -> float:
        _, first, _ = _semicircle_tail(phi)
        return kappa * 2 * np.cos(phi) - e * first

    phi = brentq(slope, 0.0, np.pi / 2, xtol=1e-15)
    t, (_, _, second) = 2 * np.cos(phi), _semicircle_tail(phi)
    return float((1 - e**2 + kappa * e * t**2 + e**2 * second) / 2)


def interpolation_threshold(law: SpectralLaw, label_noise: float = 0.0, *, raw: bool = False) -> float:
    """The α up to which the labels, with their noise, can be fitted at ℓ = 0."""
    Delta = validate_label_noise(label_noise)
    if Delta == 0:
        return trace_threshold(law) if raw else cone_threshold(law)
    if Delta > NOISIEST * law.second:
        Delta = NOISIEST * law.second

    def estimate(log_sigma: float) -> tuple[float, float]:
        denoiser = Denoiser(law, float(np.exp(log_sigma)), INFINITE)
        found = denoiser.at(denoiser.trace_threshold() if raw else 0.0)
        return found.freedom, 2 * found.sigma**2 * found.freedom - found.mse - Delta / 2

    low = np.log(FLOOR) + 0.5 * np.log(law.second)
    if estimate(low)[1] >= 0:
        return trace_threshold(law) if raw else cone_threshold(law)
    high = low + 1.0
    while estimate(high)[1] < 0:
        low, high = high, high + 1.0
    return estimate(brentq(lambda y: estimate(y)[1], low, high, xtol=TOLERANCE))[0]


def _semicircle_tail(phi: float) -> tuple[float, float, float]:
    """∫_t^2 (s − t)^k √(4 − s²)/(2π) ds for k = 0, 1, 2 and t = 2 cos φ."""
    t, sine = 2 * np.cos(phi), np.sin(phi)
    mass = (phi - sine * np.cos(phi)) / np.pi
    first = 4 * sine**3 / (3 * np.pi)
    second = (phi - np.sin(4 * phi) / 4) / np.pi
    return mass, first - t * mass, second - 2 * t * first + t**2 * mass
