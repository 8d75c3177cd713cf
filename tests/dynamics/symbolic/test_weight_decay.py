"""Derivations with weight decay: right-hand sides against the objective of the problem, laws by exact expansion."""

import numpy as np
import pytest
import sympy

from dynamics import Problem, ProblemError, Student, Teacher, derive
from dynamics.symbolic.alignment import aligned
from dynamics.symbolic.code_export import to_javascript, to_python
from dynamics.symbolic.export import to_json_dict, to_latex, to_text
from dynamics.symbolic.modified_equations import modified_equations
from dynamics.symbolic.tensor_form import derive_tensor, tensor_latex, tensor_text

RATES = (0.25, 0.75)


def objective(second_layer):
    """A problem, its weights as one vector, its teacher's symbols, and minus the gradient of its objective."""
    student = Student.initialise(2, 2, scale=0.8, seed=3)
    trainable = second_layer == "trainable"
    student = Student(student.W, np.full((1, 2), 0.5) if not trainable else student.A, trainable)
    decay = RATES if trainable else RATES[0]
    problem = Problem(Teacher.from_eigenvalues([2, 1]), student, weight_decay=decay)
    vW, vA = problem.objective.velocity(student.W, student.A)
    theta = np.concatenate([student.W.ravel(), student.A.ravel()]) if trainable else student.W.ravel()
    velocity = np.concatenate([vW.ravel(), vA.ravel()])[: theta.size]
    return problem, theta, [2.0, 0.0, 1.0], velocity


@pytest.mark.parametrize("second_layer", ["trainable", "fixed"])
@pytest.mark.parametrize("symbolic", [True, False])
def test_flow_of_the_objective(second_layer, symbolic):
    problem, theta, m, velocity = objective(second_layer)
    rates = RATES if second_layer == "trainable" else RATES[:1]
    given = "symbolic" if symbolic else rates if len(rates) == 2 else rates[0]
    found = derive(2, 2, second_layer=second_layer, second_layer_value=0.5, weight_decay=given)
    rhs, loss = found.numeric()
    further = {"rho": rates} if symbolic else {}
    np.testing.assert_allclose(rhs(0.0, theta, m, **further), velocity, rtol=1e-13)
    W, A = problem.student.W, problem.student.A
    assert loss(theta, m, **further) == pytest.approx(problem.population.loss(W, A), rel=1e-13)
    values = dict(zip((*found.parameters, *found.decay_symbols), (*theta, *rates), strict=False))
    assert float(found.penalty.subs(values)) == pytest.approx(problem.weight_decay.penalty(W, A), rel=1e-13)


def test_laws():
    """Equal decay: ċ = −2ρc. Unequal: −2ρ_w‖w‖² + 4ρ_a a². Both by substitution of the derived equations."""
    w0, w1, a = sympy.symbols("w_0_0 w_0_1 a_0")
    rho_w, rho_a = sympy.symbols("rho_w rho_a")
    law = w0**2 + w1**2 - 2 * a**2
    equal = derive(1, 2, weight_decay=0.1)
    assert equal.conserved == () and len(equal.decaying) == 1
    (c, rate) = equal.decaying[0]
    assert sympy.expand(c - law) == 0 and sympy.expand(rate + law / 5) == 0
    (c, rate) = derive(1, 2, weight_decay="symbolic").decaying[0]
    assert sympy.expand(rate - (-2 * rho_w * (w0**2 + w1**2) + 4 * rho_a * a**2)) == 0
    assert derive(1, 2).decaying == () and len(derive(1, 2).conserved) == 1
    assert derive(1, 2, second_layer="fixed", weight_decay=0.1).decaying == ()


def test_linear_units_have_their_own_factor():
    w0, a = sympy.symbols("w_0_0 a_0")
    c, rate = derive(1, 1, activation="linear", weight_decay=(0.5, 0.25)).decaying[0]
    assert sympy.expand(c - (w0**2 - a**2)) == 0
    assert sympy.expand(rate - (-(w0**2) + a**2 / 2)) == 0


