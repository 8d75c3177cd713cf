"""Roots of many functions at once, each in its bracket, by the method of Ridders (1979, not consulted)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dynamics.aliases import Array

MOST = 80  # steps; the bracket is halved at least in each
ROUNDING = 4e-16  # of the larger end: a bracket, or a step, so short is a root


def roots(f: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Where f, of all brackets at once, changes its sign; an end where it does not.

    Parameters
    ----------
    f : callable
        From points (n,) to values (n,), finite in the bracket.
    low, high : (n,) arrays
    """
    at_low, at_high = f(low), f(high)
    x = np.where(np.abs(at_low) < np.abs(at_high), low, high)
    short = ROUNDING * np.maximum(np.abs(low), np.abs(high))
    for _ in range(MOST):
        middle = (low + high) / 2
        at_middle = f(middle)
        root = np.sqrt(np.maximum(at_middle**2 - at_low * at_high, 0.0))
        share = np.divide(at_middle, root, out=np.zeros_like(root), where=root > 0)
        before, x = x, middle + (middle - low) * np.sign(at_low - at_high) * share
        at_x = f(x)
        if (np.minimum(np.abs(high - low), np.abs(x - before)) <= short).all():
            break
        # the ends that enclose the change of sign among low, middle or x, high
        first, second = np.where(x < middle, x, middle), np.where(x < middle, middle, x)
        at_first, at_second = np.where(x < middle, at_x, at_middle), np.where(x < middle, at_middle, at_x)
        in_lower, in_upper = at_low * at_first <= 0, at_second * at_high < 0
        low, at_low, high, at_high = (
            np.where(in_lower, low, np.where(in_upper, second, first)),
            np.where(in_lower, at_low, np.where(in_upper, at_second, at_first)),
            np.where(in_lower, first, np.where(in_upper, high, second)),
            np.where(in_lower, at_first, np.where(in_upper, at_high, at_second)),
        )
    return np.asarray(x)
