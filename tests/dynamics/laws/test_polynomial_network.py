"""The coefficient map is read off correctly, and bad networks are refused with one sentence."""

import math

import numpy as np
import pytest
import sympy
from sympy import QQ
from sympy.polys.rings import PolyRing

from dynamics.errors import ProblemError
from dynamics.laws.model_table import build_model
from dynamics.laws.models import (
    bilinear,
    linear,
    polynomial,
    quadratic,
    relu,
)
from dynamics.laws.polynomial_network import (
    PolynomialNetwork,
    exact_rational,
    integer_potentials,
    polynomial_in,
)

x, y, u, v = sympy.symbols("x y u v")


@pytest.mark.parametrize(
    "network",
    [quadratic(2, 3, 2), quadratic(3, 2, centred=True), linear(2, 2, 2), relu(2, 2), bilinear(2, 2)],
    ids=lambda network: network.name,
)
def test_coefficients_rebuild_the_network(network):
    """f_o(x; θ) = Σ_α φ_oα(θ) x^α at random numbers, f evaluated from its own expression."""
    rng = np.random.default_rng(1)
    theta = rng.normal(size=len(network.parameters))
    inputs = rng.normal(size=len(network.inputs))
    direct = sympy.lambdify([*network.inputs, *network.parameters], network.outputs)(*inputs, *theta)
    rebuilt = np.zeros(len(network.outputs))
    for (o, exponents), phi in network.coefficients.items():
        value = sympy.lambdify(network.parameters, phi.as_expr())(*theta)
        rebuilt[o] += value * math.prod(inputs ** np.array(exponents))
    np.testing.assert_allclose(rebuilt, direct, rtol=1e-13)


def test_quadratic_coefficients_are_the_entries_of_M():
    """The potentials of the quadratic network are M_ij = Σ_k a_k w_ki w_kj, i ≤ j."""
    network = quadratic(3, 4)
    rng = np.random.default_rng(2)
    W, a = rng.normal(size=(4, 3)), rng.normal(size=4)
    M = np.einsum("k,ki,kj->ij", a, W, W)
    values = sympy.lambdify(network.parameters, [phi.as_expr() for phi in network.potentials])(*W.ravel(), *a)
    np.testing.assert_allclose(sorted(values), sorted(M[np.triu_indices(3)]), rtol=1e-13)


def test_relu_potentials_are_path_products():
    network = relu(2, 2, 2)
    w, a = sympy.symbols("w_:2_:2"), sympy.symbols("a_:2_:2")
    paths = {w[2 * k + i] * a[2 * o + k] for k in range(2) for i in range(2) for o in range(2)}
    assert {phi.as_expr() for phi in network.potentials} == paths


def test_potentials_drop_constants_factors_and_repetitions():
    """½ u v + 3 and −2 u v generate the same field; a constant generates none."""
    ring = PolyRing("u v", QQ)
    U, V = ring.gens
    potentials = integer_potentials([U * V / 2 + 3, -2 * U * V, ring.one, U**2 / 3 - V / 2])
    assert [phi.as_expr() for phi in potentials] == [u * v, 2 * u**2 - 3 * v]


def test_decimal_numbers_are_read_as_they_are_spelt():
    assert exact_rational("value", 0.1) == sympy.Rational(1, 10)
    assert exact_rational("value", np.float64(-2.5)) == sympy.Rational(-5, 2)
    network = polynomial(0.1 * u * x, [x])
    assert network.coefficients[0, (1,)].as_expr() == u / 10


def test_model_names_and_parameter_order():
    """Names as the commands print them; W row by row, then A row by row."""

    def names(network):
        return " ".join(map(str, network.parameters))

    assert names(quadratic(2, 2)) == "w_0_0 w_0_1 w_1_0 w_1_1 a_0 a_1"
    assert names(quadratic(1, 2, 2)) == "w_0_0 w_1_0 a_0_0 a_0_1 a_1_0 a_1_1"
    assert names(bilinear(1, 2)) == "r_0_0 r_1_0 g_0_0 g_1_0 a_0 a_1"
    assert names(bilinear(1, 2, output_weight=False)) == "r_0_0 r_1_0 g_0_0 g_1_0"
    assert names(quadratic(1, 2, second_layer=[1, -1])) == "w_0_0 w_1_0"
    assert names(polynomial(v * u * x, [x])) == "u v"


