"""The modified flow along a schedule of learning rates: second order in the step, jumps and bends included."""

from functools import partial

import numpy as np
import pytest

from dynamics import GradientFlow, ModifiedFlow, Problem, ProblemError, Student, Teacher
from dynamics.clock import Clock
from dynamics.flows.momentum import HEAVY_BALL, NESTEROV


def start(**options):
    return Problem(
        Teacher.from_eigenvalues([2, 1], 3), Student.initialise(3, 3, scale=0.4, seed=1), **options
    )


def descent(problem, clock, form=HEAVY_BALL):
    """Loss after every step of v ← βv + ∇R, θ ← θ − η_n v, or Nesterov's θ − η_n (∇R + βv), written out."""
    beta, flow = clock.momentum, GradientFlow(problem)
    theta, v, losses = flow.theta0, 0.0, [flow.loss(flow.theta0)]
    for n in range(clock.length):
        uphill = -flow(0.0, theta)
        v = beta * v + uphill
        theta = theta - clock.rates[n] * (uphill + beta * v if form.looks_ahead else v)
        losses.append(flow.loss(theta))
    return np.array(losses)


def slopes(problem, schedule, momentum, shortest, until=0.8, form=HEAVY_BALL):
    """Order of the largest errors of both flows up to a time, over the last two of five halvings of the step."""
    plain, modified = [], []
    for N in shortest * 2 ** np.arange(6):
        end = Clock(1.0, momentum, schedule, N).end
        clock = Clock(until / end, momentum, schedule, N)
        times, losses = clock.times(np.arange(N + 1)), descent(problem, clock, form)
        flow = ModifiedFlow(problem, clock.step, momentum, schedule=schedule, steps=N, form=form)
        plain.append(np.abs(losses - GradientFlow(problem).integrate(times=times, rtol=1e-9).loss).max())
        modified.append(np.abs(losses - flow.integrate(times=times, rtol=1e-9).loss).max())
    return [np.log2(np.array(errors)[-3:-1] / errors[-2:]) for errors in (plain, modified)]


def fast_and_slow(fast, *slow):
    """Schedules; those that show nothing else than the first ones are slow tests."""
    return [*fast, *(pytest.param(name, marks=pytest.mark.slow) for name in slow)]


@pytest.mark.parametrize(
    "schedule",
    fast_and_slow(["cosine", "warmup-cosine", "step"], "wsd:0.3:0.2", "linear", "inverse-time:0.5"),
)
def test_flow_is_of_first_and_modified_flow_of_second_order(schedule):
    """Gradient descent; where the rate jumps (step) and bends (wsd, warm-up) too."""
    first, second = slopes(start(), schedule, 0.0, 20)
    np.testing.assert_allclose(first, 1, atol=0.1)
    np.testing.assert_allclose(second, 2, atol=0.1)


@pytest.mark.parametrize("schedule", fast_and_slow(["warmup-cosine"], "cosine", "step"))
def test_orders_with_heavy_ball(schedule):
    """β = 0.5: the step (1 − β)²/(1 + β) times as large for the same correction, so runs are longer."""
    first, second = slopes(start(), schedule, 0.5, 60)
    np.testing.assert_allclose(first, 1, atol=0.1)
    np.testing.assert_allclose(second, 2, atol=0.1)


@pytest.mark.parametrize("schedule", fast_and_slow([], "cosine", "warmup-cosine"))
def test_orders_with_nesterov(schedule):
    """θ ← θ − η_n(∇L + βv), β = 0.5: another correction, another shift, the same rate of the moment."""
    first, second = slopes(start(), schedule, 0.5, 60, form=NESTEROV)
    np.testing.assert_allclose(first, 1, atol=0.1)
    np.testing.assert_allclose(second, 2, atol=0.1)


@pytest.mark.slow
def test_a_rate_inside_of_the_velocity_is_of_first_order_only():
    """v ← βv − η_n∇L, θ ← θ + v, as Keras has it: a delay of the rate that the theory does not know."""
    errors = []
    for N in 240 * 2 ** np.arange(4):
        clock = Clock(0.8 / Clock(1.0, 0.5, "linear", N).end, 0.5, "linear", N)
        flow = GradientFlow(start())
        theta, v, losses = flow.theta0, 0.0, [flow.loss(flow.theta0)]
        for eta in clock.rates:
            v = 0.5 * v + eta * flow(0.0, theta)
            theta = theta + v
            losses.append(flow.loss(theta))
        modified = ModifiedFlow(start(), clock.step, 0.5, schedule="linear", steps=N)
        curve = modified.integrate(times=clock.times(np.arange(N + 1)), rtol=1e-9)
        errors.append(np.abs(curve.loss - losses).max())
    assert (np.log2(np.array(errors)[1:-1] / errors[2:]) < 1.5).all()


def test_orders_with_weight_decay():
    """Decay is part of what is descended, so the rate multiplies it too; loss beside it, objective followed."""
    first, second = slopes(start(weight_decay=(0.3, 0.5)), "cosine", 0.0, 20)
    np.testing.assert_allclose(first, 1, atol=0.1)
    np.testing.assert_allclose(second, 2, atol=0.1)


