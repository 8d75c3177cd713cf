"""Every explicit family along numerically integrated flows of arbitrary losses, fields written out in NumPy.

Any loss of f moves a quadratic network as ẇ_k = Σ_o A_ok G_o w_k, Ȧ_ok = ½ w_kᵀ G_o w_k with symmetric G_o, so
random smooth G_o(t) stand for every target and every loss. The integrator keeps each step to 1e-12; the runs
take about 30 steps and errors grow less than threefold on the way: 1e-10 relative to the size of a law. As a
control, quantities one factor away from a law must move by more than 1e-4.
"""

import numpy as np
import pytest
import sympy

from dynamics.errors import ProblemError
from dynamics.laws import families, models
from dynamics.laws.models import bilinear, linear, polynomial, quadratic, relu

TOLERANCE = 1e-10
MOVES = 1e-4


def drift(laws, states):
    """Largest change of each law relative to its size."""
    values = np.array([law(states) for law in laws])
    return np.abs(values - values[:, :1]).max(1) / (1 + np.abs(values).max(1))


def quadratic_field(d, K, O, control, rates=(1, 1), fixed=None):
    def field(t, theta):
        W = theta[: K * d].reshape(K, d)
        A = theta[K * d :].reshape(O, K) if fixed is None else fixed
        G = [G_o(t) for G_o in control]
        dW = sum(A[o][:, None] * (W @ G[o]) for o in range(O))
        dA = np.array([0.5 * np.einsum("ki,ij,kj->k", W, G_o, W) for G_o in G])
        return np.concatenate([rates[0] * dW.ravel()] + ([rates[1] * dA.ravel()] if fixed is None else []))

    return field


@pytest.mark.parametrize(
    ("d", "K", "O", "rates"),
    [
        (1, 1, 1, (1, 1)),
        (1, 3, 1, (1, 1)),
        (1, 3, 1, (2, 0.5)),
        (2, 3, 1, (1, 1)),
        (3, 2, 2, (0.5, 2)),
        (2, 5, 3, (1, 1)),
    ],
)
def test_quadratic_trainable(d, K, O, rates, integrate, symmetric_control):
    """‖w_k‖²/η_w − 2 Σ_o A_ok²/η_a, and in one dimension the clocks."""
    rng = np.random.default_rng(d + 10 * K + 100 * O)
    control = [symmetric_control(d, rng) for _ in range(O)]
    theta0 = 0.7 * rng.normal(size=K * d + O * K)
    states = integrate(quadratic_field(d, K, O, control, rates), theta0)
    laws = quadratic(d, K, O, rates=rates).family()
    assert len(laws) == (2 * K - 1 if d == O == 1 else K)
    assert drift(laws, states).max() < TOLERANCE
    wrong = families.balance_laws(
        *symbols_of(d, K, O), 1, laws[0].parameters, rates
    )  # h = 1 is not the degree of this activation
    assert drift(wrong, states).min() > MOVES


def symbols_of(d, K, O):
    network = quadratic(d, K, O)
    W = [network.parameters[k * d : (k + 1) * d] for k in range(K)]
    A = [network.parameters[K * d + o * K : K * d + (o + 1) * K] for o in range(O)]
    return W, A


def test_quadratic_clocks_on_both_kinds_of_orbit(integrate):
    """Units with c > 0, one of them crossing a = 0, and with c < 0 of both signs of a keep the clocks."""
    theta0 = np.array([1.0, 0.3, 0.4, 0.8, -0.05, 0.8, -0.9, -0.1])  # w, then a
    field = quadratic_field(1, 4, 1, [lambda t: np.array([[0.5 * np.cos(4 * t)]])])
    states = integrate(field, theta0)
    w, a = states[:, :4], states[:, 4:]
    c = w[0] ** 2 - 2 * a[0] ** 2
    assert (c > 0).tolist() == [True, False, False, True]
    assert a[:, 0].min() < 0 < a[:, 0].max()
    assert drift(quadratic(1, 4).family(), states).max() < TOLERANCE


