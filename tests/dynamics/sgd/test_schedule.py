"""Mean dynamics of SGD along a schedule: against the recursion of its exact mean steps."""

from functools import partial

import numpy as np
import pytest

from dynamics import FluctuatingSGD, MeanSGD, Problem, ProblemError, Student, Teacher
from dynamics.clock import Clock
from dynamics.sgd.differentiation import jacobian
from dynamics.sgd.trajectory import SGDTrajectory

PROBLEM = Problem(Teacher.from_eigenvalues([1, 0.5], 50), Student.initialise(2, 50, scale=0.6, seed=1))


DECAYED = Problem(PROBLEM.teacher, PROBLEM.student, weight_decay=(0.2, 0.4))


@pytest.mark.parametrize(
    ("problem", "schedule"),
    [
        (DECAYED, "step"),
        *(
            pytest.param(PROBLEM, schedule, marks=pytest.mark.slow)
            for schedule in ("cosine", "warmup-cosine:0.2", "step", "wsd:0.4")
        ),
    ],
)
def test_second_order_in_the_step(problem, schedule):
    """s ← s + η_n F(s; η_n), with F linear in η: halving the step divides the distance of the ODE by four.

    At a constant rate the slopes of these steps are 1.77, 1.90 and 1.95.
    """
    errors = []
    for N in (400, 800, 1600):
        step = 0.5 / Clock(1.0, 0.0, schedule, N).end
        clock = Clock(step, 0.0, schedule, N)
        theory = MeanSGD(problem, step, 2, 0.1, schedule=schedule, steps=N)
        state = theory.order.start
        for eta in clock.rates:
            state = state + eta * theory.drift(state, eta)
        errors.append(theory.integrate(times=[0, clock.end]).loss[-1] - theory.order.loss(state))
    np.testing.assert_allclose(np.log2(np.array(errors)[:-1] / errors[1:]), 2, atol=0.2)


def test_drift_of_stacks_of_rates():
    """One call for several states and their rates, as a loop says it; linear in the rate."""
    theory = MeanSGD(PROBLEM, 0.01, 2, 0.1)
    states = theory.order.start * np.linspace(0.5, 1.5, 3)[:, None]
    rates = np.array([0.01, 0.02, 0.04])
    together = theory.drift(states, rates)
    for state, eta, drift in zip(states, rates, together, strict=True):
        np.testing.assert_allclose(drift, theory.drift(state, eta), rtol=1e-13)
    np.testing.assert_array_equal(theory.drift(states), theory.drift(states, 0.01))
    quadratic = theory.drift(states[0], 0.02) - theory.drift(states[0], 0.01)
    np.testing.assert_allclose(theory.drift(states[0], 0.05), theory.drift(states[0], 0.01) + 4 * quadratic)


def test_a_rate_of_the_moment_is_the_step_of_another_theory():
    """Drift and covariance at a rate, with decay and trained second layer: those of the theory with that step."""
    one, other = (FluctuatingSGD(DECAYED, step, 2, 0.1) for step in (0.01, 0.03))
    m, y = one.order.start, one.theta0
    np.testing.assert_allclose(one.drift(m, 0.03), other.drift(m), rtol=1e-13)
    np.testing.assert_allclose(one.step_covariance(m, 0.03), other.step_covariance(m), rtol=1e-13)
    u = len(m)
    np.testing.assert_allclose(one.velocity_at(0.03, y)[: 2 * u], other(0.0, y)[: 2 * u], rtol=1e-12)
    np.testing.assert_allclose(one.jacobian_at(0.03, y), other.jacobian(0.0, y), rtol=1e-12, atol=1e-12)
    assert np.abs(one.drift(m) - other.drift(m)).max() > 1e-3


@pytest.mark.slow
def test_covariance_of_the_states_obeys_the_recursion_of_covariances():
    """S ← (1 + ηF′)S(1 + ηF′)ᵀ + (η_n²/B) C(η_n), along the recursion of the means: order 1 in the step."""
    errors = []
    for N in (100, 200, 400):
        step = 0.5 / Clock(1.0, 0.0, "cosine", N).end
        theory = FluctuatingSGD(PROBLEM, step, 2, 0.1, schedule="cosine", steps=N)
        m, S = theory.order.start, 0.0
        for eta in theory.clock.rates:
            one = np.eye(len(m)) + eta * jacobian(partial(theory.drift, eta=eta), m)
            S = one @ S @ one.T if np.ndim(S) else S
            S = S + eta**2 / 2 * theory.step_covariance(m, eta)
            m = m + eta * theory.drift(m, eta)
        slope = jacobian(theory.order.loss, m)
        curve = theory.integrate(times=[0, theory.clock.end], rtol=1e-6)
        errors.append(curve.loss_std[-1] / np.sqrt(slope @ S @ slope) - 1)
    assert abs(errors[-1]) < 0.02
    np.testing.assert_allclose(np.log2(np.array(errors)[:-1] / errors[1:]), 1, atol=0.2)


def test_steps_of_the_curve_and_its_file(tmp_path):
    theory = MeanSGD(PROBLEM, 0.01, schedule="linear", steps=40)
    curve = theory.integrate()
    assert curve.times[-1] == pytest.approx(0.01 * 20.5)
    np.testing.assert_allclose(theory.clock.times(curve.steps), curve.times, rtol=1e-12)
    assert (curve.steps[-1], curve.schedule) == (40, "linear")
    curve.save(tmp_path / "c.npz")
    read = SGDTrajectory.load(tmp_path / "c.npz")
    np.testing.assert_array_equal(read.steps, curve.steps)
    assert read.attributes()["schedule"] == "linear"
    with pytest.raises(ProblemError, match="schedule ends"):
        theory.integrate(t_end=1.0)


def test_too_large_a_rate_late_in_the_run_is_an_explosion_there():
    """The rate rises to one at which the mean diverges; a constant one of the first half does not."""
    rates = np.where(np.arange(400) < 200, 0.01, 1.0)
    calm = MeanSGD(PROBLEM, 0.1, schedule=np.full(400, 0.01), steps=400).integrate(throw=False)
    wild = MeanSGD(PROBLEM, 0.1, schedule=rates, steps=400).integrate(throw=False)
    assert calm.solver.status == "finished"
    assert wild.solver.status == "diverged"
    assert wild.times[-1] >= 0.2
