"""Index-free moments against pairing sums with indices, generating functions and sampling."""

import math
import time
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.mathtext import MathTextParser

from dynamics.errors import ProblemError
from dynamics.symbolic.moments import moment_tensor
from dynamics.symbolic.trace_algebra import TracePolynomial
from dynamics.symbolic.trace_words import Factor, Letter
from dynamics.symbolic.traces import form_moment


def random_values(rng, d, symmetric="ABCD", general="", vectors="bc"):
    """Arrays for the named matrices and vectors, Σ positive definite, μ of order one."""
    values = {name: rng.standard_normal((d, d)) for name in symmetric + general}
    values |= {name: values[name] + values[name].T for name in symmetric}
    values |= {name: rng.standard_normal(d) for name in vectors}
    F = rng.standard_normal((d, d))
    return values | {"Sigma": F @ F.T / d + 0.3 * np.eye(d), "mu": rng.standard_normal(d)}


def with_indices(quadratics, vectors, values, Sigma, mu):
    """E[∏ xᵀA_i x ∏ b_j·x] by contracting the full moment tensor, itself tested against pairing sums."""
    tensor = moment_tensor(2 * len(quadratics) + len(vectors), Sigma, mu)
    for name in quadratics:
        tensor = np.tensordot(values[name], tensor, axes=([0, 1], [0, 1]))
    for name in vectors:
        tensor = np.tensordot(values[name], tensor, axes=([0], [0]))
    return float(tensor)


CASES = [
    ("", ""), ("A", ""), ("", "b"), ("", "bc"), ("A", "b"), ("A", "bc"), ("AB", ""), ("AA", "bb"), ("AB", "bbc"),
    ("ABC", ""), ("AAB", "bc"), ("ABCD", ""), ("AAAA", ""), ("AABB", "bc"),
]  # fmt: skip
# The oracle's tensor has d^order entries: order 10 in two dimensions only.
SIZED = [(q, v, d) for q, v in CASES for d in (2, 3) if d == 2 or 2 * len(q) + len(v) <= 8]


@pytest.mark.parametrize(("quadratics", "vectors", "d"), SIZED)
@pytest.mark.parametrize("covariance", [None, "Sigma"])
@pytest.mark.parametrize("mean", [None, "mu"])
def test_moment_equals_the_one_with_indices(rng, quadratics, vectors, d, covariance, mean):
    """Up to four quadratic forms and two vectors (order 10), two dimensions, with and without Σ and μ."""
    values = random_values(rng, d)
    Sigma = np.eye(d) if covariance is None else values["Sigma"]
    mu = None if mean is None else values["mu"]
    expected = with_indices(quadratics, vectors, values, Sigma, mu)
    # Rounding is relative to the size of the summands: the same sum over absolute values.
    absolute = {name: abs(array) for name, array in values.items()}
    scale = with_indices(quadratics, vectors, absolute, abs(Sigma), None if mu is None else abs(mu))
    moment = form_moment(quadratics, vectors, covariance=covariance, mean=mean)
    assert moment.evaluate(values) == pytest.approx(expected, abs=1e-13 * scale)


@pytest.mark.parametrize("covariance", [None, "Sigma"])
def test_matrices_that_are_not_symmetric(rng, covariance):
    """The transposes are kept apart, and the values are those of the index sums."""
    values = random_values(rng, 3, symmetric="A", general="BC")
    Sigma = np.eye(3) if covariance is None else values["Sigma"]
    for quadratics, vectors in [("B", "bc"), ("BB", ""), ("BC", "bc"), ("ABC", ""), ("BBB", "bb")]:
        moment = form_moment(quadratics, vectors, covariance=covariance, general=set(quadratics) - {"A"})
        expected = with_indices(quadratics, vectors, values, Sigma, None)
        assert moment.evaluate(values) == pytest.approx(expected, rel=1e-10)
    assert str(form_moment("BB", general="B")) == "tr(B)^2 + tr(B^2) + tr(B Bᵀ)"


