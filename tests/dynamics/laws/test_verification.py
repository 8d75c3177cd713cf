"""Conserved or not, independent or not, decided against known cases and SymPy."""

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamics.errors import ProblemError
from dynamics.laws.law import Law
from dynamics.laws.models import linear, polynomial, quadratic
from dynamics.laws.verification import independent_laws, is_conserved

NETWORK = quadratic(2, 2)
W, A = NETWORK.parameters[:4], NETWORK.parameters[4:]
C = [W[2 * k] ** 2 + W[2 * k + 1] ** 2 - 2 * A[k] ** 2 for k in range(2)]


@pytest.mark.parametrize(
    ("candidate", "verdict"),
    [
        (C[0], True),
        (C[0] ** 3 / (1 + C[1] ** 2), True),
        (sympy.exp(C[0]) * sympy.atan(C[1]), True),
        (sympy.sqrt(2) * C[1], True),
        (W[0] ** 2 + W[1] ** 2 - A[0] ** 2, False),
        (C[0] + sympy.Rational(1, 10**9) * W[0], False),
        (sympy.exp(C[0]) + A[0] * sympy.Rational(1, 10**9), False),
        (W[0] / W[1], False),
        (C[0] / W[0], False),
    ],
)
def test_functions_of_laws_are_laws_and_nothing_else_is(candidate, verdict):
    assert is_conserved(candidate, NETWORK) is verdict
    assert is_conserved(Law(candidate, NETWORK.parameters), NETWORK, seed=5) is verdict


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(-2, 2), min_size=6, max_size=6))
def test_quadratic_forms_are_laws_only_in_the_span_of_the_balances(weights):
    """Σ q_j θ_j² is conserved iff it is a combination of c_0 and c_1: q constant on w_k, −2 times that on a_k."""
    form = sum(q * theta**2 for q, theta in zip(weights, NETWORK.parameters, strict=True))
    p, q, r, s, t, u = weights
    expected = p == q and r == s and t == -2 * p and u == -2 * r
    if form.free_symbols:
        assert is_conserved(form, NETWORK) is expected


def test_learning_rates_change_the_laws():
    """At rates (η_w, η_a) = (2, 3) it is ‖w‖²/2 − 2a²/3 that is kept."""
    network = quadratic(2, 1, rates=(2, 3))
    w0, w1, a = network.parameters
    assert is_conserved(3 * (w0**2 + w1**2) - 4 * a**2, network)
    assert not is_conserved(w0**2 + w1**2 - 2 * a**2, network)


def test_independence_follows_the_order_and_drops_functions_of_earlier_laws():
    x, y, z = symbols = sympy.symbols("x y z")
    laws = [Law(f, symbols) for f in (x + y, (x + y) ** 2, x * y, x**2 + y**2, z / x, x**3 + y**3)]
    assert [law.expression for law in independent_laws(laws)] == [x + y, x * y, z / x]
    assert independent_laws([]) == []


def test_independence_equals_the_rank_of_the_symbolic_jacobian():
    """The six 2 × 2 minors of a 2 × 4 matrix satisfy one Plücker relation: five are independent."""
    symbols = sympy.symbols("m_:2_:4")
    M = sympy.Matrix(2, 4, symbols)
    minors = [M[:, [i, j]].det() for i in range(4) for j in range(i + 1, 4)]
    assert sympy.Matrix(minors).jacobian(symbols).rank() == 5
    assert len(independent_laws([Law(minor, symbols) for minor in minors])) == 5


def test_laws_that_are_not_rational_need_a_witness():
    network = quadratic(1, 2)
    clock = network.family()[-1]
    assert independent_laws([clock]) == [clock]
    with pytest.raises(ProblemError, match="cannot be proven exactly"):
        independent_laws([Law(clock.expression, clock.parameters)])


def test_the_gradient_at_a_witness_is_taken_with_its_denominators():
    """∇(√x + √y) = (1/4, 1/6) at x = 4, y = 9: parallel there to ∇(3x + 2y), to no other linear function's.

    A law that is parallel at the witness is dropped (as the docstring says), one that is not is kept.
    """
    x, y = symbols = sympy.symbols("x y")
    roots = Law(sympy.sqrt(x) + sympy.sqrt(y), symbols, witness={x: 4, y: 9})
    assert independent_laws([roots, Law(3 * x + 2 * y, symbols)]) == [roots]
    for p, q in ((1, 1), (2, 3), (1, 2)):
        assert len(independent_laws([roots, Law(p * x + q * y, symbols)])) == 2


def test_laws_of_other_parameters_are_refused():
    other = linear(1, 1).family()[0]
    with pytest.raises(ProblemError, match="other parameters"):
        is_conserved(other, NETWORK)
    with pytest.raises(ProblemError, match="depend on parameters only"):
        is_conserved(sympy.Symbol("q"), NETWORK)
    with pytest.raises(ProblemError, match="same ones"):
        independent_laws([other, NETWORK.family()[0]])


def test_a_parameter_without_influence_is_a_law():
    u, v, x = sympy.symbols("u v x")
    network = polynomial(u**2 * x, [x], [u, v])
    assert is_conserved(v, network)
    assert not is_conserved(u, network)
