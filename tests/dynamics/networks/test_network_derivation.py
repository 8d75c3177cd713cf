"""Symbolic loss and flow of networks of one's own against the grid, which shares nothing with them but the network."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from dynamics.errors import ProblemError
from dynamics.networks import NetworkProblem, derive_network, read_network
from dynamics.networks.laws import polynomial_network
from tests.dynamics.networks.cases import NAMES, problem

SMALL = [
    name for name in NAMES if name not in ("bilinear", "a factor between")
]  # teacher of numbers; seconds long


@pytest.mark.parametrize("name", SMALL)
def test_the_flow_in_symbols_is_that_on_the_grid(name):
    """θ̇ to 1e-12 of its largest entry, loss to 1e-12, with weight decay."""
    given = problem(name, weight_decay=0.3)
    derivation = derive_network(given.network, given.target.spec, 0.3)
    slopes = given.population.gradient(given.theta0)
    assert derivation.velocity(given.theta0) == pytest.approx(-slopes, abs=1e-12 * np.abs(slopes).max())
    values = dict(zip(derivation.parameters, given.theta0, strict=True))
    D = {s: e.xreplace(values) for s, e in derivation.residual.items()}
    assert float(derivation.loss.xreplace(D)) == pytest.approx(given.population.loss(given.theta0), rel=1e-12)


def test_coefficients_of_a_target_stay_symbols():
    """With numbers put in for m_α it is the derivation of that target."""
    network = read_network("a*(w*x_0 + v*x_1)**2")
    free = derive_network(network)
    theta, m = np.array([0.3, -0.7, 1.1]), np.zeros(len(free.targets))
    m[[str(s) for s in free.targets].index("m_2_0")] = 2.0
    fixed = NetworkProblem(network, "2*x_0**2", theta)
    assert free.velocity(theta, m) == pytest.approx(-fixed.population.gradient(theta), rel=1e-12)


def test_a_case_by_hand():
    """a w²x² against λx²: θ̇ = 3(λ − aw²)(w², 2aw), L = 3/2 (λ − aw²)²."""
    a, w, D = sympy.symbols("a w D_2")
    derivation = derive_network(read_network("a*(w*x_0)**2"), "5*x_0**2")
    assert derivation.residual == {D: 5 - a * w**2}
    assert sympy.expand(derivation.loss - sympy.Rational(3, 2) * D**2) == 0
    assert [sympy.expand(derivation.ode[s]) for s in (a, w)] == [3 * D * w**2, 6 * D * a * w]


def test_the_program_that_is_printed_runs():
    """The Python text, executed by this test, gives the numbers of the derivation."""
    given = problem("attention")
    derivation = derive_network(given.network, given.target.spec, 0.1)
    space: dict[str, object] = {}
    exec(derivation.python(), space)  # text that our own exporter wrote
    assert space["rhs"](0.0, given.theta0) == pytest.approx(derivation.velocity(given.theta0), rel=1e-12)
    assert space["loss"](given.theta0) == pytest.approx(given.population.loss(given.theta0), rel=1e-12)
    free = derive_network(read_network("a*x_0"))
    exec(free.python(), space)
    values = [3.0 if str(s) == "m_1" else 0.0 for s in free.targets]
    assert space["rhs"](0.0, [1.0], values) == [pytest.approx(2.0)]


def test_texts_hold_every_equation():
    derivation = derive_network(read_network("a*w*x_0; a*x_0"), "x_0; 0*x_0 + x_0")
    for text in (derivation.text(), derivation.latex()):
        assert text.count("w") >= 2
    assert "D_1_1" in derivation.text() and r"\dot{w}" in derivation.latex()
    data = derivation.to_dict()
    assert data["parameters"] == ["a", "w"] and set(data["ode"]) == {"a", "w"}
    assert data["residual"]["D_0_1"] == "-a*w + 1"


def test_what_is_too_large_or_no_formula_is_refused():
    with pytest.raises(ProblemError, match="monomials"):
        derive_network(read_network("deep-quadratic:6,1,1,1,1"), "x_0**2")
    for of_everything in (derive_network, polynomial_network):  # before any formula is made
        with pytest.raises(ProblemError, match="monomials"):
            of_everything(read_network("attention:9,9,9"))
    with pytest.raises(ProblemError, match="symbols in its place"):
        derive_network(read_network("deep-linear:2,1"), "teacher:1")
