"""Discovered laws against numerical null spaces, invariant theory and known generators."""

import itertools
from math import comb

import numpy as np
import pytest
import sympy

from dynamics.errors import ProblemError
from dynamics.laws.discovery import discover_laws
from dynamics.laws.models import bilinear, linear, polynomial, quadratic, relu
from dynamics.laws.verification import is_conserved


def numerical_dimension(network, degree):
    """Number of polynomial laws of degree 1 … s by collocation: ∇m(θ_t)·η∇φ_i(θ_t) at random points, by SVD."""
    theta = network.parameters
    exponents = [e for e in itertools.product(range(degree + 1), repeat=len(theta)) if 1 <= sum(e) <= degree]
    monomials = [sympy.prod(t**n for t, n in zip(theta, e, strict=True)) for e in exponents]
    gradient = sympy.lambdify(theta, sympy.Matrix(monomials).jacobian(theta).tolist())
    fields = sympy.lambdify(
        theta,
        [
            [rate * phi.as_expr().diff(t) for rate, t in zip(network.rates, theta, strict=True)]
            for phi in network.potentials
        ],
    )
    rng = np.random.default_rng(0)
    points = rng.uniform(0.5, 1.5, size=(3 * len(monomials), len(theta))) * rng.choice(
        [-1, 1], size=(1, len(theta))
    )
    rows = np.vstack([np.array(fields(*p), float) @ np.array(gradient(*p), float).T for p in points])
    singular = np.linalg.svd(rows, compute_uv=False)
    return len(monomials) - int((singular > 1e-9 * singular[0]).sum())


