"""The table of counts, each row from two sides, and the counting algorithm against brute force."""

import itertools

import numpy as np
import pytest
import sympy

from dynamics.errors import ProblemError
from dynamics.laws.counting import count_laws, lie_algebra_dimension
from dynamics.laws.models import bilinear, linear, polynomial, quadratic, relu


def fixed_equal(K, d):
    return d * max(K - d, 0)


def linear_count(n, m, r):
    s = n + m
    return r * (r + 1) // 2 if r <= s else s * r - s * (s - 1) // 2


def signed(d, plus, minus):
    return quadratic(d, plus + minus, second_layer=[1] * plus + [-1] * minus)


# (network, independent laws by the formula of the table)
TABLE = [
    *[(quadratic(d, K), K) for d in (2, 3, 4) for K in (1, 2, 3, 5)],
    (quadratic(4, 6), 6),
    *[(quadratic(1, K), 2 * K - 1) for K in (1, 2, 3, 4)],
    *[(quadratic(d, K, second_layer=[1] * K), fixed_equal(K, d)) for d in (1, 2, 3) for K in range(1, 6)],
    (quadratic(4, 6, second_layer=[1] * 6), 8),
    (quadratic(2, 5, second_layer=[-3] * 5), 6),
    *[(quadratic(d, K, second_layer=range(1, K + 1)), 0) for d in (2, 3) for K in (1, 2, 4)],
    (quadratic(2, 4, second_layer=[1, -2, 3, -4]), 0),
    *[(signed(d, p, q), p * q) for d in (2, 3) for p in range(1, d + 1) for q in range(1, d + 1)],
    *[
        (linear(n, r, m), linear_count(n, m, r))
        for n, m in ((1, 1), (2, 1), (2, 2), (3, 2))
        for r in (1, 2, 3, 4, 6)
    ],
    *[(relu(d, K, O), K) for d, K, O in ((1, 3, 1), (2, 3, 1), (3, 4, 2), (2, 2, 3))],
    *[
        (bilinear(d, p, output_weight=False), p * p if p <= d else d * (2 * p - d))
        for d in (1, 2, 3)
        for p in (1, 2, 3, 4)
    ],
]


def label(value):
    return f"{value.name}, {len(value.parameters)} parameters" if hasattr(value, "name") else None


@pytest.mark.parametrize(("network", "expected"), TABLE, ids=label)
def test_every_row_of_the_table_with_its_family(network, expected):
    """The formula of the table; exact, so as many explicit, verified, independent laws are given."""
    result = count_laws(network)
    assert result.parameters == len(network.parameters)
    assert result.count == expected == result.parameters - result.lie_algebra_dimension
    assert result.exact
    assert len(result.laws) == expected