FIXED = [
    (1, [[1, 1, 1]]),
    (1, [[1, -2, 3]]),
    (2, [[1, 1, 1, 1]]),
    (3, [[2, 2, 2, 2, 2]]),
    (2, [[1, 1, -1]]),
    (2, [[1, 1, 1, -1]]),
    (2, [[1, 1, 1, -1, -1, -1]]),
    (2, [[1, 1, -2, -2]]),
    (2, [[1, -1, 2, -2, 0]]),
    (2, [[1, 1, 1, 3, 3, -2, 2, 2]]),
    (2, [[1, 1, 2, 2, 1, 1], [1, 1, 3, 3, 0, 0]]),
    (2, [[1, -1, 2, 2], [0.5, -0.5, 0, 0]]),
]


@pytest.mark.parametrize(("d", "A"), FIXED)
def test_quadratic_fixed(d, A, integrate, symmetric_control):
    A = np.array(A, dtype=float)
    O, K = A.shape
    rng = np.random.default_rng(K + 10 * d)
    control = [symmetric_control(d, rng) for _ in range(O)]
    states = integrate(quadratic_field(d, K, O, control, fixed=A), rng.normal(size=K * d))
    laws = quadratic(d, K, second_layer=A).family()
    assert laws
    assert drift(laws, states).max() < TOLERANCE
    # Control: the units do move, apart from those with output weight zero.
    moving = np.repeat(A.any(0), d)
    assert (np.abs(states - states[0]).max(0)[moving] > MOVES).all()


def test_column_space_coordinates_are_those_of_the_projector():
    """W_rest W_first⁻¹ = P_rest,first P_first,first⁻¹, linear algebra on the numeric projector."""
    d, K = 3, 5
    W = np.random.default_rng(3).normal(size=(K, d))
    laws = quadratic(d, K, second_layer=[1] * K).family()
    P = W @ np.linalg.inv(W.T @ W) @ W.T
    expected = P[d:, :d] @ np.linalg.inv(P[:d, :d])
    np.testing.assert_allclose([law(W.ravel()) for law in laws], expected.ravel(), rtol=1e-10)


@pytest.mark.parametrize(
    ("d", "K", "O", "rates"), [(2, 2, 2, (1, 1)), (3, 2, 1, (2, 0.5)), (1, 4, 1, (1, 1)), (2, 5, 1, (1, 3))]
)
def test_linear(d, K, O, rates, integrate):
    """Ẇ = η_w AᵀE, Ȧ = η_a E Wᵀ with any path E(t) of (O, d) matrices."""
    rng = np.random.default_rng(d + K)
    E0, E1 = rng.normal(size=(2, O, d))

    def field(t, theta):
        W, A = theta[: K * d].reshape(K, d), theta[K * d :].reshape(O, K)
        E = E0 + E1 * np.cos(4 * t)
        return np.concatenate([rates[0] * (A.T @ E).ravel(), rates[1] * (E @ W.T).ravel()])

    states = integrate(field, rng.normal(size=K * (d + O)))
    laws = linear(d, K, O, rates=rates).family()
    assert len(laws) == K * (K + 1) // 2
    assert drift(laws, states).max() < TOLERANCE
    wrong = families.balance_laws(*symbols_of(d, K, O), 2, laws[0].parameters, rates)
    assert drift(wrong, states).min() > MOVES


def test_relu_trained_on_data(integrate):
    """A real ReLU network under the gradient flow of a logistic loss, activation patterns checked constant."""
    d, K, O = 2, 3, 2
    rng = np.random.default_rng(4)
    X, Y = rng.normal(size=(12, d)), rng.choice([-1.0, 1.0], size=(12, O))

    def field(_, theta):
        W, A = theta[: K * d].reshape(K, d), theta[K * d :].reshape(O, K)
        hidden = np.maximum(X @ W.T, 0)
        pull = Y / (1 + np.exp(Y * (hidden @ A.T))) / len(X)  # −∂L/∂f
        dW = ((pull @ A) * (hidden > 0)).T @ X
        return np.concatenate([dW.ravel(), (pull.T @ hidden).ravel()])

    states = integrate(field, rng.normal(size=K * (d + O)), t_end=0.4)
    patterns = np.einsum("ni,tki->tnk", X, states[:, : K * d].reshape(-1, K, d)) > 0
    assert (patterns == patterns[0]).all()  # else the field has kinks and the integrator loses its order
    laws = relu(d, K, O).family()
    assert len(laws) == K
    assert drift(laws, states).max() < TOLERANCE
    assert np.abs(states - states[0]).max() > MOVES


