"""Student's law as a mixture of Gaussian ones of different lengths, x = s g.

s² = (1 − 2/ν) e⁻ʸ, where νeʸ/2 is of the gamma law of shape ν/2: means over s are integrals of e^{ν(y + 1 − eʸ)/2}
times a function of s that is analytic for |Im y| < π/2. The trapezoidal rule of step h errs by some e^{−π²/h}, and by
e^{−4π²/νh²} where the peak, of width √(2/ν), is narrow (derived here; measured: 1e-12 and less). Functions that grow
like s^{2p} leave e^{(ν/2 − p)y} for y → −∞, which says where it may begin. That makes 30 to 400 Gaussian losses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dynamics.activations import Activation
from dynamics.aliases import Array
from dynamics.inputs.setting import Setting

if TYPE_CHECKING:
    from dynamics.population.base import Population

STEP, SHARE = 0.2, 0.6  # of the trapezoidal rule, and of the width of a narrow peak
NEGLIGIBLE = 1e-17
FAR, FARTHER = 1e3, 1e6  # pre-activations between which the growth is measured


def growth(phi: Activation) -> int | None:
    """The least power p of w·x that φ grows like; None where there is none, or where φ depends on its variance."""
    if phi.uses_variance or phi.quadrature:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        near, far = (np.abs(phi.phi(x * np.array([-1.0, 1.0]), None)) for x in (FAR, FARTHER))
        power = np.log(np.maximum(far, 1.0).max() / np.maximum(near, 1.0).max()) / np.log(FARTHER / FAR)
    return int(np.ceil(power - 0.01)) if np.isfinite(power) else None


def lengths(freedom: float, power: int) -> tuple[Array, Array]:
    """Nodes s² and weights of means over s of functions that grow like s^{2p}, p the power.

    Parameters
    ----------
    freedom : float
        ν ≥ 2p + 1.
    power : int
    """
    width = np.sqrt(2 / freedom)
    y = np.arange(
        -9 * width + np.log(NEGLIGIBLE) / (freedom / 2 - power), 9 * width, min(STEP, SHARE * width)
    )
    weights = np.exp(freedom / 2 * (y - np.expm1(y)))
    weights /= weights.sum()
    squares = (1 - 2 / freedom) * np.exp(-y)
    kept = weights * np.maximum(squares, 1.0) ** power > NEGLIGIBLE
    return squares[kept], weights[kept]


def mean_over_lengths(problem: Setting, squares: Array, weights: Array) -> Population:
    """The mean of the Gaussian losses for s²Σ."""
    from dynamics.population.scaled import ScaledPopulation
    from dynamics.population.sum import SumPopulation

    Sigma = np.eye(problem.inputs) if problem.covariance is None else problem.covariance
    V, B, psi = problem.teacher.V, problem.teacher.B, problem.teacher_activation
    losses = (problem.activation.loss(V, B, s2 * Sigma, psi) for s2 in squares)
    parts = (ScaledPopulation(loss, float(weight)) for loss, weight in zip(losses, weights, strict=True))
    return SumPopulation(tuple(parts))
