"""Learned modes under weight decay that see each other through the trace: every solution, isolated.

Units that hold modes of eigenvalue λ_b see x_b = λ_b + τ/2 of them, and learn the value μ_b(x_b) of
`dynamics.problem.decayed_mode`, which changes the trace of the residual, τ = Σλ − Σ_b m_b μ_b. So τ is a zero of

    F(τ) = τ − Σλ + Σ_b m_b μ_b(λ_b + τ/2),    F' = 1 + Σ_b m_b/s_b.

Every μ_b and every 1/s_b is monotone in τ, so values at both ends of an interval bound F and F' inside. An interval is
halved until F has no zero in it, or is monotone: then no solution is missed, but pairs that coincide up to rounding
(derived here). Without trace coupling τ = 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scipy.optimize import brentq

from dynamics.problem.decayed_mode import eigenvalue, fold, slope

NARROW = 1e-14  # of the largest |x|: intervals of τ no wider than that are not halved
PRECISION = 8.9e-16  # relative, four units in the last place, the least that brentq takes


class Holding(NamedTuple):
    """Units that hold some modes, on one root.

    Parameters
    ----------
    mean : float
        Average eigenvalue of the modes.
    modes : int
        Their number m_b.
    units : int
        Number of the units; at least as many.
    sign : int
        Sign of the a of the units: that of γ and μ, and of what they see.
    lower : bool
        Whether it is the lower root.
    """

    mean: float
    modes: int
    units: int
    sign: int
    lower: bool


class _Ends(NamedTuple):
    """Where F is evaluated, its value, and μ_b, 1/s_b."""

    tau: float
    F: float
    mu: tuple[float, ...]
    slope: tuple[float, ...]


def traces(
    holdings: Sequence[Holding], total: float, strength: float, trace_coupling: float
) -> Iterator[float]:
    """Every residual trace τ at which the units can hold what they hold; of the centred activation 0 stands for τ.

    Parameters
    ----------
    holdings : sequence of Holding
    total : float
        Σλ over all modes.
    strength : float
        R̂ > 0, see `dynamics.problem.decayed_mode.decay_strength`.
    trace_coupling : float
        1 for the quadratic activation, 0 for the centred one.
    """
    folds = [fold(h.units / h.modes * strength) for h in holdings]
    if not trace_coupling:
        if all(h.sign * h.mean >= theta for h, theta in zip(holdings, folds, strict=True)):
            yield 0.0
        return
    # Positive units lower τ below Σλ, negative ones raise it; both need x beyond the fold.
    low, high = (-math.inf, total), (total, math.inf)
    bounds = [
        (2 * (theta - h.mean), math.inf) if h.sign > 0 else (-math.inf, -2 * (theta + h.mean))
        for h, theta in zip(holdings, folds, strict=True)
    ]
    signs = {h.sign for h in holdings}
    if len(signs) < 2:
        bounds.append(low if 1 in signs else high if signs else (total, total))
    a, b = max(start for start, _ in bounds), min(end for _, end in bounds)
    if a == b:
        yield a
    if a >= b:
        return
    constants = [h.units / h.modes * strength for h in holdings]

    def ends(tau: float) -> _Ends:
        mu, slopes = [], []
        for h, c in zip(holdings, constants, strict=True):
            gamma = eigenvalue(h.sign * (h.mean + tau / 2), c, h.lower)
            mu.append(h.sign * c / gamma**3)
            slopes.append(h.modes * slope(gamma, c) if gamma != (12 * c) ** 0.25 else _vertical(h.lower))
        F = tau - total + sum(h.modes * value for h, value in zip(holdings, mu, strict=True))
        return _Ends(tau, F, tuple(mu), tuple(slopes))

    sizes = tuple(h.modes for h in holdings)
    narrow = NARROW * max(abs(a), abs(b), *(abs(h.mean) for h in holdings))
    pending = [(ends(a), ends(b))]
    while pending:
        left, right = pending.pop()
        state = _bounded(left, right, sizes, total)
        if state is None:
            continue
        if state:
            if left.F == 0:
                yield left.tau
            elif left.F * right.F < 0:
                yield float(brentq(lambda tau: ends(tau).F, left.tau, right.tau, xtol=1e-300, rtol=PRECISION))
        elif right.tau - left.tau > narrow:
            middle = ends((left.tau + right.tau) / 2)
            pending += [(middle, right), (left, middle)]


def _vertical(lower: bool) -> float:
    return -math.inf if lower else math.inf


def _bounded(left: _Ends, right: _Ends, sizes: tuple[int, ...], total: float) -> bool | None:
    """None if F has no zero between the ends, True if it is monotone there, False if neither is certain."""
    values = [(m * mu, m * nu) for m, mu, nu in zip(sizes, left.mu, right.mu, strict=True)]
    if left.tau - total + sum(map(min, values)) > 0 or right.tau - total + sum(map(max, values)) < 0:
        return None
    slopes = list(zip(left.slope, right.slope, strict=True))
    return 1 + sum(map(min, slopes)) > 0 or 1 + sum(map(max, slopes)) < 0
