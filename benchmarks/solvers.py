"""One trajectory by quadflow and by its peers, each behind the same function of the tolerance.

A runner takes rtol and returns a callable that integrates and gives the states (T, n) of the full problem. Its first
call may compile. Absolute tolerances are rtol times the root mean square of the initial state everywhere: SciPy's
default would be larger than a small start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from benchmarks.formulations import GRAM, REDUCED, TEXTBOOK, Formulation, formulations
from benchmarks.version01 import version01
from dynamics import GradientFlow, Problem
from dynamics.aliases import Array

Runner = Callable[[float], Callable[[], Array]]

OURS, PLAIN, OLD = "quadflow", "quadflow, NumPy and SciPy alone", "version 0.1"
INTERPRETED, COMPILED = "interpreted", "compiled"


@dataclass(frozen=True)
class Peer:
    """One way to integrate.

    Parameters
    ----------
    name : str
    kind : str
        `OURS`, `PLAIN` (ours without its extra `fast`), `OLD`, or whether the peer is `INTERPRETED`, or its loop over
        steps or its right-hand side `COMPILED`.
    formulation : str
        What it was given, a name of `benchmarks.formulations`; empty if it is ours.
    runner : callable
    """

    name: str
    kind: str
    formulation: str
    runner: Runner

    @property
    def label(self) -> str:
        """Name and what it was given."""
        return f"{self.name}, {self.formulation}" if self.formulation else self.name


@dataclass(frozen=True)
class Choice:
    """Which methods of which library take part."""

    ours: tuple[str, ...]
    scipy: tuple[str, ...]
    numba: tuple[str, ...]
    diffrax: tuple[str, ...]
    torchdiffeq: tuple[str, ...] = ()
    large: bool = False  # whether our compiled code is of use, and version 0.1 is compared with
    given: tuple[str, ...] = (TEXTBOOK, REDUCED, GRAM)


SMALL = Choice(
    ours=("LSODA", "Tsit5", "DOP853", "Taylor"),
    scipy=("DOP853", "RK45", "LSODA", "Radau"),
    numba=("DOP853", "LSODA"),
    diffrax=("Tsit5", "Dopri8"),
    torchdiffeq=("dopri5",),
)
LARGE = Choice(  # without dense implicit methods, which would take minutes
    ours=("Tsit5", "DOP853"),
    scipy=("DOP853", "RK45"),
    numba=("DOP853", "RK45"),
    diffrax=("Tsit5", "Dopri8"),
    torchdiffeq=("dopri5",),
    large=True,
)
LARGER = replace(
    LARGE, torchdiffeq=()
)  # which takes minutes, five times slower than SciPy on the smaller ones
HUGE = replace(LARGER, scipy=(), numba=(), given=(TEXTBOOK, GRAM))  # one step takes a tenth of a second


def peers(problem: Problem, times: Array, choice: Choice) -> list[Peer]:
    """All that are installed, the interpreted ones on the textbook's formulation alone."""
    found = ours(problem, times, choice)
    if choice.large:
        found.append(
            Peer(OLD, OLD, "", lambda rtol: partial(version01, problem, times, rtol)),
        )
    for given in [one for one in formulations(problem) if one.name in choice.given]:
        found += compiled(given, times, choice)
        if given.name == TEXTBOOK:
            found += interpreted(given, times, choice)
    return found


class NumpyFlow(GradientFlow):
    """The flow without compiled code."""

    def kernel(self) -> None:
        """None is offered."""


def ours(problem: Problem, times: Array, choice: Choice) -> list[Peer]:
    """Quadflow by those of the methods that it has here, with its compiled code and without."""
    from dynamics.integration import SOLVERS

    # where our compiled code is of use, and has something to compile
    fast = choice.large and find_spec("numba") is not None and GradientFlow(problem).kernel() is not None
    known = [m for m in choice.ours if m in SOLVERS and (m != "Taylor" or find_spec("heyoka") is not None)]
    found = []
    for method in known:
        plain, name = partial(_quadflow, NumpyFlow, problem, times, method), f"{method}-numba"
        if fast and name in SOLVERS:
            # compiled from the beginning: what it takes to load is set-up
            found.append(Peer(f"quadflow {method}", OURS, "", _quadflow(GradientFlow, problem, times, name)))
            found.append(Peer(f"quadflow {method}, NumPy", PLAIN, "", plain()))
        else:
            found.append(Peer(f"quadflow {method}", OURS if method == "Taylor" else PLAIN, "", plain()))
    return found


