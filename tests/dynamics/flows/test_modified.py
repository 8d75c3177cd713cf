"""The modified flow: orders of convergence, an exactly solvable recursion, derivatives."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.flows.modified import ModifiedFlow


def slope(x, y):
    """Exponent of a power law y ∝ x^slope."""
    return np.polyfit(np.log(x), np.log(y), 1)[0]


def problem_of(activation="quadratic", second_layer="trainable"):
    scale = 0.3 if second_layer == "trainable" else 0.5
    student = Student.initialise(3, 3, scale=scale, seed=0, second_layer=second_layer)
    return Problem(Teacher.from_eigenvalues([2, 1], 3), student, activation)


def descent_losses(flow, eta, beta, steps):
    """Losses of θ ← θ − ηv, v ← βv + ∇L from v = 0, after 0 … steps steps."""
    theta, v, losses = flow.theta0, np.zeros_like(flow.theta0), []
    for _ in range(steps + 1):
        losses.append(flow.loss(theta))
        v = beta * v - flow(0.0, theta)
        theta = theta - eta * v
    return np.array(losses)


@pytest.mark.parametrize(
    ("activation", "second_layer", "beta"),
    [
        ("quadratic", "trainable", 0.0),
        ("quadratic", "trainable", 0.5),
        ("quadratic", "fixed", 0.9),
        ("centred", "fixed", 0.0),
        ("centred", "trainable", 0.5),
    ],
)
def test_error_is_of_second_order_and_that_of_the_flow_of_first(activation, second_layer, beta):
    """sup |ΔL| over a whole run, from the first step on: slopes 2 and 1."""
    flow = GradientFlow(problem_of(activation, second_layer))
    etas, plain, modified = np.array([4e-3, 2e-3, 1e-3]) * (1 - beta) ** 1.6, [], []
    for eta in etas:
        theory = ModifiedFlow(flow, eta, beta)
        steps = round(1.5 * (1 - beta) / eta)
        times = theory.clock.times(np.arange(steps + 1))
        losses = descent_losses(flow, eta, beta, steps)
        plain.append(np.abs(losses - flow.integrate(times=times).loss).max())
        modified.append(np.abs(losses - theory.integrate(times=times).loss).max())
    assert slope(etas, plain) == pytest.approx(1.0, abs=0.1)
    assert slope(etas, modified) == pytest.approx(2.0, abs=0.1)
    assert modified[-1] < plain[-1] / 10


@pytest.mark.parametrize(
    ("activation", "teacher", "beta"),
    [("tanh", None, 0.0), ("gelu", "tanh", 0.5)],
)
def test_orders_hold_for_other_activations(activation, teacher, beta):
    """As above, with Hessians of pair kernels, for a teacher of another activation too."""
    student = Student.initialise(2, 2, scale=0.8, seed=0)
    flow = GradientFlow(
        Problem(Teacher.from_eigenvalues([2, 1], 2), student, activation, teacher_activation=teacher)
    )
    etas, plain, modified = np.array([4e-2, 2e-2, 1e-2]) * (1 - beta) ** 1.6, [], []
    for eta in etas:
        theory = ModifiedFlow(flow, eta, beta)
        steps = round(1.2 * (1 - beta) / eta)
        times = theory.clock.times(np.arange(steps + 1))
        losses = descent_losses(flow, eta, beta, steps)
        plain.append(np.abs(losses - flow.integrate(times=times).loss).max())
        modified.append(np.abs(losses - theory.integrate(times=times).loss).max())
    assert slope(etas, plain) == pytest.approx(1.0, abs=0.1)
    assert slope(etas, modified) == pytest.approx(2.0, abs=0.15)


def test_the_slow_start_of_the_velocity_matters():
    """Without the shifted start heavy ball's modified flow is of first order only."""
    flow, beta = GradientFlow(problem_of()), 0.5
    etas, errors = np.array([8e-4, 4e-4, 2e-4]), []
    for eta in etas:
        theory = ModifiedFlow(flow, eta, beta)
        theory.theta0 = flow.theta0
        steps = round(0.75 / eta)
        late = np.arange(steps // 2, steps + 1)
        losses = descent_losses(flow, eta, beta, steps)[late]
        errors.append(np.abs(losses - theory.integrate(times=theory.clock.times(late)).loss).max())
    assert slope(etas, errors) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_coefficient_by_an_exactly_solvable_recursion(beta):
    """For L = λθ²/2 the modes of heavy ball are zⁿ, z² − (1 + β − ηλ)z + β = 0.

    The slow one is e^{−rt}, t = ηn/(1 − β), r = −log z (1 − β)/η = λ + (h/2)λ² + O(η²): h/η by a small step.
    """
    lam, eta = 1.0, 1e-5
    middle = (1 + beta - eta * lam) / 2
    rate = -np.log(middle + np.sqrt(middle**2 - beta)) * (1 - beta) / eta
    flow = ModifiedFlow(problem_of(), eta, beta)
    assert flow.objective.step / 2 * lam**2 == pytest.approx(rate - lam, rel=1e-2 if beta else 1e-4)


@pytest.mark.parametrize("second_layer", ["trainable", "fixed"])
def test_velocity_and_hessian_are_derivatives_of_the_modified_loss(second_layer, rng):
    """Central differences of value and velocity; the loss itself is L + (h/4)‖∇L‖²."""
    flow = GradientFlow(problem_of(second_layer=second_layer))
    theory = ModifiedFlow(flow, 0.02, 0.3)
    theta, h = flow.theta0 + 0.3, 1e-5
    step = 0.02 * 1.3 / 0.7**2

    def loss(point):
        return theory.objective.loss(*theory.unpack(point))

    assert loss(theta) == pytest.approx(flow.loss(theta) + step / 4 * np.sum(flow(0, theta) ** 2), rel=1e-13)
    eye = np.eye(theta.size)
    slopes = np.array([(loss(theta + h * v) - loss(theta - h * v)) / (2 * h) for v in eye])
    np.testing.assert_allclose(theory(0, theta), -slopes, atol=1e-8 * np.abs(slopes).max())
    columns = [(theory(0, theta + h * v) - theory(0, theta - h * v)) / (2 * h) for v in eye]
    J = theory.jacobian(0, theta)
    np.testing.assert_allclose(J, np.stack(columns, axis=1), atol=1e-7 * np.abs(J).max())
    v = rng.standard_normal(theta.size)
    np.testing.assert_allclose(theory.hessian_vector(theta, v), -J @ v, atol=1e-8 * np.abs(J @ v).max())


def test_starts_at_the_weights_and_measures_the_plain_loss():
    flow = GradientFlow(problem_of())
    trajectory = ModifiedFlow(flow, 0.01, 0.9).integrate(t_end=1.0, samples=3)
    np.testing.assert_allclose(trajectory.W[0], flow.problem.student.W, atol=1e-15)
    assert trajectory.loss[0] == pytest.approx(flow.loss(flow.theta0), rel=1e-12)


def test_stiff_ends_are_cheap():
    """To convergence with the analytic Jacobian: a few thousand evaluations, as for the flow itself."""
    trajectory = ModifiedFlow(problem_of(), 0.01).integrate()
    assert trajectory.solver.status == "converged"
    assert trajectory.solver.evaluations < 4000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [((0.0,), "positive"), ((0.1, 1.0), "below 1"), ((0.1, -0.1), "negative"), ((np.nan,), "finite")],
)
def test_bad_input_is_refused(arguments, words):
    with pytest.raises(ProblemError, match=words):
        ModifiedFlow(problem_of(), *arguments)


def test_a_modified_flow_is_not_modified_again():
    with pytest.raises(ProblemError, match="already"):
        ModifiedFlow(ModifiedFlow(problem_of(), 0.1), 0.1)
