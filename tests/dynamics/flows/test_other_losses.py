"""Flows under every loss: conserved quantities, the bias that is trained, plateaus, a finite step, weight decay."""

from dataclasses import replace

import numpy as np
import pytest

from dynamics import (
    AdamFlow,
    ArcLengthFlow,
    EnsembleTrajectory,
    FlowEnsemble,
    GradientFlow,
    IntegrationError,
    ModifiedFlow,
    NaturalGradientFlow,
    Problem,
    ProblemError,
    Student,
    Teacher,
    hessian_spectrum,
    kernel_spectrum,
)
from dynamics.losses import FAMILIES, LOSSES, Loss
from dynamics.stability import sharpness

TABLE = [*LOSSES.values(), *(Loss.parse(f"{family.name}:{family.example}") for family in FAMILIES.values())]
TABLE = [loss for loss in TABLE if not loss.is_square]
BIASES = (0.0, "trainable:0.4")
TEACHER = Teacher.from_eigenvalues([2, -1])
X = np.random.default_rng(3).standard_normal((25, 2))


def problem_of(loss, **parts):
    return Problem(TEACHER, Student.initialise(3, 2, scale=0.5, seed=4), loss=loss, **parts)


@pytest.mark.parametrize("loss", TABLE, ids=str)
@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("more", [{}, {"data": (X, X[:, 0])}, {"weight_decay": (0.1, 0.3)}], ids=str)
def test_a_flow_goes_down_and_keeps_its_balances(loss, bias, more):
    """The objective falls at the rate of the squared gradient; c_k stays, under decay follows its law."""
    problem = problem_of(loss, bias=bias, **more)
    flow = GradientFlow(problem)
    theta, h = flow.theta0, 1e-5
    speed = np.sum(flow(0.0, theta) ** 2)
    ahead = theta + h * flow(0.0, theta)
    objective = problem.objective
    fall = objective.loss(*flow.unpack(theta)) - objective.loss(*flow.unpack(ahead))
    assert fall / h == pytest.approx(speed, rel=1e-3)
    out = np.empty_like(theta)
    flow.in_place()(0.0, theta, out)
    np.testing.assert_array_equal(out, flow(0.0, theta))
    np.testing.assert_allclose(flow.jacobian(0.0, theta) @ out, -flow.hessian_vector(theta, out), atol=1e-12)
    curve = flow.integrate(t_end=3.0, samples=7)
    assert curve.conserved_drift < 1e-9
    assert (curve.bias is None) == (bias == 0.0)
    if curve.bias is not None and not problem.loss.classifies:
        assert curve.bias[-1, 0] != 0.0


@pytest.mark.parametrize("loss", TABLE, ids=str)
@pytest.mark.parametrize("bias", BIASES)
def test_a_finite_step_to_second_order(loss, bias):
    """Gradient descent lies on the modified flow to η²: half the step, a quarter of the deviation (within 15 %)."""
    problem = problem_of(loss, bias=bias)
    errors = []
    flow = GradientFlow(problem)
    for step in (0.02, 0.01):
        theta = flow.theta0
        modified = ModifiedFlow(problem, step)
        for _ in range(round(1.0 / step)):
            theta = theta + step * flow(0.0, theta)
        curve = modified.integrate(times=[0.0, 1.0])
        W, A = curve.W[-1], curve.A[-1]
        A = A if curve.bias is None else np.column_stack([A, curve.bias[-1]])
        errors.append(np.abs(theta - modified.pack(W, A)).max())
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.15)


def test_reduction_changes_nothing():
    """Eight inputs of which three units and two teacher directions see five at most; both curves to 1e-9."""
    teacher, student = Teacher.from_eigenvalues([2, -1], 8), Student.initialise(3, 8, scale=0.5, seed=6)
    for loss in ("log-cosh", "logistic"):
        problem = Problem(teacher, student, loss=loss, bias="trainable:0.3")
        small, large = (
            GradientFlow(problem, reduce=reduce).integrate(t_end=4.0, samples=9) for reduce in (True, False)
        )
        assert small.reduced_dimension == 5
        np.testing.assert_allclose(small.loss, large.loss, rtol=1e-9)
        np.testing.assert_allclose(small.W, large.W, atol=1e-8)
        np.testing.assert_allclose(small.bias, large.bias, atol=1e-8)