def test_aligned_modes():
    """ṗ = ap(…) − ρ_w p, and c_i = p_i² − 2a_i² with its rate."""
    modes = aligned(derive(2, 2, activation="centred", weight_decay="symbolic"))
    p, a, lam, rho_w, rho_a = sympy.symbols("p_0 a_0 lambda_0 rho_w rho_a")
    assert sympy.expand(modes.ode[p] - (4 * a * p * (lam - a * p**2) - rho_w * p)) == 0
    assert sympy.expand(modes.ode[a] - (2 * p**2 * (lam - a * p**2) - rho_a * a)) == 0
    c, rate = modes.decaying[0]
    assert sympy.expand(c - (p**2 - 2 * a**2)) == 0
    assert sympy.expand(rate - (-2 * rho_w * p**2 + 4 * rho_a * a**2)) == 0


def test_exports():
    found = derive(1, 1, weight_decay=(0.5, 0.25))
    written = to_json_dict(found)
    assert written["weight_decay"] == ["1/2", "1/4"]
    w, a = sympy.symbols("w_0_0 a_0")
    penalty = sympy.sympify(written["objective"]) - sympy.sympify(written["loss"])
    assert sympy.expand(penalty - (w**2 / 4 + a**2 / 8)) == 0
    assert set(written["decaying"][0]) == {"law", "derivative"}
    text, latex = to_text(found), to_latex(found)
    assert "R = L + " in text and "Conserved but for the decay" in text and "dc_0/dt = " in text
    assert "R &= L + " in latex and r"\dot{c}_{0} &= " in latex
    plain = derive(1, 1)
    assert not {"objective", "weight_decay", "decaying"} & set(to_json_dict(plain))
    assert "R = L" not in to_text(plain) and "R &=" not in to_latex(plain)


def test_programs():
    """The Python module's three functions against the derivation; the JavaScript one names the same."""
    found = derive(1, 1, weight_decay="symbolic")
    module: dict = {}
    exec(to_python(found), module)
    theta, m, rho = np.array([0.7, 0.4]), [2.0], [0.5, 0.25]
    rhs, loss = found.numeric()
    np.testing.assert_allclose(module["rhs"](0.0, theta, m, rho), rhs(0.0, theta, m, rho=rho), rtol=1e-13)
    penalty = 0.25 * 0.7**2 + 0.125 * 0.4**2
    assert module["objective"](theta, m, rho) == pytest.approx(loss(theta, m, rho=rho) + penalty, rel=1e-13)
    assert module["WEIGHT_DECAY"] == ("rho_w", "rho_a")
    script = to_javascript(found)
    assert "export function objective(theta, m, rho)" in script and "WEIGHT_DECAY" in script
    assert "objective" not in to_python(derive(1, 1)) + to_javascript(derive(1, 1))


def test_index_free_form():
    with_decay, without = derive_tensor(decayed=True), derive_tensor()
    assert "− ρ_w w_k" in tensor_text(with_decay) and "− ρ_a A_ok" in tensor_text(with_decay)
    assert "Conserved" not in tensor_text(with_decay) and "ρ" not in tensor_text(without)
    assert r"\rho_w w_k" in tensor_latex(with_decay) and r"\rho" not in tensor_latex(without)
    assert "(conserved)" in tensor_latex(without) and "(conserved)" not in tensor_latex(with_decay)


def test_modified_loss_is_that_of_the_objective():
    """−∂/∂θ of the modified loss is the modified right-hand side, with decay as without."""
    equations = modified_equations(derive(1, 1, weight_decay=0.5))
    for theta, rate in equations.ode.items():
        assert sympy.expand(rate + sympy.diff(equations.loss, theta)) == 0


def test_refusals():
    with pytest.raises(ProblemError, match="`weight_decay` is 'much', but must be one of: symbolic"):
        derive(1, 1, weight_decay="much")
    with pytest.raises(ProblemError, match="must not be negative"):
        derive(1, 1, weight_decay=-1)
    with pytest.raises(ProblemError, match="is fixed: give that of the first"):
        derive(1, 1, second_layer="fixed", weight_decay=(0.1, 0.1))
