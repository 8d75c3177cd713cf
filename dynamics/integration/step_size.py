"""How long the steps of an explicit method are: the first one, and the next after one whose error is known.

Errors are root mean squares in units of the tolerance, atol + rtol max(|y|, |y_new|) entry by entry, as SciPy's.
"""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array
from dynamics.integration.contract import Write

SAFETY, LEAST, MOST = 0.9, 0.2, 10.0  # of the factor between steps
PROPORTIONAL, INTEGRAL = 0.4, 0.3  # exponents, in units of 1/(order + 1)
SHORTEST = float(np.finfo(float).tiny)
SMALLEST = 1e-4  # error that is remembered


def next_factor(order: int, error: float, before: float) -> float:
    """Of the next step to one that was accepted, from its error and that of the step before, O(h^{order + 1}).

    Proportional–integral control, (ε/ε_n)^0.7/k (ε_{n−1}/ε)^0.4/k with k = order + 1, by Gustafsson [Hairer and Wanner,
    Solving Ordinary Differential Equations II, 2nd ed., Springer 1996, IV.2; not consulted], keeps steps even where
    stability limits them: fewer are rejected. With ε = 0.9^k steps whose error grows evenly are as long as SciPy's.
    """
    if error == 0:
        return MOST
    k = order + 1
    aim = SAFETY**k
    now, last = aim / error, aim / max(before, SMALLEST)
    return min(MOST, max(LEAST, now ** ((PROPORTIONAL + INTEGRAL) / k) * last ** (-PROPORTIONAL / k)))


def shorter_factor(order: int, error: float) -> float:
    """By which to try again after an error above 1; of one that is no number the least."""
    return max(LEAST, SAFETY * error ** (-1 / (order + 1))) if error < np.inf else LEAST


def first_step(
    write: Write, t: float, y: Array, slope: Array, ahead: float, order: int, rtol: float, atol: float
) -> float:
    """Length of the first step, from the sizes of the first two derivatives; one evaluation.

    The rule is that of Hairer, Nørsett and Wanner [Solving Ordinary Differential Equations I, 2nd ed., Springer 1993,
    II.4]; `ahead` is the longest step there may be.
    """
    scale = atol + rtol * np.abs(y)
    size, speed = root_mean_square(y / scale), root_mean_square(slope / scale)
    h = min(0.01 * size / speed if size >= 1e-5 and speed >= 1e-5 else 1e-6, ahead)
    if not h > 0:  # the solution explodes at once
        return SHORTEST
    later = np.empty_like(y)
    write(t + h, y + h * slope, later)
    steepest = max(speed, root_mean_square((later - slope) / scale) / h)
    longer = (0.01 / steepest) ** (1 / (order + 1)) if steepest > 1e-15 else max(1e-6, 1e-3 * h)
    return max(min(100 * h, longer, ahead), SHORTEST)


def root_mean_square(x: Array) -> float:
    """Of the entries."""
    return float(np.linalg.norm(x)) / x.size**0.5
