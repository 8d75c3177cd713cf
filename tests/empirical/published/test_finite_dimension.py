"""Is what is stored for d = 100 above the curve of large d because d is finite? Ours at d = 30, on such data.

Double descent without regularisation on symmetric Gaussian measurements, as in the repository that stores it: the
minimum over S ⪰ 0 of the squared residuals, found by proximal gradient written here.
"""

import numpy as np
import pytest

from dynamics.sample_size.design import Infinite, SymmetricNoise
from dynamics.sample_size.equations import Regression
from dynamics.sample_size.marchenko_pastur import MarchenkoPastur

D, ALPHA, KAPPA, NOISE, DRAWS = 30, 0.5, 0.5, 0.5, 60


def measurements(rng, n):
    """Symmetric matrices with entries of variance 1/d, twice that on the diagonal, one a row."""
    H = rng.standard_normal((n, D, D)) / np.sqrt(2 * D)
    return (H + H.transpose(0, 2, 1)).reshape(n, D * D)


def fitted(A, y):
    """Minimum over S ⪰ 0 of ‖A S − y‖², by accelerated proximal gradient with restarts."""
    step = 1 / np.linalg.norm(A, 2) ** 2
    S = ahead = np.zeros((D, D))
    momentum = 1.0
    for _ in range(3000):
        slope = (A.T @ (A @ ahead.ravel() - y)).reshape(D, D)
        lam, E = np.linalg.eigh(ahead - step * slope)
        moved = (E * np.maximum(lam, 0)) @ E.T
        if ((ahead - moved) * (moved - S)).sum() > 0:
            momentum = 1.0
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        change = moved - S
        ahead, S, momentum = moved + (momentum - 1) / following * change, moved, following
        if np.linalg.norm(change) < 1e-6 * np.linalg.norm(S):
            return S
    raise AssertionError("not converged")


def theory(design):
    regression = Regression(MarchenkoPastur(KAPPA), decay=0.0, label_noise=NOISE, design=design)
    return regression.solve(ALPHA).mse


@pytest.mark.slow
def test_the_excess_at_small_d_is_that_of_the_correction():
    """Sixty draws: within three standard errors and 2 % of the corrected curve, four away from that of large d."""
    errors = []
    for seed in range(DRAWS):
        rng = np.random.default_rng(seed)
        W = rng.standard_normal((D, round(KAPPA * D)))
        S = W @ W.T / W.shape[1]
        A = measurements(rng, round(ALPHA * D**2))
        y = A @ S.ravel() + np.sqrt(NOISE) * rng.standard_normal(len(A))
        errors.append(((fitted(A, y) - S) ** 2).sum() / D)
    mean, spread = np.mean(errors), np.std(errors, ddof=1) / np.sqrt(DRAWS)
    corrected, limit = theory(SymmetricNoise(inputs=D)), theory(Infinite())
    assert abs(mean - corrected) < 3 * spread + 0.02 * corrected, (mean, spread, corrected, limit)
    assert mean - limit > 3 * spread, (mean, spread, corrected, limit)
