"""How often a Gaussian form exceeds a threshold: the labels and the answers of classifiers.

With Q = Σ_j δ_j z_j² and M(s) = E e^{sQ} = Π_j (1 − 2sδ_j)^{−½} (derived here, as in `dynamics.population.slope_rules`)

    P(Q > t) = (1/2πi) ∫ e^{−st} M(s) ds/s,   E 1{Q > t} z_i² = (1/2πi) ∫ e^{−st} M(s)/(1 − 2sδ_i) ds/s

for t ≥ 0, on the contour around the cut of the positive eigenvalues; thresholds below 0 are those of −Q.
"""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array
from dynamics.population.slope_rules import contour, octave

END = 80.0  # of the contour's parameter: M falls off no faster than s^{−½}


def exceedance(delta: Array, threshold: float = 0.0) -> tuple[float, Array]:
    """P(Q > t), and E 1{Q > t} z_i², (d,), of the form with eigenvalues δ (d,)."""
    nonnegative = octave(delta.max(initial=0.0)) is not None and octave(-delta.min(initial=0.0)) is None
    if threshold < 0 or (threshold == 0 and nonnegative):
        below, moments = _upper(-delta, -threshold)
        return 1.0 - below, 1.0 - moments
    return _upper(delta, threshold)


def _upper(delta: Array, threshold: float) -> tuple[float, Array]:
    """The same for a threshold of at least 0."""
    size = octave(delta.max(initial=0.0))
    if size is None:
        return 0.0, np.zeros(delta.shape)
    s, weights = contour(size, END)
    factors = 1 / (1 - 2 * s[:, None] * delta)
    with np.errstate(under="ignore"):
        mean = weights * np.exp(0.5 * np.log(factors).sum(axis=1) - s * threshold) / s
    return float(mean.sum().real), (mean @ factors).real
