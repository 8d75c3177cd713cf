"""Taylor's method for vector fields that are polynomials, compiled by heyoka (`pip install 'quadflow[fast]'`).

A polynomial is what Taylor's method wants: its derivatives of every order follow from products of series, a step costs
little more at 1e-15 than at 1e-8, and the solution between two steps is the same series. heyoka compiles one program
for all fields of the same shape, in which what differs between them is a parameter, so that setting up (a tenth of a
second for a small network) is paid once per process.

The method is explicit: where the flow is stiff, its steps are about 20/(largest eigenvalue of the Hessian).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, TypeVar

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.integration.contract import FAILED, FINISHED, RUNNING, Method, Program, VectorField

FINEST = 1e-24  # tolerance below which the order would only grow
Given = TypeVar("Given")


def available() -> bool:
    """Whether heyoka is installed."""
    return find_spec("heyoka") is not None


def heyoka() -> Any:
    """The library, or an error that says how to get it."""
    try:
        import heyoka
    except ModuleNotFoundError:
        raise ProblemError(
            "The method 'Taylor' needs heyoka, which is not installed: pip install 'quadflow[fast]', or choose "
            "another method."
        ) from None
    return heyoka


def polynomial_of(given: Given | None) -> Given:
    """What a vector field offers as its polynomial.

    Raises
    ------
    ProblemError
        If it is none.
    """
    if given is None:
        raise ProblemError(
            "The method 'Taylor' is there for the gradient flow of the population loss of quadratic networks "
            "only: choose another one."
        )
    return given


@lru_cache(maxsize=64)
def _compiled(program: Program, tolerance: float, lanes: int) -> tuple[Any, list[Any]]:
    """The integrator for one trajectory, or for `lanes` of them, each with its own steps; and idle copies of it."""
    hy = heyoka()
    kind = hy.taylor_adaptive if lanes == 1 else hy.taylor_adaptive_batch
    state = np.zeros(program.unknowns if lanes == 1 else (program.unknowns, lanes))
    return kind(program.right_hand_side(), state, tol=tolerance, compact_mode=True), []


@contextmanager
def integrator(program: Program, rtol: float, atol: float, lanes: int = 1) -> Iterator[Any]:
    """Lend a heyoka integrator, for one trajectory or for `lanes` of them, that nobody else uses meanwhile.

    Its only tolerance is relative for states beyond 1 and absolute below, hence the smaller of both is taken, rounded
    down to a power of ten so that programs can be used again.
    """
    tolerance = 10.0 ** np.floor(np.log10(max(min(rtol, atol), FINEST)) + 1e-9)
    original, idle = _compiled(program, float(tolerance), lanes)
    try:
        machine = idle.pop()  # atomic: threads may ask at the same time
    except IndexError:
        machine = deepcopy(original)
    yield machine
    idle.append(machine)


def sample(
    field: VectorField,
    theta0: Array,
    times: Array,
    rtol: float,
    atol: float,
    max_steps: int | None = None,
) -> tuple[Array | None, int]:
    """States (T, n) at increasing times from t = 0, and the number of steps; None if it did not get to the end."""
    program, parameters = polynomial_of(field.polynomial())
    with integrator(program, rtol, atol) as machine:
        machine.pars[:], machine.state[:], machine.time = parameters, theta0, 0.0
        grid = times if times[0] == 0 else np.append(0.0, times)
        outcome, *_, steps, _, states = machine.propagate_grid(grid, max_steps=max_steps or 0)
    success = outcome == heyoka().taylor_outcome.time_limit and np.isfinite(states).all()
    return states[-len(times) :] if success else None, steps


class TaylorSolver:
    """Steps one trajectory; it keeps the contract of `dynamics.integration.contract.Solver`.

    Parameters
    ----------
    field : VectorField
        A polynomial.
    theta0 : (n,) array
    t_bound : float
    rtol, atol : float

    Attributes
    ----------
    nfev : int
        Number of Taylor expansions.

    Raises
    ------
    ProblemError
        If the field is no polynomial, or heyoka is not installed.
    """

    njev = 0

    def __init__(self, field: VectorField, theta0: Array, t_bound: float, rtol: float, atol: float) -> None:
        program, parameters = polynomial_of(field.polynomial())
        with integrator(program, rtol, atol) as machine:
            self.machine = deepcopy(machine)
        self.machine.pars[:] = parameters
        self.t_bound, self.nfev = t_bound, 0
        self.restart(0.0, theta0)

    def restart(self, t: float, y: Array) -> None:
        """Go on from another time and state."""
        self.machine.time, self.machine.state[:] = t, y
        self.t_old, self.t, self.y = t, t, y
        self.status = RUNNING if t < self.t_bound else FINISHED

    def step(self) -> str:
        """One step; the reason if it failed."""
        self.t_old = self.t
        self.machine.step(self.t_bound - self.t, write_tc=True)
        self.t, self.y = float(self.machine.time), self.machine.state.copy()
        self.nfev += 1
        if not np.isfinite(self.y).all():
            self.status = FAILED
            return "the state is no longer finite"
        if self.t >= self.t_bound:
            self.t, self.status = self.t_bound, FINISHED
        return ""

    def within_step(self) -> TaylorStep:
        """The solution within the last step."""
        return TaylorStep(self.t_old, self.t, self.machine.tc.copy())


@dataclass(frozen=True, eq=False)
class TaylorStep:
    """The solution within one step, its Taylor polynomial; coefficients (n, order + 1)."""

    t_old: float
    t: float
    coefficients: Array

    def __call__(self, t: float) -> Array:
        return self.coefficients @ (t - self.t_old) ** np.arange(self.coefficients.shape[1])


TAYLOR = Method("Taylor", implicit=False, create=TaylorSolver, sample=sample)
