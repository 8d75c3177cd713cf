"""Symbolic modified equations: exact identities, and equality with the numerical flow."""

import numpy as np
import pytest
import sympy

from dynamics import GradientFlow
from dynamics.flows.modified import ModifiedFlow
from dynamics.symbolic.derivation import derive
from dynamics.symbolic.exact import vanishes
from dynamics.symbolic.modified_equations import MOMENTUM, STEP, modified_equations


@pytest.mark.parametrize("second_layer", ["trainable", "fixed"])
def test_they_are_the_gradient_flow_of_the_modified_loss(second_layer):
    """θ̇ = −∂/∂θ (L + (η/4)‖∇L‖²), decided by exact expansion."""
    equations = modified_equations(derive(1, 2, second_layer=second_layer))
    for theta, rate in equations.ode.items():
        assert vanishes(rate + sympy.diff(equations.loss, theta))


def test_without_a_step_they_are_the_gradient_flow():
    derivation = derive(2, 2, activation="centred")
    equations = modified_equations(derivation)
    for theta, rate in equations.ode.items():
        assert vanishes(rate.subs(STEP, 0) - derivation.ode[theta])


@pytest.mark.parametrize(("activation", "outputs"), [("quadratic", 1), ("centred", 1), ("quadratic", 2)])
def test_numerical_and_symbolic_equations_agree(make_problem, rng, activation, outputs):
    """Random weights and teacher, step 0.03 and momentum 0.4, to rounding."""
    problem = make_problem(rng, d=2, K=2, R=2, O=outputs, activation=activation)
    derivation = derive(2, 2, outputs, activation=activation)
    equations = modified_equations(derivation, momentum=True)
    flow = GradientFlow(problem, reduce=False)
    theory = ModifiedFlow(flow, 0.03, 0.4)
    M = np.stack([problem.teacher.matrix(o) for o in range(outputs)])
    values = dict(zip(derivation.parameters, flow.theta0, strict=True)) | {STEP: 0.03, MOMENTUM: 0.4}
    values |= dict(zip(derivation.targets, M[:, *np.triu_indices(2)].ravel(), strict=True))
    symbolic = np.array([float(rate.subs(values)) for rate in equations.ode.values()])
    np.testing.assert_allclose(
        theory(0, flow.theta0), symbolic, rtol=1e-10, atol=1e-10 * np.abs(symbolic).max()
    )
    loss = theory.objective.loss(*flow.unpack(flow.theta0))
    assert float(equations.loss.subs(values)) == pytest.approx(loss, rel=1e-12)


def test_text_can_be_parsed_back():
    equations = modified_equations(derive(1, 1), momentum=True)
    lines = dict(line.split(" = ", 1) for line in equations.summary().splitlines() if line.startswith("d"))
    for theta, rate in equations.residual_ode.items():
        assert vanishes(sympy.numer(sympy.together(sympy.sympify(lines[f"d{theta}/dt"]) - rate)))
    assert "number of steps * step/(1 - momentum)" in equations.summary()
    assert "h = step>" in repr(modified_equations(derive(1, 1)))


def test_one_unit_by_hand():
    """d = 1, a = 1 fixed: ẇ = f = 6w(m − w²), f′ = 6m − 18w², so ẇ = f − (η/2)f′f."""
    (rate,) = modified_equations(derive(1, 1, second_layer="fixed")).ode.values()
    w, m = sympy.symbols("w_0_0 m_0_0")
    f = 6 * w * (m - w**2)
    assert vanishes(rate - (f - STEP / 2 * sympy.diff(f, w) * f))


def test_aligned_modes_have_modified_equations_too():
    """The reduced system is the gradient flow of the loss restricted to it: the same identity."""
    equations = modified_equations(derive(2, 2, activation="centred").aligned())
    for theta, rate in equations.ode.items():
        assert vanishes(rate + sympy.diff(equations.loss, theta))
