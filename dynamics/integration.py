"""SciPy's solvers behind one function that chooses the method, samples, stops early and reports.

The choice of method was measured: after convergence a gradient flow is stiff, so small systems go to
LSODA with the analytic Jacobian; for large ones a dense implicit step costs more than it saves and DOP853
is used. The default tolerances keep the relative error of the loss below 1e-8 and the drift of the conserved
quantities below 1e-9 on the way from a small initialisation through several saddles, because errors grow there
by the same factor as the solution. SciPy's own default `atol` (1e-6) would be larger than a small initial state.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import BDF, DOP853, LSODA, RK23, RK45, Radau
from scipy.optimize import brentq

from dynamics.budget import check_memory
from dynamics.ensemble.taylor import TaylorSolver, sample
from dynamics.errors import ProblemError
from dynamics.leaping import LeapingSolver
from dynamics.validation import validate_choice, validate_count, validate_real, validate_times
from dynamics.vanishing_units import SwitchingSolver

Array = NDArray[np.float64]

SOLVERS = {"LSODA": LSODA, "DOP853": DOP853, "RK45": RK45, "RK23": RK23, "Radau": Radau, "BDF": BDF}
METHODS = ("auto", *SOLVERS, "Taylor")
EXPLICIT = (DOP853, RK45, RK23)
IMPLICIT = tuple(name for name, solver in SOLVERS.items() if solver not in EXPLICIT)
LARGEST_IMPLICIT = 300  # unknowns; above, the dense linear algebra of an implicit step dominates
DEFAULT_RTOL = 1e-12
BYTES_PER_TIME = 500  # of times, loss, stages and their text in a file
SHORTEST = 1e-100  # time to integrate over; LSODA's first step, smaller by far, must not underflow
LARGEST_GROWTH = 1e50  # of a state: losses, which are higher powers of it, must not overflow
STANDING_STEPS = 100  # steps in a row that leave the time where it is


class VectorField(Protocol):
    """Right-hand side of θ̇ = F(θ); `jacobian` gives dF/dθ.

    Taylor's method asks for a method `polynomial` instead, as of `dynamics.flow.GradientFlow`.
    """

    def __call__(self, t: float, theta: Array) -> Array:
        """F(θ)."""

    def jacobian(self, t: float, theta: Array) -> Array:
        """dF/dθ, (n, n)."""


@dataclass(frozen=True)
class Stop:
    """A reason to stop early: the integration ends where `function(t, θ)` crosses zero."""

    name: str
    function: Callable[[float, Array], float]


class Step(Protocol):
    """The solution from `t_old` to `t`, as a function of time."""

    @property
    def t_old(self) -> float:
        """Start."""

    @property
    def t(self) -> float:
        """End."""

    def __call__(self, t: float) -> Array:
        """θ(t)."""


Leap = Callable[[float, Array, float], Step | None]


@dataclass(frozen=True)
class SolverReport:
    """What the solver did.

    Parameters
    ----------
    method : str
        Name of the method that was used: SciPy's, or "Taylor" (see `dynamics.ensemble.taylor`).
    rtol, atol : float
        Tolerances per step.
    evaluations, jacobian_evaluations : int
        Of the right-hand side (those for samples within a step included; of Taylor's method the number of
        expansions) and of its Jacobian.
    seconds : float
        Wall-clock time of the integration.
    status : str
        "finished" (end time reached), the name of the `Stop` that ended it, or "failed".
    time_reached : float
    message : str
        Empty, or why the solver failed and what to do about it.
    """

    method: str
    rtol: float
    atol: float
    evaluations: int
    jacobian_evaluations: int
    seconds: float
    status: str
    time_reached: float
    message: str = ""


@dataclass(frozen=True, eq=False)
class Sampling:
    """Where a solution is wanted: at given times, or at a number of times up to the end."""

    t_end: float
    times: Array | None
    count: int
    logarithmic: bool

    @classmethod
    def create(
        cls, t_end: object, times: object, samples: object, log_times: bool, horizon: float
    ) -> Sampling:
        """Check the user's wishes; without `t_end` and `times` the end is `horizon`."""
        count = validate_count("samples", samples, minimum=2)
        check_memory(f"A curve at {count} times", BYTES_PER_TIME * count, "ask for fewer times")
        if times is not None:
            t = validate_times(times)  # type: ignore[arg-type]
            end = float(t[-1]) if t_end is None else validate_real("t_end", t_end, nonnegative=True)
            if end < t[-1]:
                raise ProblemError(f"`times` goes up to {t[-1]:g}, but `t_end` is only {end:g}.")
            _check_end("times" if t_end is None else "t_end", end)
            return cls(end, t, count, False)
        end = horizon if t_end is None else validate_real("t_end", t_end, positive=True)
        _check_end("t_end", end)
        return cls(end, None, count, log_times)

    def resolve(self, reached: float) -> Array:
        """Sample times: those that were given, or others that end at the time that was reached."""
        if self.times is not None:
            return self.times
        if self.logarithmic:
            late = np.geomspace(1e-4 * reached, reached, self.count - 1) if reached else np.empty(0)
            return np.append(0.0, late)
        return np.linspace(0.0, reached, self.count) if reached else np.zeros(1)