def test_a_start_of_log_cosh_pauses_where_the_theory_says():
    """λ = (4, 2, 1), ε = .01: on the levels 2.110999 and .558880 of {0} and {0, 1}, to 1e-4, before all is learned."""
    teacher, student = Teacher.from_eigenvalues([4, 2, 1]), Student.initialise(3, 3, scale=0.01, seed=3)
    stages = (
        GradientFlow(Problem(teacher, student, loss="log-cosh")).integrate(t_end=350.0, samples=701).stages
    )
    assert [stage.learned_modes for stage in stages] == [(), (0,), (0, 1), (0, 1, 2)]
    np.testing.assert_allclose(
        [stage.loss for stage in stages[:3]], [6.337771, 2.110999, 0.558880], rtol=1e-4
    )


def test_a_trained_bias_finds_that_of_the_teacher():
    """Log-cosh with the residual's minimum at M = M*, β = β*: both are reached, and the flow says so by itself."""
    problem = problem_of("log-cosh", bias="trainable:0.7")
    student = Student(problem.teacher.V + 0.2, problem.teacher.B * 0.5)
    curve = GradientFlow(replace(problem, student=student)).integrate()
    assert curve.solver.status == "converged"
    assert curve.bias[-1, 0] == pytest.approx(0.7, abs=1e-4)
    assert curve.loss[-1] < 1e-8


def test_another_optimiser_trains_the_bias_too():
    """Adam with hardly a memory moves it at the rate one, up to its ε, and does not decay it."""
    problem = problem_of("logistic", bias="trainable:1.0")
    curve = AdamFlow(problem, 0.05, betas=(0.1, 0.1)).integrate(t_end=0.2, samples=5, rtol=1e-6)
    assert curve.bias[-1, 0] == pytest.approx(0.2, rel=0.02)
    decayed = AdamFlow(problem, 0.001, decay=(0.5, 0.5))
    assert (decayed.rates((0.5, 0.5)) == [*[0.5] * 9, 0.0]).all()


def test_second_derivatives_hold_the_bias_too():
    """Eigenvalues along a curve are those of the dense Hessian over W, A and β, with decay of all but β."""
    problem = problem_of("logistic", bias="trainable:0.4", weight_decay=(0.1, 0.2))
    flow = GradientFlow(problem)
    curve = flow.integrate(t_end=1.0, samples=3)
    theta = flow.pack(curve.W[-1], curve.second_layer[-1])
    H = problem.objective.hessian(*flow.unpack(theta))
    found = hessian_spectrum(curve, points=2)
    np.testing.assert_allclose(found.eigenvalues[-1], np.linalg.eigvalsh(H)[::-1], atol=1e-12)
    plain = problem.population.hessian(*flow.unpack(theta))
    np.testing.assert_allclose(H - plain, np.diag([0.1] * 6 + [0.2] * 3 + [0.0]), atol=1e-13)
    assert sharpness(flow, curve, points=2)[-1] == pytest.approx(found.eigenvalues[-1, 0])


def test_a_flow_by_its_arc_length_ends_where_the_flow_does():
    """With a bias and weight decay of two rates: the same states by another clock, at the same loss."""
    problem = problem_of("log-cosh", bias="trainable:0.4", weight_decay=(0.1, 0.3))
    curve = ArcLengthFlow(problem).integrate(t_end=0.7, samples=3)
    flow = GradientFlow(problem).integrate(t_end=20.0, until_loss=float(curve.loss[-1]), samples=3)
    np.testing.assert_allclose(curve.W[-1], flow.W[-1], atol=1e-7)
    np.testing.assert_allclose(curve.bias[-1], flow.bias[-1], atol=1e-7)
    assert curve.conserved_drift < 1e-8


def test_theories_of_the_square_loss_refuse_the_others():
    """Each names the loss, or the bias that is trained."""
    curve = GradientFlow(problem_of("log-cosh")).integrate(t_end=0.1, samples=3)
    with pytest.raises(ProblemError, match="`loss` is 'log-cosh', but the spectrum of the tangent kernel"):
        kernel_spectrum(curve)
    with pytest.raises(ProblemError, match="`bias` is 'trainable', but the flow of the natural gradient"):
        NaturalGradientFlow(problem_of("log-cosh", bias="trainable"))


