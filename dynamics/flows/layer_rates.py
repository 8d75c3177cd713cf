"""Gradient flow whose layers have learning rates of their own: ẇ = −r_w ∂R/∂w, Ȧ = −r_a ∂R/∂A.

What it conserves is ‖w_k‖²/r_w − h Σ_o A_ok²/r_a of every unit (`dynamics.conserved.quantities`), not c_k.
"""

from __future__ import annotations

from collections.abc import Sequence

from dynamics.aliases import Array
from dynamics.flows.steered import SteeredFlow
from dynamics.problem import Problem
from dynamics.validation import validate_real


class LayerRateFlow(SteeredFlow):
    """The flow that descents follow whose layers have different learning rates, to first order in the step.

    Parameters
    ----------
    problem : Problem
    rates : (r_w, r_a)
        Learning rates of the layers in units of that which the time counts.

    Raises
    ------
    ProblemError
        If a rate is not positive.
    """

    def __init__(self, problem: Problem, rates: Sequence[float]) -> None:
        super().__init__(problem)
        first, second = (validate_real("rates", rate, positive=True) for rate in rates)
        self.factors = self.rates((first, second))

    def __call__(self, t: float, theta: Array) -> Array:
        """−r ∇R."""
        return -self.factors * self.slope(theta)

    def jacobian(self, t: float, theta: Array) -> Array:
        """−r H."""
        return -self.factors[:, None] * self.hessian(theta)
