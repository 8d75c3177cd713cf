"""Isserlis' engine against pairing sums, quadrature, sampling and Price's theorem."""

import itertools
import math

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy.polys.rings import ring

from dynamics.errors import ProblemError
from dynamics.symbolic.moments import GaussianMoments, expectation, moment_tensor, ring_expectation

x, y, z = sympy.symbols("x y z")
XYZ = (x, y, z)
integers = st.integers(-3, 3)


def pairings(items):
    """All ways to pair up the items."""
    if not items:
        yield []
        return
    first, *rest = items
    for i, partner in enumerate(rest):
        for others in pairings(rest[:i] + rest[i + 1 :]):
            yield [(first, partner), *others]


def brute_force_moment(indices, Sigma, mu):
    """Isserlis' theorem as it is stated: over all sets of legs that take the mean and pairings of the others."""
    total = 0.0
    for size in range(len(indices) + 1):
        for paired in itertools.combinations(range(len(indices)), size):
            mean = math.prod(mu[indices[leg]] for leg in range(len(indices)) if leg not in paired)
            for pairing in pairings(list(paired)):
                total += mean * math.prod(Sigma[indices[p], indices[q]] for p, q in pairing)
    return total


def random_gaussian(rng, d):
    """Covariance and mean of order one."""
    F = rng.standard_normal((d, d))
    return F @ F.T / d + 0.3 * np.eye(d), rng.standard_normal(d)


def random_polynomial(rng, degree, terms=12):
    """Polynomial in x, y, z with `terms` random monomials of at most the given degree."""
    powers = [p for p in itertools.product(range(degree + 1), repeat=3) if sum(p) <= degree]
    chosen = rng.choice(len(powers), size=terms, replace=False)
    return sum(
        float(rng.standard_normal()) * math.prod(v**n for v, n in zip(XYZ, powers[i], strict=True))
        for i in chosen
    )


@pytest.mark.parametrize(
    ("order", "d"), [(0, 3), (1, 3), (2, 3), (3, 3), (4, 3), (5, 2), (6, 2), (7, 2), (8, 2)]
)
@pytest.mark.parametrize("centred", [True, False])
def test_tensor_equals_the_sum_over_pairings(rng, order, d, centred):
    """Every entry against the explicit sum over (partial) pairings; rounding only, hence 1e-13."""
    Sigma, mu = random_gaussian(rng, d)
    mean = np.zeros(d) if centred else mu
    tensor = moment_tensor(order, Sigma, None if centred else mu)
    assert isinstance(tensor, np.ndarray)
    assert tensor.shape == (d,) * order
    expected = np.array(
        [brute_force_moment(i, Sigma, mean) for i in itertools.product(range(d), repeat=order)]
    ).reshape(tensor.shape)
    np.testing.assert_allclose(tensor, expected, rtol=1e-12, atol=1e-13 * max(1, abs(expected).max()))


@pytest.mark.parametrize("order", [0, 1, 2, 3, 4, 6])
def test_symbolic_tensor_equals_the_numeric_one(rng, order):
    """Two implementations (exponent vectors, whole arrays) of the same moments, d = 2, with a mean."""
    s = sympy.symbols("s_0_0 s_0_1 s_1_1")
    mu = sympy.symbols("mu_0 mu_1")
    symbolic = moment_tensor(order, sympy.Matrix([[s[0], s[1]], [s[1], s[2]]]), mu)
    assert isinstance(symbolic, sympy.ImmutableDenseNDimArray)
    assert symbolic.shape == (2,) * order
    Sigma, mean = random_gaussian(rng, 2)
    values = dict(zip((*s, *mu), (Sigma[0, 0], Sigma[0, 1], Sigma[1, 1], *mean), strict=True))
    numbers = np.array(sympy.flatten(symbolic.subs(values)) if order else [symbolic[()]], dtype=float)
    expected = moment_tensor(order, Sigma, mean)
    np.testing.assert_allclose(numbers.reshape(expected.shape), expected, rtol=1e-12, atol=1e-13)


def test_fourth_moment_is_the_textbook_sum():
    """Isserlis (1918): E x_i x_j x_k x_l = s_ij s_kl + s_ik s_jl + s_il s_jk."""
    Sigma = sympy.Matrix(4, 4, lambda i, j: sympy.Symbol(f"s_{min(i, j)}_{max(i, j)}"))
    s = lambda i, j: Sigma[i, j]  # noqa: E731
    assert moment_tensor(4, Sigma)[0, 1, 2, 3] == s(0, 1) * s(2, 3) + s(0, 2) * s(1, 3) + s(0, 3) * s(1, 2)


