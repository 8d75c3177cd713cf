"""The derived equations against plain linear algebra, exact quadrature, autograd, sampling and brute force."""

import itertools
import time
from fractions import Fraction

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from dynamics import Problem, Student, Teacher
from dynamics.activations import Activation
from dynamics.errors import ProblemError
from dynamics.symbolic.derivation import _residual, derive
from dynamics.symbolic.exact import is_conserved, vanishes
from dynamics.symbolic.moments import expectation
from dynamics.symbolic.polynomials import ExactPolynomial

SETTINGS = list(itertools.product(["quadratic", "centred"], [1, 3], [False, True], ["trainable", "fixed"]))


class RandomNetwork:
    """Random weights, teacher and covariance for d = 3, K = 4, and the vectors that the derivation takes."""

    def __init__(self, rng, outputs=1, correlated=False, d=3, K=4):
        self.W = rng.standard_normal((K, d))
        self.A = np.round(
            rng.standard_normal((outputs, K)), 2
        )  # few decimals: what is made exact stays short
        M = rng.standard_normal((outputs, d, d))
        self.M = M + M.transpose(0, 2, 1)
        F = rng.standard_normal((d, d))
        self.Sigma = np.round(F @ F.T / d + 0.3 * np.eye(d), 2) if correlated else np.eye(d)
        self.upper = np.triu_indices(d)

    @property
    def covariance(self):
        return None if np.array_equal(self.Sigma, np.eye(len(self.Sigma))) else self.Sigma

    @property
    def m(self):
        return np.concatenate([M[self.upper] for M in self.M])

    def theta(self, second_layer="trainable"):
        return np.concatenate(
            [self.W.ravel(), self.A.ravel()] if second_layer == "trainable" else [self.W.ravel()]
        )

    def derive(self, activation, second_layer="trainable", covariance="own"):
        return derive(
            hidden=len(self.W),
            inputs=self.W.shape[1],
            outputs=len(self.A),
            activation=activation,
            second_layer=second_layer,
            second_layer_value=self.A if second_layer == "fixed" else 1,
            covariance=self.covariance if isinstance(covariance, str) and covariance == "own" else covariance,
        )


def closed_form(network, activation):
    """Loss, ẇ and Ȧ as the theory states them: L_o = tr(DΣDΣ) + ½τ², G = 4ΣDΣ + 2τΣ, and τ → 0 if centred."""
    W, A, S = network.W, network.A, network.Sigma
    loss, W_dot, A_dot = 0.0, np.zeros_like(W), np.zeros_like(A)
    for o, M in enumerate(network.M):
        D = M - W.T @ np.diag(A[o]) @ W
        tau = np.trace(D @ S) if activation == "quadratic" else 0.0
        G = 4 * S @ D @ S + 2 * tau * S
        loss += np.trace(D @ S @ D @ S) + tau**2 / 2
        W_dot += A[o][:, None] * (W @ G)
        A_dot[o] = 0.5 * np.einsum("ki,ij,kj->k", W, G, W)
    return loss, W_dot, A_dot


def sample_losses(W, A, X, M, S, activation):
    """Per input, half the squared error of the network as it is defined; PyTorch tensors."""

    def features(quadratic, matrices):
        mean = torch.einsum("...ij,ij->...", matrices, S)
        return quadratic - mean if activation == "centred" else quadratic

    hidden = features((X @ W.T) ** 2, torch.einsum("ki,kj->kij", W, W))
    teacher = features(torch.einsum("ni,oij,nj->no", X, M, X), M)
    return 0.5 * ((teacher - hidden @ A.T) ** 2).sum(dim=1)


def as_tensors(network):
    W, A = (torch.tensor(value, requires_grad=True) for value in (network.W, network.A))
    return W, A, torch.tensor(network.M), torch.tensor(network.Sigma)


