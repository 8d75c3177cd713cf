"""Networks as data: what a text, pieces and families say is computed, and nothing else is accepted."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from dynamics.errors import ProblemError
from dynamics.networks import Layer, NetworkProblem, Power, Square, read_network
from tests.dynamics.networks.cases import NAMES, network

rng = np.random.default_rng(0)


def test_deep_quadratic_is_its_formula():
    """f = Σ_j a_j (Σ_k U_jk (w_k·x)²)², written out."""
    net = read_network("deep-quadratic:3,4,2,1")
    theta, X = rng.standard_normal(net.size), rng.standard_normal((5, 3))
    W, U, a = net.unpack(theta)
    assert net(theta, X)[:, 0] == pytest.approx(((X @ W.T) ** 2 @ U.T) ** 2 @ a[0], rel=1e-14)
    assert (net.degree, net.order, net.size) == (4, 7, 12 + 8 + 2)


def test_attention_is_its_formula():
    """f_s = Σ_t (Q x_s·K x_t)(v·x_t), by loops."""
    net = read_network("attention:3,2,4")
    theta, X = rng.standard_normal(net.size), rng.standard_normal((5, 6))
    Q, K, v = net.unpack(theta)
    for x, f in zip(X.reshape(5, 3, 2), net(theta, X), strict=True):
        by_loops = [sum((Q @ x[s]) @ (K @ x[t]) * (v @ x[t]) for t in range(3)) for s in range(3)]
        assert f == pytest.approx(by_loops, rel=1e-13)
    assert (net.degree, net.order, net.outputs) == (3, 3, 3)


def test_bilinear_is_its_formula():
    """f_o = Σ_k A_ok (r_k·x)(g_k·x)."""
    net = read_network("bilinear:3,2,2")
    theta, X = rng.standard_normal(net.size), rng.standard_normal((4, 3))
    R, G, A = net.unpack(theta)
    assert net(theta, X) == pytest.approx((X @ R.T) * (X @ G.T) @ A.T, rel=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_the_program_is_its_formula(name):
    """Numbers from the program against SymPy's evaluation of the symbolic outputs; degrees against SymPy's."""
    net = network(name)
    x, theta, f = net.symbolic()
    values, X = rng.standard_normal(net.size), rng.standard_normal((4, net.inputs))
    evaluate = sympy.lambdify([x, theta], f)
    by_sympy = [evaluate(row, values) for row in X]
    assert net(values, X) == pytest.approx(np.array(by_sympy, dtype=float), rel=1e-12)
    assert net.degree == max(sympy.Poly(g, *x).total_degree() for g in map(sympy.expand, f))
    assert net.order == max(sympy.Poly(g, *theta).total_degree() for g in map(sympy.expand, f))


@pytest.mark.parametrize("name", NAMES)
def test_parity_is_that_of_the_function(name):
    """f(−x) = ±f(x) exactly where the program says so."""
    net = network(name)
    theta, X = rng.standard_normal(net.size), rng.standard_normal((4, net.inputs))
    there, back = net(theta, X), net(theta, -X)
    assert (net.program.parity == 0) == bool(np.allclose(there, back))
    assert (net.program.parity == 1) == bool(np.allclose(there, -back))


def test_pieces_in_python_are_the_text():
    """`>>` builds what its text says, and the text is kept as the description."""
    pieces = (
        Layer("linear", 3, 4, bias=True)
        >> Square()
        >> Layer("bilinear", 4, 2)
        >> Power(3)
        >> Layer("linear", 2, 1)
    )
    net = pieces.network()
    assert net.spec == "linear:3,4,bias >> square >> bilinear:4,2 >> power:3 >> linear:2,1"
    again = read_network(net.spec)
    theta, X = rng.standard_normal(net.size), rng.standard_normal((3, 3))
    assert np.array_equal(net(theta, X), again(theta, X))
    assert [law.text for law in net.balances] == [law.text for law in again.balances]


def test_weights_are_tied_by_their_names():
    """A convolution of width 2 with one filter: the same names at both places."""
    net = read_network("a*((w_0*x_0 + w_1*x_1)**2 + (w_0*x_1 + w_1*x_2)**2)")
    assert [p.name for p in net.parameters] == ["a", "w_0", "w_1"]
    a, w, X = 0.7, np.array([0.3, -1.1]), rng.standard_normal((6, 3))
    by_hand = a * sum((X[:, i : i + 2] @ w) ** 2 for i in range(2))
    assert net(np.array([a, *w]), X)[:, 0] == pytest.approx(by_hand, rel=1e-13)


def test_initial_weights():
    """Entries N(0, ε²/fan) with the fan-in of each layer, biases 0: moments of a wide network, within 5 σ."""
    net = read_network("linear:200,300,bias >> square >> linear:300,1")
    W, b, a = net.unpack(net.initialise(0.5, seed=1))
    assert not b.any()
    for array, fan in ((W, 200), (a, 300)):
        second = np.mean(array**2) * fan / 0.25
        assert abs(second - 1) < 5 * np.sqrt(2 / array.size)
    assert not np.array_equal(net.initialise(0.5, seed=1), net.initialise(0.5, seed=2))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a*w", "inputs x_0"),
        ("deep-cubic:2,2", "deep-quadratic"),
        ("deep-linear:2,0", "positive whole numbers"),
        ("deep-linear:2,x", "positive whole numbers"),
        ("attention:2", "attention:T,D,H"),
        ("linear:2,3 >> square >> linear:2,1", "gives 3"),
        ("square >> linear:2,1", "begin and end"),
        ("linear:2,3 >> cube >> linear:3,1", "'cube'"),
        ("linear:2,3 >> power:99 >> linear:3,1", "99"),
        ("__import__('os').system('true')*x_0", "polynomial"),
        ("exp(x_0)", "polynomial"),
        ("deep-linear:1000,1000,1000", "parameters"),
        ("a*x_9999", "names x_9999, but inputs are called x_0, x_1, … up to x_999"),
        ("a*x_0 + b*x_1234567", "names x_1234567, but"),
        ("a*x_0 + b*x_01", "names x_01, but"),
    ],
)
def test_what_is_no_network_is_refused_in_a_sentence(text, word):
    with pytest.raises(ProblemError) as refusal:
        read_network(text)
    assert word in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "inputs", "sentence"),
    [
        (
            "a_0*(w_00*x_5)**2",
            2,
            "`--network` names the input x_5, but must name only x_0 to x_1: the network has 2 inputs.",
        ),
        ("a*x_5", 1, "`--network` names the input x_5, but must name only x_0: the network has 1 input."),
        ("a*x_5", 0, "`inputs` is 0, but must be at least 1."),
        ("a*x_0", 1001, "The network 'a*x_0' means 1,001 inputs, but at most 1,000 are allowed: use fewer."),
        ("deep-linear:3,2,1", 2, "`inputs` is 2, but the network has 3 inputs."),
        ("linear:1,4 >> square >> linear:4,1", 2, "`inputs` is 2, but the network has 1 input."),
    ],
)
def test_inputs_beyond_those_of_the_network_are_refused(text, inputs, sentence):
    """Which one, and which are allowed; a number of inputs that fits changes nothing."""
    with pytest.raises(ProblemError) as refusal:
        read_network(text, inputs)
    assert str(refusal.value) == sentence
    assert read_network("deep-linear:3,2,1", 3).inputs == 3
    assert read_network("a_0*(w_00*x_5)**2", 6).inputs == 6


def test_parameters_of_another_network_are_refused():
    """A start by names has those of the network, no fewer and no more."""
    net = read_network("a_0*(w_00*x_1)**2")
    assert net.from_arrays({"w_00": 2.0, "a_0": 1.0}).tolist() == [1, 2]
    for start, sentence in (
        (
            {"a_0": 1.0, "w_00": 2.0, "w_7": 3.0},
            "`w_7` is no parameter: the network has the parameters a_0, w_00.",
        ),
        ({"a_0": 1.0}, "`w_00` is missing: the network has the parameters a_0, w_00."),
    ):
        with pytest.raises(ProblemError) as refusal:
            NetworkProblem(net, "x_0**2", start)
        assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    ("target", "word"),
    [
        ("a*x_0", "inputs alone"),
        ("x_5", "x_5"),
        ("x_0; x_1", "2 outputs"),
        ("teacher:one", "teacher:SEED"),
        ("3", "polynomial in x_0"),
    ],
)
def test_what_is_no_target_is_refused_in_a_sentence(target, word):
    with pytest.raises(ProblemError) as refusal:
        NetworkProblem("deep-quadratic:2,2,1", target)
    assert word in str(refusal.value)


def test_a_network_without_parameters_learns_nothing():
    with pytest.raises(ProblemError, match="must have parameters"):
        NetworkProblem("x_0**2", "x_0")


def test_a_target_may_name_more_inputs_than_an_expression():
    """Of two expressions the network gets the inputs of both; f does not depend on the further ones."""
    problem = NetworkProblem("a*x_0**2", "x_2**2")
    assert problem.network.inputs == 3
    # f ≡ 0 is the best: E(x_2²)² / 2 = 3/2 at a = 0
    assert problem.population.loss(np.zeros(1)) == pytest.approx(1.5, rel=1e-14)