def test_only_the_symmetric_part_of_a_form_matters(rng):
    """XᵀBx = xᵀ½(B + Bᵀ)x, so a general B and its symmetric part have the same moments."""
    values = random_values(rng, 4, symmetric="A", general="B")
    general = form_moment("BBA", "bc", general="B", mean="mu").evaluate(values)
    part = {**values, "B": (values["B"] + values["B"].T) / 2}
    assert general == pytest.approx(form_moment("BBA", "bc", mean="mu").evaluate(part), rel=1e-11)


def test_four_equal_forms():
    """The classical coefficients, for example Mathai & Provost, Quadratic Forms in Random Variables (1992), ch. 3."""
    expected = "tr(A)^4 + 12 tr(A)^2 tr(A^2) + 32 tr(A) tr(A^3) + 12 tr(A^2)^2 + 48 tr(A^4)"
    assert str(form_moment("AAAA")) == expected


@pytest.mark.parametrize("n", range(1, 8))
def test_powers_of_one_form_follow_their_generating_function(n):
    """E e^{t xᵀAx} = ∏ (1 − 2tλ_i)^{−1/2}: exact Taylor coefficients for λ = (1, 2, −3)."""
    t = sympy.Symbol("t")
    generating = sympy.prod((1 - 2 * t * lam) ** sympy.Rational(-1, 2) for lam in (1, 2, -3))
    expected = sympy.diff(generating, t, n).subs(t, 0)
    assert form_moment("A" * n).evaluate({"A": np.diag([1.0, 2.0, -3.0])}) == pytest.approx(
        float(expected), rel=1e-12
    )


def test_norms_have_the_moments_of_chi_squared():
    """E (x·x)³ = d(d + 2)(d + 4), the third moment of χ²_d, for every d at once."""
    d = sympy.Symbol("d", integer=True, positive=True)
    assert sympy.expand(form_moment([(), (), ()]).to_sympy() - d * (d + 2) * (d + 4)) == 0


def test_products_of_matrices(rng):
    """XᵀABx is the form of the matrix product AB, even where AB is not symmetric."""
    values = random_values(rng, 3)
    product = form_moment([("A", "B"), "C"], "bc", covariance="Sigma").evaluate(values)
    values["P"] = values["A"] @ values["B"]
    named = form_moment(["P", "C"], "bc", covariance="Sigma", general="P").evaluate(values)
    assert product == pytest.approx(named, rel=1e-12)


@pytest.mark.parametrize(("forms", "vectors"), [(1, 0), (2, 0), (3, 0), (4, 0), (2, 2), (1, 4), (5, 0)])
def test_coefficients_count_pairings(forms, vectors):
    """They add up to (n − 1)!!, and with a mean to the number of involutions on n legs (OEIS A000085)."""
    names, ends = "ABCDE"[:forms], "bcef"[:vectors]
    legs = 2 * forms + vectors
    involutions = [1, 1]
    for n in range(2, legs + 1):
        involutions.append(involutions[-1] + (n - 1) * involutions[-2])
    for moment, count in [
        (form_moment(names, ends), math.prod(range(1, legs, 2))),
        (form_moment(names, ends, mean="mu", covariance="Sigma"), involutions[legs]),
    ]:
        coefficients = [c for _, c in moment.terms]
        assert sum(coefficients) == count
        assert all(c > 0 and c.denominator == 1 for c in coefficients)


def test_moment_lies_within_the_error_bar_of_sampling(rng):
    """E[xᵀAx xᵀBx b·x] under N(μ, Σ): mean of 400,000 samples within 4.5 of its standard errors."""
    values = random_values(rng, 4)
    X = rng.multivariate_normal(values["mu"], values["Sigma"], size=400_000, method="cholesky")
    samples = np.einsum("ni,ij,nj->n", X, values["A"], X) * np.einsum("ni,ij,nj->n", X, values["B"], X)
    samples *= X @ values["b"]
    error = samples.std() / np.sqrt(len(X))
    moment = form_moment("AB", "b", covariance="Sigma", mean="mu").evaluate(values)
    assert abs(samples.mean() - moment) < 4.5 * error


def test_four_forms_take_well_under_a_second():
    """Order 12 with Σ; a second of processor time is some fifty times what it takes."""
    start = time.process_time()
    form_moment("ABCD", "abce", covariance="Sigma")
    assert time.process_time() - start < 1.0