def _check_end(name: str, end: float) -> None:
    if 0 < end < SHORTEST:
        raise ProblemError(
            f"`{name}` ends at {end:g}, which is too short to integrate over: allowed is {SHORTEST:g} or more."
        )


def choose_method(method: str, unknowns: int) -> str:
    """Name of the method: LSODA for small systems, DOP853 for large ones, unless another one is wanted."""
    validate_choice("method", method, METHODS)
    if method != "auto":
        return method
    return "LSODA" if unknowns <= LARGEST_IMPLICIT else "DOP853"


def validate_tolerance(rtol: float) -> float:
    """Relative tolerance that double precision can meet."""
    rtol = validate_real("rtol", rtol, positive=True)
    if not 1e-13 <= rtol < 1:
        raise ProblemError(f"`rtol` is {rtol:g}, but must lie between 1e-13 (double precision) and 1.")
    return rtol


def integrate(
    field: VectorField,
    theta0: Array,
    sampling: Sampling,
    *,
    method: str = "auto",
    rtol: float = DEFAULT_RTOL,
    atol: float | None = None,
    stops: Sequence[Stop] = (),
    leap: Leap | None = None,
    max_evaluations: int | None = None,
    progress: bool = False,
) -> tuple[Array, Array, SolverReport]:
    """Integrate θ̇ = F(θ) from t = 0.

    Parameters
    ----------
    field : VectorField
    theta0 : (n,) array
    sampling : Sampling
    method : str
        One of `METHODS`; "auto" chooses by the number of unknowns.
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

    Returns
    -------
    times : (T,) array
    states : (T, n) array
    report : SolverReport
        Status "failed" comes with everything computed up to `time_reached`.
    """
    rtol = validate_tolerance(rtol)
    if atol is None:
        scale = float(np.sqrt(np.mean(theta0**2)))
        atol = rtol * min(scale, 1.0) if scale > 0 else rtol
    atol = validate_real("atol", atol, positive=True)
    name = choose_method(method, theta0.size)
    _check_size(name, theta0.size, sampling)
    start = time.perf_counter()
    if name == "Taylor" and hasattr(field, "polynomial") and not (stops or progress):
        times = sampling.resolve(sampling.t_end)
        grid = times if times[-1] == sampling.t_end else np.append(times, sampling.t_end)
        shape, parameters = field.polynomial()
        sampled, steps = sample(shape, parameters, theta0, grid, rtol, atol, max_evaluations)
        if sampled is not None:  # else step by step, to see where it fails
            seconds, end = time.perf_counter() - start, sampling.t_end
            report = SolverReport(name, rtol, atol, steps, 0, seconds, "finished", end)
            return times, sampled[: len(times)], report
    with np.errstate(all="ignore"):  # SciPy tries a step to choose the first one
        solver = _create_solver(name, field, theta0, sampling.t_end, rtol, atol)
    path = _Path(theta0, sampling, keep_all=bool(stops))
    status, message = _advance(solver, path, stops, leap, max_evaluations, progress)
    seconds = time.perf_counter() - start
    if message:
        message = f"{name} gave up at t = {path.reached:.6g} of {sampling.t_end:g} ({message})."
    times, states = path.sampled()
    report = SolverReport(
        name, rtol, atol, int(solver.nfev), int(solver.njev), seconds, status, path.reached, message
    )
    return times, states, report


