"""Integrals of smooth functions that are evaluated at many points at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dynamics.aliases import Array

NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)  # on [−1, 1]
MOST = 500  # intervals in the end
ROUNDS = 60  # of halving


def integral(
    function: Callable[[Array], Array], start: float, end: float, accuracy: float
) -> tuple[float, float]:
    """∫ f dy and a bound on its error, by Gauss's rule on intervals that are halved where that changes something.

    Parameters
    ----------
    function : callable
        f at points (m,), (m,).
    start, end : float
    accuracy : float
        Relative; what does not reach it after `MOST` intervals comes with the error that is left.

    Returns
    -------
    value, error : float
        The error is the sum of what the last halving of every interval changed.
    """
    left, right = np.array([start]), np.array([end])
    whole = _gauss(function, left, right)
    done, error, count = 0.0, 0.0, 1
    for _ in range(ROUNDS):
        middle = 0.5 * (left + right)
        halves = _gauss(function, np.concatenate([left, middle]), np.concatenate([middle, right])).reshape(
            2, -1
        )
        refined = halves.sum(axis=0)
        changed = np.abs(refined - whole)
        total = done + float(refined.sum())
        # an interval may keep its share of the error that is allowed
        settled = changed <= accuracy * abs(total) * np.abs(right - left) / abs(end - start)
        if error + changed.sum() <= accuracy * abs(total) or count > MOST or not np.isfinite(total):
            settled[:] = True
        done += float(refined[settled].sum())
        error += float(changed[settled].sum())
        if settled.all():
            return done, error
        again = ~settled
        count += int(again.sum())
        whole = halves[:, again].ravel()
        left, right = (
            np.concatenate([left[again], middle[again]]),
            np.concatenate([middle[again], right[again]]),
        )
    return done + float(whole.sum()), error + float(changed[again].sum())


def _gauss(function: Callable[[Array], Array], left: Array, right: Array) -> Array:
    """Gauss's rule on every interval, (m,)."""
    half = 0.5 * (right - left)[:, None]
    points = 0.5 * (left + right)[:, None] + half * NODES
    return np.asarray((half * function(points.ravel()).reshape(points.shape)) @ WEIGHTS)
