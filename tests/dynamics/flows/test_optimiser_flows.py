"""Flows that other optimisers than gradient descent follow, against what is exactly known of them.

Arc length, natural gradient, Muon and the sign flow; those with memories are in `test_adam.py`. Expected values come
from closed forms (derived in the modules), other solvers or Monte Carlo; each test says which.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.flows.arc_length import ArcLengthFlow
from dynamics.flows.layer_rates import LayerRateFlow
from dynamics.flows.muon import MuonFlow, polar_derivative, polar_factor
from dynamics.flows.natural_gradient import NaturalGradientFlow, metric
from dynamics.flows.sign import SignFlow

LAMBDA = np.array([4.0, 2.0, 1.0])
TEACHER = Teacher.from_eigenvalues(LAMBDA, 3)


def aligned(scale, trainable=True):
    """Unit k along axis k: balanced with a trained second layer, else a = 1."""
    if trainable:
        return Problem(
            TEACHER, Student(scale * np.sqrt(2) * np.eye(3), scale * np.ones(3), trainable), "centred"
        )
    return Problem(TEACHER, Student(scale * np.eye(3), np.ones(3), trainable), "centred")


def random_problem(seed=0, hidden=4, activation="quadratic", trainable=True, decay=0.0):
    rng = np.random.default_rng(seed)
    student = Student(
        0.5 * rng.standard_normal((hidden, 3)), 0.5 + 0.5 * rng.standard_normal(hidden), trainable
    )
    return Problem(TEACHER, student, activation, weight_decay=decay)


def times_of(curve, shares):
    """When each mode reaches a share of its eigenvalue, (3,)."""
    goals = shares * LAMBDA
    return np.array(
        [np.interp(goal, mode, curve.times) for goal, mode in zip(goals, curve.modes.T, strict=True)]
    )


# arc length -----------------------------------------------------------------------------------------------------------


def test_jumps_have_lengths_and_plateaus_have_none():
    """Mode i takes the length √3 (λ_i/2)^{1/3} (balanced, a = (λ/2)^{1/3}); half way it is λ/8, and all before count.

    In the limit of a small start: the numbers of the theory are 1.09112, 3.04827, 4.60166, up to some ε.
    """
    lengths = np.sqrt(3) * (LAMBDA / 2) ** (1 / 3)
    half = np.cumsum(lengths) - lengths / 2
    np.testing.assert_allclose(half, [1.09112, 3.04827, 4.60166], atol=1e-5)
    curve = ArcLengthFlow(aligned(1e-4)).integrate(times=np.linspace(0, 5.5, 5501))
    np.testing.assert_allclose(times_of(curve, 1 / 8), half, atol=1e-3)
    np.testing.assert_allclose(times_of(curve, 1 / 8), [1.09096, 3.04783, 4.60097], atol=2e-4)
    assert curve.conserved_drift < 1e-12


def test_with_a_fixed_second_layer_mode_i_takes_the_square_root_of_its_eigenvalue():
    """Modes overlap by ε^{1 − λ_{i+1}/λ_i} in w: the deviation falls as the start does."""
    lengths = np.sqrt(LAMBDA)
    half = np.cumsum(lengths) - lengths / 2
    errors = []
    for scale in (1e-4, 1e-6, 1e-8):
        curve = ArcLengthFlow(aligned(scale, trainable=False)).integrate(times=np.linspace(0, 5, 5001))
        errors.append(np.abs(times_of(curve, 1 / 4) - half).max())
    assert errors[1] < errors[0] / 5
    assert errors[2] < errors[1] / 5 < 0.004


def test_it_is_the_gradient_flow_in_another_time():
    """The same weights where the flow has the same arc length: that of a fine sampling, by another solver."""
    problem = random_problem(decay=0.1)
    flow = GradientFlow(problem)

    def with_length(t, state):
        velocity = flow(t, state[:-1])
        return np.append(velocity, np.linalg.norm(velocity))

    times = np.linspace(0, 1, 11)
    states = solve_ivp(
        with_length, (0, 1), np.append(flow.theta0, 0), "DOP853", times, rtol=1e-12, atol=1e-13
    ).y.T
    curve = ArcLengthFlow(problem).integrate(times=states[:, -1])
    np.testing.assert_allclose(flow.pack(curve.W[-1], curve.A[-1]), states[-1, :-1], atol=1e-9)
    found = np.array([flow.loss(theta) for theta in states[:, :-1]])
    np.testing.assert_allclose(curve.loss, found, rtol=1e-8)


def test_the_jacobian_with_the_law_of_the_balances():
    """Under decay the state also holds c_k: central differences, at a state that is off the law."""
    flow = ArcLengthFlow(random_problem(decay=(0.3, 0.1)))
    state = flow.theta0 + 0.1 * np.random.default_rng(5).standard_normal(flow.theta0.size)
    shifts = 1e-6 * np.eye(state.size)
    expected = np.stack([(flow(0, state + e) - flow(0, state - e)) / 2e-6 for e in shifts], axis=1)
    assert np.abs(expected[flow.weights :, : flow.weights]).max() > 0.01
    np.testing.assert_allclose(flow.jacobian(0, state), expected, atol=1e-8 * np.abs(expected).max())


def test_at_a_minimum_the_rest_of_the_time_is_one_step():
    """Of a start with small units it costs next to nothing; step by step the solver would chatter there for ever."""
    flow = ArcLengthFlow(Problem(TEACHER, Student.initialise(4, 3, scale=0.1, seed=1)))
    there = flow.integrate(t_end=12.0, samples=61, max_evaluations=10_000)
    assert flow.integrate().times[-1] < 8
    assert there.loss[-1] == pytest.approx(there.loss[-10], rel=1e-12)


# natural gradient -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["quadratic", "centred", "relu", "linear"])
def test_the_metric_is_the_mean_of_squared_derivatives(activation):
    """E[JᵀJ] over 200,000 inputs, within five standard errors of each entry."""
    problem = random_problem(hidden=2, activation=activation)
    W, A = problem.student.W, problem.student.A
    x = np.random.default_rng(3).standard_normal((200_000, 3))
    z = x @ W.T  # (n, K)
    centre = np.sum(W**2, axis=1)
    phi, slope = {
        "quadratic": (z**2, 2 * z),
        "centred": (z**2 - centre, 2 * z),
        "relu": (np.maximum(z, 0), (z > 0).astype(float)),
        "linear": (z, np.ones_like(z)),
    }[activation]
    through = slope[:, :, None] * x[:, None, :]
    if activation == "centred":
        through = through - 2 * W
    J = np.concatenate([(A[0][:, None] * through).reshape(len(x), -1), phi], axis=1)
    products = J[:, :, None] * J[:, None, :]
    error = 5 * products.std(axis=0) / np.sqrt(len(x))
    assert (np.abs(products.mean(axis=0) - metric(problem, W, A, 8)) < error + 1e-14).all()


@pytest.mark.parametrize("damping", [0.0, 1e-2])
def test_the_natural_gradient_conserves_what_the_gradient_flow_does(damping):
    curve = NaturalGradientFlow(random_problem(), damping).integrate(t_end=3.0, samples=11)
    assert curve.conserved_drift < 2e-11
    assert curve.loss[-1] < 0.01 * curve.loss[0]


@pytest.mark.parametrize("trainable", [True, False])
def test_without_damping_the_loss_falls_like_e_to_the_minus_two_t(trainable):
    """Where J has full rank (six forms of three inputs, from four units in general position): L̇ = −2L."""
    problem = random_problem(seed=1, trainable=trainable)
    curve = NaturalGradientFlow(problem, damping=0.0).integrate(t_end=2.0, samples=9)
    np.testing.assert_allclose(curve.loss, curve.loss[0] * np.exp(-2 * curve.times), rtol=1e-9)
    damped = NaturalGradientFlow(problem, 1.0).integrate(t_end=2.0, samples=9)
    assert damped.loss[-1] > 1.05 * curve.loss[-1]


# Muon -----------------------------------------------------------------------------------------------------------------


def test_the_polar_factor_and_its_derivative():
    """Of every shape: singular values 1, the symmetric part MPᵀ positive; the derivative by central differences."""
    rng = np.random.default_rng(0)
    for shape in ((3, 4), (4, 3), (3, 3)):
        M = rng.standard_normal(shape)
        P = polar_factor(M)
        np.testing.assert_allclose(np.linalg.svd(P)[1], 1, rtol=1e-13)
        assert np.linalg.eigvalsh((M @ P.T + P @ M.T) / 2).min() > -1e-13
        np.testing.assert_allclose(polar_factor(M, 1e-3), P, atol=1e-5)
        changes, h = rng.standard_normal((2, *shape)), 1e-6
        for eps in (0.3, 1e-2):
            expected = [
                (polar_factor(M + h * x, eps) - polar_factor(M - h * x, eps)) / (2 * h) for x in changes
            ]
            np.testing.assert_allclose(polar_derivative(M, changes, eps), expected, atol=1e-7)
    low = np.outer([1.0, 2.0], [3.0, 0.0, 4.0])
    np.testing.assert_allclose(polar_factor(low), low / np.linalg.norm(low), rtol=1e-14)
    assert not polar_factor(np.zeros((2, 3))).any()


def test_at_a_constant_force_muon_is_a_straight_line():
    """P((W₀ + tP)G) = P as long as (G W₀ᵀW₀ G)^{1/2} + tG, the weighted singular values, stays positive."""
    rng = np.random.default_rng(0)
    W, G = rng.standard_normal((4, 3)), rng.standard_normal((3, 3))
    G = G + G.T + 4 * np.eye(3)
    P = polar_factor(W @ G)
    squares, vectors = np.linalg.eigh(G @ W.T @ W @ G)
    root = (vectors * np.sqrt(squares)) @ vectors.T
    for t in (0.1, 0.5, 1.0):
        assert np.linalg.eigvalsh(root + t * G).min() > 0
        np.testing.assert_allclose(polar_factor((W + t * P) @ G), P, atol=3e-15)


def test_muon_learns_all_modes_at_the_rate_one_small_ones_first():
    """√μ_i grows at the rate 1: from a random start of 1e-3, mode i is half way at √λ_i/2, within 0.2 %."""
    student = Student(1e-3 * np.random.default_rng(0).standard_normal((3, 3)), np.ones(3), False)
    curve = MuonFlow(Problem(TEACHER, student, "centred")).integrate(times=np.linspace(0, 2.2, 221))
    np.testing.assert_allclose(times_of(curve, 1 / 4), np.sqrt(LAMBDA) / 2, rtol=2e-3)
    np.testing.assert_allclose(curve.modes[-1], LAMBDA, rtol=1e-8)


def test_muon_keeps_the_row_space_of_units_and_turns_with_the_inputs():
    """The projector on the column space of W (K, 2), and the flow of rotated weights and teacher."""
    rng = np.random.default_rng(2)
    W = 0.3 * rng.standard_normal((4, 2))
    a = np.array([1.0, 0.5, -0.3, 0.8])
    teacher = Teacher.from_eigenvalues([2.0, -1.0], 2)

    def projector(W):
        U = np.linalg.svd(W, full_matrices=False)[0]
        return U @ U.T

    # with a = 1 the left singular space of diag(a)WG is that of W
    equal = MuonFlow(Problem(teacher, Student(W, np.ones(4), False))).integrate(t_end=0.5, samples=3)
    np.testing.assert_allclose(projector(equal.W[-1]), projector(W), atol=1e-9)
    other = MuonFlow(Problem(teacher, Student(W, a, False))).integrate(t_end=0.5, samples=3)
    assert np.abs(projector(other.W[-1]) - projector(W)).max() > 1e-3
    R = np.linalg.qr(rng.standard_normal((2, 2)))[0]
    turned = Problem(Teacher(teacher.V @ R.T, teacher.B), Student(W @ R.T, a, False))
    again = MuonFlow(turned).integrate(t_end=0.5, samples=3)
    np.testing.assert_allclose(again.W[-1], other.W[-1] @ R.T, atol=1e-8)


def test_muon_needs_a_fixed_second_layer():
    with pytest.raises(ProblemError, match=r"second layer is trainable.*the flow of Muon"):
        MuonFlow(random_problem())


def test_decoupled_decay_is_a_term_of_its_own():
    """ẇ = what moves it − ρw, of the same state without decay."""
    fixed = random_problem(trainable=False)
    for make, problem in ((NaturalGradientFlow, random_problem()), (MuonFlow, fixed)):
        flow, plain = make(problem, 0.1, decay=(0.3, 0.2 * problem.student.trainable)), make(problem, 0.1)
        W, A = problem.student.W, problem.student.A
        rates = np.concatenate([0.3 * W.ravel(), *([0.2 * A.ravel()] if problem.student.trainable else [])])
        np.testing.assert_allclose(flow(0, flow.theta0), plain(0, flow.theta0) - rates, rtol=1e-13)


# sign -----------------------------------------------------------------------------------------------------------------


def test_the_sign_flow_is_done_with_mode_i_at_the_root_of_a_cubic():
    """(a₀ + t)(p₀ + t)² = λ, all modes from t = 0 on, small ones first; |p| − |a| stays."""
    flow = SignFlow(aligned(0.01))
    done = [
        brentq(lambda t, x=x: (0.01 + t) * (0.01 * np.sqrt(2) + t) ** 2 - x, 0, 2, xtol=1e-14) for x in LAMBDA
    ]
    curve = flow.integrate()
    assert curve.times[-1] == pytest.approx(done[0], abs=1e-8)  # it stops a little before
    assert curve.solver.status == "converged"
    for t, i in zip(done, range(3), strict=True):
        before, after = flow.integrate(times=[t * (1 - 1e-6), t]).modes[:, i]
        assert before < LAMBDA[i] * (1 - 1e-7)
        assert after == pytest.approx(LAMBDA[i], rel=1e-12)
    p, a = curve.W.max(axis=2), curve.A[:, 0]
    np.testing.assert_allclose(p - a, np.broadcast_to(p[0] - a[0], p.shape), atol=2e-15)


def test_a_fixed_second_layer_learns_each_mode_at_its_own_time():
    """p_k = ε + t until p_k² = λ_k (a = 1): then the mode is done, and rests while the others go on."""
    times = np.array([0.5, 0.995, np.sqrt(2) - 0.005, 1.7, 1.995, 3.0])
    curve = SignFlow(aligned(0.005, trainable=False)).integrate(times=times)
    p = np.minimum(0.005 + times[:, None], np.sqrt(LAMBDA))
    np.testing.assert_allclose(curve.modes, p**2, rtol=1e-12)


def test_the_sign_flow_changes_signs_as_small_steps_do():
    """Several units of a mode, negative a, one that dies: against 30,000 steps of the size 1e-4."""
    W = np.array([[0.3, 0, 0], [0, 0.5, 0], [0.2, 0, 0], [0, 0, -0.4]])
    problem = Problem(TEACHER, Student(W, [-0.1, -0.6, 0.4, 0.2]), "centred")
    theta, flow = [W.copy(), problem.student.A.copy()], problem.population
    losses = [flow.loss(*theta)]
    for n in range(30_000):
        for x, v in zip(theta, flow.velocity(*theta), strict=True):
            x += 1e-4 * np.sign(np.where(np.abs(v) < 1e-12, 0, v))
        if (n + 1) % 2500 == 0:
            losses.append(flow.loss(*theta))
    curve = SignFlow(problem).integrate(times=np.linspace(0, 3, 13))
    np.testing.assert_allclose(curve.loss, losses, atol=1e-3)
    assert curve.modes[-1] == pytest.approx([4, 0, 1], abs=1e-12)  # the second mode's only unit died
    by_rk = SignFlow(problem).integrate(times=np.linspace(0, 0.09, 4), method="RK45", rtol=1e-10)
    np.testing.assert_allclose(by_rk.loss, SignFlow(problem).integrate(times=by_rk.times).loss, rtol=1e-8)


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (random_problem(), "centred quadratic units"),
        (random_problem(activation="centred"), "several entries"),
        (Problem(Teacher([[1.0, 1.0]], [[1.0]]), Student(np.eye(2), [1, 1]), "centred"), "not diagonal"),
        (Problem(TEACHER, Student(np.eye(3), np.ones(3)), "centred", weight_decay=0.1), "weight_decay"),
    ],
)
def test_the_sign_flow_is_known_from_aligned_starts_only(problem, words):
    with pytest.raises(ProblemError, match=words):
        SignFlow(problem)


# rates of the layers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rates", [(1.0, 0.25), (0.0, 2.0), (3.0, 0.0)])
def test_layers_with_rates_of_their_own(rates):
    """Each gradient by its own rate, and the Jacobian by central differences; of a layer that is fixed nothing is."""
    problem = random_problem(decay=0.1)
    flow = LayerRateFlow(problem, rates)
    dW, dA = flow.unpack(flow(0.0, flow.theta0))
    velocity = problem.objective.velocity(problem.student.W, problem.student.A)
    np.testing.assert_allclose(dW, rates[0] * velocity[0], atol=1e-12)
    np.testing.assert_allclose(dA, rates[1] * velocity[1], atol=1e-12)
    shifts = 1e-6 * np.eye(flow.theta0.size)
    expected = np.stack([flow(0, flow.theta0 + e) - flow(0, flow.theta0 - e) for e in shifts], axis=1) / 2e-6
    np.testing.assert_allclose(flow.jacobian(0, flow.theta0), expected, atol=1e-8 * np.abs(expected).max())
    fixed = np.concatenate([np.full(dW.size, rates[0]), np.full(dA.size, rates[1])]) == 0
    assert not flow.slope(flow.theta0)[fixed].any()
    assert flow.slope(flow.theta0)[~fixed].all()


def test_the_end_of_an_undamped_natural_gradient_flow_is_said():
    """From units across each other to units that are alike the metric loses rank; other failures stay as they are."""
    flow, damped = (NaturalGradientFlow(aligned(0.5), damping) for damping in (0.0, 0.1))
    W, A = flow.unpack(flow.theta0)
    lost = SimpleNamespace(coordinates=[W, np.tile(W[0], (3, 1))], A=[A, A])
    kept = SimpleNamespace(coordinates=[W, 2 * W], A=[A, A])
    for which, curve, failed, said in (
        (flow, lost, True, "ends at t = 0.25, where the derivative of the outputs by the weights loses rank"),
        (flow, kept, True, "as it is"),
        (flow, lost, False, "as it is"),
        (damped, lost, True, "as it is"),
    ):
        report = SimpleNamespace(failed=failed, time_reached=0.25, message="as it is")
        assert said in str(which.failure(report, curve))
