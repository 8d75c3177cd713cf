"""The solution within a step of an explicit method, as accurate as the step itself.

Interpolants have a lower order than the method and nobody controls their error. That of DOP853 adds up to thirty times
the tolerance where stability limits the step: polynomials of high degree oscillate between the ends. Its last term
exceeds its error, however, wherever steps are stable (`Tableau.last_term`, a property of the coefficients that is
tested), and says when it may be used: below the tolerance. Elsewhere a shorter step of the same method leads to a
single time; where more than `SINGLE` are asked for, the step is made again in parts that are short enough. The next
step is made so short that its interpolant will do, as neighbours of steps that are sampled are sampled too as a rule:
steps that are shorter by a seventh cost less than two for every sample.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dynamics.aliases import Array
from dynamics.integration.stages import Stages
from dynamics.integration.step_size import root_mean_square
from dynamics.integration.stepper import Stepper
from dynamics.integration.tableau import Tableau

SINGLE = 2  # times in a step that shorter steps lead to
AIM = 0.5  # error of an interpolant, in units of the tolerance, that the next step is made for
PARTS = 8  # of a step that is made again, at most


@dataclass(frozen=True, eq=False)
class Interpolant:
    """θ(t) = y + Σ_p β_p(x) Q_p, x = (t − t_old)/h.

    Parameters
    ----------
    tableau : Tableau
        β.
    t_old, h : float
    start : (n,) array
        y.
    terms : (P, n) array
        Q.
    error : float
        Bound on its error in units of the tolerance.
    """

    tableau: Tableau
    t_old: float
    h: float
    start: Array
    terms: Array
    error: float

    @property
    def order(self) -> int:
        """Power of h in its error."""
        return len(self.terms) + 1

    def __call__(self, t: float) -> Array:
        return np.asarray(self.start + self.tableau.basis((t - self.t_old) / self.h) @ self.terms)


class WithinStep:
    """The solution within the last step of a solver; it stays what it is when the solver goes on.

    Parameters
    ----------
    solver : Stepper
    """

    def __init__(self, solver: Stepper) -> None:
        self.t_old, self.t = solver.t_old, solver.t
        self._solver, self._number, self._asked = solver, solver.steps, 0
        self._before, self._slope = solver.stages.memory[:2].copy()
        self._after = solver.y.copy()

    def __call__(self, t: float) -> Array:
        if t >= self.t or t <= self.t_old:
            return self._after if t >= self.t else self._before
        with np.errstate(all="ignore"):  # a solution that explodes leaves the numbers within the step too
            if self._whole.error <= 1:
                return self._whole(t)
            self._asked += 1
            if self._asked <= SINGLE:
                return self._shorter(t)
            ends = [part.t_old for part in self._parts[1:]]
            return self._parts[bisect_right(ends, t)](t)

    @cached_property
    def _whole(self) -> Interpolant:
        """The interpolant of the step, from its slopes if they are still there."""
        h = self.t - self.t_old
        if self._solver.steps == self._number:
            whole = self._interpolant(self._solver.stages, self.t_old, h, self._after)
            if whole.error > 0:
                self._solver.next = min(self._solver.next, h * (AIM / whole.error) ** (1 / whole.order))
            return whole
        return self._again(self.t_old, h, self._before, self._slope)[0]

    @cached_property
    def _parts(self) -> list[Interpolant]:
        """Interpolants of shorter steps, as many as their order asks for; they end where the step does."""
        error, order = self._whole.error, self._whole.order
        count = max(2, math.ceil(error ** (1 / order))) if error < PARTS**order else PARTS
        h, y, slope, parts = (self.t - self.t_old) / count, self._before, self._slope, []
        for k in range(count):
            part, y, slope = self._again(self.t_old + k * h, h, y, slope)
            parts.append(part)
        return parts

    def _shorter(self, t: float) -> Array:
        """The state at the end of a shorter step."""
        end = np.empty_like(self._before)
        self._step(self.t_old, t - self.t_old, self._before, self._slope).arrive(end)
        return end

    def _again(self, t: float, h: float, y: Array, slope: Array) -> tuple[Interpolant, Array, Array]:
        """The interpolant of a step, and state and slope at its end."""
        stages, end, last = self._step(t, h, y, slope), np.empty_like(y), self._solver.tableau.stages + 1
        stages.arrive(end)
        self._solver.slope(t + h, end, stages.memory[last])
        return self._interpolant(stages, t, h, end), end, stages.memory[last].copy()

    def _step(self, t: float, h: float, y: Array, slope: Array) -> Stages:
        """The slopes of a step beside those of the solver."""
        solver, stages = self._solver, self._solver.aside
        stages.memory[0], stages.memory[1] = y, slope
        solver.evaluate(stages, t, h, 1, solver.tableau.stages)
        return stages

    def _interpolant(self, stages: Stages, t: float, h: float, end: Array) -> Interpolant:
        """The interpolant of a step whose slopes are known, its last one included."""
        solver, tableau = self._solver, self._solver.tableau
        solver.evaluate(stages, t, h, tableau.stages + 1, len(tableau.rows))
        start, terms = stages.memory[0].copy(), h * (tableau.dense @ stages.memory[1:])
        error = 0.0
        if tableau.last_term is not None:
            scale = solver.atol + solver.rtol * np.maximum(np.abs(start), np.abs(end))
            error = tableau.largest_last * root_mean_square(terms[-1] / scale) / tableau.last_term
        return Interpolant(tableau, t, h, start, terms, error)