words = st.lists(st.sampled_from(["A", "B", "C"]), min_size=1, max_size=5)


@settings(deadline=None, max_examples=60)
@given(words, st.integers(0, 4), st.booleans(), st.sets(st.sampled_from("ABC")))
def test_equal_traces_are_equal_objects(names, turn, reverse, general):
    """The trace of a word is that of every rotation and of the transposed word."""
    word = tuple(Letter(name, 1 if name in general else 0) for name in names)
    turn %= len(word)
    other = word[turn:] + word[:turn]
    if reverse:
        other = tuple(letter.T for letter in other[::-1])
    assert Factor.trace(word) == Factor.trace(other)
    assert Factor.form("b", word, "c") == Factor.form("c", tuple(letter.T for letter in word[::-1]), "b")


moments = st.builds(
    form_moment,
    st.lists(st.sampled_from("AB"), max_size=2),
    st.sampled_from(["", "bc", "bb"]),
    covariance=st.sampled_from([None, "Sigma"]),
)
scalars = st.fractions(-5, 5, max_denominator=6)


@settings(deadline=None, max_examples=40)
@given(moments, moments, moments, scalars)
def test_polynomials_form_a_commutative_ring(p, q, r, c):
    """Exact identities between canonical objects."""
    assert p + q == q + p
    assert p * q == q * p
    assert (p + q) * r == p * r + q * r
    assert (p * q) * r == p * (q * r)
    assert p - p == TracePolynomial(())
    assert c * (p + q) == p * c + c * q
    assert hash(p + q) == hash(q + p)
    assert -p == (-1) * p


@settings(deadline=None, max_examples=25)
@given(moments, moments, scalars, st.integers(0, 2**32 - 1))
def test_evaluation_respects_sums_and_products(p, q, c, seed):
    """Numbers of p + c·q·q against the numbers of p and q."""
    values = random_values(np.random.default_rng(seed), 3)
    a, b = p.evaluate(values), q.evaluate(values)
    scale = abs(a) + abs(float(c)) * b * b + 1.0
    assert (p + c * q * q).evaluate(values) == pytest.approx(a + float(c) * b * b, abs=1e-10 * scale)