def close(actual, expected, tolerance=1e-12):
    """Relative to the largest entry: the entries are sums of terms of that size."""
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize(("activation", "outputs", "correlated", "second_layer"), SETTINGS)
def test_equals_the_closed_form(rng, activation, outputs, correlated, second_layer):
    """Loss and ODEs for d = 3, K = 4 at random weights, to 1e-12, in all 16 settings."""
    network = RandomNetwork(rng, outputs, correlated)
    rhs, loss = network.derive(activation, second_layer).numeric()
    theta = network.theta(second_layer)
    expected, W_dot, A_dot = closed_form(network, activation)
    parts = [W_dot.ravel(), A_dot.ravel()] if second_layer == "trainable" else [W_dot.ravel()]
    assert loss(theta, network.m) == pytest.approx(expected, rel=1e-12)
    close(rhs(0.0, theta, network.m), np.concatenate(parts))


@pytest.mark.parametrize(("activation", "outputs", "correlated", "second_layer"), SETTINGS)
def test_equals_autograd_of_the_exactly_integrated_loss(rng, activation, outputs, correlated, second_layer):
    """PyTorch's gradient of the loss by Gauss–Hermite quadrature: 3 nodes an axis are exact to degree 5, L has 4.

    No theorem on Gaussian moments enters this oracle.
    """
    network = RandomNetwork(rng, outputs, correlated)
    nodes, weights = np.polynomial.hermite_e.hermegauss(3)
    grid = np.stack(np.meshgrid(nodes, nodes, nodes)).reshape(3, -1).T @ np.linalg.cholesky(network.Sigma).T
    weight = np.prod(np.meshgrid(weights, weights, weights), axis=0).ravel() / (2 * np.pi) ** 1.5
    W, A, M, S = as_tensors(network)
    population_loss = torch.tensor(weight) @ sample_losses(W, A, torch.tensor(grid), M, S, activation)
    parameters = [W, A] if second_layer == "trainable" else [W]
    gradient = torch.cat([g.ravel() for g in torch.autograd.grad(population_loss, parameters)]).numpy()

    rhs, loss = network.derive(activation, second_layer).numeric()
    theta = network.theta(second_layer)
    assert loss(theta, network.m) == pytest.approx(population_loss.item(), rel=1e-12)
    close(rhs(0.0, theta, network.m), -gradient)


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize(("outputs", "correlated"), [(1, False), (2, True)])
def test_is_minus_the_gradient_of_a_sampled_loss(rng, activation, outputs, correlated):
    """Each component within 4.5 standard errors of the mean of 100,000 per-sample gradients."""
    network = RandomNetwork(rng, outputs, correlated)
    X = torch.tensor(rng.standard_normal((100_000, 3)) @ np.linalg.cholesky(network.Sigma).T)
    W, A, M, S = as_tensors(network)

    def single(W, A, x):
        return sample_losses(W, A, x[None], M, S, activation)[0]

    gradients = torch.func.vmap(torch.func.grad(single, argnums=(0, 1)), in_dims=(None, None, 0))(W, A, X)
    samples = -torch.cat([g.flatten(1) for g in gradients], dim=1).detach().numpy()
    error = samples.std(axis=0) / np.sqrt(len(samples))
    rhs, _ = network.derive(activation).numeric()
    deviation = (samples.mean(axis=0) - rhs(0.0, network.theta(), network.m)) / error
    assert np.abs(deviation).max() < 4.5


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize(
    ("outputs", "covariance"), [(1, None), (1, "symbolic"), (2, None), (1, [[2.0, 0.1], [0.1, 1.5]])]
)
def test_equals_brute_force_expansion(activation, outputs, covariance):
    """The squared difference expanded in x by SymPy, moment by moment, and differentiated: exactly equal.

    Uses neither rings nor the named residual; d = K = 2.
    """
    derived = derive(2, 2, outputs, activation, covariance=covariance)
    x = sympy.Matrix(sympy.symbols("x_0 x_1"))
    Sigma = sympy.eye(2) if derived.covariance is None else derived.covariance
    loss = 0
    for o in range(outputs):
        prefix = f"{o}_" if outputs > 1 else ""
        w = sympy.Matrix(2, 2, lambda k, i: sympy.Symbol(f"w_{k}_{i}"))
        M = sympy.Matrix(2, 2, lambda i, j: sympy.Symbol(f"m_{prefix}{min(i, j)}_{max(i, j)}"))  # noqa: B023
        a = [sympy.Symbol(f"a_{prefix}{k}") for k in range(2)]
        terms = [(x.T * M * x)[0], *(-a[k] * ((w[k, :] * x)[0]) ** 2 for k in range(2))]
        if activation == "centred":
            terms = [term - expectation(term, tuple(x), Sigma) for term in terms]
        loss += expectation(sum(terms) ** 2, tuple(x), Sigma) / 2
    assert sympy.expand(derived.loss - loss) == 0
    for theta, rate in derived.ode.items():
        assert sympy.expand(rate + sympy.diff(loss, theta)) == 0


