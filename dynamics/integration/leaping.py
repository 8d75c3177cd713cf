"""A solver that can be put down further on, where the solution in between is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dynamics.aliases import Array


class LeapingSolver:
    """A SciPy solver that starts again wherever it is told to.

    Parameters
    ----------
    create : callable
        ``create(t, theta)`` gives a solver that starts there.
    theta0 : (n,) array
    interpolate : callable
        ``interpolate(solver, before)`` gives the solution within its last step.
    """

    def __init__(
        self,
        create: Callable[[float, Array], Any],
        theta0: Array,
        interpolate: Callable[[Any, Array], Any],
    ) -> None:
        self._create, self._interpolate = create, interpolate
        self._solver = create(0.0, theta0)
        self._spent = [0, 0]  # evaluations of earlier solvers
        self._before = theta0

    @property
    def t(self) -> float:
        """Time reached."""
        return float(self._solver.t)

    @property
    def y(self) -> Array:
        """State there, (n,)."""
        return np.asarray(self._solver.y)

    @property
    def t_bound(self) -> float:
        """End of the integration."""
        return float(self._solver.t_bound)

    @property
    def status(self) -> str:
        """As of SciPy's solvers."""
        return "finished" if self.t >= self.t_bound else str(self._solver.status)

    @property
    def nfev(self) -> int:
        """Evaluations of the right-hand side."""
        return self._spent[0] + int(self._solver.nfev)

    @property
    def njev(self) -> int:
        """Evaluations of the Jacobian."""
        return self._spent[1] + int(self._solver.njev)

    def step(self) -> str | None:
        """One step; the reason if it failed."""
        self._before = self._solver.y.copy()
        reason: str | None = self._solver.step()
        return reason

    def restart(self, t: float, y: Array) -> None:
        """Go on from another time and state."""
        self._spent[0] += int(self._solver.nfev)
        self._spent[1] += int(self._solver.njev)
        self._solver = self._create(t, y)

    def dense_output(self) -> Any:
        """The solution within the last step."""
        return self._interpolate(self._solver, self._before)