def test_singular_covariance_is_allowed():
    """x = (u, u) with u standard normal: every moment of order 4 is E u⁴ = 3."""
    np.testing.assert_allclose(moment_tensor(4, np.ones((2, 2))), 3.0)


@pytest.mark.parametrize("n", [1, 2, 5, 20, 1500])
def test_one_variable_gives_double_factorials(n):
    """E x^{2n} = (2n − 1)!!; n = 1500 lies beyond Python's recursion limit."""
    assert expectation(x ** (2 * n), x) == sympy.factorial2(2 * n - 1)
    assert expectation(x ** (2 * n - 1), x) == 0


def test_expectation_equals_gauss_hermite_quadrature(rng):
    """Six nodes per axis integrate degree 11 ≥ 9 exactly; only rounding separates the two."""
    Sigma, mu = random_gaussian(rng, 3)
    polynomial = random_polynomial(rng, degree=9)
    nodes, weights = np.polynomial.hermite_e.hermegauss(6)
    grid = np.stack(np.meshgrid(nodes, nodes, nodes, indexing="ij")).reshape(3, -1)
    weight = (
        np.prod(np.meshgrid(weights, weights, weights, indexing="ij"), axis=0).ravel() / (2 * np.pi) ** 1.5
    )
    values = sympy.lambdify(XYZ, polynomial)(*(np.linalg.cholesky(Sigma) @ grid + mu[:, None]))
    quadrature = weight @ values
    assert float(expectation(polynomial, XYZ, Sigma, mu)) == pytest.approx(
        quadrature, abs=1e-11 * (weight @ abs(values))
    )


def test_expectation_lies_within_the_error_bar_of_sampling(rng):
    """Mean of 400,000 samples of a quartic within 4.5 of its standard errors."""
    Sigma, mu = random_gaussian(rng, 3)
    polynomial = random_polynomial(rng, degree=4)
    samples = rng.multivariate_normal(mu, Sigma, size=400_000, method="cholesky").T
    values = sympy.lambdify(XYZ, polynomial)(*samples)
    error = values.std() / np.sqrt(values.size)
    assert abs(values.mean() - float(expectation(polynomial, XYZ, Sigma, mu))) < 4.5 * error


@settings(deadline=None, max_examples=30)
@given(st.lists(integers, min_size=9, max_size=9), st.lists(integers, min_size=3, max_size=3), st.data())
def test_affine_change_of_variables(entries, shift, data):
    """E p(x) under N(μ, LLᵀ) = E p(Lu + μ) under N(0, I): exact in rational numbers, singular L included."""
    powers = data.draw(st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=1, max_size=3))
    polynomial = sum(math.prod(v**n for v, n in zip(XYZ, p, strict=True)) for p in powers)
    L, mu = sympy.Matrix(3, 3, entries), sympy.Matrix(shift)
    substituted = polynomial.subs(dict(zip(XYZ, L * sympy.Matrix(XYZ) + mu, strict=True)), simultaneous=True)
    assert expectation(polynomial, XYZ, L * L.T, mu) == expectation(substituted, XYZ)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(*[st.integers(0, 3)] * 2, integers), min_size=1, max_size=4))
def test_prices_theorem(terms):
    """Price (1958): ∂E[p]/∂s_ij = E[∂_i ∂_j p] off the diagonal, half of it on the diagonal; exact, with a mean."""
    s00, s01, s11, m0, m1 = sympy.symbols("s00 s01 s11 m0 m1")
    p = sympy.Add(*(c * x**i * y**j for i, j, c in terms))

    def mean(q):
        return expectation(q, (x, y), sympy.Matrix([[s00, s01], [s01, s11]]), (m0, m1))

    assert sympy.expand(sympy.diff(mean(p), s01) - mean(sympy.diff(p, x, y))) == 0
    assert sympy.expand(2 * sympy.diff(mean(p), s00) - mean(sympy.diff(p, x, 2))) == 0
    assert sympy.expand(sympy.diff(mean(p), m1) - mean(sympy.diff(p, y))) == 0


def test_coefficients_may_be_any_expressions():
    """sin t, 1/(1 + b) and √c are constants for the expectation, and may even stand in a denominator."""
    t, b, c = sympy.symbols("t b c")
    result = expectation(sympy.sin(t) * x**2 * y**2 + x**4 / (1 + b) + sympy.sqrt(c) * x + 5, (x, y))
    assert sympy.simplify(result - sympy.sin(t) - 3 / (1 + b) - 5) == 0