@pytest.mark.parametrize(
    ("quadratics", "vectors"), [("A", "bc"), ("AA", ""), ("AB", "bc"), ("AAAA", ""), ("AAB", "bc")]
)
@pytest.mark.parametrize("mean", [None, "mu"])
def test_gradient_is_the_derivative(rng, quadratics, vectors, mean):
    """Along a symmetric H the moment is a polynomial of degree ≤ 4 in t, for which the five-point stencil is exact."""
    moment = form_moment(quadratics, vectors, covariance="Sigma", mean=mean)
    values = random_values(rng, 3)
    H = rng.standard_normal((3, 3))
    H += H.T
    f = [moment.evaluate({**values, "A": values["A"] + t * H}) for t in (-2, -1, 1, 2)]
    derivative = (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / 12
    gradient = moment.gradient("A").evaluate(values)
    np.testing.assert_allclose(gradient, gradient.T, rtol=1e-12, atol=1e-12 * abs(gradient).max())
    assert np.sum(gradient * H) == pytest.approx(derivative, abs=1e-12 * np.abs(f).max())


def test_gradient_obeys_the_product_rule(rng):
    """∂(pq) = p ∂q + q ∂p, as objects; and what does not contain A has no gradient."""
    p, q = form_moment("AB", "bc"), form_moment("AA", covariance="Sigma")
    assert (p * q).gradient("A") == p * q.gradient("A") + p.gradient("A") * q
    assert form_moment("B").gradient("A").terms == ()


def test_writing():
    """Powers are collected, forms bracketed where they meet other factors, Greek letters and fractions set."""
    moment = Fraction(1, 2) * form_moment("AA", "bb", covariance="Sigma")
    assert str(moment) == (
        "1/2 tr(A Σ)^2 (bᵀ Σ b) + 2 tr(A Σ) (bᵀ Σ A Σ b) + tr((A Σ)^2) (bᵀ Σ b) + 4 bᵀ Σ A Σ A Σ b"
    )
    assert repr(moment) == f"<TracePolynomial: {moment}>"
    assert moment.latex().startswith(r"\frac{1}{2} \operatorname{tr}(A \Sigma)^{2} (b^{\top} \Sigma b)")
    assert str(form_moment("", "bbcc")) == "(bᵀ b) (cᵀ c) + 2 (bᵀ c)^2"
    assert str(form_moment("A") - form_moment("A")) == "0"
    assert str(-1 * form_moment("A", "")) == "-tr(A)"
    assert str(form_moment()) == "1"
    gradient = form_moment("A", "bc").gradient("A")
    assert str(gradient) == "b cᵀ + c bᵀ + (bᵀ c) I"
    assert gradient.latex() == r"b c^{\top} + c b^{\top} + (b^{\top} c) I"


@pytest.mark.parametrize("case", [("ABCD", "", None), ("AB", "bc", "mu")])
def test_latex_is_valid_mathematics(case):
    """Matplotlib's parser accepts it."""
    quadratics, vectors, mean = case
    moment = form_moment(quadratics, vectors, covariance="Sigma", mean=mean)
    for latex in (moment.latex(), moment.gradient("A").latex()):
        MathTextParser("path").parse(f"${latex}$")


@pytest.mark.parametrize(("quadratics", "general"), [("AAB", ""), ("BB", "B")])
def test_sympy_form_has_the_same_value(rng, quadratics, general):
    """Explicit matrices in SymPy's `Trace` expressions, evaluated by SymPy."""
    values = random_values(rng, 2)
    moment = form_moment(quadratics, "bc", covariance="Sigma", general=general)
    columns = {name: values[name].reshape(2, -1) for name in ("A", "B", "b", "c", "Sigma")}
    matrices = {sympy.MatrixSymbol(name, *v.shape): sympy.ImmutableMatrix(v) for name, v in columns.items()}
    number = moment.to_sympy(dimension=2).xreplace(matrices).doit()
    assert float(number) == pytest.approx(moment.evaluate(values), rel=1e-10)


def test_sympy_form_is_symbolic_in_the_dimension():
    """Without a dimension the matrices are d × d with a symbol d."""
    d = sympy.Symbol("d", integer=True, positive=True)
    A = sympy.MatrixSymbol("A", d, d)
    assert form_moment("AA").to_sympy() == sympy.Trace(A) ** 2 + 2 * sympy.Trace(A * A)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"quadratics": ["A b"]}, "no name"),
        ({"quadratics": [""]}, "no name"),
        ({"quadratics": ["A"], "vectors": ["A"]}, "both a matrix and a vector"),
        ({"quadratics": ["A"], "mean": "A"}, "both a matrix and a vector"),
        ({"quadratics": ["A"], "covariance": "S", "general": ["S"]}, "is the covariance"),
        ({"quadratics": ["A"], "general": ["B"]}, "not among the matrices"),
    ],
)
def test_bad_names_are_refused(arguments, message):
    """One sentence that says which name and why."""
    with pytest.raises(ProblemError, match=message):
        form_moment(**arguments)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"A": np.eye(2)}, "lacks 'b'"),
        ({"A": np.eye(2), "b": np.ones(3)}, "same dimension"),
        ({"A": np.array([[1.0, 2.0], [0.0, 1.0]]), "b": np.ones(2)}, "`A` is not symmetric"),
        ({"A": np.eye(2), "b": np.ones((2, 1))}, "`b` has shape"),
        ({"A": np.full((2, 2), np.nan), "b": np.ones(2)}, "`A` contains NaN"),
    ],
)
def test_bad_values_are_refused(values, message):
    """One sentence that names the array."""
    with pytest.raises(ProblemError, match=message):
        form_moment("A", "bb").evaluate(values)


def test_dimension_must_come_from_somewhere():
    """E x·x = d: without any array the dimension has to be given."""
    assert form_moment([()]).evaluate({}, dimension=7) == 7
    with pytest.raises(ProblemError, match="`dimension` is needed"):
        form_moment([()]).evaluate({})


def test_gradient_of_a_general_matrix_is_refused():
    """The formula assumes symmetric variations."""
    with pytest.raises(ProblemError, match="`B` is general"):
        form_moment("B", general="B").gradient("B")
