"""Vector fields and brackets against SymPy's own differentiation."""

import itertools

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import ZZ
from sympy.polys.rings import ring

from dynamics.laws.fields import Field, GradientFields, bracket
from dynamics.laws.models import bilinear, linear, polynomial, quadratic, relu
from dynamics.laws.modular import PRIME, random_point

RING, *GENERATORS = ring("x y z", ZZ)

POLYNOMIALS = st.dictionaries(st.tuples(*[st.integers(0, 2)] * 3), st.integers(-4, 4), max_size=3).map(
    lambda terms: RING.from_dict({m: c for m, c in terms.items() if c})
)
FIELDS = st.tuples(POLYNOMIALS, POLYNOMIALS, POLYNOMIALS).map(lambda X: Field((X,)))


def column(field):
    return sympy.Matrix([component.as_expr() for component in field.components[0]])


@settings(deadline=None, max_examples=40)
@given(FIELDS, FIELDS)
def test_bracket_is_the_difference_of_jacobians(X, Y):
    """[X, Y] = (∂Y) X − (∂X) Y with SymPy's Jacobian."""
    u, v, symbols = column(X), column(Y), RING.symbols
    expected = v.jacobian(symbols) * u - u.jacobian(symbols) * v
    assert (column(bracket(X, Y)) - expected).expand() == sympy.zeros(3, 1)


@settings(deadline=None, max_examples=25)
@given(FIELDS, FIELDS, FIELDS)
def test_jacobi_identity(X, Y, Z):
    cycles = [bracket(X, bracket(Y, Z)), bracket(Y, bracket(Z, X)), bracket(Z, bracket(X, Y))]
    assert all(sum(components) == 0 for components in zip(*(c.components[0] for c in cycles), strict=True))


def test_linear_fields_bracket_like_matrices():
    """For X = Aθ and Y = Bθ, [X, Y] = (BA − AB) θ."""
    rng = np.random.default_rng(0)
    A, B = rng.integers(-5, 5, size=(2, 3, 3))

    def field(M):
        return Field((tuple(sum(int(c) * g for c, g in zip(row, GENERATORS, strict=True)) for row in M),))

    assert bracket(field(A), field(B)) == field(B @ A - A @ B)


MODELS = [
    quadratic(2, 3),
    quadratic(2, 2, 2),
    quadratic(2, 3, second_layer=[1, 1, -2]),
    linear(2, 2, 2),
    relu(2, 2, 2),
    bilinear(2, 2),
    quadratic(2, 2, rates=(sympy.Rational(1, 2), 3)),
    polynomial(sympy.sympify("(u*v + p)**2 * x + q**3 * y"), sympy.symbols("x y")),
]


@pytest.mark.parametrize("network", MODELS, ids=lambda network: network.name)
def test_brackets_through_blocks_equal_brackets_of_whole_fields(network):
    """Block by block with shared kinds against SymPy brackets in all D parameters at once."""
    gradients = GradientFields(network.potentials, network.rates)
    point = [p % 1000 for p in random_point(gradients.size, 3)]
    values = dict(zip(network.parameters, point, strict=True))
    scale = sympy.ilcm(*(rate.q for rate in network.rates))
    whole = [
        sympy.Matrix(
            [
                scale * rate * phi.as_expr().diff(theta)
                for rate, theta in zip(network.rates, network.parameters, strict=True)
            ]
        )
        for phi in network.potentials
    ]
    for X, u in zip(gradients.fields, whole, strict=True):
        assert gradients.value(X, point) == [int(c) % PRIME for c in u.subs(values)]
    for i, j in itertools.islice(itertools.combinations(range(len(whole)), 2), 4):
        u, v = whole[i], whole[j]
        uv = v.jacobian(network.parameters) * u - u.jacobian(network.parameters) * v
        nested = u.jacobian(network.parameters) * uv - uv.jacobian(network.parameters) * u
        XY = bracket(gradients.fields[i], gradients.fields[j])
        assert gradients.value(XY, point) == [int(c) % PRIME for c in uv.subs(values)]
        assert gradients.value(bracket(XY, gradients.fields[i]), point) == [
            int(c) % PRIME for c in nested.subs(values)
        ]


def test_units_of_one_kind_share_their_field():
    """Twenty trainable units are one kind of block; units with fixed weights 1, 1, 2 are two kinds."""
    network = quadratic(2, 20)
    assert len(GradientFields(network.potentials, network.rates).fields[0].components) == 1
    network = quadratic(2, 3, second_layer=[1, 1, 2])
    assert len(GradientFields(network.potentials, network.rates).fields[0].components) == 2
