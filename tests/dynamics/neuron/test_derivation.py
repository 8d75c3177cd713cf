"""The symbolic derivation: against the closed form, brute-force moments, and the laws for rates of zero."""

import numpy as np
import pytest
import sympy

from dynamics.neuron import NeuronFlow, Neurons, QuadraticTarget, Rates, derive_neurons
from dynamics.symbolic.exact import vanishes
from dynamics.symbolic.moments import expectation


def values_of(derivation, target, neurons, rates):
    """Numbers for every symbol of a derivation."""
    d = target.inputs
    theta = np.concatenate([neurons.R.ravel(), neurons.G.ravel(), neurons.B.ravel(), neurons.a])
    m = [*target.M[np.triu_indices(d)], *target.v, target.e]
    symbols = (derivation.parameters, derivation.targets, derivation.rates)
    numbers = (theta, m, (rates.r, rates.g, rates.b, rates.a))
    return {s: x for group in zip(symbols, numbers, strict=True) for s, x in zip(*group, strict=True)}


@pytest.mark.parametrize(("hidden", "inputs"), [(1, 1), (2, 2), (2, 3)])
def test_closed_form_is_what_the_moments_give(rng, hidden, inputs):
    """Loss and every velocity of `NeuronFlow` equal the derived expressions at a random point."""
    target = QuadraticTarget.random(inputs, seed=1)
    neurons = Neurons.initialise(hidden, inputs, init="random", scale=1.0, seed=2)
    rates = Rates(1.5, 0.3, 0.2, 0.7)
    derivation = derive_neurons(hidden, inputs)
    values = values_of(derivation, target, neurons, rates)
    flow = NeuronFlow(target, neurons, rates)
    assert flow.loss(flow.theta0) == pytest.approx(float(derivation.loss.subs(values)), rel=1e-12)
    expected = [float(derivation.ode[theta].subs(values)) for theta in derivation.parameters]
    np.testing.assert_allclose(flow(0.0, flow.theta0), expected, rtol=1e-11, atol=1e-12)


def test_loss_is_half_the_mean_square_of_the_definition():
    """The neuron typed in as in its definition, d = 2, expectation over x by `expectation`."""
    derivation = derive_neurons(1, 2)
    x = sympy.symbols("x_0 x_1")
    f, target = _neuron(x), _target(x)
    assert vanishes(sympy.expand(expectation((target - f) ** 2, x) / 2 - derivation.loss))


def _neuron(x):
    wr, wg, wb = (sympy.symbols(f"w{g}_0_0 w{g}_0_1") for g in "rgb")
    br, bg, c, a = sympy.symbols("br_0 bg_0 c_0 a_0")
    first, second = (sum(w * y for w, y in zip(ws, x, strict=True)) for ws in (wr, wg))
    return a * ((first + br) * (second + bg) + sum(w * y**2 for w, y in zip(wb, x, strict=True)) + c)


def _target(x):
    m00, m01, m11, v0, v1, e = sympy.symbols("m_0_0 m_0_1 m_1_1 v_0 v_1 e")
    return m00 * x[0] ** 2 + 2 * m01 * x[0] * x[1] + m11 * x[1] ** 2 + v0 * x[0] + v1 * x[1] + e


def test_both_laws_of_every_unit_hold_for_all_rates():
    """Q1 and Q2 survive the exact check; Q1 alone is γ_g‖r‖² − γ_r‖g‖²."""
    derivation = derive_neurons(2, 2)
    assert len(derivation.conserved) == 4
    text = "gamma_g*(wr_0_0**2 + wr_0_1**2 + br_0**2) - gamma_r*(wg_0_0**2 + wg_0_1**2 + bg_0**2)"
    assert vanishes(sympy.expand(derivation.conserved[0] - sympy.sympify(text)))


def test_the_balance_of_a_network_without_b_needs_b_to_vanish():
    """γ_a‖r‖² − γ_r a²: its derivative is −2γ_rγ_a a b·diag Γ, zero for γ_b = 0 and b = 0, not for b ≠ 0."""
    derivation = derive_neurons(1, 1)
    wr, br, a, wb, c = sympy.symbols("wr_0_0 br_0 a_0 wb_0_0 c_0")
    gamma = {name: sympy.Symbol(f"gamma_{name}") for name in "rgba"}
    law = gamma["a"] * (wr**2 + br**2) - gamma["r"] * a**2
    change = sum(sympy.diff(law, theta) * derivation.ode[theta] for theta in (wr, br, a))
    assert not vanishes(sympy.expand(change))
    assert vanishes(sympy.expand(change.subs({wb: 0, c: 0})))


def test_text_and_dictionary():
    """Everything printed parses again, and the summary names what is conserved."""
    derivation = derive_neurons(1, 1)
    d = derivation.to_dict()
    assert d["parameters"] == ["wr_0_0", "br_0", "wg_0_0", "bg_0", "wb_0_0", "c_0", "a_0"]
    assert vanishes(sympy.expand(sympy.sympify(d["loss"]) - derivation.loss))
    assert "Conserved" in derivation.summary()
    assert "1 quadratic neuron, 1 input" in repr(derivation)
