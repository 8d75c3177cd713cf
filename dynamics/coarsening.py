"""A solver whose absolute tolerance follows the solution, so that it never works at rounding errors.

From a small start the default absolute tolerance is small too, and so it must be: a unit of size ε has to be known to
many digits of ε, or its jump comes at a wrong time. But when a unit has grown to size 1, rounding alone disturbs its
weights by some 1e-16 in every direction, also in those in which they vanish. A solver that is asked for 1e-20 there
takes ever smaller steps over noise: on the plateaus of a start at ε = 1e-8 that was nine steps out of ten.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ROUNDING = 1e-14  # of the size of a unit: finer errors in its weights are those of the arithmetic
WORTH_A_RESTART = 100.0  # factor by which a tolerance must be too small
LARGE = (
    0.1  # of the largest unit: smaller ones are let alone, since a solver must not start again on a plateau,
)
# where LSODA sees only rounding errors, does not notice that the problem is stiff, and keeps to short explicit steps


@runtime_checkable
class SizedField(Protocol):
    """A vector field that knows how large the units are to which its unknowns belong."""

    def sizes(self, theta: Array) -> Array:
        """Size of the unit of every unknown, (n,)."""


class CoarseningSolver:
    """A SciPy solver that is started again, with larger absolute tolerances, where units have outgrown them.

    Parameters
    ----------
    create : callable
        ``create(t, theta, atol)`` gives a solver that starts there; atol is an (n,) array.
    field : SizedField
    theta0 : (n,) array
    atol : float
        Absolute tolerance at the start.
    follows : bool
        Whether the tolerance follows the solution; otherwise it stays as it is.
    interpolate : callable
        ``interpolate(solver, before)`` gives the solution within its last step.
    """

    def __init__(
        self,
        create: Callable[[float, Array, Array], Any],
        field: SizedField,
        theta0: Array,
        atol: float,
        follows: bool,
        interpolate: Callable[[Any, Array], Any],
    ) -> None:
        self._create, self._field, self._interpolate = create, field, interpolate
        self._follows = follows
        self._atol = np.full(theta0.size, atol)
        self._solver = create(0.0, theta0, self._atol)
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
        return str(self._solver.status)

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
        if self._follows:
            sizes = self._field.sizes(self.y)
            resolved = ROUNDING * sizes
            if (resolved > WORTH_A_RESTART * self._atol)[sizes >= LARGE * sizes.max()].any():
                self._atol = np.maximum(self._atol, resolved)
                self.restart(self.t, self.y.copy())
        self._before = self._solver.y.copy()
        reason: str | None = self._solver.step()
        return reason

    def restart(self, t: float, y: Array) -> None:
        """Go on from another state."""
        self._spent[0] += int(self._solver.nfev)
        self._spent[1] += int(self._solver.njev)
        self._solver = self._create(t, y, self._atol)

    def dense_output(self) -> Any:
        """The solution within the last step."""
        return self._interpolate(self._solver, self._before)
