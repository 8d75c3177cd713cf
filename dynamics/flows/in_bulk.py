"""Flows that are integrated in bulk: what each gives is what it would give alone, within the tolerances.

Taken together are flows that are polynomials of one program, with few unknowns, by an explicit method. Everything out
of the ordinary is left to the flow itself: a system that is stiff, fails, waits on a plateau or has ended before it
began is integrated alone.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic

import numpy as np

from dynamics.aliases import Array
from dynamics.flows.base import Curve, Flow, Task
from dynamics.integration import FINISHED, SolverReport
from dynamics.integration.bulk import BulkSolution, GiveUp, Watching, integrate_in_bulk
from dynamics.integration.bulk_steps import BulkStep
from dynamics.integration.dop853 import TABLEAU as DOP853
from dynamics.integration.driver import crossing
from dynamics.integration.tsit5 import TABLEAU as TSIT5
from dynamics.requests import attempt

LARGEST = 100  # unknowns; above, arrays are large enough for one flow to fill them
MOST = 200_000  # evaluations of a flow; what takes more is stiff, and better off with an implicit method
UNTIL_DECIDED = (
    500_000  # likewise of one that is followed to its end over plateaus, most of which are over by then
)
MOST_LOOKS = 100  # at the end of a flow; more are a long wait on a plateau
TABLEAUS = {
    "auto": DOP853,
    "DOP853": DOP853,
    "Tsit5": TSIT5,
}  # of the methods by which flows are integrated in bulk
ROUNDING = 1e-9  # relative, between what is computed in bulk and alone


@dataclass(frozen=True, eq=False)
class Integration(Generic[Curve]):
    """A request for the integration of a flow; see `dynamics.requests`.

    Parameters
    ----------
    flow : Flow
    arguments : dict
        Of its `integrate`.
    most : int, optional
        Evaluations in bulk, where they cost a hundredth, after which it is integrated alone; by default as many as it
        may take at all, at most `MOST`.
    """

    flow: Flow[Curve]
    arguments: Mapping[str, Any]
    most: int | None = None

    def alone(self) -> Curve:
        """Integrate it."""
        return self.flow.integrate(**self.arguments)

    def kin(self) -> Hashable | None:
        """Method and program of the flow; None if it has none, or is large, or asks for a method of another kind."""
        if self.flow.theta0.size > LARGEST or self.method not in TABLEAUS:
            return None
        polynomial = self.flow.polynomial()
        return None if polynomial is None else (self.method, polynomial[0])

    @property
    def method(self) -> Any:
        """The method that is asked for."""
        return self.arguments.get("method", "auto")

    def together(self, requests: Sequence[Integration[Any]]) -> list[Any]:
        """Curves, or what went wrong."""
        return integrate_together(requests)


@dataclass(eq=False)
class _Member:
    """A request on its way."""

    request: Integration[Any]
    task: Task
    status: str = FINISHED
    looks: int = 0
    evaluations: int = 0

    @property
    def flow(self) -> Flow[Any]:
        return self.request.flow

    @property
    def most(self) -> int:
        """Evaluations after which it is given up."""
        return self.request.most or min(self.request.arguments.get("max_evaluations") or MOST, MOST)

    @property
    def grid(self) -> Array:
        """Times at which states are wanted whatever happens; an open end is nowhere near."""
        sampling = self.task.sampling
        times = np.array([sampling.t_end]) if self.task.open_ended else sampling.resolve(sampling.t_end)
        return times if times[-1] == sampling.t_end else np.append(times, sampling.t_end)

    def look(self, step: BulkStep) -> float | None:
        """As `dynamics.integration.driver` does after each step: whether one of the stops holds, or there is a leap."""
        self.looks += 1
        stopping = [stop for stop in self.task.stops if stop.function(step.t, step.after) <= 0]
        if stopping:
            end, self.status = min((crossing(stop, step), stop.name) for stop in stopping)
            return end
        leap = self.task.watch.leap
        if self.looks > MOST_LOOKS or (leap and leap(step.t, step.after, self.task.sampling.t_end)):
            raise GiveUp
        return None

    def threshold(self, name: str) -> float:
        """Loss or speed above which nobody has to look."""
        known = [getattr(stop, name) for stop in self.task.stops]
        known += [self.task.watch.speed] if name == "speed" and self.task.watch.leap else []
        return max((x * (1 + ROUNDING) for x in known if x is not None), default=-np.inf)


def integrate_together(requests: Sequence[Integration[Any]]) -> list[Any]:
    """The curves of flows of one program, or the exceptions that their own `integrate` would raise."""
    start, found = time.perf_counter(), dict[int, Any]()
    members: dict[int, _Member] = {}
    for i, request in enumerate(requests):
        member = _begin(request)
        if member is None:
            found[i] = attempt(request.alone)
        else:
            members[i] = member
    finished = _follow(list(members.values())) if members else []
    seconds = (time.perf_counter() - start) / max(len(members), 1)
    for (i, member), path in zip(members.items(), finished, strict=True):
        found[i] = attempt(member.request.alone) if path is None else attempt(path.curve, seconds)
    return [found[i] for i in range(len(requests))]


def _begin(request: Integration[Any]) -> _Member | None:
    """The request, if it can be taken into a bulk."""
    arguments = {k: v for k, v in request.arguments.items() if k not in _OF_DRIVER}
    try:
        member = _Member(request, request.flow.prepare(**arguments))
    except Exception:  # which it will raise alone too
        return None
    stops, watch, theta0 = member.task.stops, member.task.watch, request.flow.theta0
    blind = any(stop.loss is None and stop.speed is None for stop in stops)
    if blind or (watch.leap and watch.speed is None):
        return None
    if request.flow.switching(member.task.atol) is not None or request.flow.stretches() is not None:
        return None
    return None if any(stop.function(0.0, theta0) <= 0 for stop in stops) else member


_OF_DRIVER = ("max_evaluations", "progress", "throw")  # arguments that are no part of the task


@dataclass(frozen=True, eq=False)
class _Path:
    """Where a member came by: states (T, n) at times (T,)."""

    member: _Member
    times: Array
    states: Array
    reached: float

    def curve(self, seconds: float) -> Any:
        """As `integrate` returns it, or raises."""
        member, task = self.member, self.member.task
        report = SolverReport(
            TABLEAUS[member.request.method].name,
            task.rtol,
            task.atol,
            member.evaluations,
            0,
            seconds,
            member.status,
            self.reached,
        )
        throw = member.request.arguments.get("throw", True)
        return member.flow.conclude(task, self.times, self.states, report, throw)


def _follow(members: Sequence[_Member]) -> list[_Path | None]:
    """The paths of all members; None of those that are given up.

    Where sample times depend on the end, a flow is followed once more, up to there.
    """
    watching = Watching(
        lambda i, step: members[i].look(step),
        np.array([member.threshold("loss") for member in members]),
        np.array([member.threshold("speed") for member in members]),
    )
    first = _in_bulk(members, [member.grid for member in members], watching)
    paths: dict[int, _Path] = {}
    again: dict[int, _Path] = {}
    for i in np.flatnonzero(~first.given_up).tolist():
        member, reached, last = members[i], float(first.reached[i]), first.last[i][None]
        times = _sample_times(member, reached)
        asked = member.task.sampling.times is not None
        if member.status == FINISHED and not member.task.open_ended:
            states = first.states[i, : len(times)]
        elif asked:
            known = first.states[i, : int(np.sum(member.grid[: len(times)] <= reached))]
            states = np.concatenate([known, last])[: len(times)]
        else:
            states = np.concatenate([member.flow.theta0[None], last])[: len(times)]
        path = _Path(member, times, states, reached)
        (paths if len(states) == len(times) else again)[i] = path
    if again:
        unknown = [path.times[1:-1] for path in again.values()]
        second = _in_bulk([path.member for path in again.values()], unknown, None)
        for row, (i, path) in enumerate(again.items()):
            if not second.given_up[row]:
                between = second.states[row, : len(path.times) - 2]
                states = np.concatenate([path.states[:1], between, path.states[-1:]])
                paths[i] = replace(path, states=states)
    return [paths.get(i) for i in range(len(members))]


def _sample_times(member: _Member, reached: float) -> Array:
    """As of `dynamics.integration.path.Path.sampled`."""
    sampling = member.task.sampling
    if sampling.times is None or not reached:
        return sampling.resolve(reached) if reached else np.zeros(1)
    times = sampling.times[sampling.times <= reached]
    early = len(times) < len(sampling.times) and reached > times[-1:].max(initial=-1.0)
    return np.append(times, reached) if early else times


def _in_bulk(members: Sequence[_Member], grids: Sequence[Array], watching: Watching | None) -> BulkSolution:
    """Integrate members to sample times of each, and count their evaluations."""
    polynomials = [polynomial for member in members if (polynomial := member.flow.polynomial()) is not None]
    field = polynomials[0][0].in_bulk(np.stack([numbers for _, numbers in polynomials], axis=1))
    solution = integrate_in_bulk(
        field,
        np.stack([member.flow.theta0 for member in members]),
        grids,
        tableau=TABLEAUS[members[0].request.method],
        rtol=np.array([member.task.rtol for member in members]),
        atol=np.array([member.task.atol for member in members]),
        watching=watching,
        most=np.array([member.most for member in members]),
    )
    for member, evaluations in zip(members, solution.evaluations.tolist(), strict=True):
        member.evaluations += evaluations
    return solution
