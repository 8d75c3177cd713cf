"""Explicit Runge–Kutta methods with step-size control, a method a file: `tsit5`, `dop853`."""

from __future__ import annotations

from functools import cached_property, partial

import numpy as np

from dynamics.aliases import Array
from dynamics.integration.contract import FAILED, FINISHED, RUNNING, Method, VectorField
from dynamics.integration.stages import ArrayStages, Stages
from dynamics.integration.step_size import StepControl, first_step
from dynamics.integration.tableau import Tableau
from dynamics.integration.within_step import WithinStep

TOO_SHORT = "the steps become shorter than the spacing of numbers"


class RungeKutta:
    """Steps a field by an explicit method; it keeps the contract of `dynamics.integration.contract.Solver`.

    A step whose estimated error, the root mean square in units of atol + rtol max(|y|, |y_new|), is not below 1 is made
    again with a shorter one.

    Parameters
    ----------
    tableau : Tableau
    field : VectorField
    theta0 : (n,) array
    t_bound, rtol, atol : float

    Attributes
    ----------
    steps : int
        Steps that were begun.
    """

    njev = 0

    def __init__(
        self, tableau: Tableau, field: VectorField, theta0: Array, t_bound: float, rtol: float, atol: float
    ) -> None:
        self.tableau, self.t_bound, self.rtol, self.atol = tableau, t_bound, rtol, atol
        self.nfev, self.steps = 0, 0
        self._control, self._write = StepControl(tableau.order), field.in_place()
        self._early = (
            tableau.estimates.shape[1] > tableau.stages
        )  # whether the error needs the slope at the end
        self.stages, self.y = self._workspace(theta0.size), np.empty(theta0.size)
        self.restart(0.0, theta0)

    @cached_property
    def aside(self) -> Stages:
        """Memory for steps that are made for samples."""
        return self._workspace(self.y.size)

    def _workspace(self, unknowns: int) -> Stages:
        return ArrayStages(self.tableau, self._write, unknowns)

    def restart(self, t: float, y: Array) -> None:
        """Go on from another time and state."""
        self.t = self.t_old = t
        self.y[:] = y
        self.status = RUNNING if t < self.t_bound else FINISHED
        self._next, self._error = 0.0, 1.0  # length of the next step, not known yet; error of the last

    def step(self) -> str:
        """One step; the reason if it failed."""
        stages, t, s = self.stages, self.t, self.tableau.stages
        stages.memory[0] = self.y
        self.steps += 1
        if self._next == 0:
            self._begin()
        else:
            stages.memory[1] = stages.memory[s + 1]
        shortest = 10 * float(np.spacing(t))
        h, rejected = max(self._next, shortest), False
        while True:
            end = min(t + h, self.t_bound)
            h = end - t
            error = self._try(t, h)
            if error < 1:
                break
            h, rejected = h * self._control.shorter(error), True
            if h < shortest:
                self.y[:] = stages.memory[0]
                self.status = FAILED
                return TOO_SHORT
        if not self._early:
            stages.slope(end, self.y, stages.memory[s + 1])
            self.nfev += 1
        factor = self._control.factor(error, self._error)
        self._next, self._error = h * (min(factor, 1.0) if rejected else factor), error
        self.t_old, self.t = t, end
        if end >= self.t_bound:
            self.status = FINISHED
        return ""

    def shorten(self, h: float) -> None:
        """Make the next step no longer than h."""
        self._next = min(self._next, h)

    def _begin(self) -> None:
        """First slope and length of the first step."""
        y, slope = self.stages.memory[:2]
        self.stages.slope(self.t, y, slope)
        ahead = self.t_bound - self.t
        self._next = first_step(
            self.stages.slope, self.t, y, slope, ahead, self.tableau.order, self.rtol, self.atol
        )
        self.nfev += 2

    def _try(self, t: float, h: float) -> float:
        """Put the state after a step of length h into y; the size of its error in units of the tolerance."""
        stages, s = self.stages, self.tableau.stages
        stages.evaluate(t, h, 1, s)
        self.nfev += s - 1
        stages.arrive(h, self.y)
        if self._early:
            stages.slope(t + h, self.y, stages.memory[s + 1])
            self.nfev += 1
        return h * self.tableau.error(stages.squares(self.y, self.rtol, self.atol))

    def within_step(self) -> WithinStep:
        """The solution within the last step."""
        return WithinStep(self)


def method_of(tableau: Tableau) -> Method:
    """The method of a tableau."""
    return Method(tableau.name, False, partial(RungeKutta, tableau))
