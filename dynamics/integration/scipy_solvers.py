"""SciPy's solvers behind the contract: they can be put down further on, say why they failed, and sample accurately."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
from scipy.integrate import BDF, LSODA, RK23, RK45, Radau

from dynamics.aliases import Array
from dynamics.integration.contract import FAILED, FINISHED, Method, Step, VectorField


class ScipySolver:
    """A solver of SciPy, which keeps the contract of `dynamics.integration.contract.Solver`.

    Parameters
    ----------
    kind : class
        A `scipy.integrate.OdeSolver`.
    implicit : bool
        Whether it takes the Jacobian.
    field : VectorField
    theta0 : (n,) array
    t_bound, rtol, atol : float
    """

    def __init__(
        self,
        kind: Any,
        implicit: bool,
        field: VectorField,
        theta0: Array,
        t_bound: float,
        rtol: float,
        atol: float,
    ) -> None:
        self.t_bound, self._implicit = t_bound, implicit
        options = {"jac": field.jacobian} if implicit else {}
        write = field.in_place()

        def slope(t: float, y: Array) -> Array:
            out = np.empty_like(y)  # SciPy keeps it
            write(t, y, out)
            return out

        self._create = partial(kind, slope, t_bound=t_bound, rtol=rtol, atol=atol, **options)
        self._spent = [0, 0]  # evaluations of earlier solvers
        self._failed, self._before = False, theta0
        self._start(0.0, theta0)

    def _start(self, t: float, y: Array) -> None:
        with np.errstate(all="ignore"):  # SciPy tries a step to choose the first one
            self._solver = self._create(t0=t, y0=y)

    @property
    def t(self) -> float:
        """Time reached."""
        return float(self._solver.t)

    @property
    def y(self) -> Array:
        """State there, (n,)."""
        return np.asarray(self._solver.y)

    @property
    def status(self) -> str:
        """As of SciPy's solvers, which call a solver that starts at its end running."""
        if self._failed:
            return FAILED
        return FINISHED if self.t >= self.t_bound else str(self._solver.status)

    @property
    def nfev(self) -> int:
        """Evaluations of the right-hand side."""
        return self._spent[0] + int(self._solver.nfev)

    @property
    def njev(self) -> int:
        """Evaluations of the Jacobian."""
        return self._spent[1] + int(self._solver.njev)

    def step(self) -> str:
        """One step; the reason if it failed. LSODA tells its own in a warning and returns a number instead.

        A step that is only tried may leave the numbers, and is rejected.
        """
        self._before = self._solver.y.copy()
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.filterwarnings("error", "lsoda: ", UserWarning)
            try:
                reason = self._solver.step()
            except UserWarning as warning:
                self._failed = True
                return str(warning).removeprefix("lsoda: ").split(" (")[0].rstrip(".").lower()
        self._failed = self._solver.status == "failed"
        return str(reason).rstrip(".") if self._failed else ""

    def within_step(self) -> Step:
        """The solution within the last step."""
        if self._implicit:
            step: Step = self._solver.dense_output()
            return step
        return ShorterStep(self._solver, self._before)

    def restart(self, t: float, y: Array) -> None:
        """Go on from another time and state."""
        self._spent[0] += int(self._solver.nfev)
        self._spent[1] += int(self._solver.njev)
        self._start(t, y)


class ShorterStep:
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
        with np.errstate(all="ignore"):  # a solution that explodes leaves the numbers within the step too
            short = type(s)(
                s.fun, self.t_old, self.before, t, first_step=t - self.t_old, rtol=s.rtol, atol=s.atol
            )
            while short.status == "running":
                short.step()
        return short.y


def _method(kind: Any, implicit: bool) -> Method:
    def create(field: VectorField, theta0: Array, t_end: float, rtol: float, atol: float) -> ScipySolver:
        return ScipySolver(kind, implicit, field, theta0, t_end, rtol, atol)

    return Method(kind.__name__, implicit, create)


SCIPY_METHODS = (
    _method(LSODA, implicit=True),
    _method(RK45, implicit=False),
    _method(RK23, implicit=False),
    _method(Radau, implicit=True),
    _method(BDF, implicit=True),
)
