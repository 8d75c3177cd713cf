"""The modified equations of gradient descent, derived from the symbolic gradient flow.

Euler's method with the step h follows θ̇ = f − (h/2) f′f + O(h²) instead of θ̇ = f (Hairer, Lubich & Wanner,
*Geometric Numerical Integration*, 2006, section IX.1). With f = −∇L this is the flow of L + (h/4)‖∇L‖². Here f is
a `dynamics.symbolic.derivation.Derivation`, and f′f its derivative along itself; heavy ball has the same equation with
h = η(1 + β)/(1 − β)² in the time η × steps/(1 − β), see `dynamics.flows.modified`, the numerical twin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy

from dynamics.symbolic.derivation import Derivation
from dynamics.symbolic.printers import as_text

STEP, MOMENTUM = sympy.symbols("step momentum")  # "beta" would be parsed as the beta function


@dataclass(frozen=True, repr=False)
class ModifiedEquations:
    """Gradient descent with step ``step`` and heavy-ball momentum ``momentum`` as an ODE.

    Attributes
    ----------
    derivation : Derivation
        The gradient flow, whose `residual` explains the symbols ``D_i_j``.
    step : expression
        h in ``step``, and in ``momentum`` unless there is none.
    residual_loss : expression
        Modified loss L + (h/4)‖∇L‖², in parameters, residual and step.
    residual_ode : mapping symbol → expression
        Its gradient flow.
    """

    derivation: Derivation
    step: sympy.Expr
    residual_loss: sympy.Expr
    residual_ode: Mapping[sympy.Symbol, sympy.Expr]

    @property
    def loss(self) -> sympy.Expr:
        """Modified loss in parameters, targets and step."""
        return self.residual_loss.xreplace(dict(self.derivation.residual))

    @property
    def ode(self) -> dict[sympy.Symbol, sympy.Expr]:
        """Parameter → time derivative, in parameters, targets and step."""
        names = dict(self.derivation.residual)
        return {theta: rate.xreplace(names) for theta, rate in self.residual_ode.items()}

    def summary(self) -> str:
        """The equations as plain text; every right-hand side can be parsed by SymPy."""
        clock = STEP / (1 - MOMENTUM) if MOMENTUM in self.step.free_symbols else STEP
        lines = [
            f"Gradient descent as a flow, to second order in the step: {self.derivation.sizes}.",
            f"Time = number of steps * {as_text(clock)}, h = {as_text(self.step)}.",
            "",
            *(f"{name} = {as_text(entry)}" for name, entry in self.derivation.residual.items()),
            "",
            *(f"d{theta}/dt = {as_text(rate)}" for theta, rate in self.residual_ode.items()),
        ]
        return "\n".join(lines) + "\n"

    def __repr__(self) -> str:
        return f"<ModifiedEquations of {self.derivation!r}, h = {as_text(self.step)}>"


def modified_equations(derivation: Derivation, momentum: bool = False) -> ModifiedEquations:
    """Modified equations of gradient descent, or of heavy ball, on the loss of a derivation.

    Parameters
    ----------
    derivation : Derivation
    momentum : bool
        Whether to allow for heavy-ball momentum.

    Returns
    -------
    ModifiedEquations
    """
    h = STEP * (1 + MOMENTUM) / (1 - MOMENTUM) ** 2 if momentum else STEP
    flow = derivation.residual_ode
    # The residual's entries move with the parameters, by the chain rule.
    velocity = {**flow, **{name: _along(entry, flow) for name, entry in derivation.residual.items()}}
    speed = sympy.Add(*(rate**2 for rate in flow.values()))
    return ModifiedEquations(
        derivation=derivation,
        step=h,
        residual_loss=derivation.residual_loss + derivation.penalty + h / 4 * speed,
        residual_ode={theta: rate - h / 2 * _along(rate, velocity) for theta, rate in flow.items()},
    )


def _along(expression: sympy.Expr, velocity: Mapping[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
    """Derivative of an expression along a velocity of its symbols."""
    moving = sorted(expression.free_symbols & velocity.keys(), key=str)
    return sympy.Add(*(sympy.diff(expression, symbol) * velocity[symbol] for symbol in moving))
