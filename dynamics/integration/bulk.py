"""Many small systems integrated at once, each with steps, errors and an end of its own.

What takes the time of one small trajectory is Python's overhead around arrays of a few numbers. Here the states of N
systems are the columns of one array (n, N), all of them try a step at the same time, and those that are done leave.
The method is DOP853 with the coefficients of SciPy and its control of the error [1]_, column by column; steps end at
the sample times, which costs less than interpolating as accurately as the method.

What a system gives does not depend on those beside it, bit for bit: every operation is one of its column, in the same
order however many columns there are. (So there is no BLAS here, whose sums depend on the sizes of the arrays.)

Nothing is explained here: what fails, or is too stiff for an explicit method, is given up, for somebody to integrate
it alone.

References
----------
.. [1] E. Hairer, S. P. Nørsett, G. Wanner, "Solving ordinary differential equations I", II.5 and II.10; not consulted,
   as implemented in `scipy.integrate.DOP853`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import DOP853

from dynamics.aliases import Array
from dynamics.integration.contract import BulkField
from dynamics.integration.driver import LARGEST_GROWTH

SAFETY, SMALLEST_FACTOR, LARGEST_FACTOR, EXPONENT = 0.9, 0.2, 10.0, -1 / 8  # of SciPy's step control
SHORTEST = 10.0  # steps, in units in the last place of the time
FEWEST = 2  # columns: of a single one NumPy would sum in another order

# Stages are kept in an order in which those that a sum needs are neighbours: the second and third are soon forgotten
STAGES = DOP853.n_stages
PLACE = np.array([2, 1, 0, *range(3, STAGES + 1)])
NOW, END = (
    PLACE[0],
    STAGES,
)  # the first stage, and the one at the end of the step, which is the next one's first


def _sums() -> list[tuple[slice, Array]]:
    """Of every later stage, of the step, and of both estimates of its error: which stages, and their weights."""
    rows = [*DOP853.A[1:], DOP853.B, DOP853.E5, DOP853.E3]
    found = []
    for row in rows:
        weights = np.zeros(STAGES + 1)
        weights[PLACE[: len(row)]] = row
        used = np.flatnonzero(weights)
        part = slice(int(used[0]), int(used[-1]) + 1)
        found.append((part, weights[part].copy()))
    return found


*INNER, STEP, ERROR_5, ERROR_3 = _sums()


@dataclass(frozen=True, eq=False)
class BulkStep:
    """The solution within the step of one system, by a shorter step of the same method.

    Parameters
    ----------
    field : BulkField
        Of the system alone.
    t_old, t : float
    before, after : (n,) array
    """

    field: BulkField
    t_old: float
    t: float
    before: Array
    after: Array

    def __call__(self, t: float) -> Array:
        if t >= self.t or t <= self.t_old:
            return self.after if t >= self.t else self.before
        theta = np.repeat(self.before[:, None], FEWEST, axis=1)
        stages, end, work = np.empty((STAGES + 1, *theta.shape)), np.empty_like(theta), np.empty_like(theta)
        with np.errstate(all="ignore"):  # a solution that explodes leaves the numbers within the step too
            self.field(theta, stages[PLACE[0]])
            _advance(self.field, theta, np.full(FEWEST, t - self.t_old), stages, end, work)
        return end[:, 0]


Look = Callable[[int, BulkStep], float | None]
"""``look(system, step)``: the time within its step at which a system ends, or None if it goes on."""


@dataclass(frozen=True, eq=False)
class Watching:
    """When somebody has to look whether a system ends before its last time.

    Parameters
    ----------
    look : callable
        Asked where one of the following holds; it may raise `GiveUp`.
    losses : (N,) array
        Of a system whose loss is at most this; −∞ for never.
    speeds : (N,) array
        Of a system whose speed ‖θ̇‖ is at most this, and at its next step; −∞ for never.
    """

    look: Look
    losses: Array
    speeds: Array


class GiveUp(Exception):
    """A system is better integrated alone."""


@dataclass(frozen=True, eq=False)
class BulkSolution:
    """What became of N systems.

    Parameters
    ----------
    states : (N, T, n) array
        At the sample times of each, NaN where it did not get that far.
    last : (N, n) array
        Where it ended.
    reached : (N,) array
        When.
    evaluations : (N,) array
        Of its right-hand side.
    given_up : (N,) array
        Whether it has to be integrated alone.
    """

    states: Array
    last: Array
    reached: Array
    evaluations: NDArray[np.int64]
    given_up: NDArray[np.bool_]


def integrate_in_bulk(
    field: BulkField,
    theta0: Array,
    times: Sequence[Array],
    *,
    rtol: Array,
    atol: Array,
    watching: Watching | None = None,
    most: Array,
) -> BulkSolution:
    """Integrate N systems θ̇ = F(θ) from t = 0.

    Parameters
    ----------
    field : BulkField
    theta0 : (N, n) array
    times : sequence of N arrays
        Increasing sample times of each, none of them empty; the last is where it ends.
    rtol, atol : (N,) arrays
        Tolerances per step of each.
    watching : Watching, optional
    most : (N,) array
        Evaluations after which a system is given up.

    Returns
    -------
    BulkSolution
    """
    systems = _Systems(field, theta0, times, rtol, atol, watching, most)
    with np.errstate(all="ignore"):  # a step that is only tried may leave the numbers
        columns = systems.begin()
        while len(columns.who):
            systems.go_on(columns)
    return BulkSolution(systems.states, systems.last, systems.reached, systems.evaluations, systems.given_up)


class _Columns:
    """The systems that are not done yet.

    Attributes
    ----------
    who : (N,) array
        Their numbers; one that is left alone is there twice.
    field : BulkField
    t, h : (N,) arrays
        Time reached, and the step that is proposed.
    y : (n, N) array
    stages : (13, n, N) array
        The first of them is F(y).
    rejected : (N,) array
        Whether the last step was.
    """

    def __init__(self, field: BulkField, who: NDArray[np.int64], y: Array) -> None:
        self.n, N = y.shape
        self._memory = np.empty((STAGES + 4) * y.size)
        self.who, self.field, self.y = who, field, y
        self.t, self.h, self.rejected = np.zeros(N), np.zeros(N), np.zeros(N, dtype=bool)
        self._lay_out()

    def _lay_out(self) -> None:
        """Arrays for the stages and for work, in the memory that all steps share."""
        arrays = self._memory[: (STAGES + 4) * self.y.size].reshape(STAGES + 4, *self.y.shape)
        self.stages, (self.end, self.work, self.scale) = arrays[: STAGES + 1], arrays[STAGES + 1 :]

    def keep(self, columns: NDArray[np.int64]) -> None:
        """Go on with some of them."""
        if len(columns) == 1:
            columns = np.repeat(columns, FEWEST)
        now = self.stages[NOW][:, columns]
        for name in ("who", "t", "h", "rejected"):
            setattr(self, name, getattr(self, name)[columns])
        self.y = np.ascontiguousarray(self.y[:, columns])
        if len(columns):
            self.field = self.field.kept(columns)
            self._lay_out()
            self.stages[NOW] = now


class _Systems:
    """All systems: what is asked of them, and what became of them."""

    def __init__(
        self,
        field: BulkField,
        theta0: Array,
        times: Sequence[Array],
        rtol: Array,
        atol: Array,
        watching: Watching | None,
        most: Array,
    ) -> None:
        N, longest = len(theta0), max(map(len, times))
        self.field, self.start, self.watching = field, theta0, watching
        self.rtol, self.atol, self.most = rtol, atol, most
        self.grid = np.full((longest + 1, N), np.inf)
        for i, t in enumerate(times):
            self.grid[: len(t), i] = t
        self.count = np.array([len(t) for t in times])
        self.states = np.full((N, longest, theta0.shape[1]), np.nan)
        self.last, self.reached = np.array(theta0, dtype=float), np.zeros(N)
        self.evaluations, self.given_up = np.zeros(N, dtype=np.int64), np.zeros(N, dtype=bool)
        self.done, self.slow = np.zeros(N, dtype=bool), np.zeros(N, dtype=bool)
        self.at = np.zeros(N, dtype=np.int64)  # number of the next sample time
        self.largest = LARGEST_GROWTH * np.maximum(1.0, np.abs(theta0).max(axis=1))

    def begin(self) -> _Columns:
        """All of them at t = 0, with their first steps."""
        at_start = self.grid[0] == 0
        self.states[at_start, 0] = self.start[at_start]
        self.at += at_start
        self.done |= self.at == self.count
        who = np.flatnonzero(~self.done)
        if len(who) == 1:
            who = np.repeat(who, FEWEST)
        columns = _Columns(self.field.kept(who), who, np.ascontiguousarray(self.last[who].T))
        if len(who):
            columns.field(columns.y, columns.stages[NOW])
            columns.h = self._first_steps(columns)
            self.evaluations[who] = 2
        return columns

    def _first_steps(self, columns: _Columns) -> Array:
        """As of SciPy: a step that changes the solution little, and the slope little against the tolerance."""
        y, f = columns.y, columns.stages[NOW]
        scale = self.atol[columns.who] + np.abs(y) * self.rtol[columns.who]
        d0, d1 = _norm(y / scale), _norm(f / scale)
        h0 = np.where((d0 < 1e-5) | (d1 < 1e-5), 1e-6, 0.01 * d0 / d1)
        columns.field(y + h0 * f, columns.end)
        d2 = _norm((columns.end - f) / scale) / h0
        largest = np.maximum(d1, d2)
        h1 = np.where(largest <= 1e-15, np.maximum(1e-6, h0 * 1e-3), (0.01 / largest) ** -EXPONENT)
        return np.minimum(100 * h0, h1)

    def go_on(self, c: _Columns) -> None:
        """One step of each, to its next sample time at most, and farewell to those that are done."""
        target = self.grid[self.at[c.who], c.who]
        lands = c.h >= (target - c.t) * (1 - 1e-9)
        step = np.where(lands, target - c.t, c.h)
        _advance(c.field, c.y, step, c.stages, c.end, c.work)
        c.field(c.end, c.stages[END])
        self.evaluations[c.who] += STAGES
        error = self._errors(c, step)
        accepted = error < 1
        h = self._next_steps(c, step, error, accepted, lands)
        too_short = ~accepted & (step <= SHORTEST * np.spacing(c.t))
        c.rejected = ~accepted
        t = np.where(lands, target, c.t + step)
        if self.watching is not None:
            self._look(c, t, accepted)
        self._accept(c, t, h, accepted, lands)
        who = c.who
        lost = too_short | (self.evaluations[who] > self.most[who])
        lost |= ~(np.abs(c.y).max(axis=0) <= self.largest[who])
        self.given_up[who] |= lost & ~self.done[who]
        self.done |= self.given_up
        if self.done[who].any():
            c.keep(np.flatnonzero(~self.done[who]))

    def _errors(self, c: _Columns, step: Array) -> Array:
        """Estimated error of each step in units of its tolerance."""
        np.maximum(np.abs(c.y), np.abs(c.end), out=c.scale)
        np.multiply(c.scale, self.rtol[c.who], out=c.scale)
        np.add(c.scale, self.atol[c.who], out=c.scale)
        squares = []
        for part, weights in (ERROR_5, ERROR_3):
            np.einsum("s,sin->in", weights, c.stages[part], out=c.work)
            np.divide(c.work, c.scale, out=c.work)
            squares.append(np.einsum("in,in->n", c.work, c.work))
        fifth, third = squares
        both = fifth + 0.01 * third
        return np.where(both == 0, 0.0, step * fifth / np.sqrt(both * c.n))

    def _next_steps(
        self, c: _Columns, step: Array, error: Array, accepted: NDArray[np.bool_], lands: NDArray[np.bool_]
    ) -> Array:
        """Steps that are proposed next. One that was cut to land on a sample time does not make them shorter."""
        factor = np.fmin(LARGEST_FACTOR, np.fmax(SMALLEST_FACTOR, SAFETY * error**EXPONENT))
        factor = np.where(~accepted | c.rejected, np.minimum(factor, 1.0), factor)
        h = step * factor
        return np.where(accepted & lands, np.maximum(h, c.h), h)

    def _look(self, c: _Columns, t: Array, accepted: NDArray[np.bool_]) -> None:
        """Ask whether systems end within the step that was just made."""
        assert self.watching is not None
        who = c.who
        slow = _norm(c.stages[END]) * np.sqrt(c.n) <= self.watching.speeds[who]
        asked = accepted & (slow | self.slow[who] | (c.field.losses(c.end) <= self.watching.losses[who]))
        self.slow[who] = np.where(accepted, slow, self.slow[who])
        for column in np.flatnonzero(asked):
            i = int(who[column])
            if self.done[i]:  # its copy
                continue
            alone = self.field.kept(np.repeat(i, FEWEST))
            made = BulkStep(
                alone, float(c.t[column]), float(t[column]), c.y[:, column].copy(), c.end[:, column].copy()
            )
            try:
                end = self.watching.look(i, made)
            except GiveUp:
                self.given_up[i] = True
                continue
            if end is not None:
                self._sample(i, made, end)

    def _sample(self, i: int, made: BulkStep, end: float) -> None:
        """A system ends within its step."""
        self.done[i], self.reached[i], self.last[i] = True, end, made(end)

    def _accept(
        self, c: _Columns, t: Array, h: Array, accepted: NDArray[np.bool_], lands: NDArray[np.bool_]
    ) -> None:
        """Move on, and keep what is wanted."""
        c.h = h
        c.t = np.where(accepted, t, c.t)
        np.copyto(c.y, c.end, where=accepted)
        np.copyto(c.stages[NOW], c.stages[END], where=accepted)
        going = accepted & ~self.done[c.who]
        here = np.flatnonzero(going & lands)
        who = c.who[here]
        self.states[who, self.at[who]] = c.y[:, here].T
        self.at[who] += 1
        who, here = c.who[going], np.flatnonzero(going)
        self.last[who], self.reached[who] = c.y[:, here].T, c.t[here]
        self.done[who] |= self.at[who] == self.count[who]


def _advance(field: BulkField, y: Array, h: Array, stages: Array, end: Array, work: Array) -> None:
    """Put the states a step h (N,) after y (n, N) into `end`; the first of the stages is there."""
    for place, (part, weights) in zip(PLACE[1:STAGES], INNER, strict=True):
        np.einsum("s,sin->in", weights, stages[part], out=work)
        np.multiply(work, h, out=work)
        np.add(work, y, out=work)
        field(work, stages[place])
    part, weights = STEP
    np.einsum("s,sin->in", weights, stages[part], out=end)
    np.multiply(end, h, out=end)
    np.add(end, y, out=end)


def _norm(x: Array) -> Array:
    """Root mean square of every column, (N,)."""
    return np.sqrt(np.einsum("in,in->n", x, x) / len(x))
