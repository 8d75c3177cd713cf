"""The gradient flow: accuracy, conservation, exact solutions, convergence, files."""

import io

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from dynamics import GradientFlow, IntegrationError, Problem, ProblemError, Student, Teacher, Trajectory
from dynamics.stability import largest_stable_step, sharpness


def flow_of(eigenvalues, d, K, scale, seed=0, activation="quadratic", **start):
    teacher = Teacher.from_eigenvalues(eigenvalues, d)
    student = Student.initialise(K, d, scale=scale, seed=seed, **start)
    return GradientFlow(teacher, student, activation=activation)


@pytest.mark.parametrize(
    ("d", "K", "scale", "t_end"), [(4, 3, 0.1, 8), (6, 8, 0.1, 4), (6, 8, 0.01, 14), (10, 40, 0.5, 1.0)]
)
def test_default_accuracy(d, K, scale, t_end):
    """Loss to 1e-8 (relative), c_k to 1e-9, against DOP853 at 1e-13; the last case uses the explicit method."""
    flow = flow_of([4, 2, 1], d, K, scale)
    ours = flow.integrate(t_end, samples=101)
    reference = solve_ivp(flow, (0, t_end), flow.theta0, "DOP853", ours.times, rtol=1e-13, atol=1e-16 * scale)
    loss = np.array([flow.loss(theta) for theta in reference.y.T])
    assert np.abs(ours.loss / loss - 1).max() < 1e-8
    assert ours.conserved_drift < 1e-9


@pytest.mark.parametrize(("activation", "kappa"), [("quadratic", 3), ("centred", 2)])
def test_single_mode_follows_its_quadrature(activation, kappa):
    """d = 1, one unit: t = ∫ da / {κ (c + 2a²)(λ − a(c + 2a²))} (theory, section 5), by scipy.integrate.quad."""
    lam, p0, a0 = 1.5, 0.6, 0.2
    c = p0**2 - 2 * a0**2
    flow = GradientFlow(Teacher.from_eigenvalues([lam]), Student([[p0]], [a0]), activation=activation)
    trajectory = flow.integrate(times=[0, 0.1, 0.2, 0.4])
    for t, a in zip(trajectory.times[1:], trajectory.a[1:, 0], strict=True):
        time = quad(lambda s: 1 / (kappa * (c + 2 * s**2) * (lam - s * (c + 2 * s**2))), a0, a, epsabs=1e-13)[
            0
        ]
        assert time == pytest.approx(t, rel=1e-9)


def test_aligned_modes_obey_the_mode_system():
    """Theory section 1: ṗ_i = a_i p_i (4D_i + 2τ), ȧ_i = ½ p_i² (4D_i + 2τ), integrated on its own."""
    lam = np.array([3.0, 1.0, -1.0])
    flow = flow_of(lam, 3, 3, 0.4, init="aligned")
    trajectory = flow.integrate(t_end=2.0, samples=9)

    def modes(t, y):
        p, a = y[:3], y[3:]
        D = lam - a * p**2
        g = 4 * D + 2 * D.sum()
        return np.concatenate([a * p * g, 0.5 * p**2 * g])

    y = solve_ivp(modes, (0, 2), np.full(6, 0.4), "DOP853", trajectory.times, rtol=1e-12, atol=1e-14).y.T
    np.testing.assert_allclose(np.einsum("tkk->tk", trajectory.W), y[:, :3], atol=1e-10)
    np.testing.assert_allclose(trajectory.a, y[:, 3:], atol=1e-10)


def test_modes_and_loss_are_those_of_the_full_matrices(make_problem, rng):
    problem = make_problem(rng, d=7, K=3, R=2, O=2, scale=0.5)
    t = GradientFlow(problem).integrate(t_end=0.2, samples=3)
    W, A = t.W[-1], t.A[-1]
    expected = []
    loss = 0.0
    for o in range(2):
        M, target = (W.T * A[o]) @ W, problem.teacher.matrix(o)
        lam, E = np.linalg.eigh(target)
        for i in sorted(np.flatnonzero(np.abs(lam) > 1e-10), key=lambda i: -lam[i]):
            expected.append(E[:, i] @ M @ E[:, i])
        D = target - M
        loss += np.sum(D * D) + 0.5 * np.trace(D) ** 2
    np.testing.assert_allclose(t.modes[-1], expected, rtol=1e-10)
    assert t.loss[-1] == pytest.approx(loss, rel=1e-11)
    np.testing.assert_array_equal(t.W_at(-1), W)


def test_fixed_second_layer_stays_fixed(make_problem, rng):
    problem = make_problem(rng, trainable=False, scale=0.3)
    flow = GradientFlow(problem)
    t = flow.integrate(t_end=1.0, samples=3)
    np.testing.assert_array_equal(t.A, np.broadcast_to(problem.student.A, t.A.shape))
    assert t.loss[-1] < t.loss[0]
    assert flow.hessian(flow.theta0).shape == (flow.theta0.size,) * 2
    v = rng.standard_normal(flow.theta0.size)
    np.testing.assert_allclose(
        flow.hessian_vector(flow.theta0, v), flow.hessian(flow.theta0) @ v, rtol=1e-10, atol=1e-12
    )