def test_ring_expectation_equals_expectation():
    """The same polynomial as an element of ℚ[a, b][x, y, z] and as an expression, with symbolic Σ entry and mean."""
    R, a, b = ring("a b", sympy.QQ)
    _, u, v, w = ring("x y z", R.to_domain())
    element = (a * u + b * v - w) ** 4 + a * u * v**2 + 7 * b
    Sigma, mu = [[a, 1, 0], [1, 3, b], [0, b, 2]], [0, a, 1]
    as_expressions = [[sympy.sympify(str(s)) for s in row] for row in Sigma]
    expected = expectation(element.as_expr(), XYZ, as_expressions, [sympy.sympify(str(m)) for m in mu])
    result = ring_expectation(element, Sigma, mu)
    assert result.ring == R
    assert sympy.expand(result.as_expr() - expected) == 0
    assert sympy.expand(ring_expectation(element).as_expr() - expectation(element.as_expr(), XYZ)) == 0


def test_moments_are_computed_once():
    """The second request is answered from memory, with the same object."""
    moments = GaussianMoments([[sympy.Symbol("s")]], [0], sympy.S.One)
    assert moments((12,)) is moments((12,))


NOT_POLYNOMIAL = [sympy.sin(x), 1 / x, sympy.sqrt(x), x ** sympy.Symbol("n"), abs(x), sympy.oo * x, "x", None]


@pytest.mark.parametrize("expr", NOT_POLYNOMIAL, ids=str)
def test_only_polynomials_have_an_expectation_here(expr):
    """Everything else is refused by name."""
    with pytest.raises(ProblemError, match="must be a finite polynomial in x, y"):
        expectation(expr, (x, y))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"covariance": [[1, 2], [0, 1]]}, "symmetric"),
        ({"covariance": sympy.Matrix(2, 2, sympy.symbols("a:d"))}, "symmetric"),
        ({"covariance": [[1, 2], [2, 1]]}, "eigenvalue"),
        ({"covariance": np.eye(3)}, "3 rows, but there are 2 variables"),
        ({"covariance": sympy.ones(2, 3)}, "square"),
        ({"covariance": [[1, 2], [3]]}, "cannot be read"),
        ({"covariance": np.full((2, 2), np.nan)}, "NaN"),
        ({"covariance": [[x, 0], [0, 1]]}, "variables themselves"),
        ({"mean": [1, 2, 3]}, "`mean` has shape"),
        ({"mean": [y, 0]}, "variables themselves"),
    ],
)
def test_bad_gaussians_are_refused(arguments, message):
    """One sentence that names the argument and what is wrong."""
    with pytest.raises(ProblemError, match=message):
        expectation(x**2, (x, y), **arguments)


@pytest.mark.parametrize("variables", [(), (x, x), (x + y,), ("x",)], ids=str)
def test_variables_are_distinct_symbols(variables):
    """Nothing else can be integrated over."""
    with pytest.raises(ProblemError, match="distinct SymPy symbols"):
        expectation(x**2, variables)


@pytest.mark.parametrize(
    ("order", "covariance", "mean", "message"),
    [
        (-1, np.eye(2), None, "`order` is -1"),
        (2.0, np.eye(2), None, "whole number"),
        (2, np.ones((2, 3)), None, "square"),
        (2, [[1.0, 0.5], [0.0, 1.0]], None, "not symmetric"),
        (2, -np.eye(2), None, "eigenvalue -1"),
        (2, [[1.0, "a"]], None, "real numbers"),
        (2, [[1.0, 2.0], [3.0]], None, "real numbers"),
        (2, np.eye(2), [1.0], "`mean` has length 1"),
        (2, np.eye(2), [np.inf, 0.0], "infinity"),
        (6, np.eye(100), None, "at most 2\\^27"),
        (40, sympy.eye(2), None, "at most 2\\^27"),
        (2, sympy.eye(2), [1, 2, 3], "`mean` has shape"),
    ],
)
def test_bad_tensors_are_refused(order, covariance, mean, message):
    """One sentence that names the argument and what is wrong; nothing huge is even begun."""
    with pytest.raises(ProblemError, match=message):
        moment_tensor(order, covariance, mean)


@pytest.mark.parametrize("covariance", [[[1]], [[1, 0, 0]] * 2])
def test_ring_expectation_needs_one_row_per_generator(covariance):
    """A wrong shape is refused before any work."""
    _, u, v = ring("x y", sympy.QQ)
    with pytest.raises(ProblemError, match="must have 2 rows"):
        ring_expectation(u * v, covariance)
