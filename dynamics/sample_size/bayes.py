"""The least error of all: the mean of S* given the data, over teachers with random eigenvectors.

Given Y = S* + σ·GOE it has the eigenvectors of Y and the eigenvalues x − 2σ²H(x), so that

    MSE_BO = σ² − 4σ⁴ ∫ H²ρ dx,      2ασ² = MSE_BO + Δ/2

(derived here; the curve of a public repository is reproduced to six digits, see `quadflow reproduce`). As σ → 0 every
point mass w of the spectrum is a semicircle of its own, and MSE_BO/σ² → 1 − Σw²: above half of that, recovery.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from dynamics.sample_size.equations import FLOOR, TOLERANCE, validate_alpha
from dynamics.sample_size.free_sum import FreeSum
from dynamics.sample_size.spectral_law import SpectralLaw
from dynamics.validation import validate_label_noise


def bayes_mse(law: SpectralLaw, alpha: float, label_noise: float = 0.0) -> float:
    """‖Ŝ − S*‖²/d of the mean given n = αd² samples, d large.

    Parameters
    ----------
    law : SpectralLaw
        Eigenvalues of S*; its eigenvectors are uniform.
    alpha : float
    label_noise : float
        Δ.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    alpha, Delta = validate_alpha(alpha), validate_label_noise(label_noise)

    def excess(log_sigma: float) -> float:
        sigma2 = np.exp(2 * log_sigma)
        return float(1 - 4 * sigma2 * FreeSum(law, sigma2**0.5).totals[5] + Delta / (2 * sigma2) - 2 * alpha)

    low = np.log(FLOOR) + 0.5 * np.log(law.second + Delta / (4 * alpha))
    if excess(low) <= 0:
        return 0.0
    # of all estimates the zero one has m₂
    high = 0.5 * np.log((law.second + Delta / 2) / (2 * alpha)) + 0.1
    sigma2 = np.exp(2 * brentq(excess, low, high, xtol=TOLERANCE))
    return float(2 * alpha * sigma2 - Delta / 2)


def bayes_threshold(law: SpectralLaw) -> float:
    """The α above which S* is recovered exactly without label noise: ½(1 − Σw²) of the point masses w."""
    return float((1 - (law.atoms**2).sum()) / 2)