def test_open_ended_integration_waits_on_saddles_and_ends_at_the_minimum():
    """ε = 1e-4: the gradient at the origin is below 1e-6, yet the flow must go through three saddles."""
    t = flow_of([4, 2, 1], 4, 6, 1e-4).integrate()
    assert t.solver.status == "converged"
    assert t.loss[-1] < 1e-12
    np.testing.assert_allclose(t.modes[-1], [4, 2, 1], atol=1e-6)


def test_open_ended_integration_ends_at_a_spurious_minimum():
    """λ = (2, −1.9), one unit: L_{1} = λ_2² + λ_2²/3 (theory, section 3)."""
    flow = GradientFlow(Teacher.from_eigenvalues([2, -1.9]), Student([[0.1, 0.03]], [0.02]))
    t = flow.integrate()
    assert t.solver.status == "converged"
    assert t.loss[-1] == pytest.approx(1.9**2 * 4 / 3, rel=1e-9)


def test_until_loss():
    t = flow_of([2, 1], 2, 3, 0.3).integrate(until_loss=0.5)
    assert t.solver.status == "target loss reached"
    assert t.loss[-1] == pytest.approx(0.5, rel=1e-8)


def test_failure_raises_with_the_partial_trajectory():
    flow = flow_of([2, 1], 2, 3, 0.3)
    with pytest.raises(IntegrationError, match="evaluations") as caught:
        flow.integrate(t_end=100.0, max_evaluations=100)
    partial = caught.value.trajectory
    assert partial.solver.status == "failed"
    assert 0 < partial.times[-1] < 100
    assert flow.integrate(t_end=100.0, max_evaluations=100, throw=False).solver.status == "failed"


def test_extreme_eigenvalues_by_lanczos_equal_the_dense_ones():
    """320 unknowns go to Lanczos; NumPy's eigvalsh of the dense Hessian is the oracle."""
    flow = flow_of([3, 1, -1], 7, 40, 0.5)
    dense = np.linalg.eigvalsh(flow.hessian(flow.theta0))
    assert flow.theta0.size > 300
    assert flow.extreme_eigenvalue(flow.theta0, "lowest") == pytest.approx(dense[0], rel=1e-5)
    assert flow.extreme_eigenvalue(flow.theta0, "highest") == pytest.approx(dense[-1], rel=1e-5)


def test_gradient_descent_is_stable_below_and_unstable_above_the_predicted_step():
    """At the end of the flow: perturbed along the sharpest direction, descent shrinks at 0.98 and grows at 1.02."""
    flow = flow_of([2, 1], 3, 4, 0.4)
    t = flow.integrate()
    assert sharpness(flow, t, points=2)[-1] > 0
    end = flow.pack(t.coordinates[-1], t.A[-1])
    values, vectors = np.linalg.eigh(flow.hessian(end))
    for factor, grows in ((0.98, False), (1.02, True)):
        theta = end + 1e-6 * vectors[:, -1]
        for _ in range(50):
            theta = theta + factor * 2 / values[-1] * flow(0.0, theta)
        assert (abs((theta - end) @ vectors[:, -1]) > 1e-6) == grows
    assert largest_stable_step(flow, t) <= 2 / values[-1] * (1 + 1e-12)


def test_save_and_load(tmp_path):
    t = flow_of([2, 1], 9, 3, 0.3).integrate(t_end=1.0, samples=4)
    t.save(tmp_path / "run.npz")
    back = Trajectory.load(tmp_path / "run.npz")
    assert t.reduced_dimension == 5
    for name in ("times", "coordinates", "A", "loss", "modes", "W", "conserved"):
        np.testing.assert_array_equal(getattr(back, name), getattr(t, name))
    assert back.solver == t.solver
    assert back.summary() == t.summary()
    with np.load(tmp_path / "run.npz") as file:
        assert file["W"].shape == (4, 3, 9)
        assert file["a"].shape == (4, 3)


def test_load_refuses_other_files():
    file = io.BytesIO()
    np.savez(file, x=np.ones(2))
    file.seek(0)
    with pytest.raises(ProblemError, match="not a trajectory"):
        Trajectory.load(file)


def test_needs_a_student_and_only_one(make_problem, rng):
    with pytest.raises(ProblemError, match="student"):
        GradientFlow(Teacher.from_eigenvalues([1]))
    problem = make_problem(rng)
    with pytest.raises(ProblemError, match="already"):
        GradientFlow(problem, problem.student)


def test_zero_teacher_is_a_problem_too():
    """M* = 0: the student unlearns; nothing to divide by, no modes."""
    t = GradientFlow(
        Problem(Teacher.from_eigenvalues([0.0], 2), Student.initialise(2, 2, scale=0.5))
    ).integrate(t_end=1.0, samples=3)
    assert t.modes.shape == (3, 0)
    assert t.loss[-1] < t.loss[0]


def test_a_loss_that_overflows_is_refused():
    with pytest.raises(ProblemError, match="scale teacher and weights down"):
        GradientFlow(Teacher.from_eigenvalues([1.0]), Student.initialise(1, 1, scale=1e49))