def _check_size(method: str, unknowns: int, sampling: Sampling) -> None:
    """Refuse solutions and Jacobians that do not fit into the memory."""
    count = sampling.count if sampling.times is None else len(sampling.times)
    check_memory(
        f"A solution of {unknowns} unknowns at {count} times",
        count * (16 * unknowns + BYTES_PER_TIME),
        "ask for fewer times",
    )
    if method in IMPLICIT:
        check_memory(
            f"The method {method} with {unknowns} unknowns", 32 * unknowns**2, "choose DOP853 or RK45"
        )


def _create_solver(
    name: str, field: VectorField, theta0: Array, t_end: float, rtol: float, atol: float
) -> Any:
    """A solver at t = 0."""
    if name == "Taylor":
        if not hasattr(field, "polynomial"):
            raise ProblemError(
                "The method 'Taylor' is there for the gradient flow of quadratic networks only: choose another one."
            )
        shape, parameters = field.polynomial()
        return TaylorSolver(shape, parameters, theta0, t_end, rtol, atol)
    options = {} if SOLVERS[name] in EXPLICIT else {"jac": field.jacobian}

    def create(t: float, theta: Array) -> Any:
        return SOLVERS[name](field, t, theta, t_end, rtol=rtol, atol=atol, **options)

    units = field.vanishing_units(atol) if hasattr(field, "vanishing_units") else None
    if units is not None:
        return SwitchingSolver(create, units, theta0, _within_step)
    return LeapingSolver(create, theta0, _within_step)


def _advance(
    solver: Any,
    path: _Path,
    stops: Sequence[Stop],
    leap: Leap | None,
    max_evaluations: int | None,
    progress: bool,
) -> tuple[str, str]:
    """Step until the end, a stop or a failure; returns the status and the reason of a failure."""
    from tqdm import tqdm

    for stop in stops:
        if stop.function(0.0, solver.y) <= 0:
            return stop.name, ""
    # disable=None: a bar on a terminal, nothing in a pipe.
    bar_format = "{l_bar}{bar}| t = {n:.4g} of {total:.4g} [{elapsed}]"
    with tqdm(
        total=solver.t_bound, leave=False, disable=None if progress else True, bar_format=bar_format
    ) as bar:
        standing, largest = 0, LARGEST_GROWTH * max(1.0, np.abs(path.theta0).max())
        while solver.status == "running":
            before, t = solver.y.copy(), solver.t
            reason = _step(solver)
            if reason:
                return "failed", f"{reason}: try another method or a larger rtol"
            standing = standing + 1 if solver.t == t else 0
            if standing == STANDING_STEPS:
                return "failed", "the solution changes too fast for the time to move on in double precision"
            if not np.abs(solver.y).max() <= largest:
                return "failed", "the state leaves the numbers: try another method or a smaller rtol"
            stopping = [stop for stop in stops if stop.function(solver.t, solver.y) <= 0]
            step = None
            if stopping or path.wants(solver.t):  # interpolants are not for free
                step = _within_step(solver, before)
            if stopping:
                end, name = min((_crossing(stop, step), stop.name) for stop in stopping)
                path.append(step, end, step(end))  # type: ignore[misc]
                return name, ""
            path.append(step, solver.t, solver.y)
            if max_evaluations is not None and solver.nfev > max_evaluations:
                return "failed", f"more than {max_evaluations} evaluations: allow more or shorten the time"
            far = (
                leap(solver.t, solver.y, solver.t_bound)
                if leap and isinstance(solver, LeapingSolver)
                else None
            )
            if far is not None:
                path.append(far, far.t, far(far.t))
                solver.restart(far.t, far(far.t))
            bar.update(solver.t - bar.n)
    return "finished", ""


