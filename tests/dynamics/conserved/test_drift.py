"""Predicted drift against gradient descent done step by step: exact per step, order η² along a run."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.conserved.drift import DriftField, predicted_drift
from dynamics.conserved.one_step import noise_rate
from dynamics.conserved.quantities import conserved_quantities
from oracles.sample_gradients import autograd_samples


@pytest.fixture
def problem():
    return Problem(Teacher.from_eigenvalues([2, -1], 3), Student.initialise(3, 3, scale=0.5, seed=1))


def descend(problem, step, steps, momentum=0.0, weight_decay=0.0, rates=(1.0, 1.0)):
    """Heavy-ball descent written out: v ← βv + g + γθ, θ ← θ − ηRv; W (T, K, d), A (T, O, K)."""
    velocity = GradientFlow(problem, reduce=False).population.velocity
    W, A = problem.student.W.copy(), problem.student.A.copy()
    v, u = np.zeros_like(W), np.zeros_like(A)
    Ws, As = [W], [A]
    for _ in range(steps):
        dW, dA = velocity(W, A)
        v, u = momentum * v - dW + weight_decay * W, momentum * u - dA + weight_decay * A
        W = W - step * rates[0] * v
        A = A - step * rates[1] * u
        if not problem.student.trainable:
            A = problem.student.A
        Ws.append(W)
        As.append(A)
    return np.stack(Ws), np.stack(As)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"momentum": 0.5},
        {"weight_decay": 0.2},
        {"momentum": 0.4, "weight_decay": 0.1},
        {"rates": (1.0, 0.3)},
        {"rates": (0.5, 0.5), "weight_decay": 0.1},
    ],
)
def test_prediction_along_a_run_errs_by_the_step_squared(options, problem):
    """Regression of the log error on log η, 1.7 < slope < 2.3; the error is small against the drift itself."""
    steps, errors = np.array([4e-3, 2e-3, 1e-3]), []
    for step in steps:
        beta = options.get("momentum", 0.0)
        count = round(1.0 / step * (1 - beta))
        W, A = descend(problem, step, count, **options)
        quantities = conserved_quantities(problem, rates=options.get("rates", (1.0, 1.0)))
        measured = np.stack([q(W, A) for q in quantities], axis=-1)
        times = step * np.arange(count + 1) / (1 - beta)
        drift = predicted_drift(problem, step, times, **options)
        np.testing.assert_allclose(drift.values[0], measured[0], rtol=1e-12)
        errors.append(np.abs(drift.values - measured).max())
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert 1.7 < slope < 2.3
    assert errors[-1] < 0.1 * np.abs(measured - measured[0]).max()


def test_decay_of_the_problem_is_that_of_the_argument(problem):
    """The same numbers either way; both at once, or layers that decay differently, are refused."""
    decayed = Problem(problem.teacher, problem.student, weight_decay=0.2)
    one = predicted_drift(decayed, 0.01, [0, 1], momentum=0.3)
    other = predicted_drift(problem, 0.01, [0, 1], momentum=0.3, weight_decay=0.2)
    np.testing.assert_array_equal(one.values, other.values)
    with pytest.raises(ProblemError, match="leave it out"):
        predicted_drift(decayed, 0.01, [0, 1], weight_decay=0.2)
    with pytest.raises(ProblemError, match="decay alike"):
        predicted_drift(Problem(problem.teacher, problem.student, weight_decay=(0.1, 0.2)), 0.01, [0, 1])


def test_fixed_second_layer_drifts_too(rng):
    """w_k·w_l of opposite units: η² g_k·g_l per step."""
    student = Student(0.4 * rng.normal(size=(3, 2)), [1.0, -1.0, 1.0], trainable=False)
    problem = Problem(Teacher.from_eigenvalues([2, -1]), student)
    W, A = descend(problem, 2e-3, 250)
    drift = predicted_drift(problem, 2e-3, 2e-3 * np.arange(251))
    measured = np.stack([q(W, A) for q in conserved_quantities(problem)], axis=-1)
    assert drift.names == ("w_0·w_1", "w_1·w_2")
    change = np.abs(measured - measured[0]).max()
    assert np.abs(drift.values - measured).max() < 0.02 * change


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_drift_in_batches_is_the_mean_over_samples(activation, make_problem, rng):
    """A step on one sample changes q by η² q(g) exactly; its mean over 200000 samples, within 5 standard errors.

    Gradients by automatic differentiation. The drift is per step, at the start: its first 1e-6.
    """
    problem = make_problem(rng, K=2, activation=activation, covariance=True, scale=0.5)
    n, step = 200_000, 1e-3
    quantities = conserved_quantities(problem)
    change = np.stack([q(*autograd_samples(problem, n, 0.5, rng)) for q in quantities], axis=-1)
    drift = predicted_drift(problem, step, [0, 1e-6], batch=1, label_noise=0.5)
    rate = drift.drift[1] / (step * 1e-6)
    assert (np.abs(change.mean(axis=0) - rate) < 5 * change.std(axis=0) / np.sqrt(n)).all()
    assert (np.abs(rate) > 10 * change.std(axis=0) / np.sqrt(n)).all()


def test_noise_reaches_the_inputs_that_the_reduction_drops():
    """d = 9 inputs reduce to 4, but samples move the weights in all of them."""
    student = Student.initialise(2, 9, scale=0.5, seed=3)
    problem = Problem(Teacher.from_eigenvalues([2, -1], 9), student)
    times = np.linspace(0, 0.01, 3)
    drift = predicted_drift(problem, 1e-3, times, batch=4, label_noise=0.5)
    quantities = conserved_quantities(problem)
    rate = noise_rate(quantities, problem, student.W, student.A, batch=4, label_noise=0.5)
    dW, dA = GradientFlow(problem, reduce=False).population.velocity(student.W, student.A)
    slope = 1e-3 * (rate + np.array([q(dW, dA) for q in quantities]))
    np.testing.assert_allclose(drift.drift[1] / times[1], slope, rtol=0.05)


def test_arguments_that_are_refused(problem):
    for options, message in [
        ({"label_noise": 1.0}, "batch"),
        ({"momentum": 1.0}, "below 1"),
        ({"rates": (1, 2), "weight_decay": 0.1}, "equal"),
        ({"step": -1.0}, "positive"),
    ]:
        with pytest.raises(ProblemError, match=message):
            predicted_drift(problem, **({"step": 0.01, "times": [0, 1]} | options))
    with pytest.raises(ProblemError, match="start at 0"):
        predicted_drift(problem, 0.01, [1.0, 2.0])
    alone = Problem(problem.teacher, Student(np.ones((1, 3)), [1.0], trainable=False))
    with pytest.raises(ProblemError, match="no quadratic"):
        predicted_drift(alone, 0.01, [0, 1])


def test_the_jacobian_of_drifting_quantities_leaves_out_what_acts_on_nothing(problem):
    """q̇ depends on θ, but q acts on nothing: those rows are documented to be left out, all others are exact.

    Against central differences, whose error with a step of 1e-5 is 1e-10 of third derivatives and 1e-11 of rounding.
    """
    field = DriftField.create(problem, 0.05, 0.3, 0.02, 0, 0.0, (0.7, 0.7))
    state, n = field.start(), field.unknowns
    shifts = 1e-5 * np.eye(state.size)
    columns = [(field(0.0, state + e) - field(0.0, state - e)) / 2e-5 for e in shifts]
    J, expected = field.jacobian(0.0, state), np.stack(columns, axis=1)
    np.testing.assert_allclose(J[:n], expected[:n], atol=1e-7 * np.abs(expected).max())
    np.testing.assert_allclose(J[n:, n:], expected[n:, n:], atol=1e-7 * np.abs(expected).max())
    assert not J[n:, :n].any()


def test_the_velocity_lags_behind_the_decay():
    """Weights so small that decay alone moves them: each follows the heavy ball of ½γθ², a linear recursion.

    θ_n = θ_0 x_n with v_{n+1} = βv_n + γx_n, x_{n+1} = x_n − ηrv_{n+1}, hence q_n = q_0 x_n², here by the recursion
    itself. With β = 0.8 and rγ = 1.2 the lag is most of what the step changes: without it, or with another one, the
    error would be of first order in η. Slope of the log error over three steps, once the velocity has caught up
    (βⁿ < 10⁻⁹).
    """
    beta, gamma, rate, steps, errors = 0.8, 1.5, 0.8, np.array([4e-3, 2e-3, 1e-3]), []
    student = Student([[3e-9, 1e-9]], [1e-9])  # c = ‖w‖² − 2a² ≠ 0; forces are 1e-9 of the decay
    problem = Problem(Teacher.from_eigenvalues([1, -0.5]), student)
    for step in steps:
        x, v = 1.0, 0.0
        for _ in range(round(2 * (1 - beta) / step)):  # up to t = 2
            v = beta * v + gamma * x
            x -= step * rate * v
        drift = predicted_drift(
            problem, step, [0.0, 2.0], momentum=beta, weight_decay=gamma, rates=(rate, rate)
        )
        errors.append(abs(drift.values[1, 0] / drift.values[0, 0] - x**2))
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert 1.8 < slope < 2.2
