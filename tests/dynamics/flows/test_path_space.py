"""The flow in path space: exact solutions, its limit property, and independence of how weights are scaled."""

from __future__ import annotations

import numpy as np
import pytest

from dynamics.errors import ProblemError
from dynamics.flows.path_space import PathFlow, PathTrajectory
from dynamics.path_space import Skeleton, SkeletonCrossing, path_step, path_values
from dynamics.problem import Problem, Student, Teacher


def make_problem(activation: str = "quadratic", outputs: int = 2, seed: int = 0) -> Problem:
    """Two units with skeleton path values near ±1, a teacher not far away."""
    rng = np.random.default_rng(seed)
    W, A = 0.3 * rng.normal(size=(2, 3)), 0.3 * rng.normal(size=(outputs, 2))
    W[[0, 1], [0, 1]], A[0] = [1.0, -1.1], [0.9, -1.0]
    V, B = W + 0.2 * rng.normal(size=W.shape), A + 0.2 * rng.normal(size=A.shape)
    return Problem(Teacher(V, B), Student(W, A), activation)


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize("outputs", [1, 2])
def test_velocity_and_jacobian_are_derivatives_of_the_loss(activation: str, outputs: int) -> None:
    """Central differences of the loss at given path values; step 1e-5, error O(1e-10) plus rounding / 1e-5."""
    flow = PathFlow(make_problem(activation, outputs))
    v, eps = flow.theta0, 1e-5
    basis = eps * np.eye(v.size)
    slope = np.array([flow.loss(v + e) - flow.loss(v - e) for e in basis]) / (2 * eps)
    np.testing.assert_allclose(flow(0.0, v), -slope, atol=1e-8 * np.abs(slope).max())
    jacobian = np.array([flow(0.0, v + e) - flow(0.0, v - e) for e in basis]).T / (2 * eps)
    np.testing.assert_allclose(flow.jacobian(0.0, v), jacobian, atol=1e-7 * np.abs(jacobian).max())


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_weights_invert_path_values(activation: str) -> None:
    """The scaled weights have the same path values, the same function, and skeleton weights ±1 above."""
    problem = make_problem(activation)
    flow = PathFlow(problem)
    W, A = flow.weights(flow.theta0)
    np.testing.assert_allclose(path_values([W, A], flow.skeleton, 2), flow.theta0, rtol=1e-14)
    student = problem.student
    assert flow.loss(flow.theta0) == pytest.approx(flow.population.loss(student.W, student.A), rel=1e-13)
    np.testing.assert_array_equal(np.abs(A[flow.skeleton.out[0], [0, 1]]), 1)


def test_one_input_one_unit_is_linear() -> None:
    """d = K = O = 1: the only path value is v = a w², L = (3/2)(λ − v)², so v = λ + (v₀ − λ) e^(−3t)."""
    problem = Problem(Teacher.from_eigenvalues([2.0]), Student(np.array([[0.5]]), np.array([[0.4]])))
    times = np.linspace(0, 3, 13)
    run = PathFlow(problem).integrate(times=times)
    np.testing.assert_allclose(run.values[:, 0], 2 + (0.1 - 2) * np.exp(-3 * times), rtol=1e-9)
    # The loss is a difference of terms of order 1, known to rounding: L^½ to 1e-15.
    np.testing.assert_allclose(run.loss, 1.5 * (2 - run.values[:, 0]) ** 2, rtol=1e-10)


def test_crossing_time_is_exact() -> None:
    """The same with v₀ = −0.5 and λ = 2 passes zero at t = ln((λ − v₀)/λ)/3; the flow stops 1e-6 v₀ before."""
    problem = Problem(Teacher.from_eigenvalues([2.0]), Student(np.array([[1.0]]), np.array([[-0.5]])))
    with pytest.raises(SkeletonCrossing, match="unit 0 reaches zero") as caught:
        PathFlow(problem).integrate(1.0)
    assert caught.value.unit == (1, 0)
    assert caught.value.time == pytest.approx(np.log(2.5 / 2) / 3, abs=1e-6)


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_flow_does_not_see_rescaling(activation: str) -> None:
    """(w, a) → (cw, a/c²) for every unit leaves the whole trajectory of path values alone."""
    problem = make_problem(activation)
    c = np.array([2.5, 0.3])
    copy = Student(problem.student.W * c[:, None], problem.student.A / c**2)
    times = np.linspace(0, 1, 5)
    a = PathFlow(problem).integrate(times=times)
    b = PathFlow(Problem(problem.teacher, copy, activation)).integrate(times=times)
    np.testing.assert_allclose(b.values, a.values, atol=1e-9 * np.abs(a.values).max())


@pytest.mark.parametrize("method", ["auto", "DOP853"])
def test_loss_falls_as_the_squared_speed(method: str) -> None:
    """dL/dt = −‖v̇‖²: the drop of the loss is the integral of ‖v̇‖² (Simpson, 4th order, 801 points)."""
    flow = PathFlow(make_problem())
    run = flow.integrate(0.5, samples=801, method=method)
    speed = np.array([np.sum(flow(0.0, v) ** 2) for v in run.values])
    h = run.times[1]
    integral = h / 3 * (speed[0] + 4 * speed[1::2].sum() + 2 * speed[2:-1:2].sum() + speed[-1])
    assert run.loss[0] - run.loss[-1] == pytest.approx(integral, rel=1e-6)


