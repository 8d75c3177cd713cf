"""Discrete gradient descent as a flow: the modified equation, with and without momentum.

Gradient descent θ ← θ − η∇L(θ) follows, with an error O(η²) over finite times, the gradient flow of
L + (η/4)‖∇L‖² (backward error analysis of Euler's method: Hairer, Lubich & Wanner, *Geometric Numerical
Integration*, 2006, section IX.1; for gradient descent: Barrett & Dherin, ICLR 2021).

Heavy ball, v ← βv + ∇L(θ), θ ← θ − ηv from v = 0, is the recursion θ₊ − θ = β(θ − θ₋) − η∇L(θ). In the time
t = η × steps/(1 − β), in which it follows the flow of L to first order, inserting θ₊, θ₋ = θ(t ± η/(1 − β)) and
θ̈ = H∇L + O(η) gives (derived here)

    θ̇ = −∇L − (h/2) H∇L,   h = η(1 + β)/(1 − β)²,

the gradient flow of L + (h/4)‖∇L‖². (In the time η × steps: of L/(1 − β) + η(1 + β)/(4(1 − β)³)‖∇L‖².)

The velocity starts at 0 instead of ∇L/(1 − β) and catches up within some 1/(1 − β) steps. With the gradient
constant over these few steps, v after n of them is (1 − βⁿ)∇L/(1 − β), and summed up

    θ_n = θ(t_n) − β^{n+1} η/(1 − β)² ∇L(θ₀) + O(η²),   θ(0) = θ₀ + βη/(1 − β)² ∇L(θ₀):

the slow flow starts from a shifted point, and a layer of size O(η) dies away geometrically. Without the shift
the error would be O(η) for ever, without the layer O(η) during the first steps.

Learning rates η_n that change from step to step (derived here): with t_n = Σ_{m<n} η_m/(1 − β) and the rate outside of
the velocity, as in PyTorch, all this holds with h of the rate η(t) of the moment, and no term in η̇. For gradient
descent each step is the one of a constant rate. For heavy ball, v_n lags behind ∇L/(1 − β) by the time of the steps
that it remembers, which a change of the rate alters by O(η̇η); where the rate jumps, for some 1/(1 − β) steps, in all by
O(η²). The first steps make up Σ_m β^{m+1} η_m/(1 − β) ∇L(θ₀), which is the shift, and n of them all but the rest of the
sum. (A rate inside of the velocity, v ← βv − η∇L, would add a delay O(η̇): first order only.)

Nesterov's form has another h and another shift: `dynamics.flows.momentum`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dynamics.aliases import Array
from dynamics.clock import Clock
from dynamics.errors import ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.flows.momentum import HEAVY_BALL, Momentum
from dynamics.flows.scheduled import StepField
from dynamics.flows.vanishing_units import VanishingUnits
from dynamics.integration.contract import Curvature
from dynamics.population.base import FormLoss
from dynamics.population.modified import ModifiedLoss
from dynamics.problem import Problem
from dynamics.problem.scope import require

if TYPE_CHECKING:
    from dynamics.schedules.schedule import Spec

SHORTEST = 1.0  # of h times the curvature: length of ‖w_k‖/‖A_k‖ from which a vanished unit is followed


class ModifiedFlow(StepField, GradientFlow):
    """The flow that gradient descent with a finite step follows, to second order in the step.

    Time is that of `GradientFlow`, of which it is the correction; its `clock` says which time belongs to which step.
    The learning curve is the unmodified loss.

    Parameters
    ----------
    flow : Problem or GradientFlow
        What is descended: the population loss of a problem, or the objective of a flow, such as
        `dynamics.flows.finite_data.FiniteDataFlow`.
    step : float
        Learning rate η.
    momentum : float
        β in [0, 1), in the form v ← βv + ∇L, θ ← θ − ηv with v = 0 at first, PyTorch's heavy ball.
    schedule : Schedule, str, callable or array
        Rates η_n = η s_n, see `dynamics.schedules.Schedule.of`. The flow ends where the schedule does.
    steps : int, optional
        Number of steps of the schedule; a constant one needs none.
    form : Momentum
        Another form of momentum, `dynamics.flows.momentum.NESTEROV`.

    Raises
    ------
    ProblemError
        If the step is not positive, the momentum not in [0, 1), the schedule none for so many steps, or the flow is a
        modified one already.

    Examples
    --------
    >>> from dynamics import Problem, Student, Teacher
    >>> problem = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(3, 2, scale=0.3))
    >>> trajectory = ModifiedFlow(problem, step=0.01, momentum=0.5).integrate(t_end=1.0)
    """

    step: float
    momentum: float
    keeps_balances = False  # a finite step lets them drift

    def __init__(
        self,
        flow: Problem | GradientFlow,
        step: float,
        momentum: float = 0.0,
        *,
        schedule: Spec = "constant",
        steps: int | None = None,
        form: Momentum = HEAVY_BALL,
    ) -> None:
        base = flow if isinstance(flow, GradientFlow) else GradientFlow(flow)
        if isinstance(base, ModifiedFlow):
            raise ProblemError(f"`flow` is modified for the step {base.step:g} already: give the plain flow.")
        require("modified flow", base.problem)
        self._base, self._reduces = base, base._reduces
        self.clock = Clock(step, momentum, schedule, steps)
        self.step, self.momentum, self.form = self.clock.step, self.clock.momentum, form
        objective = ModifiedLoss(base.objective, self._coefficient(self.step), base.trainable)
        self._start(base.problem, base.reduction, objective)
        self.setup_seconds = base.setup_seconds
        self._slope = -base(0.0, base.theta0)
        self.theta0 = base.theta0 + self._remaining(np.zeros(1))[0] * self._slope

    def smaller(self) -> GradientFlow | None:
        """As of the flow that is corrected, if it has one."""
        return None if self._base.smaller() is None else super().smaller()

    def _of(self, problem: Problem) -> GradientFlow:
        """The same flow of another problem."""
        clock = self.clock
        return ModifiedFlow(
            self._base._of(problem),
            self.step,
            self.momentum,
            schedule=clock.schedule,
            steps=clock.length,
            form=self.form,
        )

    def _coefficient(self, eta: float) -> float:
        """h for a rate η."""
        return self.form.correction(eta, self.momentum)

    def velocity_at(self, eta: float, theta: Array) -> Array:
        """−∇(L + (h/4)‖∇L‖²) for a rate η."""
        return self.pack(*self._objective_at(eta).velocity(*self.unpack(theta)))

    def jacobian_at(self, eta: float, theta: Array) -> Array:
        """Its derivative, (n, n)."""
        n = theta.size
        return -self._objective_at(eta).hessian(*self.unpack(theta))[:n, :n]

    def curvature(self) -> Curvature | None:
        """The Hessian of the modified loss, which is one loss as long as the rate is constant."""
        return GradientFlow.curvature(self) if self.rate_curve is None else None

    def _objective_at(self, eta: float) -> ModifiedLoss:
        assert isinstance(self.objective, ModifiedLoss)
        return replace(self.objective, step=self._coefficient(eta))

    @property
    def forms(self) -> FormLoss | None:
        """The loss without the correction: small units feel that to the next order in their size only."""
        assert isinstance(self.objective, ModifiedLoss)
        return self.objective.base.forms

    def switching(self, atol: float) -> VanishingUnits | None:
        """As of the flow; but a unit comes back with a length that a step of the descent resolves.

        On shorter ones, of the order of h‖A_k‖ times the curvature of the loss, the correction is no small one.
        """
        units = super().switching(atol)
        if units is None:
            return None
        assert isinstance(self.objective, ModifiedLoss)
        resolved = SHORTEST * self.objective.step * self.natural_units.force
        return replace(units, returned=min(max(units.returned, resolved), 0.1))

    def observed(self, times: Array, states: Array) -> Array:
        """States of the descent: those of the slow flow with the initial layer."""
        if self.momentum == 0:
            return states
        return states - np.multiply.outer(self._remaining(self.clock.steps(times)), self._slope)

    def _remaining(self, steps: Array) -> Array:
        """What the slow start of the velocity costs after n steps, over ∇L(θ₀)."""
        return self.form.remaining(self.clock, steps)
