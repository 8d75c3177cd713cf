"""What every flow has in common: the way it is integrated, the arguments for that, and how it ends or fails."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.curves.followed import Followed
from dynamics.errors import ComputationError, IntegrationError, ProblemError
from dynamics.flows.endings import NOT_CONVERGED, TARGET
from dynamics.integration import (
    DEFAULT_RTOL,
    FINISHED,
    Leap,
    Method,
    Sampling,
    SolverReport,
    Stop,
    VectorField,
    choose_method,
    integrate,
    state_scale,
    validate_tolerance,
)
from dynamics.validation import validate_real

Curve = TypeVar("Curve", bound=Followed)
ROUNDING = 1e-9  # of the end of a flow: what sums of rates may differ by
# tolerance by default where the right-hand side jumps, and steps are as short as it is: losses are good to some 1e-4
COARSE = 1e-5


@dataclass(frozen=True)
class Run:
    """An integration that is about to begin.

    Parameters
    ----------
    open_ended : bool
        Whether it goes on until the flow has come to an end of its own.
    t_end : float
        Where it ends otherwise.
    rtol : float
    """

    open_ended: bool
    t_end: float
    rtol: float


def nothing_to_say(report: SolverReport, theta: Array) -> str:
    """No words about how a flow ended."""
    return ""


@dataclass(frozen=True)
class Watch:
    """What a flow looks out for during an integration, besides what the caller wants.

    Parameters
    ----------
    hazards : tuple of Stop
        Where it ends in failure.
    ends : tuple of Stop
        Where the flow has come to an end of its own; the names are statuses of `dynamics.flows.endings`.
    leap : callable, optional
        As for `dynamics.integration.integrate`.
    speed : float, optional
        That nothing is leapt over where ‖θ̇‖ is larger; None: not known.
    words : callable
        ``words(report, theta)``: what is to be said about the ending, where the solver said nothing.
    """

    hazards: tuple[Stop, ...] = ()
    ends: tuple[Stop, ...] = ()
    leap: Leap | None = None
    speed: float | None = None
    words: Callable[[SolverReport, Array], str] = nothing_to_say


@dataclass(frozen=True, eq=False)
class Task:
    """An integration in all its details.

    Parameters
    ----------
    sampling : Sampling
    method : Method
    rtol, atol : float
    stops : tuple of Stop
    watch : Watch
    open_ended : bool
        As of `Run`.
    """

    sampling: Sampling
    method: Method
    rtol: float
    atol: float
    stops: tuple[Stop, ...]
    watch: Watch
    open_ended: bool


class Flow(VectorField, Generic[Curve]):
    """A vector field with an initial state, and a curve as the result of its integration.

    A flow says what it is: its initial state, right-hand side, Jacobian and loss; until when an open-ended integration
    waits, and what else it looks out for; and what is made of the states.

    Attributes
    ----------
    theta0 : (n,) array
        Initial state.
    default_rtol : float
        Relative tolerance where none is given.
    setup_seconds : float
        Wall-clock time that the reduction and the population loss took, which those of an integration include.
    """

    theta0: Array
    setup_seconds = 0.0
    default_rtol = DEFAULT_RTOL

    @property
    def last_time(self) -> float | None:
        """Time at which the flow ends by definition, such as that of a schedule; None if it goes on."""
        return None

    @property
    def smooth(self) -> bool:
        """Whether the right-hand side is continuous."""
        return True

    @abstractmethod
    def loss(self, theta: Array) -> float:
        """The loss that is watched, at θ."""

    @abstractmethod
    def horizon(self, explicit: bool = False) -> float:
        """Time after which an open-ended integration gives up; `explicit` for a method that stability limits."""

    @abstractmethod
    def watch(self, run: Run) -> Watch:
        """What is looked out for during an integration."""

    @abstractmethod
    def result(self, times: Array, states: Array, report: SolverReport) -> Curve:
        """The curve through states (T, n) at the times (T,)."""

    @property
    def scale(self) -> float:
        """Size of the initial state, which the default absolute tolerance is relative to."""
        return state_scale(self.theta0)

    def observed(self, times: Array, states: Array) -> Array:
        """States (T, n) of the network at the given times, from those of the flow; here the same."""
        return states

    def smaller(self) -> Flow[Curve] | None:
        """A flow of fewer unknowns with the same curve, which is integrated instead; None if there is none."""
        return None

    def failure(self, report: SolverReport, curve: Curve) -> ComputationError:
        """The error of an integration that failed."""
        return IntegrationError(report.message, curve)

    def integrate(
        self,
        t_end: float | None = None,
        *,
        times: ArrayLike | None = None,
        samples: int = 201,
        log_times: bool = False,
        until_loss: float | None = None,
        method: str | Method = "auto",
        rtol: float | None = None,
        atol: float | None = None,
        stops: Sequence[Stop] = (),
        max_evaluations: int | None = None,
        progress: bool = False,
        throw: bool = True,
    ) -> Curve:
        """Integrate from the initial state.

        Parameters
        ----------
        t_end : float, optional
            End time. Without it and without `times` the flow runs until it has come to an end of its own, which the
            status names (see `dynamics.flows.endings`); "finished, not converged" if it does not in a time by which it
            should have. A flow with a schedule runs until that ends.
        times : (T,) array, optional
            Sample times, increasing.
        samples : int
            Number of sample times if `times` is not given, evenly spaced.
        log_times : bool
            Space them evenly in log t over the last four decades instead (t = 0 included).
        until_loss : float, optional
            Stop where the loss falls to this value.
        method : str or Method
            One of `dynamics.integration.METHODS`, where "auto" chooses by the number of unknowns, the
            tolerance, and whether the right-hand side jumps; or a solver of one's own (see
            `dynamics.integration.contract`).
        rtol, atol : float, optional
            Tolerances per step; by default `default_rtol`, at least `COARSE` where the right-hand side jumps, and that
            times the size of the initial state.
        stops : sequence of Stop
            Further reasons to stop, as functions of (t, θ). With them all unknowns are integrated.
        max_evaluations : int, optional
            Give up after so many evaluations of the right-hand side.
        progress : bool
            Show a progress bar on standard error if that is a terminal.
        throw : bool
            Raise if the integration fails (default), or return what was computed, with the status that names the
            failure and the reason as the message of its report.

        Returns
        -------
        The flow's result, a curve

        Raises
        ------
        ProblemError
            If an argument is not usable.
        IntegrationError
            If the integration fails; the error carries the curve up to there.
        """
        flow = self if stops else self.smaller() or self  # stops look at the unknowns of this one
        start = perf_counter()
        task = flow.prepare(
            t_end,
            times=times,
            samples=samples,
            log_times=log_times,
            until_loss=until_loss,
            method=method,
            rtol=rtol,
            atol=atol,
            stops=stops,
        )
        reached, states, report = integrate(
            flow,
            flow.theta0,
            task.sampling,
            method=task.method,
            rtol=task.rtol,
            atol=task.atol,
            stops=task.stops,
            leap=task.watch.leap,
            max_evaluations=max_evaluations,
            progress=progress,
            standing=partial(flow._standing, still=task.watch.speed) if task.open_ended else None,
        )
        report = replace(report, seconds=flow.setup_seconds + perf_counter() - start)
        return flow.conclude(task, reached, states, report, throw)

    def prepare(
        self,
        t_end: float | None = None,
        *,
        times: ArrayLike | None = None,
        samples: int = 201,
        log_times: bool = False,
        until_loss: float | None = None,
        method: str | Method = "auto",
        rtol: float | None = None,
        atol: float | None = None,
        stops: Sequence[Stop] = (),
    ) -> Task:
        """What an integration with these arguments of `integrate` has to do.

        Raises
        ------
        ProblemError
            If an argument is not usable.
        """
        default = self.default_rtol if self.smooth else max(self.default_rtol, COARSE)
        tolerance = validate_tolerance(default if rtol is None else rtol)
        chosen = choose_method(
            method, self.theta0.size, self.smooth, tolerance, gradient=self.curvature() is not None
        )
        open_ended = t_end is None and times is None and self.last_time is None
        if open_ended and not self.smooth:
            raise ProblemError(
                "`t_end` is missing: on samples the gradient of units with a kink jumps, also where they end, so that"
                " no test tells when they have converged."
            )
        horizon = self.horizon(explicit=not chosen.implicit) if self.last_time is None else self.last_time
        sampling = Sampling.create(t_end, times, samples, log_times, horizon=horizon)
        self._check_end(sampling.t_end)
        watch = self.watch(Run(open_ended, sampling.t_end, tolerance))
        return Task(
            sampling,
            chosen,
            tolerance,
            tolerance * self.scale if atol is None else atol,
            (*watch.hazards, *stops, *self._goal(until_loss), *watch.ends),
            watch,
            open_ended,
        )

    def conclude(
        self, task: Task, reached: Array, states: Array, report: SolverReport, throw: bool = True
    ) -> Curve:
        """The result of a task, from the times (T,) and states (T, n) that a solver gave; as of `integrate`."""
        states = self.observed(reached, states)
        if task.open_ended and report.status == FINISHED:
            report = replace(report, status=NOT_CONVERGED)
        if not report.message:
            report = replace(report, message=task.watch.words(report, states[-1]))
        curve = replace(self.result(reached, states, report), again=partial(self.repeat, task))
        hazards = {hazard.name for hazard in task.watch.hazards}
        if throw and (report.failed or report.status in hazards):
            raise self.failure(report, curve)
        return curve

    def repeat(self, task: Task, times: Array, progress: bool = False) -> Curve:
        """The solution of a task at other times, not beyond its end: the same method takes the same steps again."""
        return self.integrate(
            times=times, method=task.method, rtol=task.rtol, atol=task.atol, progress=progress
        )

    def _standing(self, t: float, theta: Array, still: float | None) -> str:
        """How far a flow without an end time is from an end of its own, in words."""
        near = "" if still is None else f" (it rests below {still:.0e})"
        return f"loss {self.loss(theta):.4g}, speed {np.linalg.norm(self(t, theta)):.1e}{near}"

    def _check_end(self, t_end: float) -> None:
        """Refuse times beyond the end of the flow."""
        if self.last_time is not None and t_end > self.last_time * (1 + ROUNDING):
            raise ProblemError(f"The schedule ends at t = {self.last_time:g}, but `t_end` is {t_end:g}.")

    def _goal(self, until_loss: float | None) -> tuple[Stop, ...]:
        """The stop at a value of the loss, if there is one."""
        if until_loss is None:
            return ()
        goal = validate_real("until_loss", until_loss, positive=True)
        return (Stop(TARGET, lambda t, theta: self.loss(theta) - goal, loss=goal),)
