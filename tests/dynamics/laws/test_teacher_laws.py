"""Laws special to one teacher: the loss against the closed form, the laws along its numerical flow."""

import numpy as np
import pytest
import sympy

from dynamics.errors import ProblemError
from dynamics.laws.models import linear, polynomial, quadratic, relu
from dynamics.laws.teacher_laws import laws_for_teacher, population_loss


def symmetric(rng, d):
    A = rng.integers(-8, 9, size=(d, d)) / 4  # quarters: exact in binary and as decimals
    return A + A.T


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("with_covariance", [False, True])
def test_loss_is_the_closed_form(centred, with_covariance):
    """L = ½[tr(DΣ)² + 2 tr(DΣDΣ)]; the centred student shifts the mean of the residual, E r = tr M*Σ − tr M(Σ − I)."""
    rng = np.random.default_rng(3)
    d, K = 2, 2
    M_star = symmetric(rng, d)
    root = rng.integers(-4, 5, size=(d, d)) / 4
    Sigma = root @ root.T if with_covariance else np.eye(d)
    network = quadratic(d, K, centred=centred)
    loss = population_loss(network, M_star, Sigma if with_covariance else None)
    theta = rng.normal(size=K * d + K)
    W, a = theta[: K * d].reshape(K, d), theta[K * d :]
    M = np.einsum("k,ki,kj->ij", a, W, W)
    D = M_star - M
    mean = np.trace(D @ Sigma) + (np.trace(M) if centred else 0)
    expected = 0.5 * mean**2 + np.trace(D @ Sigma @ D @ Sigma)
    assert sympy.lambdify(network.parameters, loss.as_expr())(*theta) == pytest.approx(expected, rel=1e-12)


def test_loss_of_several_outputs_adds_up():
    """Linear network, x ~ N(0, I): L = ½ ‖T − A W‖²_F."""
    rng = np.random.default_rng(4)
    network = linear(2, 1, 2)
    T = rng.integers(-3, 4, size=(2, 2))
    x = network.inputs
    targets = [sum(int(t) * s for t, s in zip(row, x, strict=True)) for row in T]
    theta = rng.normal(size=4)
    value = sympy.lambdify(network.parameters, population_loss(network, targets).as_expr())(*theta)
    assert value == pytest.approx(0.5 * np.sum((T - np.outer(theta[2:], theta[:2])) ** 2), rel=1e-13)


def flow(M_star, K):
    """The flow in NumPy: ẇ_k = a_k G w_k, ȧ_k = ½ w_kᵀ G w_k with G = 4D + 2 tr D I."""
    d = len(M_star)

    def field(_, theta):
        W, a = theta[: K * d].reshape(K, d), theta[K * d :]
        D = M_star - np.einsum("k,ki,kj->ij", a, W, W)
        G = 4 * D + 2 * np.trace(D) * np.eye(d)
        return np.concatenate([(a[:, None] * (W @ G)).ravel(), 0.5 * np.einsum("ki,ij,kj->k", W, G, W)])

    return field


def test_isotropic_teacher_keeps_the_direction_of_a_single_unit(integrate):
    """M* = λI and one unit: G w ∥ w, so w_1/w_0 is constant; for any other teacher it is not."""
    network = quadratic(2, 1)
    w = network.parameters
    result = laws_for_teacher(network, sympy.diag(3, 3), 2, denominator=w[0])
    assert [law.expression for law in result.special.laws] == [w[1] / w[0]]
    assert result.special.independent == (True,)
    assert len(result.universal.laws) == 1
    states = integrate(flow(3 * np.eye(2), 1), [0.5, -0.3, 0.4])
    ratio = result.special.laws[0](states)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-9)

    assert laws_for_teacher(network, sympy.diag(3, 2), 2, denominator=w[0]).special.laws == ()
    states = integrate(flow(np.diag([3.0, 2.0]), 1), [0.5, -0.3, 0.4])
    assert np.ptp(result.special.laws[0](states)) > 1e-2


