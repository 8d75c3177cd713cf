"""Derivatives of polynomial functions of a state, by complex steps.

For a function that is real on real arguments and analytic, f(s + ihv) = f(s) + ih f′(s)v + O(h²), and there is no
difference in which digits could cancel: with a tiny h the derivative is exact to rounding (Squire & Trapp,
SIAM Review 40 (1998) 110).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dynamics.aliases import Array

Function = Callable[[Array], Array]  # from stacks of states (…, u) to (…, m) or (…)

COMPLEX_STEP = 1e-30
DIFFERENCE = 1e-4  # of second derivatives, relative to the state: a central difference of first derivatives


def along(function: Function, state: Array, direction: Array) -> Array:
    """Derivative f′(s) v; state and direction (…, u) may be stacks."""
    return function(state + 1j * COMPLEX_STEP * direction).imag / COMPLEX_STEP


def jacobian(function: Function, state: Array) -> Array:
    """Jacobian (m, u), or gradient (u,), at one state (u,)."""
    return along(function, state, np.eye(state.size)).T


def derivatives(function: Function, state: Array, S: Array) -> tuple[Array, Array]:
    """Jacobian f′ (m, u) and second derivative f″:S = Σ_ab S_ab ∂_a∂_b f (m,) at one state (u,).

    For symmetric S, in one call of the function on a stack of 3u states: `jacobian`, and `second_along` for all axes.
    """
    u = len(state)
    h, axes = DIFFERENCE * _size(state), np.eye(u)
    states = np.concatenate([np.broadcast_to(state, (u, u)), state + h * axes, state - h * axes])
    slopes, above, below = along(function, states, np.concatenate([axes, S, S])).reshape(3, u, -1)
    return slopes.T, (above - below).sum(axis=0) / (2 * h)


def second_along(function: Function, state: Array, first: Array, second: Array) -> Array:
    """Second derivative f″(s)[v, w] for directions v = `first`, w = `second`, (…, u).

    Central difference along v of exact derivatives along w: relative error about 1e-8. At a state of zero, which has
    no size, 1 stands for it.
    """
    length = np.linalg.norm(first, axis=-1, keepdims=True)
    h = DIFFERENCE * _size(state) / np.where(length > 0, length, 1.0)
    difference = along(function, state + h * first, second) - along(function, state - h * first, second)
    scale = h if difference.ndim == np.ndim(h) else h[..., 0]
    return difference / (2 * scale)


def _size(state: Array) -> float:
    """Root mean square of a state; 1 of one that is zero."""
    return float(np.sqrt(np.mean(state**2))) or 1.0
