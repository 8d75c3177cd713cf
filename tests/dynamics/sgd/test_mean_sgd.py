"""Mean dynamics of SGD: exact one-step means, order of the ODE, limits, stationary risk, divergence, files."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.closed_forms import one_unit_risk
from dynamics.curves.trajectory import Trajectory
from dynamics.errors import IntegrationError
from dynamics.flows.modified import ModifiedFlow
from dynamics.sgd.mean_sgd import MeanSGD
from oracles.one_unit_mean_field import mean_field_largest_step, mean_field_risk


def slope(x, y):
    """Exponent of a power law y ∝ x^slope."""
    return np.polyfit(np.log(x), np.log(y), 1)[0]


def one_unit(d, w=(1.0,), eigenvalue=1.0, a=1.0):
    W = np.zeros((1, d))
    W[0, : len(w)] = w
    return Problem(Teacher.from_eigenvalues([eigenvalue], d), Student(W, [a], trainable=False))


@pytest.mark.parametrize(
    ("activation", "outputs", "trainable", "batch"),
    [
        ("quadratic", 1, False, 1),
        ("quadratic", 2, True, 1),
        ("centred", 1, True, 1),
        ("quadratic", 1, True, 2),
        ("centred", 1, False, 2),
    ],
)
def test_drift_is_the_exact_mean_of_a_step(
    make_problem, brute_force_step, rng, activation, outputs, trainable, batch
):
    """Exact quadrature over all samples (all pairs of samples) of a step computed from the definition.

    Δw·Δw has degree 8 in one sample, e²(w·x)²‖x‖², which the rule integrates exactly.
    """
    problem = make_problem(rng, d=2, K=3, R=2, O=outputs, activation=activation, trainable=trainable)
    theory = MeanSGD(problem, step=0.07, batch=batch, label_noise=0.3)
    W, A, probabilities = brute_force_step(problem, 0.07, batch, 0.3, degree=8)
    after = theory.order.pack(W @ W.swapaxes(1, 2), W @ problem.teacher.V.T, A)
    mean = (probabilities @ after - theory.theta0) / 0.07
    np.testing.assert_allclose(theory.drift(theory.theta0), mean, rtol=1e-11, atol=1e-11 * np.abs(mean).max())


def test_drift_in_many_dimensions_by_sampling(make_problem, rng):
    """A million sampled steps in d = 30, where the factors (d + 6), (d + 2) matter; within 4.5 standard errors."""
    problem = make_problem(rng, d=30, K=2, R=1, scale=0.2, trainable=False)
    theory = MeanSGD(problem, step=0.02, label_noise=0.5)
    (W, a), (V, b) = (problem.student.W, problem.student.a), (problem.teacher.V, problem.teacher.B[0])
    first = second = 0.0
    for _ in range(50):
        X = rng.standard_normal((20_000, 30))
        Z, S = X @ W.T, X @ V.T
        e = S**2 @ b - Z**2 @ a + np.sqrt(0.5) * rng.standard_normal(len(X))
        after = W + 0.02 * 2 * np.einsum("n,k,nk,ni->nki", e, a, Z, X)
        change = theory.order.pack(after @ after.swapaxes(1, 2), after @ V.T, None) - theory.theta0
        first, second = first + change.sum(0), second + (change**2).sum(0)
    mean, n = first / 1e6, 1e6
    error = np.sqrt((second / n - mean**2) / n)
    assert np.all(np.abs(mean - 0.02 * theory.drift(theory.theta0)) < 4.5 * error)


def test_small_steps_follow_the_gradient_flow(make_problem, rng):
    """η = 1e-9: loss, modes and second layer are those of the flow, to the O(η) between them (some 1e3 η)."""
    problem = make_problem(rng, d=6, K=3, R=2, O=2, scale=0.4)
    flow = GradientFlow(problem).integrate(t_end=0.5, samples=6)
    theory = MeanSGD(problem, step=1e-9, label_noise=0.1).integrate(t_end=0.5, samples=6)
    np.testing.assert_allclose(theory.loss, flow.loss, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(theory.modes, flow.modes, rtol=0, atol=1e-5)
    np.testing.assert_allclose(theory.A, flow.A, rtol=0, atol=1e-5)
    np.testing.assert_allclose(theory.conserved, flow.conserved, rtol=0, atol=1e-5)
    assert theory.reduced_dimension == flow.problem.student.hidden + len(problem.teacher.V)


def test_large_batches_follow_gradient_descent_to_second_order(make_problem, rng):
    """B → ∞ without sampling is gradient descent: the modified flow, up to O(η²). Halving η quarters the difference."""
    problem = make_problem(rng, d=5, K=3, R=2, scale=0.4)
    etas, differences = np.array([8e-3, 4e-3, 2e-3]), []
    for eta in etas:
        descent = ModifiedFlow(problem, eta).integrate(t_end=0.5, samples=21)
        theory = MeanSGD(problem, eta, batch=10**12).integrate(t_end=0.5, samples=21)
        differences.append(np.abs(theory.loss - descent.loss).max())
    assert slope(etas, differences) == pytest.approx(2.0, abs=0.1)
    assert differences[-1] < 1e-3 * descent.loss[0]


def test_the_ode_follows_the_recursion_to_second_order():
    """Iterating s ← s + ηF(s) is the exact mean-field recursion; sup-norm of the difference ∝ η²."""
    student = Student([[0.6, 0.3, 0.2], [-0.2, 0.5, 0.1]], [1.0, 0.8])
    problem = Problem(Teacher.from_eigenvalues([1, 0.5], 3), student)
    etas, errors = np.array([4e-3, 2e-3, 1e-3]), []
    for eta in etas:
        theory = MeanSGD(problem, eta, label_noise=0.1)
        steps = round(1.2 / eta)
        curve = theory.integrate(times=eta * np.arange(steps + 1))
        states = theory.order.pack(curve.Q, curve.R, curve.A)
        s, worst = theory.theta0, 0.0
        for state in states[1:]:
            s = s + eta * theory.drift(s)
            worst = max(worst, np.abs(s - state).max())
        errors.append(worst)
    assert slope(etas, errors) == pytest.approx(2.0, abs=0.1)


def test_jacobian_of_the_right_hand_side(make_problem, rng):
    """Central differences of the right-hand side, good to about 1e-8 of its size."""
    theory = MeanSGD(make_problem(rng, d=5, K=2, R=2, scale=0.5), step=0.01, label_noise=0.2)
    s, h = theory.theta0, 1e-5
    numeric = np.stack([(theory(0, s + h * v) - theory(0, s - h * v)) / (2 * h) for v in np.eye(s.size)], 1)
    J = theory.jacobian(0, s)
    np.testing.assert_allclose(J, numeric, atol=1e-7 * np.abs(J).max())


@pytest.mark.parametrize("batch", [1, 5])
def test_the_mean_step_of_one_unit_vanishes_at_its_stationary_state(batch):
    """‖w‖² = λ/a and L = 2λ²ρ with the risk of the mean field: F = 0, to rounding."""
    d, lam, a, eta, Delta = 60, 2.0, 0.5, 1e-3, 0.3
    rho = mean_field_risk(eta * a * lam, d, Delta, batch) / (2 * lam**2)
    w = np.sqrt(lam / a) * np.array([np.sqrt(1 - rho), np.sqrt(rho)])
    theory = MeanSGD(one_unit(d, w, lam, a), eta, batch, Delta)
    assert theory.order.loss(theory.theta0) == pytest.approx(2 * lam**2 * rho, rel=1e-12)
    assert np.abs(theory.drift(theory.theta0)).max() < 1e-12


@pytest.mark.parametrize("eta_d", [0.02, 0.1])
def test_one_unit_ends_at_its_stationary_risk(eta_d):
    """Closed form of the mean dynamics' stationary state: ηaλ(d + 2)Δ/(1 − 6ηaλ(d + 6)) for batch 1.

    The exact risk is greater by 0.3/d and 4.2/d.
    """
    problem = one_unit(300, (1.0, 0.4), eigenvalue=2.0, a=0.5)
    run = MeanSGD(problem, eta_d / 300, label_noise=0.01).integrate()
    assert run.solver.status == "stationary"
    expected = eta_d / 300 * 302 * 0.01 / (1 - 6 * eta_d / 300 * 306)
    assert run.loss[-1] == pytest.approx(expected, rel=1e-5)  # rest: drift below 1e-10 of the natural rate
    exact = one_unit_risk(eta_d / 300, 300, 0.01, eigenvalue=2.0, a=0.5)
    assert exact == pytest.approx(expected, rel=5 / 300)


def test_one_unit_in_batches():
    problem = one_unit(40, (1.0, 0.4))
    run = MeanSGD(problem, 0.01, batch=8, label_noise=0.3).integrate()
    assert run.loss[-1] == pytest.approx(mean_field_risk(0.01, 40, 0.3, B=8), rel=1e-5)


def test_divergence_begins_at_the_predicted_step():
    """Below 1/(6(d + 6)) the mean dynamics comes to rest, above it diverges, and says what to do about it."""
    problem, largest = one_unit(300, (0.9, 0.3)), mean_field_largest_step(300)
    assert largest * 306 == pytest.approx(1 / 6)
    assert MeanSGD(problem, 0.95 * largest, label_noise=1e-3).integrate().solver.status == "stationary"
    with pytest.raises(IntegrationError, match="smaller step") as caught:
        MeanSGD(problem, 1.05 * largest, label_noise=1e-3).integrate()
    partial = caught.value.trajectory
    assert partial.solver.status == "diverged"
    assert partial.loss[-1] > partial.loss[0]


def test_stops_and_failures():
    problem = one_unit(50, (0.5, 0.3))
    run = MeanSGD(problem, 1e-3).integrate(until_loss=0.2)
    assert (run.solver.status, run.loss[-1]) == ("target loss reached", pytest.approx(0.2, rel=1e-6))
    with pytest.raises(IntegrationError, match="evaluations"):
        MeanSGD(problem, 1e-3).integrate(t_end=100.0, max_evaluations=20)
    assert (
        MeanSGD(problem, 1e-3).integrate(t_end=9.0, max_evaluations=20, throw=False).solver.status == "failed"
    )


def test_a_start_whose_step_leaves_the_numbers_diverges_at_once():
    """Products of fourth powers of weights of 10⁵⁰ in a sampled step of two units: NumPy warns of nothing."""
    student = Student.initialise(2, 2, scale=1e50, seed=0)
    problem = Problem(Teacher.from_eigenvalues([2, 1]), student, "erf")
    with pytest.raises(IntegrationError, match="diverges at t = 0"):
        MeanSGD(problem, 0.01, batch=8).integrate(1.0)


def test_a_saddle_is_no_place_to_rest():
    """λ = (2, 1): a start 1e-12 beside the saddle of the first mode alone; the second is learned in the end.

    There the first mode overshoots to 2 + 1/3 (theory, section 3), and the drift is below the bound for rest.
    """
    student = Student([[np.sqrt(7 / 3), 0.0], [0.0, 1e-12]], [1.0, 1.0], trainable=False)
    problem = Problem(Teacher.from_eigenvalues([2, 1]), student)
    run = MeanSGD(problem, 1e-12, batch=10**9).integrate()
    assert run.solver.status == "stationary"
    np.testing.assert_allclose(run.modes[-1], [2, 1], rtol=1e-6)


def test_summary_and_file(tmp_path):
    run = MeanSGD(one_unit(50, (0.5,)), 1e-3, label_noise=0.1).integrate(t_end=1.0, samples=5)
    lines = run.summary().splitlines()
    assert lines[0] == "SGD, step 0.001, batch 1, label noise 0.1: 5 samples up to t = 1 (end time reached)"
    assert lines[1] == f"mean loss {run.loss[0]:.6g} → {run.loss[-1]:.6g}"
    assert lines[2] == f"modes {run.modes[-1, 0]:.4g}"
    assert lines[3].endswith("2 vectors in 50 dimensions")
    assert repr(run) == "SGDTrajectory\n  " + "\n  ".join(lines)
    np.testing.assert_allclose(run.steps, [0, 250, 500, 750, 1000])
    run.save(tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz") as file:
        for name in ("times", "Q", "R", "A", "loss", "modes", "conserved"):
            np.testing.assert_array_equal(file[name], getattr(run, name))
        np.testing.assert_array_equal(file["mean_field_loss"], run.loss)
        np.testing.assert_array_equal(file["teacher_V"], run.problem.teacher.V)
        np.testing.assert_array_equal(file["initial_W"], run.problem.student.W)
        about = json.loads(str(file["about"]))
        assert {"step": 1e-3, "batch": 1, "label_noise": 0.1, "trainable": False}.items() <= about.items()
        assert about["solver"]["status"] == "finished"
        assert "loss_std" not in file
    with pytest.raises(ProblemError, match="not a trajectory"):
        Trajectory.load(tmp_path / "run.npz")
    # c = ‖w‖² − 2a² with a fixed: its drift is that of ‖w‖², the largest since the start
    np.testing.assert_allclose(run.conserved[:, 0], run.Q[:, 0, 0] - 2)
    assert run.conserved_drift == pytest.approx(np.abs(run.Q[:, 0, 0] - 0.25).max())
    assert run.stages == ()  # it falls all the time
    small = MeanSGD(one_unit(50, (1e-3,)), 1e-3).integrate(t_end=0.5, samples=21)
    assert [(stage.start, list(stage.learned_modes)) for stage in small.stages] == [(0.0, [])]


@pytest.mark.parametrize(
    ("options", "words"),
    [({"step": 0}, "positive"), ({"batch": 0}, "at least 1"), ({"label_noise": -1}, "negative")],
)
def test_bad_input_is_refused(options, words):
    with pytest.raises(ProblemError, match=words):
        MeanSGD(one_unit(5), **({"step": 0.1} | options))


def test_correlated_inputs_are_refused(make_problem, rng):
    with pytest.raises(ProblemError, match="uncorrelated"):
        MeanSGD(make_problem(rng, covariance=True), 0.1)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**31), st.sampled_from(["quadratic", "centred"]), st.integers(1, 4))
def test_units_with_equal_weights_may_be_rotated_into_each_other(seed, activation, batch):
    """f depends on W through WᵀW if all a are equal: F(GQGᵀ, GR) = (G F_Q Gᵀ, G F_R) for orthogonal G."""
    rng = np.random.default_rng(seed)
    G = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    student = Student(rng.standard_normal((3, 5)), [0.7] * 3, trainable=False)
    problem = Problem(Teacher(rng.standard_normal((2, 5)), rng.standard_normal(2)), student, activation)
    theory = MeanSGD(problem, 0.01, batch, 0.2)
    Q, R, A = theory.order.unpack(theory.theta0)
    FQ, FR, FA = theory.order.unpack(theory.drift(theory.theta0))
    turned = theory.drift(theory.order.pack(G @ Q @ G.T, G @ R, A))
    expected = theory.order.pack(G @ FQ @ G.T, G @ FR, FA)
    np.testing.assert_allclose(turned, expected, atol=1e-11 * np.abs(expected).max())