def test_small_steps_approach_the_flow() -> None:
    """Gradient descent on path values is Euler's method for the flow: halving the step halves the error."""
    problem = make_problem()
    flow = PathFlow(problem)
    end = flow.integrate(0.2).values[-1]
    errors = []
    for steps in (400, 800, 1600):
        weights = [problem.student.W, problem.student.A]
        for _ in range(steps):
            gradients = [-g for g in flow.population.velocity(*weights)]
            weights = path_step(weights, gradients, flow.skeleton, 0.2 / steps, degree=2)
        errors.append(np.abs(path_values(weights, flow.skeleton, 2) - end).max())
    order = -np.polyfit(np.log([400, 800, 1600]), np.log(errors), 1)[0]
    assert 0.95 < order < 1.05


def test_bad_input_is_refused() -> None:
    """One sentence that names the value."""
    problem = make_problem()
    fixed = Student(problem.student.W, problem.student.A, trainable=False)
    with pytest.raises(ProblemError, match="second layer is fixed"):
        PathFlow(Problem(problem.teacher, fixed))
    with pytest.raises(ProblemError, match="widths"):
        PathFlow(problem, Skeleton.diagonal((3, 3, 2)))
    zero = Student(problem.student.W, 0 * problem.student.A)
    with pytest.raises(SkeletonCrossing, match="zero at the start"):
        PathFlow(Problem(problem.teacher, zero))


@pytest.mark.parametrize("size", [1e-3, 1e3])
@pytest.mark.parametrize("activation", ["quadratic", "relu"])
def test_an_open_end_is_where_the_teacher_is_learned(activation: str, size: float) -> None:
    """The students can be their teachers: loss 0, whatever the size σ of the output.

    The Jacobian is then that for σ = 1, the states are multiples by σ: the same end at the same time.
    """
    problem = make_problem(activation)

    def end(factor: float) -> PathTrajectory:
        teacher = Teacher(problem.teacher.V, factor * problem.teacher.B)
        student = Student(problem.student.W, factor * problem.student.A)
        return PathFlow(Problem(teacher, student, activation)).integrate(samples=2)

    run, other = end(1.0), end(size)
    assert run.solver.status == other.solver.status == "converged"
    assert run.loss[-1] < 1e-14 * run.loss[0]
    assert other.loss[-1] < 1e-14 * other.loss[0]
    assert other.times[-1] == pytest.approx(run.times[-1], rel=1e-3)


def test_the_unit_that_crosses_is_named_and_the_curve_until_there_is_kept() -> None:
    """Two centred units along the axes do not feel each other: L = Σ (λ − v_k)², v̇_k = 2(λ − v_k).

    That of v₀ = −0.5 passes zero at t = ln((λ − v₀)/λ)/2, the other one stays.
    """
    student = Student(np.eye(2), np.array([[0.5, -0.5]]))
    flow = PathFlow(Problem(Teacher.from_eigenvalues([2.0, 2.0]), student, "centred"))
    with pytest.raises(SkeletonCrossing, match="unit 1 reaches zero") as caught:
        flow.integrate(1.0, samples=5)
    assert caught.value.unit == (1, 1)
    kept = flow.integrate(1.0, samples=5, throw=False)
    for run in (caught.value.trajectory, kept):
        assert run.solver.status == "left path space"
        assert run.solver.message == str(caught.value)
        assert run.times[-1] == pytest.approx(np.log(2.5 / 2) / 2, rel=1e-5)
        decay = np.exp(-2 * run.times)
        np.testing.assert_allclose(run.values[:, 0], 2 - 1.5 * decay, rtol=1e-9)
        np.testing.assert_allclose(run.loss, (1.5**2 + 2.5**2) * decay**2, rtol=1e-9)
    assert caught.value.time == kept.times[-1]


@pytest.mark.parametrize(("activation", "h"), [("linear", 1), ("quadratic", 2)])
def test_natural_rate_speed_and_horizon(activation: str, h: int) -> None:
    """The loss is of second degree in v with coefficients like Σ^h; the speed is √(rate · L) of the zero network."""
    student = Student(np.array([[0.5, 0.4], [0.3, -0.6]]), np.array([0.7, 0.8]))
    teacher = Teacher.from_eigenvalues([2.0, 1.0])
    for covariance, variance in ((None, 1.0), (np.diag([6.0, 2.0]), 4.0)):
        problem = Problem(teacher, student, activation, covariance)
        flow = PathFlow(problem)
        assert flow.horizon() == pytest.approx(1e8 / variance**h)
        assert flow.horizon(explicit=True) == pytest.approx(1e5 / variance**h)
        zero = problem.population.loss(0 * student.W, 0 * student.A)
        assert flow._unit_speed == pytest.approx(np.sqrt(variance**h * zero))
    nothing = PathFlow(Problem(Teacher.from_eigenvalues([0.0], 2), student, activation))
    assert nothing._unit_speed == pytest.approx(np.sqrt(nothing.loss(nothing.theta0)))
