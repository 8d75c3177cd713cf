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
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dynamics.aliases import Array
from dynamics.clock import Clock
from dynamics.errors import ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.flows.vanishing_units import VanishingUnits
from dynamics.population.base import FormLoss
from dynamics.population.modified import ModifiedLoss
from dynamics.problem import Problem
from dynamics.validation import validate_momentum, validate_real

SHORTEST = 1.0  # of h times the curvature: length of ‖w_k‖/‖A_k‖ from which a vanished unit is followed


class ModifiedFlow(GradientFlow):
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
        Heavy-ball β in [0, 1), in the form v ← βv + ∇L, θ ← θ − ηv with v = 0 at first, PyTorch's.

    Raises
    ------
    ProblemError
        If the step is not positive, the momentum not in [0, 1), or the flow is a modified one already.

    Examples
    --------
    >>> from dynamics import Problem, Student, Teacher
    >>> problem = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(3, 2, scale=0.3))
    >>> trajectory = ModifiedFlow(problem, step=0.01, momentum=0.5).integrate(t_end=1.0)
    """

    step: float
    momentum: float
    clock: Clock
    keeps_balances = False  # a finite step lets them drift

    def __init__(self, flow: Problem | GradientFlow, step: float, momentum: float = 0.0) -> None:
        base = flow if isinstance(flow, GradientFlow) else GradientFlow(flow)
        if isinstance(base, ModifiedFlow):
            raise ProblemError(f"`flow` is modified for the step {base.step:g} already: give the plain flow.")
        self.step = eta = validate_real("step", step, positive=True)
        self.momentum = beta = validate_momentum(momentum)
        self.clock = Clock(eta, beta)
        h = eta * (1 + beta) / (1 - beta) ** 2
        self._start(base.problem, base.reduction, ModifiedLoss(base.objective, h, base.trainable))
        # (η/(1 − β)²) ∇L(θ₀): what the slow start of the velocity costs, up to a factor β^{n+1} after n steps
        self._lag = -eta / (1 - beta) ** 2 * base(0.0, base.theta0)
        self.theta0 = base.theta0 + beta * self._lag

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
        return states - np.multiply.outer(self.momentum ** (self.clock.steps(times) + 1), self._lag)