@pytest.mark.parametrize(("network", "expected"), TABLE, ids=label)
def test_every_row_of_the_table_from_brackets_alone(network, expected):
    """Without any law the bracket closure reaches the same dimension, and does not claim exactness."""
    result = count_laws(network, laws=[])
    assert result.count == expected
    assert result.exact is (expected == 0)


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        # Several outputs, trainable: one balance per unit, in one dimension too.
        (quadratic(2, 3, 2), 3),
        (quadratic(1, 3, 2), 3),
        (quadratic(3, 2, centred=True), 2),
        # A side with more units than inputs: d(n₊ + n₋) − d² (GL(d) acts freely).
        (signed(2, 3, 1), 4),
        (signed(2, 4, 3), 10),
        (signed(1, 2, 2), 3),
        # Equal absolute values by twos: a product of determinants survives (d = 2), nothing for d = 3.
        (quadratic(2, 4, second_layer=[1, 1, 2, 2]), 1),
        (quadratic(3, 4, second_layer=[1, 1, 2, 2]), 0),
        (quadratic(2, 4, second_layer=[1, -1, 2, -2]), 2),
        (quadratic(2, 5, second_layer=[1, 1, 1, 2, 2]), 3),
        (quadratic(1, 3, second_layer=[1, 2, -3]), 2),
        # A unit with output weight 0 stays where it is: d laws.
        (quadratic(3, 2, second_layer=[1, 0]), 3),
        # Fixed weights of two outputs: groups by the column up to sign; three determinants, two traces.
        (quadratic(2, 6, second_layer=[[1, 1, 2, 2, 1, 1], [1, 1, 3, 3, 0, 0]]), 1),
        (quadratic(2, 4, second_layer=[[1, 1, 2, 2], [1, 1, 3, 3]]), 0),
        # Bilinear with output weight: two balances per unit.
        (bilinear(2, 3), 6),
        (bilinear(3, 2), 4),
        (bilinear(1, 1), 2),
        # Learning rates do not change the count.
        (quadratic(2, 3, rates=(2, 5)), 3),
        (bilinear(2, 3, output_weight=False, rates=(2, 5, 1)), 8),
    ],
    ids=label,
)
def test_counts_beyond_the_table(network, expected):
    """Derived in `families.fixed_output_laws`; here the closure of brackets confirms each independently."""
    result = count_laws(network)
    assert (result.count, result.exact) == (expected, True)
    assert lie_algebra_dimension(network) == len(network.parameters) - expected


@pytest.mark.parametrize("p", [2, 3])
def test_a_count_without_a_full_family_is_called_an_upper_bound(p):
    """Bilinear units with output weight in one dimension: one field, so 3p − 1 laws, of which 2p are given."""
    result = count_laws(bilinear(1, p))
    assert (result.count, len(result.laws), result.exact) == (3 * p - 1, 2 * p, False)
    assert "upper bound" in result.summary()


def test_user_given_networks():
    x, y, w, v, b, a = sympy.symbols("x y w v b a")
    # One quartic unit: degree 4, one balance w² + v² − 4a².
    result = count_laws(polynomial(a * (w * x + v * y) ** 4, [x, y]))
    assert (result.count, result.exact) == (1, True)
    assert result.laws[0].expression in (w**2 + v**2 - 4 * a**2, 4 * a**2 - w**2 - v**2)
    # A quadratic unit with a bias is a quadratic unit with one more input.
    assert count_laws(polynomial(a * (w * x + b) ** 2, [x])).exact
    # Conformal: f = Re z² x + Im z² y with z = w + iv moves freely in the plane.
    assert count_laws(polynomial((w**2 - v**2) * x + 2 * w * v * y, [x, y])).count == 0


def deep_linear(widths):
    layers = [
        sympy.Matrix(m, n, sympy.symbols(f"{'ABCD'[i]}_:{m * n}"))
        for i, (n, m) in enumerate(itertools.pairwise(widths))
    ]
    x = sympy.Matrix(sympy.symbols(f"x_:{widths[0]}"))
    f = x
    for layer in layers:
        f = layer * f
    return polynomial(list(f), list(x), [theta for layer in layers for theta in layer])


def test_deep_linear_network():
    """W_{i+1}ᵀ W_{i+1} − W_i W_iᵀ for each hidden layer of width 2: three laws each (Marcotte et al., example)."""
    result = count_laws(deep_linear([2, 2, 2, 2]))
    assert (result.count, result.exact) == (6, True)


def brute_force_dimension(network, depth):
    """Rank at a rational point of all iterated brackets up to a depth, in SymPy's symbols throughout."""
    theta = network.parameters
    generators = [sympy.Matrix([phi.as_expr().diff(t) for t in theta]) for phi in network.potentials]
    level, fields = generators, list(generators)
    for _ in range(depth - 1):
        level = [(Y.jacobian(theta) * X - X.jacobian(theta) * Y).expand() for X in generators for Y in level]
        fields += level
    point = {t: sympy.Rational(prime, 7) for t, prime in zip(theta, sympy.primerange(200), strict=False)}
    return sympy.Matrix.hstack(*(X.subs(point) for X in fields)).rank()


