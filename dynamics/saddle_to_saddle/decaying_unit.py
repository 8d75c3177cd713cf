"""One hidden unit on a plateau under weight decay: ẇ = aGw − ρ_w w, ȧ = ½wᵀGw − ρ_a a for a constant G.

Equal decay. In u = e^{ρt}w, b = e^{ρt}a and the time s = (1 − e^{−ρt})/ρ it is the unit without decay, exactly and from
any state (derived here): that has run away at s = T₀, or not before the end of all times, s = 1/ρ. So

    the unit escapes iff ρT₀ < 1,   at   t = −ln(1 − ρT₀)/ρ,

and else it decays for ever. T₀ is inversely proportional to the size of the unit.

Unequal decay. With s = ∫a dt the first layer is w_i = w_i(0) e^{g_i s − ρ_w t}, which leaves (derived here)

    ṡ = a,   ȧ = ½ e^{−2ρ_w t} Σ_i g_i w_i(0)² e^{2g_i s} − ρ_a a.

It is integrated until the unit is so large that decay has no time left to matter, or until it can never grow: with
the largest |g_i| = g and κ = ρ_w − max(0, max_i g_i a) it is lost once g‖w‖ < κ. For while w pushes a by less than
κ/2g, and decay of a brings no g_i a above max(0, g_i a), ‖w‖² falls at least as e^{−κt}, which pushes a by less than
½g‖w‖²/κ < κ/2g in all (derived here). An a of the wrong sign may stay for ever if ρ_a = 0.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.integrate import solve_ivp

from dynamics.aliases import Array
from dynamics.errors import ComputationError
from dynamics.problem.weight_decay import WeightDecay
from dynamics.saddle_to_saddle.growing_unit import FrozenUnit

FREE = 1e-7  # e-foldings of decay that a unit may lose on the rest of its way to count as free of it
RTOL, ATOL = 1e-10, 1e-14  # of the integration in the natural units of the start
CLOSE = 1e-8  # relative accuracy of a critical scale


class GrowingUnit(Protocol):
    """A unit (w, a) under a constant G = diag(g), with or without decay."""

    @property
    def w(self) -> Array:
        """First-layer weights in the eigenbasis of G, (r,)."""

    @property
    def a(self) -> float:
        """Second-layer weight."""

    @property
    def rates(self) -> Array:
        """Eigenvalues g_i of G, (r,)."""

    @property
    def sign(self) -> float:
        """Sign of a in the end."""

    @property
    def blow_up_mode(self) -> int | None:
        """Direction in which the unit runs away; None if it does not."""

    @property
    def blow_up_time(self) -> float:
        """When it has; inf if it never does."""

    def after(self, time: float) -> tuple[Array, float]:
        """Weights (w, a) at a time before."""

    def before(self, remaining: float) -> tuple[Array, float]:
        """Weights (w, a) when this time is left."""


def growing_unit(w: Array, a: float, rates: Array, decay: WeightDecay, c: float | None = None) -> GrowingUnit:
    """The unit (w, a) under G = diag(rates) and the given decay; c = ‖w‖² − 2a², where it is known better than w."""
    if decay and not decay.equal:
        return UnevenlyDecayingUnit(w, a, rates, decay)
    bare = FrozenUnit(w, a, rates, c)
    return DecayingUnit(bare, decay.first) if decay else bare


@dataclass(frozen=True, eq=False)
class DecayingUnit:
    """A unit both layers of which decay at the same rate ρ > 0.

    Parameters
    ----------
    bare : FrozenUnit
        The same without decay.
    rho : float
    """

    bare: FrozenUnit
    rho: float

    @property
    def w(self) -> Array:
        return self.bare.w

    @property
    def a(self) -> float:
        return self.bare.a

    @property
    def rates(self) -> Array:
        return self.bare.rates

    @property
    def sign(self) -> float:
        return self.bare.sign

    @property
    def blow_up_mode(self) -> int | None:
        return self.bare.blow_up_mode if np.isfinite(self.blow_up_time) else None

    @property
    def blow_up_time(self) -> float:
        """t = −ln(1 − ρT₀)/ρ; inf from ρT₀ = 1 on."""
        spent = self.rho * self.bare.blow_up_time
        return float(-np.log1p(-spent) / self.rho) if spent < 1 else np.inf

    def after(self, time: float) -> tuple[Array, float]:
        """Weights (w, a) at a time before the blow-up; raises as `FrozenUnit.after` does."""
        u, b = self.bare.after(float(-np.expm1(-self.rho * time) / self.rho))
        left = float(np.exp(-self.rho * time))
        return u * left, b * left

    def before(self, remaining: float) -> tuple[Array, float]:
        """Weights (w, a) when this time is left; raises as `FrozenUnit.before` does."""
        total = self.blow_up_time
        if np.isinf(total) or remaining > total:
            return self.bare.before(np.inf)  # refuses
        # s(T) − s(T − remaining), without the difference of two nearly equal times
        left = np.exp(-self.rho * total) * np.expm1(self.rho * remaining) / self.rho
        u, b = self.bare.before(float(left))
        factor = float(np.exp(-self.rho * (total - remaining)))
        return u * factor, b * factor


@dataclass(frozen=True, eq=False)
class UnevenlyDecayingUnit:
    """A unit the layers of which decay at different rates.

    Parameters
    ----------
    w : (r,) array
    a : float
    rates : (r,) array
    decay : WeightDecay
    """

    w: Array
    a: float
    rates: Array
    decay: WeightDecay

    @property
    def sign(self) -> float:
        """Sign of a when the unit has run away, or when it has got too small for that."""
        return float(np.sign(self._end[1].a))

    @property
    def blow_up_mode(self) -> int | None:
        return self._end[1].blow_up_mode if np.isfinite(self.blow_up_time) else None

    @cached_property
    def blow_up_time(self) -> float:
        time, free = self._end
        return time + free.blow_up_time if self._is_free(free) else np.inf

    def after(self, time: float) -> tuple[Array, float]:
        """Weights (w, a) at a time before the blow-up.

        Raises
        ------
        ComputationError
            If the unit has blown up by then.
        """
        switch, free = self._end
        if np.isfinite(self.blow_up_time) and time > switch:
            return free.before(self.blow_up_time - time)
        way = solve_ivp(
            self._field, (0.0, time * self._pace), [0.0, self.a / self._size], "LSODA", rtol=RTOL, atol=ATOL
        )
        return self._state(way.t[-1], way.y[:, -1])

    def before(self, remaining: float) -> tuple[Array, float]:
        """Weights (w, a) when this time is left.

        Raises
        ------
        ComputationError
            If the unit never blows up, or that much time was never left.
        """
        total = self.blow_up_time
        if np.isinf(total) or remaining > total:
            raise ComputationError(
                f"A unit has no state {remaining:g} before its blow-up, which comes after {total:g}."
            )
        switch, free = self._end
        return free.before(remaining) if remaining <= total - switch else self.after(total - remaining)

    # --- In natural units: x = gs, α = a/size, θ = g·size·t ------------------------------------------------

    @cached_property
    def _size(self) -> float:
        return max(abs(self.a), float(np.linalg.norm(self.w))) or 1.0

    @cached_property
    def _fastest(self) -> float:
        return float(np.abs(self.rates).max(initial=0.0)) or 1.0

    @cached_property
    def _pace(self) -> float:
        return self._fastest * self._size

    @cached_property
    def _start(self) -> Array:
        return (self.w / self._size) ** 2

    @cached_property
    def _rates(self) -> Array:
        return self.rates / self._fastest

    @cached_property
    def _rho_w(self) -> float:
        return self.decay.first / self._pace

    @cached_property
    def _rho_a(self) -> float:
        return self.decay.second / self._pace

    def _squares(self, theta: float, x: float) -> Array:
        """w_i², (r,)."""
        return self._start * np.exp(np.minimum(2 * (x * self._rates - self._rho_w * theta), 600.0))

    def _field(self, theta: float, y: Array) -> list[float]:
        x, alpha = y
        return [alpha, self._push(self._squares(theta, x), alpha)]

    def _push(self, squares: Array, alpha: float) -> float:
        """dα/dθ."""
        return 0.5 * float(self._rates @ squares) - self._rho_a * alpha

    def _state(self, theta: float, y: Array) -> tuple[Array, float]:
        w = np.sign(self.w) * np.sqrt(self._squares(theta, y[0])) * self._size
        return w, float(y[1]) * self._size

    def _is_free(self, unit: FrozenUnit) -> bool:
        """Whether a unit runs away before it could decay by more than `FREE`."""
        return unit.blow_up_time * max(self.decay.first, self.decay.second) < FREE

    @cached_property
    def _end(self) -> tuple[float, FrozenUnit]:
        """When decay no longer matters, because the unit is free of it or lost to it, and the unit then."""
        y, high = np.array([0.0, self.a / self._size, 0.0]), 1.0

        def field(tau: float, y: Array) -> list[float]:
            x, alpha, theta = y
            squares = self._squares(theta, x)
            # a clock that takes the same time for every doubling of a large unit
            speed = 1 + abs(alpha) + float(np.sqrt(squares.sum()))
            return [alpha / speed, self._push(squares, alpha) / speed, 1 / speed]

        def lost(tau: float, y: Array) -> float:
            fastest = float((self._rates * y[1]).max(initial=0.0))  # growth of w, decay aside
            return float(np.sqrt(self._squares(y[2], y[0]).sum())) + fastest - self._rho_w

        def large(tau: float, y: Array) -> float:
            return max(abs(y[1]), float(np.sqrt(self._squares(y[2], y[0]).sum()))) - high

        lost.terminal = large.terminal = True  # type: ignore[attr-defined]
        while True:
            unit = FrozenUnit(*self._state(y[2], y[:2]), self.rates)
            time = float(y[2]) / self._pace
            if lost(0.0, y) <= 0 or not (self.rates * self.w).any() or self._is_free(unit):
                return time, unit
            extent = max(abs(y[1]), float(np.sqrt(self._squares(y[2], y[0]).sum())))
            high = max(10 * extent, max(self._rho_w, self._rho_a) / FREE)
            with warnings.catch_warnings(action="ignore", category=UserWarning):  # of a failure: said below
                way = solve_ivp(field, (0.0, 1e12), y, "LSODA", events=[lost, large], rtol=RTOL, atol=ATOL)
            if way.status != 1:
                raise ComputationError(
                    f"What becomes of a unit was not found: its rates of decay, {self.decay}, lie too far apart."
                )
            y = way.y[:, -1]
            if len(way.t_events[0]):
                return float(y[2]) / self._pace, FrozenUnit(*self._state(y[2], y[:2]), self.rates)


def smallest_factor(units: Sequence[tuple[Array, float]], rates: Array, decay: WeightDecay) -> float:
    """The least `critical_factor` of several units (w, a)."""
    alone = [FrozenUnit(w, a, rates).blow_up_time for w, a in units]
    least = np.inf
    for n in np.argsort(alone):
        w, a = units[n]
        f = least * (1 - CLOSE)
        if decay.equal or np.isinf(least) or growing_unit(f * w, f * a, rates, decay).blow_up_time < np.inf:
            least = min(least, critical_factor(w, a, rates, decay))
    return float(least)


def critical_factor(w: Array, a: float, rates: Array, decay: WeightDecay) -> float:
    """Factor on the weights (w, a) of a unit below which it never escapes; inf if no factor makes it.

    ρT₀ where both layers decay alike; where they do not, found by bisection.

    Parameters
    ----------
    w : (r,) array
        In the eigenbasis of G.
    a : float
    rates : (r,) array
        Eigenvalues of G.
    decay : WeightDecay
        Other than none.
    """
    alone = FrozenUnit(w, a, rates).blow_up_time
    if decay.equal or np.isinf(alone):
        return decay.first * alone
    if decay.first == 0:  # w stays, and pushes a to one side until it grows
        return 0.0

    def escapes(log_factor: float) -> bool:
        f = float(np.exp(log_factor))
        return bool(np.isfinite(UnevenlyDecayingUnit(f * w, f * a, rates, decay).blow_up_time))

    low = high = float(np.log(max(decay.first, decay.second) * alone))
    while not escapes(high):
        high += np.log(4)
    while escapes(low):
        low -= np.log(4)
    while high - low > CLOSE:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if escapes(middle) else (middle, high)
    return float(np.exp(0.5 * (low + high)))
