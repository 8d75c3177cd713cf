"""Theory and practice agree, and the rest falls at the predicted rates."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from empirical import compare, train
from empirical.descent import gradient_descent_loss


def problem_of(scale=0.3, K=8, d=6, seed=0, lam=(4, 2, 1)):
    return Problem(Teacher.from_eigenvalues(lam, d), Student.initialise(K, d, scale=scale, seed=seed))


def slope(x, y):
    """Exponent of a power law y ∝ x^slope."""
    return np.polyfit(np.log(x), np.log(y), 1)[0]


def test_trained_networks_lie_on_the_theory():
    """The orientation of the project: 3000 steps of 512 fresh samples, two seeds: below 0.08 of the initial loss."""
    c = compare(problem_of(), steps=3000, step=1e-3, batch=512, seeds=2, gap="training")
    assert c.relative_error["loss_sup"] < 0.08
    assert c.relative_error["modes_sup"] < 0.08


def test_error_of_gradient_descent_is_first_order_in_the_step():
    """sup |L_GD − L_flow| ∝ η: slope 1."""
    flow = GradientFlow(problem_of(d=3, K=3, lam=(2, 1)))
    etas = np.array([8e-3, 4e-3, 2e-3, 1e-3])
    errors = []
    for eta in etas:
        steps = np.arange(0, round(2.0 / eta) + 1)
        theory = flow.integrate(times=steps * eta)
        errors.append(np.abs(gradient_descent_loss(flow, eta, steps) - theory.loss).max())
    assert slope(etas, errors) == pytest.approx(1.0, abs=0.1)


def test_error_of_heavy_ball_is_first_order_in_the_step():
    """In time ηn/(1 − β) heavy ball follows the same flow, again with an error ∝ η."""
    flow = GradientFlow(problem_of(d=3, K=3, lam=(2, 1)))
    etas = np.array([4e-3, 2e-3, 1e-3, 5e-4])
    errors = []
    for eta in etas:
        steps = np.arange(0, round(1.0 / eta) + 1)
        theory = flow.integrate(times=steps * eta / 0.5)
        errors.append(np.abs(gradient_descent_loss(flow, eta, steps, 0.5) - theory.loss).max())
    assert slope(etas, errors) == pytest.approx(1.0, abs=0.15)


def test_error_of_trained_networks_falls_with_the_step():
    """Real networks, batches so large (8192 × 4 seeds) that the step dominates: slope 1."""
    problem = problem_of(d=3, K=3, lam=(2, 1))
    etas = np.array([1.6e-2, 8e-3, 4e-3])
    errors = [
        compare(
            problem, steps=round(1.6 / eta), step=eta, batch=8192, seeds=4, records=50, gap="training"
        ).relative_error["loss_sup"]
        for eta in etas
    ]
    assert slope(etas, errors) == pytest.approx(1.0, abs=0.2)


def test_error_of_trained_networks_falls_with_the_batch():
    """Spread over 64 networks about full gradient descent, at fixed η: ∝ B^(−1/2).

    The root mean square over 64 networks and all times has a relative error of about 1/√128 = 9 % per point,
    which over three points a factor 16 apart moves the fitted slope by 0.03 (one standard error); 0.1 is allowed.
    """
    problem = problem_of(d=3, K=3, lam=(2, 1))
    flow = GradientFlow(problem)
    batches = np.array([64, 256, 1024])
    spreads = []
    for batch in batches:
        run = train(problem, steps=600, step=2e-3, batch=int(batch), seeds=64, records=30)
        descent = gradient_descent_loss(flow, 2e-3, run.steps)
        spreads.append(np.sqrt(np.mean((run.loss - descent) ** 2)))
    assert slope(batches, spreads) == pytest.approx(-0.5, abs=0.1)


def test_both_sides_start_from_the_same_weights():
    c = compare(problem_of(d=3, K=2, lam=(2, 1)), steps=5, step=1e-3, batch=8, seeds=3, dtype="float64")
    np.testing.assert_allclose(
        c.run.W[:, 0], np.broadcast_to(c.trajectory.W[0], (3, 2, 3)), rtol=0, atol=1e-15
    )
    np.testing.assert_allclose(c.run.loss[:, 0], c.trajectory.loss[0], rtol=1e-13)


@pytest.mark.parametrize("gap", ["theory", "training"])
@pytest.mark.parametrize("data", [{"batch": 16}, {"batch": 0, "samples": 40}, {"batch": 8, "samples": 40}])
def test_the_gap_adds_up(data, gap):
    """Its parts sum to measured minus flow at every time; absent causes contribute nothing."""
    c = compare(
        problem_of(d=3, K=2, lam=(2, 1)), steps=100, step=5e-3, seeds=2, dtype="float64", gap=gap, **data
    )
    np.testing.assert_allclose(c.gap.total, c.run.loss.mean(0) - c.trajectory.loss, rtol=0, atol=1e-13)
    largest = c.gap.largest(c.trajectory.loss[0])
    assert (largest["finite_data"] == 0) == ("samples" not in data)
    assert (largest["sampling_noise"] < 1e-12) == (data["batch"] == 0)
    assert largest["discretisation"] > 0
    assert (largest["remainder"] < 1e-12) == (gap == "training")


def test_whole_batch_on_finite_data_is_the_training_itself():
    """Finite-data part = full-batch training on the same set minus population descent."""
    problem = problem_of(d=3, K=2, lam=(2, 1))
    options = {"steps": 50, "step": 5e-3, "samples": 40, "seeds": 2, "dtype": "float64", "gap": "training"}
    mini, full = compare(problem, batch=10, **options), compare(problem, batch=0, **options)
    np.testing.assert_allclose(mini.gap.finite_data, full.gap.finite_data, rtol=0, atol=1e-13)


def test_momentum_runs_on_its_own_clock():
    c = compare(problem_of(d=3, K=2, lam=(2, 1)), steps=400, step=5e-4, batch=512, momentum=0.5)
    assert c.trajectory.times[-1] == pytest.approx(0.4)
    assert c.run.times[-1] == pytest.approx(0.2)
    assert c.relative_error["loss_sup"] < 0.1


def test_measurement_times_can_be_given():
    c = compare(problem_of(d=3, K=2, lam=(2, 1)), steps=100, step=1e-2, batch=8, times=[0.1, 0.5, 1.0])
    np.testing.assert_allclose(c.run.times, [0, 0.1, 0.5, 1.0])
