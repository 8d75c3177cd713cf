"""Many small systems integrated at once, each with steps, errors and an end of its own.

What takes the time of one small trajectory is Python's overhead around arrays of a few numbers. Here the states of N
systems are the columns of one array (n, N), all of them try a step at the same time, and those that are done leave.
The methods are those of `dynamics.integration.dop853` and `dynamics.integration.tsit5` with their control of the steps,
column by column; steps end at the sample times.

What a system gives does not depend on those beside it, bit for bit: see `dynamics.integration.bulk_steps`.

Nothing is explained here: what fails, or is too stiff for an explicit method, is given up, for somebody to integrate
it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.integration.bulk_steps import FEWEST, BulkMethod, BulkStep, column_norms, first_steps
from dynamics.integration.contract import BulkField
from dynamics.integration.driver import LARGEST_GROWTH
from dynamics.integration.tableau import Tableau

SHORTEST = 10.0  # steps, in units in the last place of the time
LANDING = 1 - 1e-9  # of the way to a sample time: a step that comes so far ends there

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
    tableau: Tableau,
    rtol: Array,
    atol: Array,
    most: Array,
    watching: Watching | None = None,
) -> BulkSolution:
    """Integrate N systems θ̇ = F(θ) from t = 0.

    Parameters
    ----------
    field : BulkField
    theta0 : (N, n) array
    times : sequence of N arrays
        Increasing sample times of each, none of them empty; the last is where it ends.
    tableau : Tableau
        Of the method.
    rtol, atol : (N,) arrays
        Tolerances per step of each.
    most : (N,) array
        Evaluations after which a system is given up.
    watching : Watching, optional

    Returns
    -------
    BulkSolution
    """
    systems = _Systems(field, theta0, times, BulkMethod(tableau), rtol, atol, most, watching)
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
    t, h, error : (N,) arrays
        Time reached, the step that is proposed, and the error of the last one that was accepted.
    y : (n, N) array
    slopes : (s + 1, n, N) array
        The first of them is F(y).
    rejected : (N,) array
        Whether the last step was.
    """

    def __init__(self, field: BulkField, who: NDArray[np.int64], y: Array, method: BulkMethod) -> None:
        N = y.shape[1]
        self._arrays, self._first = method.stages + 4, method.first
        self._memory = np.empty(self._arrays * y.size)
        self.who, self.field, self.y = who, field, y
        self.t, self.h, self.error = np.zeros((3, N))
        self.rejected = np.zeros(N, dtype=bool)
        self._lay_out()

    def _lay_out(self) -> None:
        """Arrays for the slopes and for work, in the memory that all steps share."""
        arrays = self._memory[: self._arrays * self.y.size].reshape(self._arrays, *self.y.shape)
        self.slopes, (self.end, self.work, self.scale) = arrays[:-3], arrays[-3:]

    def keep(self, columns: NDArray[np.int64]) -> None:
        """Go on with some of them."""
        if len(columns) == 1:
            columns = np.repeat(columns, FEWEST)
        now = self.slopes[self._first][:, columns]
        for name in ("who", "t", "h", "error", "rejected"):
            setattr(self, name, getattr(self, name)[columns])
        self.y = np.ascontiguousarray(self.y[:, columns])
        if len(columns):
            self.field = self.field.kept(columns)
            self._lay_out()
            self.slopes[self._first] = now