@pytest.mark.parametrize(
    ("network", "depth"),
    [
        (quadratic(2, 2), 3),
        (quadratic(1, 2, 2), 5),
        (quadratic(2, 3, second_layer=[1, 2, -2]), 4),
        (linear(1, 2, 2), 3),
        (bilinear(2, 1), 3),
        (polynomial(sympy.sympify("(u*v + p)**2 * x + q*u*y"), sympy.symbols("x y")), 4),
    ],
    ids=label,
)
def test_pruned_closure_equals_all_brackets(network, depth):
    """Keeping only a basis over the rational functions loses nothing against every bracket of a given depth."""
    assert lie_algebra_dimension(network) == brute_force_dimension(network, depth)


@pytest.mark.parametrize(
    ("d", "a"), [(2, [1, 1, 1]), (2, [1, 2, -2, 3]), (3, [1, -1, 2]), (2, [1, 1, 3, 3, 3])]
)
def test_fixed_second_layer_equals_a_matrix_algebra(d, a):
    """The fields W ↦ diag(a) W E bracket like Kronecker products of matrices: closure in floating point, by SVD."""
    K = len(a)
    basis = []
    for i in range(d):
        for j in range(i, d):
            E = np.zeros((d, d))
            E[i, j] = E[j, i] = 1
            basis.append(np.kron(np.diag(a), E))
    rank = 0
    algebra = list(basis)
    while True:
        vectors = np.array([(X / np.linalg.norm(X)).ravel() for X in algebra])
        _, singular, V = np.linalg.svd(vectors, full_matrices=False)
        kept = int((singular > 1e-9).sum())
        if kept == rank:
            break
        rank, algebra = kept, [v.reshape(K * d, K * d) for v in V[:kept]]
        algebra += [Z for X in basis for Y in algebra[:kept] if np.linalg.norm(Z := X @ Y - Y @ X) > 1e-9]
    W = np.random.default_rng(0).normal(size=K * d)
    orbit = np.linalg.matrix_rank(np.array([X @ W for X in algebra[:rank]]), tol=1e-9)
    assert lie_algebra_dimension(quadratic(d, K, second_layer=a)) == orbit


def test_large_network_within_its_budget(monkeypatch):
    """K = 6, d = 4 needs at most D · (number of generators) brackets: seconds, not minutes."""
    from dynamics.laws import counting

    calls = []
    original = counting.bracket
    monkeypatch.setattr(counting, "bracket", lambda X, Y: calls.append(1) or original(X, Y))
    assert lie_algebra_dimension(quadratic(4, 6)) == 24
    assert 0 < len(calls) <= 24 * 10


def test_the_result_does_not_depend_on_the_random_point():
    for seed in range(5):
        assert count_laws(quadratic(2, 3, second_layer=[1, 1, 1]), seed=seed).count == 2


def test_given_laws_are_verified_and_selected():
    network = quadratic(2, 2)
    w, a = network.parameters[:4], network.parameters[4:]
    c0 = w[0] ** 2 + w[1] ** 2 - 2 * a[0] ** 2
    result = count_laws(network, laws=[c0, c0**2])
    assert (len(result.laws), result.count, result.exact) == (1, 2, False)
    with pytest.raises(ProblemError, match="does not keep constant"):
        count_laws(network, laws=[w[0] ** 2 - a[0] ** 2])


def test_bad_input_is_refused():
    with pytest.raises(ProblemError, match="`degree` is 0"):
        count_laws(polynomial(sympy.sympify("u*x"), [sympy.Symbol("x")]), degree=0)
    with pytest.raises(ProblemError, match="`stop_at` is -1"):
        lie_algebra_dimension(quadratic(2, 2), stop_at=-1)


def test_models_of_bilinear_units_are_named_by_their_output_weight():
    assert [bilinear(1, 1, output_weight=o).name for o in (True, False)] == [
        "bilinear",
        "bilinear, no output weight",
    ]