def test_conformal_network_moves_on_straight_lines(integrate):
    """f = Re z² x + Im z² y, target λx: u = z² obeys u̇ = −4|z|² (u − λ), so the direction of u − λ is constant."""
    p, q, x, y = sympy.symbols("p q x y")
    network = polynomial((p**2 - q**2) * x + 2 * p * q * y, [x, y])
    (law,) = laws_for_teacher(network, 3 * x, 2, denominator=p**2 - q**2 - 3).special.laws
    assert sympy.simplify(law.expression - p * q / (p**2 - q**2 - 3)) == 0

    def field(_, theta):
        z = complex(*theta)
        velocity = -2 * np.conj(z) * (z**2 - 3)
        return [velocity.real, velocity.imag]

    values = law(integrate(field, [0.4, 0.9]))
    np.testing.assert_allclose(values, values[0], rtol=1e-9)


def test_inputs_that_do_not_vary_leave_their_weights_alone():
    """Σ = diag(1, 0): w_k1 has no gradient at all, whatever the teacher; laws up to degree 2 are then
    w_01, w_11, their three products, and the two balances.
    """
    network = quadratic(2, 2)
    result = laws_for_teacher(network, np.diag([3.0, 2.5]), 2, covariance=np.diag([1.0, 0.0]))
    assert {str(law) for law in result.special.laws} == {"w_0_1", "w_1_1"}
    assert result.special.dimensions == {1: 2, 2: 7}


def test_a_universal_law_that_the_loss_has_more_symmetries_than():
    """f = (u − v) x + s y with Var x = 0: L depends on s alone, so it is even in u and in v, unlike the law u + v.

    u and v are then laws each; with u + v known, one of them is new.
    """
    u, v, s, x, y = sympy.symbols("u v s x y")
    network = polynomial((u - v) * x + s * y, [x, y])
    result = laws_for_teacher(network, 2 * y, 1, covariance=sympy.diag(0, 1))
    assert [law.expression for law in result.universal.laws] == [u + v]
    assert [law.expression for law in result.special.laws] in ([u], [v])
    assert result.special.dimensions == {1: 2}


def test_a_generic_teacher_adds_nothing_polynomial():
    """Laws of degree ≤ 4 of the flow are exactly c_0, c_1 and their three products."""
    result = laws_for_teacher(quadratic(2, 2), symmetric(np.random.default_rng(1), 2), 4)
    assert result.special.laws == ()
    assert result.special.dimensions == {1: 0, 2: 2, 3: 2, 4: 5}
    assert "special to this one, laws up to degree 4: 0" in result.summary()


def test_decimal_teachers_are_exact():
    network = quadratic(1, 1)
    loss = population_loss(network, np.array([[0.1]]))
    w, a = network.parameters
    assert sympy.expand(loss.as_expr() - sympy.Rational(3, 2) * (sympy.Rational(1, 10) - a * w**2) ** 2) == 0


X = sympy.Symbol("x_0")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: laws_for_teacher(quadratic(2, 1), sympy.eye(3), 2), "`teacher` has shape (3, 3)"),
        (lambda: laws_for_teacher(quadratic(2, 1), np.array([[1, 2], [3, 4]]), 2), "must be symmetric"),
        (lambda: laws_for_teacher(quadratic(2, 1, 2), sympy.eye(2), 2), "`teacher` has 1 outputs"),
        (lambda: laws_for_teacher(quadratic(1, 1), sympy.Symbol("z"), 2), "`teacher` is z"),
        (lambda: laws_for_teacher(quadratic(1, 1), sympy.sin(X), 2), "must be a polynomial"),
        (lambda: laws_for_teacher(quadratic(1, 1), np.array([[np.nan]]), 2), "`teacher`"),
        (lambda: laws_for_teacher(quadratic(1, 1), X**2, 0), "`degree` is 0"),
        (
            lambda: laws_for_teacher(quadratic(2, 1), sympy.eye(2), 2, covariance=np.eye(3)),
            "`covariance` has shape",
        ),
        (lambda: laws_for_teacher(quadratic(1, 1), X**2, 2, covariance=[[-1]]), "negative eigenvalue"),
        (lambda: laws_for_teacher(quadratic(1, 1), X**2, 2, covariance=[["a"]]), "`covariance` contains"),
        (lambda: laws_for_teacher(quadratic(1, 1), X**2, 2, covariance=[[0]]), "nothing is trained"),
        (lambda: laws_for_teacher(relu(1, 1), X**2, 2), "`teacher` is x_0**2"),
    ],
)
def test_bad_input_is_refused(build, message):
    with pytest.raises(ProblemError) as caught:
        build()
    assert message in str(caught.value)