class _Systems:
    """All systems: what is asked of them, and what became of them."""

    def __init__(
        self,
        field: BulkField,
        theta0: Array,
        times: Sequence[Array],
        method: BulkMethod,
        rtol: Array,
        atol: Array,
        most: Array,
        watching: Watching | None,
    ) -> None:
        N, longest = len(theta0), max(map(len, times))
        self.field, self.start, self.method, self.watching = field, theta0, method, watching
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
        c = _Columns(self.field.kept(who), who, np.ascontiguousarray(self.last[who].T), self.method)
        if len(who):
            slope = c.slopes[self.method.first]
            c.field(c.y, slope)
            c.h = first_steps(c.field, c.y, slope, self.method.order, self.rtol[who], self.atol[who])
            self.evaluations[who] = 2
        return c

    def go_on(self, c: _Columns) -> None:
        """One step of each, to its next sample time at most, and farewell to those that are done."""
        method, who = self.method, c.who
        target = self.grid[self.at[who], who]
        lands = c.h >= (target - c.t) * LANDING
        step = np.where(lands, target - c.t, c.h)
        method.advance(c.field, c.y, step, c.slopes, c.end, c.work)
        c.field(c.end, c.slopes[method.last])
        self.evaluations[who] += method.stages
        self._set_scale(c)
        error = method.errors(step, c.slopes, c.scale, c.work)
        accepted = error <= 1
        factor = method.factors(error, np.where(c.error > 0, c.error, error))
        factor = np.where(accepted & c.rejected, np.minimum(factor, 1.0), factor)
        # a step that was cut to land on a sample time does not make the next ones shorter
        c.h, proposed = step * factor, c.h
        c.h = np.where(accepted & lands, np.maximum(c.h, proposed), c.h)
        c.error, c.rejected = np.where(accepted, error, c.error), ~accepted
        too_short = ~accepted & (step <= SHORTEST * np.spacing(c.t))
        t = np.where(lands, target, c.t + step)
        if self.watching is not None:
            self._watch(self.watching, c, t, accepted)
        self._accept(c, t, accepted, lands)
        lost = too_short | (self.evaluations[who] > self.most[who])
        lost |= ~(np.abs(c.y).max(axis=0) <= self.largest[who])
        self.given_up[who] |= lost & ~self.done[who]
        self.done |= self.given_up
        if self.done[who].any():
            c.keep(np.flatnonzero(~self.done[who]))

    def _set_scale(self, c: _Columns) -> None:
        """What errors are measured by: atol + rtol max(|y|, |end|)."""
        np.abs(c.y, out=c.scale)
        np.abs(c.end, out=c.work)
        np.maximum(c.scale, c.work, out=c.scale)
        np.multiply(c.scale, self.rtol[c.who], out=c.scale)
        np.add(c.scale, self.atol[c.who], out=c.scale)

    def _watch(self, watching: Watching, c: _Columns, t: Array, accepted: NDArray[np.bool_]) -> None:
        """Ask whether systems end within the step that was just made."""
        who = c.who
        slow = column_norms(c.slopes[self.method.last]) * np.sqrt(len(c.y)) <= watching.speeds[who]
        asked = accepted & (slow | self.slow[who] | (c.field.losses(c.end) <= watching.losses[who]))
        self.slow[who] = np.where(accepted, slow, self.slow[who])
        for column in np.flatnonzero(asked):
            i = int(who[column])
            if self.done[i]:  # its copy was asked already
                continue
            alone = self.field.kept(np.repeat(i, FEWEST))
            ends = c.y[:, column].copy(), c.end[:, column].copy()
            made = BulkStep(self.method, alone, float(c.t[column]), float(t[column]), *ends)
            try:
                end = watching.look(i, made)
            except GiveUp:
                self.given_up[i] = self.done[i] = True
                continue
            if end is not None:
                self.done[i], self.reached[i], self.last[i] = True, end, made(end)

    def _accept(self, c: _Columns, t: Array, accepted: NDArray[np.bool_], lands: NDArray[np.bool_]) -> None:
        """Move on, and keep what is wanted."""
        c.t = np.where(accepted, t, c.t)
        np.copyto(c.y, c.end, where=accepted)
        np.copyto(c.slopes[self.method.first], c.slopes[self.method.last], where=accepted)
        going = accepted & ~self.done[c.who]
        here = np.flatnonzero(going & lands)
        who = c.who[here]
        self.states[who, self.at[who]] = c.y[:, here].T
        self.at[who] += 1
        here = np.flatnonzero(going)
        who = c.who[here]
        self.last[who], self.reached[who] = c.y[:, here].T, c.t[here]
        self.done[who] |= self.at[who] == self.count[who]
