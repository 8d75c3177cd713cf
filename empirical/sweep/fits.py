"""Power laws through the curves of a sweep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.errors import ProblemError

FEWEST = 3  # points of a law: through any two goes one, without an error


@dataclass(frozen=True)
class PowerLaw:
    """y = factor · x^exponent, fitted; `error` is the standard error of the exponent."""

    exponent: float
    error: float
    factor: float


def fitted(x: Array, y: Array) -> NDArray[np.bool_]:
    """Which points a power law can go through: those that are positive in both, and finite."""
    return np.isfinite(y) & (y > 0) & (x > 0)


def power_laws(x: Array, curves: Array) -> tuple[PowerLaw | None, ...]:
    """The law of each curve that has `FEWEST` points, None of others.

    Parameters
    ----------
    x : (n,) array
    curves : (m, n) array
        NaN where a curve has no point.

    Raises
    ------
    ProblemError
        If no curve has points enough.
    """
    counts = fitted(x, curves).sum(axis=1)
    if counts.max(initial=0) < FEWEST:
        raise ProblemError(
            f"A power law needs at least {FEWEST} points that are positive, were reached and did not diverge, but no"
            f" curve has more than {counts.max(initial=0)}."
        )
    return tuple(power_law(x, y) if n >= FEWEST else None for y, n in zip(curves, counts, strict=True))


def power_law(x: Array, y: Array) -> PowerLaw:
    """Straight line through log y against log x by least squares, over the points where both are positive."""
    usable = fitted(x, y)
    n = int(usable.sum())
    if n < FEWEST:
        raise ProblemError(f"A power law needs at least {FEWEST} positive points, but there are {n}.")
    u, v = np.log(x[usable]), np.log(y[usable])
    slope, constant = np.polyfit(u, v, 1)
    residual = v - slope * u - constant
    error = float(np.sqrt(residual @ residual / (n - 2) / np.sum((u - u.mean()) ** 2)))
    return PowerLaw(float(slope), error, float(np.exp(constant)))