def test_names_and_order():
    """Weights row by row, then the second layer; upper triangles; an output index only where there are several."""
    one = derive(2, 2)
    assert [str(s) for s in one.parameters] == ["w_0_0", "w_0_1", "w_1_0", "w_1_1", "a_0", "a_1"]
    assert [str(s) for s in one.targets] == ["m_0_0", "m_0_1", "m_1_1"]
    assert tuple(one.ode) == one.parameters
    assert one.loss.free_symbols == {*one.parameters, *one.targets}
    two = derive(1, 2, 2, covariance="symbolic")
    assert [str(s) for s in two.parameters] == ["w_0_0", "w_0_1", "a_0_0", "a_1_0"]
    assert [str(s) for s in two.targets] == ["m_0_0_0", "m_0_0_1", "m_0_1_1", "m_1_0_0", "m_1_0_1", "m_1_1_1"]
    assert [str(s) for s in two.covariance_symbols] == ["s_0_0", "s_0_1", "s_1_1"]
    assert "2 inputs, 1 hidden unit, 2 outputs" in repr(two)
    assert len(repr(two)) < 200
    assert two.summary().startswith("Two-layer network with quadratic activation")


def test_one_unit_in_one_dimension():
    """κ = 3 (raw), 2 (centred): ẇ = 2κ a w (m − a w²), ȧ = κ w² (m − a w²), by hand from E z⁴ = 3, Var z² = 2."""
    w, a, m = sympy.symbols("w_0_0 a_0 m_0_0")
    for activation, kappa in [("quadratic", 3), ("centred", 2)]:
        ode = derive(1, 1, activation=activation).ode
        assert vanishes(ode[w] - 2 * kappa * a * w * (m - a * w**2))
        assert vanishes(ode[a] - kappa * w**2 * (m - a * w**2))


def test_symbolic_covariance_specialises_to_numbers(rng):
    """Numbers put into the s_i_j give the derivation that was made with those numbers."""
    network = RandomNetwork(rng, 2, correlated=True)
    s = network.Sigma[network.upper]
    rhs, loss = network.derive("quadratic", covariance="symbolic").numeric()
    numeric_rhs, numeric_loss = network.derive("quadratic").numeric()
    theta, m = network.theta(), network.m
    assert loss(theta, m, s) == pytest.approx(numeric_loss(theta, m), rel=1e-12)
    close(rhs(0.0, theta, m, s), numeric_rhs(0.0, theta, m))


def test_decimals_become_the_rationals_they_look_like():
    """0.1 means 1/10, in the covariance and in the second layer."""
    derived = derive(
        1, 1, activation="centred", second_layer="fixed", second_layer_value=0.1, covariance=[[0.3]]
    )
    w, m = sympy.symbols("w_0_0 m_0_0")
    assert derived.covariance[0, 0] == sympy.Rational(3, 10)
    # L = tr(DΣDΣ) with D = m − w²/10, Σ = 3/10
    assert vanishes(derived.loss - sympy.Rational(9, 100) * (m - w**2 / 10) ** 2)
    thirds = derive(1, 1, second_layer="fixed", second_layer_value=Fraction(1, 3))
    assert vanishes(thirds.residual[sympy.Symbol("D_0_0")] - m + w**2 / 3)


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize(("outputs", "covariance"), [(1, None), (2, "symbolic")])
def test_conserved_quantities(activation, outputs, covariance):
    """‖w_k‖² − 2 Σ_o A_ok² is conserved exactly, for every Σ; near misses and fixed second layers are not."""
    derived = derive(2, 2, outputs, activation, covariance=covariance)
    assert len(derived.conserved) == 2
    for law in derived.conserved:
        assert is_conserved(law, derived.ode)
        weights = [s for s in law.free_symbols if s.name.startswith("w")]
        assert len(law.free_symbols) == 2 + outputs
        assert not is_conserved(law + sum(s**2 for s in weights), derived.ode)
    fixed = derive(2, 2, outputs, activation, "fixed", covariance=covariance)
    assert fixed.conserved == ()
    assert not any(is_conserved(law, fixed.ode) for law in derived.conserved)