@pytest.mark.parametrize(
    ("network", "degree"),
    [
        (quadratic(2, 1), 4),
        (quadratic(2, 2), 2),
        (quadratic(2, 3, second_layer=[1, 1, -1]), 3),
        (quadratic(1, 3, second_layer=[1, -1, 2]), 3),
        (linear(1, 2, 1), 4),
        (bilinear(1, 2, output_weight=False), 4),
        (relu(1, 2), 4),
        (quadratic(2, 1, rates=(2, 3)), 2),
        (polynomial(sympy.sympify("w + w**2*v*x"), [sympy.Symbol("x")]), 4),
        (polynomial(sympy.sympify("(u*v + p)*x"), [sympy.Symbol("x")]), 4),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_number_of_laws_equals_the_numerical_null_space(network, degree):
    result = discover_laws(network, degree)
    assert result.dimensions[degree] == numerical_dimension(network, degree)
    assert all(is_conserved(law, network) for law in result.laws)


@pytest.mark.parametrize(
    ("network", "generators"),
    [
        (quadratic(2, 3), 3),
        (quadratic(3, 2, 2), 2),
        (relu(2, 3), 3),
        (linear(2, 2, 1), 3),
        (bilinear(2, 2, output_weight=False), 4),
        (bilinear(2, 2), 4),
        (quadratic(2, 4, second_layer=[1, 1, -1, -1]), 4),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_free_algebras_of_quadratic_laws(network, generators):
    """n independent quadratic laws generate everything found to degree 4: n + n(n+1)/2 laws, and only n are listed."""
    result = discover_laws(network, 4)
    assert len(result.laws) == generators
    assert all(result.independent)
    assert {law.degree for law in result.laws} == {2}
    assert result.dimensions == {1: 0, 2: generators, 3: generators, 4: generators + comb(generators + 1, 2)}


def primitive(expression, parameters):
    return sympy.Poly(expression, *parameters).clear_denoms()[1].primitive()[1].as_expr()


def test_discovered_laws_are_the_known_families():
    """Up to sign: balances, the balance matrix, opposite products, both bilinear kinds."""
    for network in (
        quadratic(2, 3),
        quadratic(4, 6),
        quadratic(2, 2, rates=(2, 1)),
        linear(2, 2, 1),
        relu(3, 2),
        quadratic(2, 4, second_layer=[1, 1, -1, -1]),
        bilinear(2, 2, output_weight=False),
    ):
        found = {law.expression for law in discover_laws(network, 2).laws}
        known = {primitive(law.expression, network.parameters) for law in network.family()}
        assert {f if f in found else sympy.expand(-f) for f in known} == found


def test_coefficients_are_coprime_integers():
    network = quadratic(2, 2, rates=(sympy.Rational(2, 3), 5))
    for law in discover_laws(network, 2).laws:
        coefficients = sympy.Poly(law.expression, *network.parameters).coeffs()
        assert all(c.is_Integer for c in coefficients)
        assert sympy.igcd(*coefficients) == 1


def test_determinants_between_groups_are_found_at_their_degree_and_not_before():
    """a = (1, 1, −2, −2), d = 2: det(w_0, w_1) grows at rate tr G, det(w_2, w_3) at −2 tr G; so det² · det is a law."""
    network = quadratic(2, 4, second_layer=[1, 1, -2, -2])
    w = network.parameters
    first, second = w[0] * w[3] - w[1] * w[2], w[4] * w[7] - w[5] * w[6]
    result = discover_laws(network, 6)
    assert result.dimensions == {1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 1}
    (law,) = result.laws
    assert sympy.expand(law.expression / first**2 / second).cancel() in (1, -1)
    assert sympy.expand(network.family()[0].expression - first**2 * second) == 0


def test_a_generator_that_is_algebraic_over_the_others_is_marked_dependent():
    """Linear network with r = n + m = 4: det [W; Aᵀ] is conserved, yet its square is a polynomial in the balances.

    Its square is ± det(W Wᵀ − AᵀA), because [W, Aᵀ] diag(1, −1) [W, Aᵀ]ᵀ is the balance matrix.
    """
    network = linear(2, 4, 2)
    result = discover_laws(network, 4)
    *balances, determinant = result.laws
    assert len(balances) == 10
    assert (determinant.degree, result.independent) == (4, (True,) * 10 + (False,))
    W = sympy.Matrix(4, 2, network.parameters[:8])
    A = sympy.Matrix(2, 4, network.parameters[8:])
    full = sympy.Matrix.hstack(W, A.T).det(method="berkowitz")
    assert (
        sympy.expand(full - determinant.expression) == 0 or sympy.expand(full + determinant.expression) == 0
    )
    assert result.independent_laws == tuple(balances)


def test_rational_laws_with_a_given_denominator():
    """Fixed equal a: ratios w_k/w_0 for d = 1; for d = 2, K = 3 the two coordinates of the column space."""
    network = quadratic(1, 3, second_layer=[1, 1, 1])
    w = network.parameters
    result = discover_laws(network, 1, denominator=w[0])
    assert {law.expression for law in result.laws} == {w[1] / w[0], w[2] / w[0]}
    assert discover_laws(network, 1).laws == ()

    network = quadratic(2, 3, second_layer=[1, 1, 1])
    w = network.parameters
    result = discover_laws(network, 2, denominator=w[0] * w[3] - w[1] * w[2])
    assert all(result.independent)
    assert len(result.laws) == 2
    found = sympy.Matrix([law.expression for law in result.laws]).subs(
        dict(zip(w, (2, 3, 5, 7, 11, 13), strict=True))
    )
    known = sympy.Matrix([law.expression for law in network.family()]).subs(
        dict(zip(w, (2, 3, 5, 7, 11, 13), strict=True))
    )
    assert {abs(value) for value in found} == {abs(value) for value in known}


def test_laws_times_the_denominator_are_not_new():
    """c·Q/Q is c again: nothing beyond the polynomial laws is listed."""
    network = quadratic(2, 1)
    a = network.parameters[2]
    result = discover_laws(network, 3, denominator=a)
    assert [law.degree for law in result.laws] == [2]


def test_parameters_without_influence_are_laws():
    u, v, x = sympy.symbols("u v x")
    result = discover_laws(polynomial(u**2 * x, [x], [u, v]), 2)
    assert [law.expression for law in result.laws] == [v]
    assert result.dimensions == {1: 1, 2: 2}


def test_summary_names_both_numbers():
    """n = m = 1, r = 2: the three entries of the balance matrix and the determinant [W, Aᵀ], algebraic over them."""
    summary = discover_laws(linear(1, 2, 1), 2).summary()
    assert summary == "laws up to degree 2: 4, functionally independent: 3"


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: discover_laws(quadratic(2, 2), 0), "`degree` is 0"),
        (lambda: discover_laws(quadratic(2, 2), 2.0), "`degree` is 2.0"),
        (lambda: discover_laws(quadratic(4, 6), 6), "monomials"),
        (lambda: discover_laws(quadratic(2, 2), 2, denominator=sympy.Symbol("q")), "`denominator` is q"),
        (
            lambda: discover_laws(quadratic(2, 2), 2, denominator=sympy.Integer(2)),
            "must depend on a parameter",
        ),
    ],
)
def test_bad_input_is_refused(build, message):
    with pytest.raises(ProblemError) as caught:
        build()
    assert message in str(caught.value)