def test_several_members_at_once(tmp_path):
    """An ensemble of flows is that of its members alone, and comes back from a file; a trained bias it refuses."""
    problem = problem_of("logistic", bias=0.4)
    students = [Student.initialise(3, 2, scale=0.5, seed=seed) for seed in range(3)]
    together = FlowEnsemble([replace(problem, student=student) for student in students]).integrate(
        t_end=2.0, samples=5
    )
    for n, student in enumerate(students):
        alone = GradientFlow(replace(problem, student=student)).integrate(t_end=2.0, samples=5)
        np.testing.assert_allclose(together.loss[n], alone.loss, rtol=1e-8)
    together.save(tmp_path / "ensemble.npz")
    again = EnsembleTrajectory.load(tmp_path / "ensemble.npz").members.problem(1)
    assert (again.loss, again.labels, again.bias) == (problem.loss, problem.labels, problem.bias)
    one = FlowEnsemble.from_weights(
        TEACHER, students[0].W[None], students[0].A[None], loss="logistic", bias=0.4
    )
    np.testing.assert_array_equal(one.integrate(t_end=2.0, samples=5).loss[0], together.loss[0])
    with pytest.raises(
        ProblemError, match="an ensemble of flows is known only for a bias that is not trained"
    ):
        FlowEnsemble([problem_of("logistic", bias="trainable")])
    with pytest.raises(ProblemError, match="Problem 1 differs from problem 0"):
        FlowEnsemble([problem, problem_of("log-cosh", bias=0.4)])


@pytest.mark.parametrize(
    "parts",
    [
        {"activation": "tanh"},
        {"distribution": "sphere"},
        {"distribution": "student-t:4.5", "activation": "centred"},
    ],
    ids=str,
)
def test_what_is_not_known_is_refused_in_one_sentence(parts):
    with pytest.raises(ProblemError, match="but the gradient flow is known only for") as refusal:
        GradientFlow(problem_of("log-cosh", **parts))
    assert str(refusal.value).count(". ") == 0
    assert "`loss` is 'log-cosh'" in str(refusal.value)
    problem = problem_of("log-cosh", **parts)
    with pytest.raises(ProblemError, match="but the loss is known only for"):
        problem.population  # noqa: B018


@pytest.mark.parametrize("loss", ["square", "log-cosh", "huber:1"])
@pytest.mark.parametrize("size", [1e-12, 1e-20, 1e-30])
def test_a_tiny_teacher_has_the_flow_of_its_scale(loss, size):
    """Losses with ℓ″(0) = 1 are the square of small residuals, of which λ → sλ, θ → s^{1/3}θ, t → s^{−4/3}t leaves L/s²
    alone: the curve is that of λ = (2, 1), and it converges.
    """
    start = Student.initialise(2, 2, scale=0.3, seed=1)
    times = np.linspace(0, 6, 31)
    plain = GradientFlow(Teacher.from_eigenvalues([2, 1]), start).integrate(times=times)
    shrunk = replace(start, W=size ** (1 / 3) * start.W, A=size ** (1 / 3) * start.A)
    flow = GradientFlow(Problem(Teacher.from_eigenvalues([2 * size, size]), shrunk, loss=loss))
    assert plain.loss[-1] < 0.2 * plain.loss[0]
    curve = flow.integrate(times=times * size ** (-4 / 3))
    assert curve.loss / size**2 == pytest.approx(plain.loss, rel=1e-8, abs=1e-10)
    assert flow.integrate().solver.ending == "converged"


def test_a_start_far_above_a_teacher_is_named_as_the_cause_of_a_failure():
    """‖w‖² = 2a², a‖w‖² = √L: w = √2 (√L/2)^{1/3}, with √L from the loss of nothing learned, ½·19 s². A start near it
    that fails has another cause.
    """
    size = 1e-20
    start = Student.initialise(2, 2, scale=0.1, seed=0)
    teacher = Teacher.from_eigenvalues([2 * size, size])
    weight = 2**0.5 * (9.5**0.5 * size / 2) ** (1 / 3)
    theta = np.concatenate([start.W.ravel(), start.A.ravel()])
    ratio = np.sqrt(np.mean(theta**2)) / weight
    with pytest.raises(IntegrationError) as failure:
        GradientFlow(Problem(teacher, start, loss="log-cosh")).integrate(max_evaluations=300)
    text = str(failure.value)
    assert f"the start is {ratio:.1g} times as large as the weights that this teacher asks for" in text
    assert f"give an `init_scale` near {weight:.1g}, or a `t_end`" in text and text.count(". ") == 0
    near = replace(start, W=1e-6 * start.W, A=1e-6 * start.A)
    with pytest.raises(IntegrationError, match=r"allow more or shorten the time\)\.$"):
        GradientFlow(Problem(teacher, near, loss="log-cosh")).integrate(max_evaluations=300)
