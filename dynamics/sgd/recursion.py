"""The mean dynamics of SGD step by step: s ← s + η_n F(s; η_n), for many learning rates at once.

What `dynamics.sgd.mean_sgd` turns into an ODE. Where runs are compared that differ in their rates alone, the recursion
is the cheaper form: one evaluation of F steps all of them.
"""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array
from dynamics.progress import progress_bar
from dynamics.sgd.mean_sgd import MeanSGD


def mean_losses(theory: MeanSGD, rates: Array) -> Array:
    """Loss of the mean before each of the steps with given rates (N,), and after the last one, (N + 1,)."""
    state = theory.order.start
    states = [state]
    for eta in rates:
        state = state + eta * theory.drift(state, float(eta))
        states.append(state)
    return np.asarray(theory.order.loss(np.array(states)))


def final_losses(theory: MeanSGD, factors: Array, rates: Array, progress: bool = False) -> Array:
    """Loss of the mean after N steps with rates η s_n, for some schedules s and some η each.

    Parameters
    ----------
    theory : MeanSGD
        Its own rate does not matter.
    factors : (F, N) array
        s_n.
    rates : (F, G) array
        η.
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Returns
    -------
    (F, G) array
        Infinite or NaN where a run leaves the numbers.
    """
    state = np.broadcast_to(theory.order.start, (*rates.shape, len(theory.order.start)))
    with np.errstate(all="ignore"):
        for s in progress_bar(factors.T, "mean SGD", shown=progress, remedy="lower `steps`"):
            eta = s[:, None] * rates
            state = state + eta[..., None] * theory.drift(state, eta)
        return np.asarray(theory.order.loss(state))
