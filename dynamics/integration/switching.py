"""A solver that starts anew wherever the vector field changes its form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from dynamics.aliases import Array
from dynamics.integration.contract import FAILED, Solver, Step, Switching


class SwitchingSolver:
    """Cuts the steps of a solver where its field switches, and puts it down again behind the switch.

    It keeps the contract of `dynamics.integration.contract.Solver`.

    Parameters
    ----------
    solver : Solver
        At its start.
    events : Switching
        When the field switches, and to which state.
    """

    def __init__(self, solver: Solver, events: Switching) -> None:
        self._solver, self._events, self._left = solver, events, events.most
        self.t, self.y = solver.t, solver.y
        self._last: Callable[[], Step] = solver.within_step

    @property
    def t_bound(self) -> float:
        """End of the integration."""
        return self._solver.t_bound

    @property
    def status(self) -> str:
        """That of the solver; failed where the switches have no end."""
        return self._solver.status if self._left else FAILED

    @property
    def nfev(self) -> int:
        """Evaluations of the right-hand side."""
        return self._solver.nfev

    @property
    def njev(self) -> int:
        """Evaluations of the Jacobian."""
        return self._solver.njev

    def step(self) -> str:
        """One step, cut short where the field switches; the reason if it failed."""
        reason = self._solver.step()
        self.t, self.y, self._last = self._solver.t, self._solver.y, self._solver.within_step
        if self._solver.status != FAILED and self._events.distance(self.y) <= 0:
            self._switch(self._last())
            self._left -= 1
        return reason if self._left else "units vanish and come back without end"

    def _switch(self, step: Step) -> None:
        """Cut the step at the switch and start again behind it."""

        def distance(t: float) -> float:
            return self._events.distance(step(t))

        end, beyond = step.t_old, 1e-14 * step.t
        if distance(end) > 0:
            end = brentq(distance, step.t_old, step.t, xtol=beyond)
        while end < step.t and distance(end) > 0:  # the switch must lie behind, or it would be met again
            end, beyond = min(end + beyond, step.t), 2 * beyond
        self.t, self.y = float(end), self._events.switched(step(end))
        self._last = lambda: Shortened(step, self.t)
        if self.t < self.t_bound:
            self._solver.restart(self.t, self.y)

    def within_step(self) -> Step:
        """The solution within the last step."""
        return self._last()

    def restart(self, t: float, y: Array) -> None:
        """Go on from another time and state."""
        self._solver.restart(t, y)
        self.t, self.y = t, y


@dataclass(frozen=True)
class Shortened:
    """A step that ends early."""

    step: Step
    t: float

    @property
    def t_old(self) -> float:
        """Start."""
        return self.step.t_old

    def __call__(self, t: float) -> Array:
        """θ(t), (n,); beyond the end the state there."""
        return np.asarray(self.step(min(t, self.t)))