def test_conserved_along_a_numerical_solution(rng):
    """SciPy's DOP853 at rtol 1e-12 on the generated function: the drift of c_k is that of the integrator."""
    network = RandomNetwork(rng)
    derived = network.derive("quadratic")
    rhs, loss = derived.numeric()
    theta = 0.3 * network.theta()
    run = solve_ivp(rhs, (0, 0.5), theta, method="DOP853", rtol=1e-12, atol=1e-13, args=(network.m,))
    law = sympy.lambdify([derived.parameters], derived.conserved)
    drift = np.abs(np.array(law(run.y[:, -1])) - np.array(law(theta)))
    assert loss(run.y[:, -1], network.m) < 0.9 * loss(theta, network.m)
    assert drift.max() < 1e-10


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["quadratic", "centred"]))
def test_rotating_inputs_rotates_the_flow(seed, activation):
    """N(0, I) is isotropic: w → Qw, M* → QM*Qᵀ leaves L unchanged and turns ẇ by Q."""
    network = RandomNetwork(np.random.default_rng(seed), d=2, K=2)
    rhs, loss = derive(2, 2, activation=activation).numeric()
    Q, _ = np.linalg.qr(np.random.default_rng(seed + 1).standard_normal((2, 2)))
    theta, m = network.theta(), network.m
    velocity = rhs(0.0, theta, m)
    network.W, network.M = network.W @ Q.T, Q @ network.M @ Q.T
    assert loss(network.theta(), network.m) == pytest.approx(loss(theta, m), rel=1e-10)
    turned = rhs(0.0, network.theta(), network.m)
    close(turned[:4].reshape(2, 2), velocity[:4].reshape(2, 2) @ Q.T, 1e-10)
    close(turned[4:], velocity[4:], 1e-10)


def test_numeric_functions_take_batches(rng):
    """Columns of an (n, B) array are independent states."""
    network = RandomNetwork(rng)
    for second_layer_value in (1, 0):  # with zero weights the rates are constants, which must broadcast
        derived = derive(4, 3, second_layer="fixed", second_layer_value=second_layer_value)
        rhs, loss = derived.numeric()
        states = rng.standard_normal((12, 5))
        velocity, losses = rhs(0.0, states, network.m), loss(states, network.m) * np.ones(5)
        for column in range(5):
            np.testing.assert_array_equal(velocity[:, column], rhs(0.0, states[:, column], network.m))
            assert losses[column] == loss(states[:, column], network.m)


@pytest.mark.parametrize(
    ("theta", "m", "s", "message"),
    [
        (np.ones(5), np.ones(3), (), "`theta` has shape"),
        (1.0, np.ones(3), (), "`theta` has shape"),
        (np.ones(6), np.ones((2, 2)), (), "`m` has shape"),
        (np.ones(6), np.ones(3), np.ones(3), "`s` has shape"),
    ],
)
def test_numeric_functions_check_lengths(theta, m, s, message):
    """A mistaken order of arguments does not go unnoticed."""
    rhs, loss = derive(2, 2).numeric()
    with pytest.raises(ProblemError, match=message):
        rhs(0.0, theta, m, s)
    with pytest.raises(ProblemError, match=message):
        loss(theta, m, s)


