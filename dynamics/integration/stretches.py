"""A solver along a field that is smooth in time but for jumps at known times: it starts anew at each of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from dynamics.aliases import Array
from dynamics.integration.contract import FINISHED, RUNNING, Method, Solver, Step, VectorField

Stretches = Sequence[tuple[float, VectorField]]


class StretchedSolver:
    """One solver after another, each along a field that is smooth until the time at which it ends.

    No solver sees the field beyond its end, so that a jump costs neither accuracy nor small steps. The contract of
    `dynamics.integration.contract.Solver` is kept.

    Parameters
    ----------
    method : Method
    stretches : sequence of (end, field)
        In order of time.
    theta0 : (n,) array
    t_bound, rtol, atol : float
    """

    def __init__(
        self, method: Method, stretches: Stretches, theta0: Array, t_bound: float, rtol: float, atol: float
    ) -> None:
        self.t_bound = t_bound
        self._method, self._stretches, self._tolerances = method, stretches, (rtol, atol)
        self._spent = [0, 0]  # evaluations of earlier solvers
        self._solver = self._at(0.0, theta0)

    def _at(self, t: float, y: Array) -> Solver:
        """A solver along the stretch that begins at a time, or contains it; the last one has no end of its own."""
        ends = [end for end, _ in self._stretches[:-1]]
        k = bisect_right(ends, t)
        end = min(ends[k], self.t_bound) if k < len(ends) else self.t_bound
        solver = self._method.create(self._stretches[k][1], y, end, *self._tolerances)
        if t > 0:
            solver.restart(t, y)
        return solver

    @property
    def t(self) -> float:
        """Time reached."""
        return self._solver.t

    @property
    def y(self) -> Array:
        """State there, (n,)."""
        return self._solver.y

    @property
    def status(self) -> str:
        """That of the solver at work; it runs on where a stretch ends."""
        inner = self._solver.status
        return RUNNING if inner == FINISHED and self.t < self.t_bound else inner

    @property
    def nfev(self) -> int:
        """Evaluations of the right-hand side."""
        return self._spent[0] + self._solver.nfev

    @property
    def njev(self) -> int:
        """Evaluations of the Jacobian."""
        return self._spent[1] + self._solver.njev

    def step(self) -> str:
        """One step; the reason if it failed."""
        if self._solver.status == FINISHED:
            self.restart(self.t, self.y.copy())
        return self._solver.step()

    def within_step(self) -> Step:
        """The solution within the last step."""
        return self._solver.within_step()

    def restart(self, t: float, y: Array) -> None:
        """Go on from another time and state."""
        self._spent[0] += self._solver.nfev
        self._spent[1] += self._solver.njev
        self._solver = self._at(t, y)