def test_start_of_the_velocity_is_followed_from_the_first_step():
    """Where the rate rises tenfold while the velocity catches up: order 2 or more in the first ten steps.

    The shift with η₀ alone, in place of the rates of the first steps, would be of order 1.
    """
    errors = []
    for eta in (2e-3, 1e-3, 5e-4):
        rates = np.minimum(1.0, 0.1 + 0.1 * np.arange(40))
        clock = Clock(eta, 0.8, rates, 40)
        flow = ModifiedFlow(start(), eta, 0.8, schedule=rates, steps=40)
        losses = flow.integrate(times=clock.times(np.arange(41))).loss
        errors.append(np.abs(losses - descent(start(), clock))[:11].max())
    assert (np.log2(np.array(errors)[:-1] / errors[1:]) > 1.85).all()


def test_rates_of_ones_own_are_those_of_the_schedule_they_copy():
    """A callable and an array that say what "step" and "cosine" say: the same curves, up to how η(t) is drawn."""
    curve = partial(ModifiedFlow, start(), 0.02, steps=40)
    for schedule in ("cosine", "step:0.1:0.5"):
        named = curve(schedule=schedule).integrate()
        factors = Clock(1.0, 0.0, schedule, 40).rates
        for own in (factors, lambda n, factors=factors: factors[n]):
            np.testing.assert_allclose(curve(schedule=own).integrate().loss, named.loss, rtol=1e-9)


def test_a_constant_schedule_changes_nothing():
    plain = ModifiedFlow(start(), 0.02, 0.5).integrate(t_end=1.0)
    named = ModifiedFlow(start(), 0.02, 0.5, schedule="constant", steps=25).integrate(t_end=1.0)
    assert (plain.loss == named.loss).all()
    ones = ModifiedFlow(start(), 0.02, 0.5, schedule=np.ones(25), steps=25).integrate(t_end=1.0)
    np.testing.assert_allclose(ones.loss, plain.loss, rtol=1e-10)


def test_ends_where_the_schedule_does():
    flow = ModifiedFlow(start(), 0.02, schedule="linear", steps=40)
    curve = flow.integrate()
    assert curve.times[-1] == pytest.approx(0.02 * 20.5, rel=1e-14)  # Σ (1 − n/40)
    assert curve.solver.status == "finished"
    with pytest.raises(ProblemError, match=r"ends at t = 0\.41, but `t_end` is 0\.5\."):
        flow.integrate(t_end=0.5)
    with pytest.raises(ProblemError, match="`steps` is missing"):
        ModifiedFlow(start(), 0.02, schedule="linear")


def test_derivative_of_the_field_at_every_time():
    """Of the flow and of its stretches, at the rates of the moment: central differences of the right-hand side."""
    flow = ModifiedFlow(start(), 0.04, 0.5, schedule="step:0.1:0.5", steps=20)
    theta, h = flow.theta0, 1e-6
    (middle, early), (end, late) = flow.stretches()
    assert (middle, end) == pytest.approx((0.8, 0.88))
    for field, t in (
        (flow, 0.1),
        (early, 0.1),
        (early, middle),
        (flow, middle),
        (late, middle),
        (flow, 0.85),
    ):
        e = np.eye(len(theta))
        slopes = [(field(t, theta + h * x) - field(t, theta - h * x)) / (2 * h) for x in e]
        np.testing.assert_allclose(field.jacobian(t, theta), np.transpose(slopes), rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(flow(middle, theta), late(middle, theta))
    assert np.abs(early(middle, theta) - late(middle, theta)).max() > 1e-3
    assert ModifiedFlow(start(), 0.04).stretches() is None


@pytest.mark.parametrize("method", ["LSODA", "DOP853", "Radau"])
def test_every_evaluation_is_counted(method, monkeypatch):
    """Those along all stretches."""
    calls = [0, 0]
    for k, name in enumerate(("velocity_at", "jacobian_at")):
        original = getattr(ModifiedFlow, name)

        def counting(self, eta, theta, k=k, original=original):
            calls[k] += 1
            return original(self, eta, theta)

        monkeypatch.setattr(ModifiedFlow, name, counting)
    flow = ModifiedFlow(start(), 0.04, schedule="wsd:0.4:0.3", steps=20)
    report = flow.integrate(method=method, samples=2, rtol=1e-8).solver
    # SciPy's solvers do not count two that choose the first step, and the interpolation of the last of the samples
    starts, ends = 3, 40
    assert report.evaluations <= calls[0] <= report.evaluations + 2 * starts + ends
    assert report.evaluations > 60
    assert report.jacobian_evaluations <= calls[1] <= report.jacobian_evaluations + starts
    assert method != "Radau" or report.jacobian_evaluations >= starts  # at least one for every stretch


@pytest.mark.parametrize("method", ["LSODA", "DOP853", "Radau"])
def test_a_jump_of_the_rate_costs_no_accuracy(method):
    """Against two runs of constant rate, one from where the other ends; solvers of every kind."""
    flow = ModifiedFlow(start(), 0.04, schedule="step:0.1:0.5", steps=20)
    curve = flow.integrate(times=[0, 0.2, 0.4, 0.44], method=method, rtol=1e-10)
    first = ModifiedFlow(start(), 0.04).integrate(times=[0, 0.2, 0.4], rtol=1e-12)
    between = Problem(start().teacher, Student(first.W_at(-1), first.A[-1]))
    second = ModifiedFlow(between, 0.004).integrate(times=[0, 0.04], rtol=1e-12)
    np.testing.assert_allclose(curve.loss, [*first.loss, second.loss[-1]], rtol=1e-8)