def test_build_model_passes_the_options_on():
    assert build_model("quadratic", 2, 3) == quadratic(2, 3)
    assert build_model("quadratic", 2, 2, second_layer=[1, -1]) == quadratic(2, 2, second_layer=[1, -1])
    assert build_model("bilinear", 2, 2, output_weight=False) == bilinear(2, 2, output_weight=False)
    assert build_model("linear", 2, 3, 2) == linear(2, 3, 2)
    assert build_model("relu", 2, 3, 2) == relu(2, 3, 2)


def direct(**changes):
    arguments = {"name": "n", "parameters": (u, v), "inputs": (x,), "outputs": (u * v * x,)}
    return PolynomialNetwork(**{**arguments, **changes})


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: quadratic(0, 2), "`inputs` is 0"),
        (lambda: quadratic(2, 1.5), "`hidden` is 1.5"),
        (lambda: quadratic(2, 2, second_layer=[1]), "must hold 2 numbers"),
        (lambda: quadratic(2, 2, second_layer=[[1, 2], [3]]), "`second_layer`"),
        (lambda: quadratic(2, 2, second_layer=[1, float("nan")]), "`second_layer` contains nan"),
        (lambda: quadratic(2, 2, second_layer=[1, sympy.sqrt(2)]), "finite rational numbers"),
        (lambda: quadratic(2, 2, second_layer="ab"), "`second_layer`"),
        (lambda: quadratic(2, 2, 3, second_layer=[[1, 2], [3, 4]]), "one such row per output"),
        (lambda: quadratic(2, 2, second_layer=[0, 0]), "do not depend on the parameters"),
        (lambda: quadratic(2, 2, rates=(1, 0)), "positive numbers"),
        (lambda: quadratic(2, 2, rates=(1, 2, 3)), "must be two numbers"),
        (lambda: bilinear(2, 2, rates=(1, 2)), "must be three numbers"),
        (lambda: linear(2, True), "`hidden` is True"),
        (lambda: relu(2, 2, -1), "`outputs` is -1"),
        (lambda: build_model("quadratics", 2, 2), "must be one of: quadratic, linear, relu, bilinear"),
        (lambda: build_model("relu", 2, 2, second_layer=[1, 1]), "no such option"),
        (lambda: build_model("bilinear", 2, 2, 2), "`outputs` is 2"),
        (lambda: polynomial(sympy.sin(u) * x, [x]), "must be a polynomial with rational coefficients"),
        (lambda: polynomial(u * x / v, [x]), "must be a polynomial with rational coefficients"),
        (lambda: polynomial(sympy.sqrt(2) * u * x, [x]), "must be a polynomial with rational coefficients"),
        (lambda: polynomial(u * v * x, [x], [u]), "must be a polynomial with rational coefficients in x, u"),
        (lambda: polynomial(x**2, [x]), "one or more SymPy symbols"),
        (lambda: polynomial(x**2 + 0 * u, [x], [u]), "do not depend on the parameters"),
        (lambda: polynomial("u*x", [x]), "one or more SymPy expressions"),
        (lambda: polynomial(u * x, [x], rates={v: 2}), "only parameters have learning rates"),
        (lambda: polynomial(u * x, [x], rates={u: -2}), "positive numbers"),
        (lambda: direct(parameters=()), "one or more SymPy symbols"),
        (lambda: direct(parameters=(u, "v")), "one or more SymPy symbols"),
        (lambda: direct(parameters=(u, v, x)), "share a name"),
        (lambda: direct(rates=(1,)), "one per parameter"),
        (lambda: polynomial_in("f", object(), PolyRing("x", QQ)), "`f` is"),
    ],
)
def test_bad_networks_are_refused(build, message):
    with pytest.raises(ProblemError, match="`") as caught:
        build()
    text = str(caught.value)
    assert message in text
    assert text.count("\n") == 0
    assert text.endswith(".")


def test_rates_are_all_one_if_left_out():
    assert PolynomialNetwork("product", (u, v), (x,), (u * v * x,)).rates == (1, 1)
