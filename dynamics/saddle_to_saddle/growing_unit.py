"""One hidden unit that grows on a plateau: the explicit solution of ẇ = a G w, ȧ = ½ wᵀGw for a constant G.

With s = ∫ a dt and the eigenvalues g_i of G the weights are w_i = w_i(0) e^{g_i s}, and what is left is a particle on a
line with zero energy in the potential −F/2 (derived here; theory: "saddle to saddle"),

    ṡ = a,    a² = F(s) = a(0)² + ½ Σ_i w_i(0)² (e^{2 g_i s} − 1) = ½ (Σ_i w_i² − c),    c = ‖w‖² − 2a² conserved.

F is convex. Where it vanishes the particle turns, once at most, and a changes its sign. It runs away to infinity in
a finite time T = ∫ ds/√F if some w_i ≠ 0 grows in its final direction, and else creeps to a limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from dynamics.aliases import Array
from dynamics.errors import ComputationError
from dynamics.saddle_to_saddle.quadrature import integral

ROUNDING = 1e-13  # invariants and minima of F smaller than this, in units of the weights, are rounding errors
CUT = 240.0  # the integral for T stops where F has grown by e^CUT; the rest is below e^(−CUT/2) of it
ACCURACY = 1e-11  # relative, of the integrals over time
TOLERATED = 1e-6  # relative error beyond which an integral is refused


def invariant(w: Array, a: float) -> float:
    """c = ‖w‖² − 2a²; exactly zero for a unit that is balanced up to rounding."""
    size = float(w @ w)
    c = size - 2 * a**2
    return c if abs(c) > ROUNDING * size else 0.0


@dataclass(frozen=True, eq=False)
class FrozenUnit:
    """A unit (w, a) under a constant G = diag(g).

    Parameters
    ----------
    w : (r,) array
        First-layer weights in the eigenbasis of G.
    a : float
        Second-layer weight.
    rates : (r,) array
        Eigenvalues g_i of G.
    invariant : float, optional
        c = ‖w‖² − 2a². Hand it on along a trajectory; recomputed, it would pick up rounding errors.
    """

    w: Array
    a: float
    rates: Array
    invariant: float | None = None

    @cached_property
    def c(self) -> float:
        """Conserved c = ‖w‖² − 2a²."""
        return invariant(self.w, self.a) if self.invariant is None else self.invariant

    @property
    def turns(self) -> bool:
        """Whether a changes its sign on the way."""
        return self.sign * self.a < 0

    @cached_property
    def sign(self) -> float:
        """Sign of a in the end: beyond a zero of F it is that of the direction in which F increases."""
        return float(np.sign(self.a if self._zero is None else self._slope(0.0)))

    @cached_property
    def blow_up_mode(self) -> int | None:
        """Direction that dominates when the unit runs away: the largest g_i sign(a) > 0 with w_i ≠ 0."""
        growth = np.where(self._live, self.sign * self.rates, 0.0)
        best = int(np.argmax(growth))
        return best if growth[best] > 0 else None

    @cached_property
    def blow_up_time(self) -> float:
        """T = ∫ ds/√F; inf if the unit never runs away."""
        return np.inf if self.blow_up_mode is None else self._elapsed(self._start, self._end)

    def after(self, time: float) -> tuple[Array, float]:
        """Weights (w, a) at a time before the blow-up.

        Raises
        ------
        ComputationError
            If the unit has blown up by then, or if the inversion of t(s) does not converge.
        """
        if self.sign == 0 or not self._live.any():
            return self.w.copy(), self.a  # at rest
        if time > 0.5 * self.blow_up_time:
            return self._state(self._position_before(self.blow_up_time - time))
        return self._state(self._position(time))

    def before(self, remaining: float) -> tuple[Array, float]:
        """Weights (w, a) when this time is left until the blow-up.

        Shortly before it a ≈ 1/(g · remaining), which the difference of two times of order 1/ε would not resolve.

        Raises
        ------
        ComputationError
            If the unit never blows up, if that much time was never left, or if the inversion does not converge.
        """
        total = self.blow_up_time
        if np.isinf(total) or remaining > total * (1 + ACCURACY):
            raise ComputationError(
                f"A unit has no state {remaining:g} before its blow-up, which comes after {total:g}."
            )
        if remaining > 0.5 * total:
            return self._state(self._position(max(total - remaining, 0.0)))
        return self._state(self._position_before(remaining))

    # --- The function F(s), in units of the size of the weights that move ---------------------------------

    @cached_property
    def _size(self) -> float:
        """Amplitude by which weights are divided and times multiplied: the flow is homogeneous."""
        moving = self.w[self.rates != 0]
        largest = float(np.abs(moving).max(initial=0.0)) or 1.0  # the squares of tiny weights would vanish
        return max(abs(self.a), largest * float(np.linalg.norm(moving / largest)) / np.sqrt(2)) or 1.0

    @cached_property
    def _live(self) -> NDArray[np.bool_]:
        """Components of w that move (and whose squares do not underflow)."""
        return (self.rates != 0) & ((self.w / self._size) ** 2 > 0)

    @cached_property
    def _exponents(self) -> Array:
        """2 g_i of the live components."""
        return 2 * self.rates[self._live]

    @cached_property
    def _halves(self) -> Array:
        """½ w_i² of the live components."""
        return 0.5 * (self.w[self._live] / self._size) ** 2

    @cached_property
    def _live_c(self) -> float:
        """c without the components at rest."""
        ratio, exponent = np.frexp(self._size)
        unit = float(np.ldexp(1.0, exponent))  # squares neither vanish nor are rounded
        with np.errstate(over="ignore"):  # of components at rest, which are then the larger numbers
            w, a = self.w / unit, self.a / unit
            squares = w**2
            c = invariant(w, a) if self.invariant is None else self.invariant / unit / unit
        live, rest = float(np.sum(squares[self._live])), float(np.sum(squares[~self._live]))
        if abs(c) + rest < ratio**2:  # the smaller numbers to subtract
            return float((c - rest) / ratio**2)
        return float((live - 2 * a**2) / ratio**2)

    def _F(self, s: Array | float) -> Array:
        """a² at positions s, (…), in whichever of its two forms subtracts the smaller numbers."""
        x = np.multiply.outer(s, self._exponents)
        if abs(self._live_c) < 0.5:
            return np.asarray(np.exp(x) @ self._halves - self._live_c / 2)
        return np.asarray((self.a / self._size) ** 2 + np.expm1(x) @ self._halves)

    def _slope(self, s: float) -> float:
        powers = np.exp(np.minimum(self._exponents * s, 700.0))  # beyond, only the sign matters
        return float((self._halves * self._exponents) @ powers)

    @cached_property
    def _bottom(self) -> float | None:
        """Where F is least; None if it is monotone."""
        e = self._exponents
        if not ((e > 0).any() and (e < 0).any()):
            return None
        start = self._slope(0.0)
        if start == 0:
            return 0.0
        far = -np.sign(start) / np.abs(e).max()
        while self._slope(far) * np.sign(start) > 0:
            far *= 2
        return float(brentq(self._slope, 0.0, far, xtol=1e-300, rtol=1e-15))

    @cached_property
    def _lowest(self) -> float:
        """Infimum of F, −c/2 if F is monotone."""
        return -self._live_c / 2 if self._bottom is None else float(self._F(self._bottom))

    @cached_property
    def _zero(self) -> float | None:
        """The zero of F nearest to s = 0, ahead or behind; None if there is none, or only by rounding."""
        if self.a == 0:
            return 0.0
        if self._live_c <= 0 or self._lowest > -ROUNDING:
            return None
        far = self._bottom
        if far is None:
            far = -np.sign(self._slope(0.0)) / np.abs(self._exponents).max()
            while self._F(far) > 0:
                far *= 2
        return float(brentq(self._F, 0.0, far, xtol=1e-300, rtol=1e-15))

    @cached_property
    def _special(self) -> float:
        """The point from which F is measured: its zero, else its minimum, else the start."""
        return next(point for point in (self._zero, self._bottom, 0.0) if point is not None)

    @cached_property
    def _special_halves(self) -> Array:
        """½ w_i² at the special point."""
        return self._halves * np.exp(self._exponents * self._special)

    @cached_property
    def _width(self) -> float:
        """√(2F/F″) at the minimum of F."""
        curvature = float(self._special_halves @ self._exponents**2)
        return float(np.sqrt(2 * max(self._lowest, ROUNDING) / curvature))

    def _rise(self, distance: Array) -> Array:
        """½ w_i² at distances (m,) from the special point minus ½ w_i² there, (m, n)."""
        x = distance[:, None] * self._exponents
        near = self._special_halves * np.expm1(np.minimum(x, 1.0))
        # Far away, a component that has underflowed at the special point may be a large one.
        far = self._halves * np.exp(
            np.where(x > 1.0, self._exponents * (self._special + distance)[:, None], 0.0)
        )
        return np.where(x > 1.0, far - self._special_halves, near)

    # --- The way. A position y that increases with time makes the integrand smooth: -----------------------
    # near a zero of F, s = zero ± y² resolves the square root; near a positive minimum, s = bottom ± β sinh y the
    # peak of 1/√F, of width β; if F is monotone, s = ± y. F is measured from the special point, where rounding
    # would be felt most.

    def _on_the_way(self, y: Array) -> tuple[Array, Array, Array]:
        """(s, |ds/dy|, F) at positions, (m,) each."""
        if self._zero is not None:
            distance = self.sign * y * y
            return self._zero + distance, 2 * np.abs(y), self._rise(distance).sum(axis=1)
        if self._bottom is not None:
            distance = self.sign * self._width * np.sinh(y)
            # The linear terms add up to F′ = 0 but for rounding, and are taken out one by one.
            linear = self._special_halves * self._exponents * distance[:, None]
            F = max(self._lowest, ROUNDING) + (self._rise(distance) - linear).sum(axis=1)
            return self._bottom + distance, self._width * np.cosh(y), F
        s = self.sign * y
        return s, np.ones_like(y), self._F(s)

    def _position_of(self, s: float) -> float:
        """Position y at which the unit is at s, if that lies on the last part of the way."""
        if self._zero is not None:
            return float(np.sqrt(abs(s - self._zero)))
        if self._bottom is not None:
            return float(np.arcsinh(self.sign * (s - self._bottom) / self._width))
        return self.sign * s

    @cached_property
    def _start(self) -> float:
        return self._position_of(0.0) * (-1.0 if self.turns else 1.0)

    @cached_property
    def _end(self) -> float:
        """Position at which F has grown by e^CUT on the way to the blow-up."""
        outwards = self.sign * self._exponents
        growing = outwards > 0
        reach = np.min((CUT - np.log(self._halves[growing])) / outwards[growing])
        return self._position_of(self.sign * float(reach))

    def _paces(self, y: Array) -> Array:
        """dt/dy at positions, (m,), in units of 1/size."""
        _, stretch, F = self._on_the_way(y)
        if self._zero is None:
            return np.asarray(stretch / np.sqrt(F))
        there = np.abs(y) < 1e-100
        F[there] = 1.0
        return np.where(there, 2.0 / np.sqrt(abs(self._slope(self._zero))), stretch / np.sqrt(F))

    def _pace(self, y: float) -> float:
        """dt/dy, in units of 1/size."""
        return float(self._paces(np.array([y]))[0])

    def _elapsed(self, y: float, z: float) -> float:
        """Time from position y to position z."""
        pieces = [y, 0.0, z] if y < 0 < z or z < 0 < y else [y, z]
        parts = [integral(self._paces, p, q, ACCURACY) for p, q in pairwise(pieces)]
        total, error = map(sum, zip(*parts, strict=True))
        if not error <= TOLERATED * abs(total):
            raise ComputationError(
                f"The time that a unit takes on a plateau was found only to {error / self._size:.2g} in"
                f" {abs(total) / self._size:.6g}: its weights span too many orders of magnitude."
            )
        return float(total / self._size)

    def _state(self, y: float) -> tuple[Array, float]:
        """Weights (w, a) at a position."""
        s, _, F = (float(x[0]) for x in self._on_the_way(np.array([y])))
        side = np.sign(y) if self._zero is not None else 1.0
        w = self.w.copy()
        w[self._live] *= np.exp(0.5 * self._exponents * s)
        return w, float(self.sign * side * self._size * np.sqrt(F))

    def _position(self, time: float) -> float:
        """Position y at a time: Newton's method on t(y), kept inside a bracket."""
        y, now, low = self._start, 0.0, self._start
        high = np.inf if self.blow_up_mode is None else self._end
        for _ in range(200):
            new = y + (time - now) * self._size / self._pace(y)
            if abs(new - y) <= 1e-12 * abs(y) or now == time:
                return new
            low, high = (y, high) if now < time else (low, y)
            if not low < new < high:
                new = 0.5 * (low + high)
            if np.isinf(high):  # e^(gs) would overflow far beyond the goal
                new = min(new, 2 * y + 5 / np.abs(self._exponents).max())
            now += self._elapsed(y, new)
            y = new
        raise ComputationError(f"The state of a unit at time {time:g} on a plateau was not found.")

    def _position_before(self, remaining: float) -> float:
        """Position y from which the blow-up is this far: Newton's method on ln t, which is nearly linear in s."""
        if remaining <= 0:
            raise ComputationError(f"The unit has blown up {-remaining:g} before the time asked for.")
        low, high = self._start, self._end
        y = 0.5 * (low + high)
        for _ in range(200):
            left = self._elapsed(y, self._end)
            low, high = (y, high) if left > remaining else (low, y)
            new = y + left * np.log(left / remaining) * self._size / self._pace(y)
            if abs(new - y) <= 1e-12 * abs(y):
                return float(new)
            y = float(new) if low < new < high else 0.5 * (low + high)
        raise ComputationError(f"The state of a unit {remaining:g} before its blow-up was not found.")