def _step(solver: Any) -> str:
    """One step; the reason if it failed. LSODA tells its own in a warning and returns a number instead.

    A step that is only tried may leave the numbers, and is rejected.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.filterwarnings("error", "lsoda: ", UserWarning)
        try:
            reason = solver.step()
        except UserWarning as warning:
            return str(warning).removeprefix("lsoda: ").split(" (")[0].rstrip(".").lower()
    return str(reason).rstrip(".") if solver.status == "failed" else ""


def _within_step(solver: Any, before: Array) -> Any:
    """The solution within the last step, as a function of t with attributes `t_old` and `t`."""
    return _ExplicitStep(solver, before) if isinstance(solver, EXPLICIT) else solver.dense_output()


class _ExplicitStep:
    """The solution within one step of a Runge–Kutta method, by a shorter step of the same method.

    SciPy's interpolants of these methods have a lower order than the method and no error control: where
    stability limits the step, they were seen to be wrong by a thousand times the tolerance.
    """

    def __init__(self, solver: Any, before: Array) -> None:
        self.t_old, self.t, self.before, self.after = solver.t_old, solver.t, before, solver.y
        self.solver = solver

    def __call__(self, t: float) -> Array:
        if t >= self.t or t <= self.t_old:
            return self.after if t >= self.t else self.before
        s = self.solver
        short = type(s)(
            s.fun, self.t_old, self.before, t, first_step=t - self.t_old, rtol=s.rtol, atol=s.atol
        )
        while short.status == "running":
            short.step()
        return short.y


def _crossing(stop: Stop, step: Any) -> float:
    """Time within one step at which the stop's function crosses zero."""
    function = partial(_along, stop, step)
    if function(step.t_old) <= 0:  # an interpolant may differ from the state by rounding
        return float(step.t_old)
    return float(brentq(function, step.t_old, step.t, xtol=1e-14 * step.t))


def _along(stop: Stop, step: Any, t: float) -> float:
    return stop.function(t, step(t))


class _Path:
    """Collects the solution: at the sample times as it goes, or whole where the end is not yet known."""

    def __init__(self, theta0: Array, sampling: Sampling, keep_all: bool) -> None:
        self.theta0, self.sampling, self.reached = theta0, sampling, 0.0
        self.steps: list[Any] = []
        self.keep_all = keep_all and sampling.times is None
        self.wanted = np.empty(0) if self.keep_all else sampling.resolve(sampling.t_end)
        self.states = [theta0] if self.wanted.size and self.wanted[0] == 0 else []

    def wants(self, end: float) -> bool:
        """Whether states are wanted within a step that goes up to `end`."""
        return self.keep_all or bool((self.wanted[len(self.states) : len(self.states) + 1] <= end).any())

    def append(self, step: Any, end: float, state: Array) -> None:
        """Add a step, valid up to `end`, where the state is given; calling it gives the state at a time.

        It may be None if nothing is wanted of it.
        """
        if self.keep_all:
            self.steps.append(step)
        elif step is not None:
            inside = self.wanted[len(self.states) :]
            self.states.extend(step(t) for t in inside[inside <= end])
        self.last = state.copy()  # solvers may reuse theirs
        self.reached = float(end)

    def sampled(self) -> tuple[Array, Array]:
        """Sample times and states, (T,) and (T, n)."""
        if self.reached == 0:
            return np.zeros(1), self.theta0[None]
        if self.keep_all:
            times = self.sampling.resolve(self.reached)
            which = np.searchsorted([step.t for step in self.steps], times).clip(max=len(self.steps) - 1)
            states = [self.steps[i](t) for i, t in zip(which, times, strict=True)]
            return times, np.stack([self.theta0, *states[1:]])
        times, states = self.wanted[: len(self.states)], self.states
        if len(times) < len(self.wanted) and self.reached > times[-1:].max(initial=-1.0):
            times, states = np.append(times, self.reached), [*states, self.last]
        return times, np.stack(states)
