"""Power-law teachers: the scaling law of the loss with its exponent and prefactor.

Teacher λ_j = j^(−α), j = 1 … N, centred activation, second layer fixed at 1, aligned weights with
m_j(0) = λ_j/(1 + k). Every mode is learned on its own, ṁ_j = 8m_j(λ_j − m_j), along a logistic curve:

    L(t) = Σ_j λ_j² φ(8λ_j t)²,   φ(u) = k e^{−u}/(1 + k e^{−u}).

For 1 ≪ 8t ≪ N^α the sum is an integral over u = 8 j^{−α} t (derived here):

    L → C t^{1/α − 2},   C = α⁻¹ 8^{1/α − 2} ∫₀^∞ u^{1 − 1/α} φ(u)² du,   α > ½.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import quad
from scipy.special import expit

from dynamics.aliases import Array
from dynamics.closed_forms.late_time import PowerTail
from dynamics.errors import ProblemError
from dynamics.validation import validate_array, validate_count, validate_real


def power_law_loss(times: ArrayLike, exponent: float, count: int, start_ratio: float = 1.0) -> Array:
    """Exact loss of a power-law teacher with N modes, (T,).

    Parameters
    ----------
    times : (T,) array
    exponent : float
        α.
    count : int
        N; a million modes take some milliseconds per time.
    start_ratio : float
        k = (λ_j − m_j(0))/m_j(0), what is missing at the start over what is there, the same for all modes.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    t = validate_array("times", times, 1)
    alpha, k = validate_real("exponent", exponent, positive=True), _start_ratio(start_ratio)
    lam = np.arange(1, validate_count("count", count) + 1) ** -alpha
    return np.array([np.sum((lam * _missing(8 * lam * time, k)) ** 2) for time in t])


def power_law_tail(exponent: float, start_ratio: float = 1.0) -> PowerTail:
    """The scaling law for infinitely many modes.

    Parameters
    ----------
    exponent : float
        α > ½, without which the loss of the teacher is infinite.
    start_ratio : float
        k.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    alpha, k = validate_real("exponent", exponent), _start_ratio(start_ratio)
    if alpha <= 0.5:
        raise ProblemError(f"`exponent` is {alpha:g}, but must be above 1/2: the loss is infinite otherwise.")
    power = 1 - 1 / alpha
    # The first part carries the integrable singularity u^power, power > −1, as a weight.
    near = quad(lambda u: _missing(u, k) ** 2, 0.0, 1.0, weight="alg", wvar=(power, 0.0), epsabs=0.0)[0]
    far = quad(lambda u: u**power * _missing(u, k) ** 2, 1.0, np.inf, epsabs=0.0)[0]
    return PowerTail(float((near + far) / alpha * 8 ** (1 / alpha - 2)), 2 - 1 / alpha)


def _missing(u: ArrayLike, k: float) -> Array:
    """φ(u), the fraction of a mode that is not learned yet."""
    return expit(np.log(k) - np.asarray(u, dtype=float))


def _start_ratio(value: float) -> float:
    return validate_real("start_ratio", value, positive=True)
