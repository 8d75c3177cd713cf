"""Gradient flow whose layers have learning rates of their own: ẇ = −r_w ∂R/∂w, Ȧ = −r_a ∂R/∂A.

What it conserves is ‖w_k‖²/r_w − h Σ_o A_ok²/r_a of every unit (`dynamics.conserved.quantities`), not c_k.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.flows.steered import SteeredFlow
from dynamics.problem import Problem
from dynamics.validation import validate_real


class LayerRateFlow(SteeredFlow):
    """The flow that descents follow whose layers have different learning rates, to first order in the step.

    Parameters
    ----------
    problem : Problem
    rates : (r_w, r_a)
        Learning rates of the layers in units of that which the time counts; 0 of a layer that is fixed.

    Raises
    ------
    ProblemError
        If a rate is negative, or both are 0.
    """

    def __init__(self, problem: Problem, rates: Sequence[float]) -> None:
        super().__init__(problem)
        first, second = (validate_real("rates", rate, nonnegative=True) for rate in rates)
        if not (first or second):
            raise ProblemError("`rates` is 0,0, but one of the layers must be trained: its rate is positive.")
        self.factors = self.rates((first, second))

    def slope(self, theta: Array) -> Array:
        """∇R over what is trained, (n,): it is gone where the flow rests."""
        return np.where(self.factors > 0, super().slope(theta), 0.0)

    def __call__(self, t: float, theta: Array) -> Array:
        """−r ∇R."""
        return -self.factors * self.slope(theta)

    def jacobian(self, t: float, theta: Array) -> Array:
        """−r H."""
        return -self.factors[:, None] * self.hessian(theta)
