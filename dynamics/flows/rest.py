"""When a flow of which no more is known than its Jacobian has come to rest at a minimum."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

STILL = 1e-9  # of the natural speed: what is slower hardly moves
DESCENT = 0.01  # of √(speed) in natural units: steeper than what an unfinished convergence leaves


def distance_from_rest(speed: float, lowest: Callable[[], float], units: tuple[float, float]) -> float:
    """Positive until a flow stands still *and* no direction of descent is left.

    Parameters
    ----------
    speed : float
        ‖θ̇‖.
    lowest : callable
        Lowest eigenvalue of minus the Jacobian, which is asked for only where the flow hardly moves.
    units : (float, float)
        Natural size of the speed and of growth rates.
    """
    unit_speed, unit_rate = units
    excess = speed - STILL * unit_speed
    if excess > 0:
        return excess
    return 1.0 if lowest() < -DESCENT * np.sqrt(speed / unit_speed) * unit_rate else excess
