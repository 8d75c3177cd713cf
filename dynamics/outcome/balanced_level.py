"""The loss at which the flow comes to rest under any convex loss, given how many units are positive and negative.

With P positive and N negative units M has at most P positive and N negative eigenvalues. At a local minimum the learned
positive modes are those of the largest gains, the negative ones those of the smallest, and of a sign of which a mode
is left nobody has a unit to spare (the index of `dynamics.stationary.hessian` is zero). These are the conditions of
Karush, Kuhn and Tucker for the least loss over all M = diag(m) with m_i ≥ 0 on the P first modes and m_i ≤ 0 on the N
last ones, free where both say so: a convex function of m on a cone. So all local minima with the same numbers of signs
have the same loss, as under the square loss (`dynamics.outcome.resting_level`), the least that these units can reach.
(Derived here. Weights that grow for ever have the infimum 0.)
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.errors import ComputationError
from dynamics.outcome.resting_level import RestingLevel
from dynamics.problem.balance import Balance, Landscape

ROUNDING_OF_GAINS = 1e-11  # of what orders the modes: a smaller gain is zero


def balanced_level(
    landscape: Landscape,
    eigenvalues: ArrayLike,
    positive: int,
    negative: int,
    unreachable: ArrayLike = (),
) -> RestingLevel:
    """Level of the local minima of a student with P positive and N negative units; parameters as of `resting_level`.

    Raises
    ------
    ComputationError
        If no set of modes fulfils the conditions up to rounding.
    """
    lam = np.sort(np.asarray(eigenvalues, dtype=float))[::-1]
    modes = np.append(lam, np.asarray(unreachable, dtype=float))
    P, N = min(positive, len(lam)), min(negative, len(lam))
    fewer = sorted(
        product(range(P + 1), range(N + 1)), key=lambda pair: -sum(pair)
    )  # most sets are as large as can be
    seen = set()
    for p, n in fewer:
        S = (*range(p), *range(len(lam) - n, len(lam)))
        if p + n > len(lam) or S in seen:
            continue
        seen.add(S)
        balance = at_rest(landscape, modes, S)
        if balance is None:
            above, below = int(np.sum(lam > 0)), int(np.sum(lam < 0))
            if above <= P and below <= N:
                return RestingLevel(S, 0.0, 0.0, len(lam), above, below)
            continue
        found = _minimum(balance, S, p, n, P, N, len(lam))
        if found is not None:
            return found
    raise ComputationError(
        f"The level at which {positive} positive and {negative} negative units rest was not found: gains of modes are"
        " zero up to rounding; change an eigenvalue a little."
    )


def at_rest(landscape: Landscape, modes: Array, learned: Sequence[int]) -> Balance | None:
    """The balance that has learned these of some modes, each counted by itself; None where weights grow for ever."""
    ones = np.ones(len(modes), dtype=np.int64)
    counts = np.isin(np.arange(len(modes)), list(learned)).astype(np.int64)
    return landscape.balance(modes, ones, counts)


def _minimum(
    balance: Balance, S: tuple[int, ...], p: int, n: int, P: int, N: int, size: int
) -> RestingLevel | None:
    """The level, if p learned modes have gains above zero, n below, and no mode is left for a unit to spare."""
    gains = balance.gains[:size]
    zero = ROUNDING_OF_GAINS * (float(np.abs(balance.base).max(initial=0.0)) or 1.0)
    signs = np.where(np.abs(gains) <= zero, 0, np.sign(gains))
    learned = np.zeros(size, dtype=bool)
    learned[list(S)] = True
    above, below = int(np.sum(signs[learned] > 0)), int(np.sum(signs[learned] < 0))
    free = p + n == size  # modes that both signs may hold
    held = above <= P and below <= N if free else (signs[:p] >= 0).all() and (signs[size - n :] <= 0).all()
    spare = (above < P and (signs[~learned] > 0).any()) or (below < N and (signs[~learned] < 0).any())
    if not held or spare:
        return None
    flat = int(np.sum(~learned & (signs == 0)))
    return RestingLevel(S, balance.shift, balance.loss, len(S) + flat, above, below)