def interpreted(given: Formulation, times: Array, choice: Choice) -> list[Peer]:
    """SciPy on NumPy, and torchdiffeq."""
    found = [
        Peer(f"solve_ivp {m}", INTERPRETED, given.name, _scipy(given, given.side(np), times, m))
        for m in choice.scipy
    ]
    if choice.torchdiffeq and find_spec("torchdiffeq") is not None:
        found += [
            Peer(f"torchdiffeq {m}", INTERPRETED, given.name, _torchdiffeq(given, times, m))
            for m in choice.torchdiffeq
        ]
    return found


def compiled(given: Formulation, times: Array, choice: Choice) -> list[Peer]:
    """SciPy on a right-hand side that numba compiled, and diffrax."""
    found = []
    if choice.numba and find_spec("numba") is not None and (side := given.compiled()) is not None:
        found += [
            Peer(f"solve_ivp {m} + numba", COMPILED, given.name, _scipy(given, side, times, m))
            for m in choice.numba
        ]
    if choice.diffrax and find_spec("diffrax") is not None:
        found += [
            Peer(f"diffrax {m}", COMPILED, given.name, _diffrax(given, times, m)) for m in choice.diffrax
        ]
    return found


def reference(field: Callable[[float, Array], Array], theta: Array, times: Array) -> Array:
    """States (T, n) by DOP853 at 1e-13, restarted at every sample time: its interpolant would lose digits."""
    states = []
    t = 0.0
    for end in times:
        if end > t:
            theta = solve_ivp(field, (t, end), theta, "DOP853", rtol=1e-13, atol=1e-17).y[:, -1]
        states.append(theta)
        t = end
    return np.stack(states)


def absolute(theta: Array, rtol: float) -> float:
    """Absolute tolerance that belongs to a relative one."""
    return rtol * float(np.sqrt(np.mean(theta**2)))


def _quadflow(flow: type[GradientFlow], problem: Problem, times: Array, method: str) -> Runner:
    def runner(rtol: float) -> Callable[[], Array]:
        def run() -> Array:
            t = flow(problem).integrate(times=times, method=method, rtol=rtol)
            return np.concatenate([t.W.reshape(len(times), -1), t.A.reshape(len(times), -1)], axis=1)

        return run

    return runner


def _scipy(given: Formulation, side: Callable[[Any, Any], Any], times: Array, method: str) -> Runner:
    theta = given.theta

    def runner(rtol: float) -> Callable[[], Array]:
        atol = absolute(theta, rtol)
        return lambda: given.lift(
            solve_ivp(side, (0, times[-1]), theta, method, times, rtol=rtol, atol=atol).y.T
        )

    return runner


def _diffrax(given: Formulation, times: Array, name: str) -> Runner:
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    solver, end = getattr(diffrax, name)(), float(times[-1])

    @jax.jit
    def solve(theta: Any, numbers: Any, grid: Any, rtol: Any, atol: Any) -> Any:
        side = given.form(jnp, given.units, given.inputs, *numbers)
        return diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, y, args: side(t, y)),
            solver,
            0.0,
            end,
            None,
            theta,
            saveat=diffrax.SaveAt(ts=grid),
            stepsize_controller=diffrax.PIDController(rtol, atol),
            max_steps=200_000,
        ).ys

    theta, grid, numbers = (
        jnp.asarray(given.theta),
        jnp.asarray(times),
        tuple(map(jnp.asarray, given.numbers)),
    )

    def runner(rtol: float) -> Callable[[], Array]:
        atol = absolute(given.theta, rtol)
        return lambda: given.lift(np.asarray(solve(theta, numbers, grid, rtol, atol)))

    return runner


def _torchdiffeq(given: Formulation, times: Array, name: str) -> Runner:
    import torch
    from torchdiffeq import odeint

    torch.set_num_threads(1)
    side = given.side(torch, torch.tensor)
    theta, grid = torch.tensor(given.theta), torch.tensor(times)

    def runner(rtol: float) -> Callable[[], Array]:
        atol = absolute(given.theta, rtol)

        def run() -> Array:
            with torch.no_grad():
                return given.lift(odeint(side, theta, grid, rtol=rtol, atol=atol, method=name).numpy())

        return run

    return runner
