"""Arithmetic modulo p against SymPy's exact rationals."""

import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import ZZ
from sympy.polys.rings import ring

from dynamics.laws.modular import (
    PRIME,
    NotRational,
    RowSpace,
    polynomial_value,
    random_point,
    rational_gradient,
)

SMALL = st.integers(-3, 3)
x, y, z = SYMBOLS = sympy.symbols("x y z")


def to_residue(value):
    return int(value.p) * pow(int(value.q), -1, PRIME) % PRIME


def test_the_modulus_is_prime():
    assert sympy.isprime(PRIME)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(SMALL, min_size=4, max_size=4), min_size=1, max_size=6))
def test_rank_equals_the_rank_over_the_rationals(rows):
    """Minors of 4 × 4 matrices with entries up to 3 are far below p, so both ranks agree exactly."""
    span = RowSpace()
    enlarged = [span.add(row) for row in rows]
    ranks = [sympy.Matrix(rows[: n + 1]).rank() for n in range(len(rows))]
    assert span.rank == ranks[-1]
    assert [sum(enlarged[: n + 1]) for n in range(len(rows))] == ranks


@settings(deadline=None, max_examples=40)
@given(
    st.dictionaries(st.tuples(*[st.integers(0, 3)] * 3), st.integers(-9, 9), max_size=5),
    st.tuples(*[st.integers(0, PRIME - 1)] * 3),
)
def test_polynomial_value_is_integer_evaluation(terms, point):
    polynomial = ring("x y z", ZZ)[0].from_dict(terms)
    assert (
        polynomial_value(polynomial, point)
        == int(polynomial.evaluate(list(zip(polynomial.ring.gens, point, strict=True)))) % PRIME
    )


def expressions():
    leaves = st.one_of(st.sampled_from(SYMBOLS), st.fractions(-3, 3, max_denominator=5).map(sympy.Rational))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(sum),
            st.tuples(inner, inner).map(lambda pair: pair[0] * pair[1]),
            st.tuples(inner, st.integers(1, 3)).map(lambda pair: pair[0] ** pair[1]),
            # The denominator is at least 1 at real points, so SymPy's rational oracle is finite.
            st.tuples(inner, inner).map(lambda pair: pair[0] / (1 + pair[1] ** 2)),
        ),
        max_leaves=6,
    )


@settings(deadline=None, max_examples=60)
@given(expressions(), st.tuples(*[SMALL] * 3))
def test_gradient_equals_symbolic_differentiation(expression, point):
    """Forward differentiation modulo p against SymPy's derivative evaluated in exact rationals."""
    values = dict(zip(SYMBOLS, point, strict=True))
    exact = [sympy.sympify(expression).diff(symbol).subs(values) for symbol in SYMBOLS]
    assert rational_gradient(sympy.sympify(expression), SYMBOLS, point) == [to_residue(d) for d in exact]


def test_expressions_without_residues_are_refused():
    for expression in (sympy.sqrt(x), sympy.sin(x), sympy.sqrt(2) * x, x**y, 1 / (x - 2), sympy.pi * x):
        try:
            rational_gradient(expression, SYMBOLS, (2, 3, 5))
        except NotRational:
            continue
        raise AssertionError(f"{expression} was accepted")


def test_random_points_are_reproducible_and_never_zero():
    assert random_point(50, 7) == random_point(50, 7) != random_point(50, 8)
    assert all(0 < coordinate < PRIME for coordinate in random_point(1000, 0))
