"""Explicit Runge–Kutta methods with step-size control, a method a file: `tsit5`, `dop853`."""

from __future__ import annotations

import sys
from functools import cached_property, partial

import numpy as np

from dynamics.aliases import Array
from dynamics.integration.compiled import CompiledSteps, compiled, compiled_if_possible, pays
from dynamics.integration.contract import FAILED, FINISHED, RUNNING, Method, VectorField
from dynamics.integration.stages import Stages
from dynamics.integration.step_size import first_step, next_factor, shorter_factor
from dynamics.integration.tableau import Tableau
from dynamics.integration.within_step import WithinStep

TOO_SHORT = "the steps become shorter than the spacing of numbers"
STEPS = 64  # of a stride at most, so that progress is seen


class RungeKutta:
    """Steps a field by an explicit method; it keeps the contract of `dynamics.integration.contract.Solver`.

    A step whose estimated error, the root mean square in units of atol + rtol max(|y|, |y_new|), is not below 1 is made
    again with a shorter one. Steps are made in compiled code where that pays, see `dynamics.integration.compiled`.

    Parameters
    ----------
    tableau : Tableau
    name : str
        Of the method; one that ends in "-numba" is compiled from the beginning.
    field : VectorField
    theta0 : (n,) array
    t_bound, rtol, atol : float

    Attributes
    ----------
    steps : int
        Steps that were begun.
    next, error : float
        Length of the next step, 0 if it is not known yet, and error of the last one.
    """

    njev = 0

    def __init__(
        self,
        tableau: Tableau,
        name: str,
        field: VectorField,
        theta0: Array,
        t_bound: float,
        rtol: float,
        atol: float,
    ) -> None:
        self.tableau, self.t_bound, self.rtol, self.atol = tableau, t_bound, rtol, atol
        self.nfev, self.steps = 0, 0
        self._slope, self._kernel = field.in_place(), field.kernel()
        self.stages, self.y = Stages(tableau, theta0.size), np.empty(theta0.size)
        self._compiled: CompiledSteps | None = None
        if name != tableau.name:
            self._go_on_in(compiled(name, self._kernel, tableau, theta0.size))
        self.restart(0.0, theta0)

    @cached_property
    def aside(self) -> Stages:
        """Memory for steps that are made for samples."""
        return Stages(self.tableau, self.y.size)

    def slope(self, t: float, y: Array, out: Array) -> None:
        """F(t, y), counted."""
        self.nfev += 1
        self._slope(t, y, out)

    def evaluate(self, stages: Stages, t: float, h: float, first: int, last: int) -> None:
        """Slopes k_i, first ≤ i < last, of a step of length h from time t, counted; those before are there."""
        self.nfev += last - first
        if self._compiled is not None:
            self._compiled.evaluate(stages, t, h, first, last)
        else:
            stages.evaluate(self._slope, t, h, first, last)

    def restart(self, t: float, y: Array) -> None:
        """Go on from another time and state."""
        self.t = self.t_old = t
        self.y[:] = y
        self.status = RUNNING if t < self.t_bound else FINISHED
        self.next, self.error = 0.0, 1.0

    def step(self) -> str:
        """One step; the reason if it failed."""
        return self.stride(self.t, most=1)

    def stride(self, until: float, allowed: int = sys.maxsize, most: int = STEPS) -> str:
        """Steps until the time `until` is reached or passed, or `allowed` evaluations; the reason if one failed."""
        if self.next == 0:
            self._begin()
        if self._kernel is not None and pays(self._kernel, self.nfev):
            self._go_on_in(compiled_if_possible(self._kernel, self.tableau, self.y.size))
        if self._compiled is not None:
            failed = self._compiled.stride(self, until, most, allowed)
        else:
            failed = self._stride(until, most, allowed)
        self.status = FAILED if failed else FINISHED if self.t >= self.t_bound else RUNNING
        return TOO_SHORT if failed else ""

    def _go_on_in(self, code: CompiledSteps | None) -> None:
        """Go on in compiled code, or for good without it."""
        self._compiled, self._kernel = code, None
        if code is not None:
            self._slope = code.slope

    def _stride(self, until: float, most: int, allowed: int) -> bool:
        """Steps by NumPy; whether they became too short."""
        for _ in range(most):
            if self._step():
                return True
            if self.t >= min(until, self.t_bound) or self.nfev > allowed:
                break
        return False

    def _step(self) -> bool:
        """One step by NumPy; whether it became too short."""
        memory, order, s, t = self.stages.memory, self.tableau.order, self.tableau.stages, self.t
        memory[0], memory[1] = self.y, memory[s + 1]
        self.steps += 1
        shortest = 10 * float(np.spacing(t))
        h, rejected = max(self.next, shortest), False
        while True:
            end = min(t + h, self.t_bound)
            h = end - t
            error = self._try(t, h)
            if error < 1:
                break
            h, rejected = h * shorter_factor(order, error), True
            if h < shortest:
                self.y[:] = memory[0]
                return True
        if not self.tableau.early:
            self.slope(end, self.y, memory[s + 1])
        factor = next_factor(order, error, self.error)
        self.next, self.error = h * (min(factor, 1.0) if rejected else factor), error
        self.t_old, self.t = t, end
        return False

    def _begin(self) -> None:
        """The slope at the state, and the length of the first step."""
        tableau, slope = self.tableau, self.stages.memory[self.tableau.stages + 1]
        self.slope(self.t, self.y, slope)
        ahead = self.t_bound - self.t
        self.next = first_step(self.slope, self.t, self.y, slope, ahead, tableau.order, self.rtol, self.atol)

    def _try(self, t: float, h: float) -> float:
        """Put the state after a step of length h into y; the size of its error in units of the tolerance."""
        stages, s = self.stages, self.tableau.stages
        self.evaluate(stages, t, h, 1, s)
        stages.arrive(self.y)
        if self.tableau.early:
            self.slope(t + h, self.y, stages.memory[s + 1])
        return h * self.tableau.error(stages.squares(self.y, self.rtol, self.atol))

    def within_step(self) -> WithinStep:
        """The solution within the last step."""
        return WithinStep(self)


def methods_of(tableau: Tableau) -> tuple[Method, Method]:
    """The method of a tableau, and the same compiled from the beginning."""
    names = tableau.name, f"{tableau.name}-numba"
    plain, compiled = (
        Method(name, False, partial(RungeKutta, tableau, name), strides=True) for name in names
    )
    return plain, compiled
