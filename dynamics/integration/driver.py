"""The one function that integrates: it steps a solver, samples, stops early, leaps ahead and reports.

The default tolerances keep the relative error of the loss below 1e-8 and the drift of the conserved
quantities below 1e-9 on the way from a small initialisation through several saddles, because errors grow there
by the same factor as the solution. SciPy's own default `atol` (1e-6) would be larger than a small initial state.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np
from scipy.optimize import brentq

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.integration.contract import (
    FAILED,
    FINISHED,
    RUNNING,
    Leap,
    Method,
    Solver,
    Step,
    Stop,
    StridingSolver,
    VectorField,
)
from dynamics.integration.methods import choose_method
from dynamics.integration.path import Path
from dynamics.integration.report import SolverReport
from dynamics.integration.sampling import (
    BYTES_PER_TIME,
    DEFAULT_RTOL,
    Sampling,
    state_scale,
    validate_tolerance,
)
from dynamics.integration.stretches import StretchedSolver
from dynamics.integration.switching import SwitchingSolver
from dynamics.progress import Bar, flow_bar
from dynamics.validation import validate_count, validate_real

Standing = Callable[[float, Array], str]
LARGEST_GROWTH = 1e50  # of a state: losses, which are higher powers of it, must not overflow
COARSE = 1e-6  # tolerances above are to blame themselves if a solver fails
STANDING_STEPS = 100  # steps in a row that leave the time where it is


@dataclass(frozen=True)
class Shown:
    """What people see of an integration that goes on: its time and, if its end is unknown, where it stands."""

    bar: Bar
    standing: Standing | None

    def update(self, t: float, theta: Array) -> None:
        """Tell where the solution is."""
        if self.standing is not None and self.bar.due:
            self.bar.set_postfix_str(self.standing(t, theta), refresh=False)
        self.bar.update(t - self.bar.n)


def integrate(
    field: VectorField,
    theta0: Array,
    sampling: Sampling,
    *,
    method: str | Method = "auto",
    rtol: float = DEFAULT_RTOL,
    atol: float | None = None,
    stops: Sequence[Stop] = (),
    leap: Leap | None = None,
    max_evaluations: int | None = None,
    progress: bool = False,
    standing: Standing | None = None,
) -> tuple[Array, Array, SolverReport]:
    """Integrate θ̇ = F(θ) from t = 0.

    Parameters
    ----------
    field : VectorField
    theta0 : (n,) array
    sampling : Sampling
    method : str or Method
        One of `METHODS`, where "auto" chooses by the number of unknowns and the tolerance; or a solver of one's own.
    rtol : float
        Relative tolerance per step.
    atol : float, optional
        Absolute tolerance per step; default `rtol` times the root mean square of the initial state.
    stops : sequence of Stop
    leap : callable, optional
        ``leap(t, theta, t_end)`` gives the solution over a long time ahead where that is known, else None.
    max_evaluations : int, optional
        Give up after so many evaluations of the right-hand side.
    progress : bool
        Show a progress bar on standard error if that is a terminal.
    standing : callable, optional
        Given where nobody knows when the integration ends, `sampling.t_end` being far away: ``standing(t, theta)`` says
        beside the time where the solution is.

    Returns
    -------
    times : (T,) array
    states : (T, n) array
    report : SolverReport
        Status "failed" comes with everything computed up to `time_reached`.
    """
    rtol = validate_tolerance(rtol)
    atol = validate_real("atol", rtol * state_scale(theta0) if atol is None else atol, positive=True)
    if max_evaluations is not None:
        validate_count("max_evaluations", max_evaluations)
    chosen = choose_method(method, theta0.size, rtol=rtol, gradient=field.curvature() is not None)
    _check_size(chosen, theta0.size, sampling)
    start, end = time.perf_counter(), sampling.t_end
    events = field.switching(atol)
    if chosen.sample is not None and not (stops or events or progress):
        times = sampling.resolve(end)
        grid = times if times[-1] == end else np.append(times, end)
        sampled, evaluations = chosen.sample(field, theta0, grid, rtol, atol, max_evaluations)
        if sampled is not None:  # else step by step, to see where it fails
            seconds = time.perf_counter() - start
            report = SolverReport(chosen.name, rtol, atol, evaluations, 0, seconds, FINISHED, end)
            return times, sampled[: len(times)], report
    stretches = field.stretches()
    solver: Solver
    if stretches is None:
        solver = chosen.create(field, theta0, end, rtol, atol)
    else:
        solver = StretchedSolver(chosen, stretches, theta0, end, rtol, atol)
    if events is not None:
        solver = SwitchingSolver(solver, events)
    path = Path(theta0, sampling, keep_all=bool(stops))
    free = chosen.strides and not (stops or leap or events or stretches)  # nobody looks at every step
    go = partial(_stride, cast(StridingSolver, solver), path, max_evaluations) if free else solver.step
    with flow_bar(end if standing is None else None, "flow", shown=progress) as bar:
        status, reason = _advance(solver, go, path, stops, leap, max_evaluations, Shown(bar, standing), rtol)
    seconds = time.perf_counter() - start
    message = f"{chosen.name} gave up at t = {path.reached:.6g} of {end:g} ({reason})." if reason else ""
    times, states = path.sampled()
    report = SolverReport(
        chosen.name, rtol, atol, solver.nfev, solver.njev, seconds, status, path.reached, message
    )
    return times, states, report


def _check_size(method: Method, unknowns: int, sampling: Sampling) -> None:
    """Refuse solutions and Jacobians that do not fit into the memory."""
    count = sampling.count if sampling.times is None else len(sampling.times)
    check_memory(
        f"A solution of {unknowns} unknowns at {count} times",
        count * (16 * unknowns + BYTES_PER_TIME),
        "ask for fewer times",
    )
    if method.implicit and not method.matrix_free:
        check_memory(
            f"The method {method.name} with {unknowns} unknowns",
            32 * unknowns**2,
            "choose DOP853 or Tsit5",
        )


def _stride(solver: StridingSolver, path: Path, max_evaluations: int | None) -> str:
    """Steps up to the next state that is wanted."""
    return solver.stride(path.next, sys.maxsize if max_evaluations is None else max_evaluations)


def _advance(
    solver: Solver,
    go: Callable[[], str],
    path: Path,
    stops: Sequence[Stop],
    leap: Leap | None,
    max_evaluations: int | None,
    shown: Shown,
    rtol: float,
) -> tuple[str, str]:
    """Go on, by one step or several, until the end, a stop or a failure; the status and the reason of a failure."""
    better = "smaller" if rtol > COARSE else "larger"
    for stop in stops:
        if stop.function(0.0, solver.y) <= 0:
            return stop.name, ""
    with np.errstate(over="ignore"):  # the speed of a solution that explodes is infinite
        standing, largest = 0, LARGEST_GROWTH * max(1.0, np.abs(path.theta0).max())
        while solver.status == RUNNING:
            t = solver.t
            with np.errstate(all="ignore"):  # a step that is only tried may leave the numbers
                reason = go()
            if solver.status == FAILED:
                return FAILED, f"{reason}: try another method or a {better} rtol"
            standing = standing + 1 if solver.t == t else 0
            if standing == STANDING_STEPS:
                return FAILED, "the solution changes too fast for the time to move on in double precision"
            if not np.abs(solver.y).max() <= largest:
                return FAILED, "the state leaves the numbers: try another method or a smaller rtol"
            stopping = [stop for stop in stops if stop.function(solver.t, solver.y) <= 0]
            if stopping:
                return _stop(solver.within_step(), path, stopping), ""
            # interpolants are not for free
            path.append(solver.within_step() if path.wants(solver.t) else None, solver.t, solver.y)
            if max_evaluations is not None and solver.nfev > max_evaluations:
                return FAILED, f"more than {max_evaluations} evaluations: allow more or shorten the time"
            far = None if leap is None else leap(solver.t, solver.y, solver.t_bound)
            if far is not None:
                path.append(far, far.t, far(far.t))
                solver.restart(far.t, far(far.t))
            shown.update(solver.t, solver.y)
    return FINISHED, ""


def _stop(step: Step, path: Path, stopping: Sequence[Stop]) -> str:
    """Cut the last step at the first of the stops that hold at its end; returns the name of it."""
    end, name = min((crossing(stop, step), stop.name) for stop in stopping)
    path.append(step, end, step(end))
    return name


def crossing(stop: Stop, step: Step) -> float:
    """Time within one step at which the stop's function crosses zero."""
    function = partial(_along, stop, step)
    if function(step.t_old) <= 0:  # an interpolant may differ from the state by rounding
        return float(step.t_old)
    return float(brentq(function, step.t_old, step.t, xtol=1e-14 * step.t))


def _along(stop: Stop, step: Step, t: float) -> float:
    return stop.function(t, step(t))