def test_derivation_is_quick():
    """K = 8, d = 6 in processor time; it takes about a fifth of a second."""
    start = time.process_time()
    derived = derive(8, 6)
    assert len(derived.ode) == 56
    assert time.process_time() - start < 5.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden": 0}, "`hidden` is 0"),
        ({"inputs": 2.5}, "`inputs` is 2.5"),
        ({"outputs": -1}, "`outputs` is -1"),
        ({"activation": "cubic"}, "`activation` is 'cubic', but must be one of: quadratic, centred"),
        ({"second_layer": "frozen"}, "`second_layer`"),
        ({"second_layer": "fixed", "second_layer_value": [1, 2, 3]}, "must fit the shape \\(1, 2\\)"),
        ({"second_layer": "fixed", "second_layer_value": "one"}, "must be a number"),
        ({"second_layer": "fixed", "second_layer_value": np.nan}, "finite"),
        ({"covariance": "diagonal"}, "must be one of: symbolic"),
        ({"covariance": np.eye(3)}, "dimension 2"),
        ({"covariance": [[1, 2], [0, 1]]}, "not symmetric"),
        ({"covariance": [[1, 0], [0, -1]]}, "negative|positive"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    """One sentence that names the argument, the value and what is allowed."""
    with pytest.raises(ProblemError, match=message):
        derive(**{"hidden": 2, "inputs": 2, **arguments})


CUBIC = Activation("z3", "φ(w·x) = (w·x)³", lambda z, q: z**3, degree=3, parity=-1)
HERMITE_3 = Activation("he3", "φ(w·x) = z³ − 3zq", lambda z, q: z**3 - 3 * z * q, degree=3, parity=-1)


@pytest.mark.parametrize("second_layer", ["trainable", "fixed"])
@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("activation", ["linear", CUBIC, HERMITE_3], ids=str)
def test_other_degrees_equal_their_population_loss(rng, activation, outputs, correlated, second_layer):
    """Teacher tensors of teacher networks: Σ_m B_om v_m^{⊗h}; the closed-form loss and velocity of the network."""
    d, K = 2, 3
    phi = Activation.parse(activation)
    A = np.round(rng.standard_normal((outputs, K)), 2)
    teacher = Teacher(rng.standard_normal((2, d)), rng.standard_normal((outputs, 2)))
    student = Student(rng.standard_normal((K, d)), A, trainable=second_layer == "trainable")
    Sigma = np.array([[1.5, 0.25], [0.25, 0.75]]) if correlated else None
    problem = Problem(teacher, student, phi, Sigma)
    derived = derive(K, d, outputs, phi, second_layer, A, Sigma)
    indices = list(itertools.combinations_with_replacement(range(d), phi.degree))
    m = [b @ np.prod(teacher.V[:, list(ij)], axis=1) for b in teacher.B for ij in indices]
    assert len(derived.targets) == len(m)
    theta = np.concatenate([student.W.ravel(), A.ravel()] if student.trainable else [student.W.ravel()])
    rhs, loss = derived.numeric()
    assert loss(theta, m) == pytest.approx(problem.population.loss(student.W, A), rel=1e-12)
    expected = np.concatenate([x.ravel() for x in problem.population.velocity(student.W, A)])[: len(theta)]
    np.testing.assert_allclose(rhs(0.0, theta, m), expected, rtol=0, atol=1e-12 * np.abs(expected).max())
    assert len(derived.conserved) == (K if student.trainable else 0)


def test_aligned_modes_of_a_cubic_network():
    """One mode, d = 1: f = a φ(px) against λφ(x), so L = ½ κ(1)(λ − ap³)² with κ = E φ² = 6 for He₃."""
    flow = derive(1, 1, activation=HERMITE_3).aligned()
    p, a, lam = sympy.symbols("p_0 a_0 lambda_0")
    assert sympy.expand(flow.loss - 3 * (lam - a * p**3) ** 2) == 0
    assert flow.conserved == (p**2 - 3 * a**2,)


@pytest.mark.parametrize("activation", ["relu", "abs"])
def test_only_polynomials_are_derived(activation):
    with pytest.raises(
        ProblemError, match="of given sizes is known only for polynomial activations: `--format tensor`"
    ):
        derive(1, 1, activation=activation)


def test_tensors_of_one_order_tell_all_only_alone():
    """φ = z² − q is a form of M₂ alone, z + z² − q has M₁ beside it: there f* − f is written by the powers of x."""
    one = sympy.S.One
    centred = ExactPolynomial({(2, 0): one, (0, 1): -one})
    assert _residual(centred, centred) == centred
    mixed = ExactPolynomial({(1, 0): one, (2, 0): one, (0, 1): -one})
    assert _residual(mixed, mixed).terms == {(0, 0): one, (1, 0): one, (2, 0): one}
