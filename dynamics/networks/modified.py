"""Gradient descent of a network with a finite step, as a flow: θ̇ = −∇R − (h/2) H∇R by Hessian-vector products.

What h is, and where the flow starts under momentum, is the theory of `dynamics.flows.modified` and
`dynamics.flows.momentum`, which holds of every loss.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dynamics.aliases import Array
from dynamics.clock import Clock
from dynamics.flows.momentum import HEAVY_BALL, Momentum
from dynamics.flows.scheduled import StepField
from dynamics.integration import SolverReport
from dynamics.networks.flow import NetworkFlow
from dynamics.networks.problem import NetworkProblem
from dynamics.networks.trajectory import NetworkTrajectory
from dynamics.schedules.schedule import Spec


class ModifiedNetworkFlow(StepField, NetworkFlow):
    """The flow that gradient descent of a network follows, to second order in its step.

    Parameters
    ----------
    problem : NetworkProblem
    step : float
        Learning rate η.
    momentum : float
        β.
    schedule, steps
        As of `dynamics.flows.modified.ModifiedFlow`.
    form : Momentum
    data, labels : (n, d), (n, O) arrays, optional
        As of `NetworkFlow`.

    Raises
    ------
    ProblemError
        As of `NetworkFlow` and `dynamics.clock.Clock`.
    """

    def __init__(
        self,
        problem: NetworkProblem,
        step: float,
        momentum: float = 0.0,
        *,
        schedule: Spec = "constant",
        steps: int | None = None,
        form: Momentum = HEAVY_BALL,
        data: Array | None = None,
        labels: Array | None = None,
    ) -> None:
        super().__init__(problem, data, labels)
        self.clock, self.form = Clock(step, momentum, schedule, steps), form
        self._slope = self.objective.gradient(self.theta0)
        self.theta0 = self.theta0 + form.remaining(self.clock, np.zeros(1))[0] * self._slope

    def velocity_at(self, eta: float, theta: Array) -> Array:
        """−∇R − (h/2) H∇R for a rate η."""
        g = self.objective.gradient(theta)
        h = self.form.correction(eta, self.clock.momentum)
        return -g - h / 2 * self.objective.hessian_vector(theta, g)

    def jacobian_at(self, eta: float, theta: Array) -> Array:
        """−H − (h/2) H², (p, p): its derivative but for the third derivatives of the loss.

        Implicit methods solve their equations by it iteratively, and judge their errors without it.
        """
        H = self.objective.hessian(theta)
        return -H - self.form.correction(eta, self.clock.momentum) / 2 * (H @ H)

    def observed(self, times: Array, states: Array) -> Array:
        """States of the descent: those of the slow flow with the initial layer of a velocity."""
        if self.clock.momentum == 0:
            return states
        return states - np.multiply.outer(
            self.form.remaining(self.clock, self.clock.steps(times)), self._slope
        )

    def result(self, times: Array, states: Array, report: SolverReport) -> NetworkTrajectory:
        """The learning curve; a finite step lets conserved quantities drift, which is no error."""
        return replace(super().result(times, states, report), theory="modified")