@pytest.mark.parametrize("output_weight", [True, False])
@pytest.mark.parametrize(
    ("d", "p", "rates"), [(2, 2, (1, 1, 1)), (3, 2, (2, 0.5, 3)), (1, 3, (1, 1, 1)), (2, 4, (1, 2, 1))]
)
def test_bilinear(d, p, rates, output_weight, integrate, symmetric_control):
    """ṙ_k = η_r a_k G g_k, ġ_k = η_g a_k G r_k, ȧ_k = η_a r_kᵀ G g_k."""
    rng = np.random.default_rng(d + p)
    control = symmetric_control(d, rng)

    def field(t, theta):
        R, G = theta[: p * d].reshape(p, d), theta[p * d : 2 * p * d].reshape(p, d)
        a = theta[2 * p * d :] if output_weight else np.ones(p)
        dR, dG = a[:, None] * (G @ control(t)), a[:, None] * (R @ control(t))
        da = np.einsum("ki,ij,kj->k", R, control(t), G) if output_weight else np.zeros(0)
        return np.concatenate([rates[0] * dR.ravel(), rates[1] * dG.ravel(), rates[2] * da])

    states = integrate(field, 0.6 * rng.normal(size=2 * p * d + (p if output_weight else 0)))
    laws = bilinear(d, p, output_weight=output_weight, rates=rates).family()
    assert len(laws) == (2 * p if output_weight else p * p)
    assert drift(laws, states).max() < TOLERANCE
    assert np.abs(states - states[0]).max() > MOVES


def test_user_given_deep_network_conserves_what_is_found(integrate):
    """Three linear layers as a SymPy expression: the laws found are constant under a random loss gradient."""
    from dynamics.laws.discovery import discover_laws

    layers = [sympy.Matrix(2, 2, sympy.symbols(f"{name}_:4")) for name in "ABC"]
    x = sympy.Matrix(sympy.symbols("x_:2"))
    network = polynomial(
        list(layers[2] * layers[1] * layers[0] * x), list(x), [*layers[0], *layers[1], *layers[2]]
    )
    laws = discover_laws(network, 2).laws
    assert len(laws) == 6  # BᵀB − AAᵀ and CᵀC − BBᵀ, symmetric 2 × 2
    rng = np.random.default_rng(6)
    E0, E1 = 0.2 * rng.normal(size=(2, 2, 2))

    def field(t, theta):
        A, B, C = theta.reshape(3, 2, 2)
        E = E0 + E1 * np.sin(3 * t)
        return np.array([(C @ B).T @ E, C.T @ E @ A.T, E @ (B @ A).T]).ravel()

    states = integrate(field, rng.normal(size=12))
    assert drift(laws, states).max() < TOLERANCE
    assert np.abs(states - states[0]).max() > MOVES


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: families.column_space_laws(symbols_of(2, 2, 1)[0], range(2), ()), "more units than inputs"),
    ],
)
def test_bad_input_is_refused(build, message):
    with pytest.raises(ProblemError) as caught:
        build()
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["quadratic", "linear", "relu", "absolute"])
def test_layers_have_their_rates(name):
    """2 for every weight of the first layer and 3 for the second, two outputs; of bilinear units r, g and a."""
    network = getattr(models, name)(3, 2, 2, rates=(2, 3))
    assert [int(rate) for rate in network.rates] == [2] * 6 + [3] * 4
    assert [str(p)[0] for p in network.parameters] == ["w"] * 6 + ["a"] * 4


def test_bilinear_layers_have_their_rates():
    network = models.bilinear(3, 2, rates=(2, 3, 5))
    assert [int(rate) for rate in network.rates] == [2] * 6 + [3] * 6 + [5] * 2
    assert [str(p)[0] for p in network.parameters] == ["r"] * 6 + ["g"] * 6 + ["a"] * 2
    alone = models.bilinear(3, 2, output_weight=False, rates=(2, 3, 5))
    assert [int(rate) for rate in alone.rates] == [2] * 6 + [3] * 6
