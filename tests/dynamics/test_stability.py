"""Largest stable steps: exact for quadratics, verified on both sides by descending."""

import numpy as np
import pytest

from dynamics import ComputationError, GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.clock import Clock
from dynamics.flows.finite_data import FiniteDataFlow
from dynamics.flows.modified import ModifiedFlow
from dynamics.flows.momentum import HEAVY_BALL, NESTEROV
from dynamics.sgd.mean_sgd import MeanSGD
from dynamics.stability import (
    RESOLUTION,
    STABLE,
    _largest,
    beyond_second_order,
    instability,
    largest_stable_sgd_step,
    largest_stable_step,
    sharpness,
    stability_along,
    stable_steps,
)
from oracles.one_unit_mean_field import mean_field_largest_step


@pytest.mark.parametrize("limit", [1.0, 0.3, 1e-5, 3e-11])
def test_largest_by_bisection(limit):
    """To the resolution, from an upper end of 1; what is not possible even at 1e-12 of it, is not possible."""
    found = _largest(lambda eta: eta <= limit, 1.0)
    assert limit / (1 + RESOLUTION) <= found <= limit
    with pytest.raises(ComputationError, match="No step size is stable here"):
        _largest(lambda eta: eta <= 1e-13, 1.0)


def flow_of(lam=(2, 1), d=3, K=4, scale=0.4, **start):
    return GradientFlow(
        Problem(Teacher.from_eigenvalues(lam, d), Student.initialise(K, d, scale=scale, **start))
    )


def one_unit(d, scale=0.9, eigenvalue=1.0):
    start = {"init": "aligned", "scale": scale, "second_layer": "fixed"}
    return Problem(Teacher.from_eigenvalues([eigenvalue], d), Student.initialise(1, d, **start))


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("data", [False, True])
def test_descent_shrinks_below_and_grows_above_the_predicted_step(rng, beta, data):
    """At the end of the flow, off by 1e-6 along the sharpest direction: 0.98 of the step shrinks it, 1.02 grows it.

    The slowest multiplier of heavy ball at the threshold is −1, at 2 % off about −1 ± 0.02(1 + β)/(1 − β).
    """
    flow = flow_of()
    if data:
        X = rng.standard_normal((60, 3))
        flow = FiniteDataFlow(flow.problem, X, (X**2) @ [2, 1, 0])
    end = flow.integrate()
    theta0 = flow.pack(end.coordinates[-1], end.A[-1])
    values, vectors = np.linalg.eigh(flow.hessian(theta0))
    for factor, grows in ((0.98, False), (1.02, True)):
        theta, v = theta0 + 1e-6 * vectors[:, -1], np.zeros_like(theta0)
        for _ in range(300):
            v = beta * v - flow(0.0, theta)
            theta = theta - factor * 2 * (1 + beta) / values[-1] * v
            if abs((theta - theta0) @ vectors[:, -1]) > 1e-4:
                break
        distance = abs((theta - theta0) @ vectors[:, -1])
        assert (distance > 1e-5) if grows else (distance < 1e-7)
    assert largest_stable_step(flow, end, beta) <= 2 * (1 + beta) / values[-1] * (1 + 1e-9)


def test_report_along_a_path():
    """Sharpness of the modes learned one after the other; the threshold 2(1 + β)/η is crossed when it says so."""
    flow = flow_of((4, 2), d=2, K=2, scale=0.05)
    run = flow.integrate(t_end=6.0)
    values = sharpness(flow, run, points=30)
    assert values[-1] == pytest.approx(
        np.linalg.eigvalsh(flow.hessian(flow.pack(run.coordinates[-1], run.A[-1])))[-1]
    )
    step = 3 / values.max()
    report = stability_along(flow, run, step, points=30)
    assert report.threshold == pytest.approx(2 / 3 * values.max())
    np.testing.assert_array_equal(report.sharpness, values)
    first = report.times[np.argmax(values > report.threshold)]
    assert 0 < report.unstable_from == first < run.times[-1]
    assert stability_along(flow, run, step, momentum=0.9, points=30).unstable_from is None


def test_report_refuses_bad_input():
    flow = flow_of()
    run = flow.integrate(t_end=0.1, samples=3)
    for arguments, words in [((0.0,), "positive"), ((0.1, 1.0), "below 1"), ((0.1, 0.0, 1), "at least 2")]:
        with pytest.raises(ProblemError, match=words):
            stability_along(flow, run, *arguments)


@pytest.mark.parametrize(("d", "batch"), [(500, 1), (20, 1), (50, 4), (5, 1000)])
def test_sgd_threshold_of_one_unit_is_the_closed_form(d, batch):
    """1/(λ(6(d + 6)/B + 2(1 − 1/B))), or 1/(6λ) for large batches: the spectrum of the recursion says the same."""
    problem = one_unit(d, eigenvalue=1.5)
    expected = mean_field_largest_step(d, batch) / 1.5
    assert largest_stable_sgd_step(problem, batch) == pytest.approx(expected, rel=2e-3)


def test_whole_batches_are_limited_by_the_sharpness():
    """B → ∞: 2/λ_max of the Hessian at the minimum."""
    problem = one_unit(5)
    flow = GradientFlow(problem)
    end = flow.integrate()
    value = 2 / np.linalg.eigvalsh(flow.hessian(flow.pack(end.coordinates[-1], end.A[-1])))[-1]
    assert largest_stable_sgd_step(problem, batch=10**9) == pytest.approx(value, rel=2e-3)


@pytest.mark.parametrize(("K", "trainable"), [(2, False), (3, True)])
def test_the_mean_dynamics_comes_to_rest_below_the_threshold_and_leaves_above(K, trainable):
    """From the minimum, disturbed by a speck of label noise."""
    d = 200
    layer = "trainable" if trainable else "fixed"
    start = Student.initialise(K, d, init="aligned", scale=0.7, second_layer=layer)
    problem = Problem(Teacher.from_eigenvalues([1, 0.5], d), start)
    largest = largest_stable_sgd_step(problem)
    end = GradientFlow(problem).integrate()
    learned = Problem(problem.teacher, Student(end.W_at(-1), end.A[-1], trainable))
    for factor, stays in ((0.9, True), (1.1, False)):
        run = MeanSGD(learned, factor * largest, label_noise=1e-10).integrate(t_end=30.0, throw=False)
        assert (run.loss.max() < 1e-8) == stays


def multipliers(form, beta, x):
    """Eigenvalues of one step of (θ, v) in a direction with ηλ = x, v in units of λθ: PyTorch's forms, written out."""
    v = np.array([beta, 1.0])  # v' = βv + λθ over (v, θ)
    move = {
        "gradient descent": np.array([0.0, 1.0]),
        "heavy ball": v,
        "nesterov": np.array([0.0, 1.0]) + beta * v,
    }[form]
    return np.linalg.eigvals(np.stack([v, np.array([0.0, 1.0]) - x * move]))


@pytest.mark.parametrize("beta", [0.0, 0.3, 0.9, 0.99])
@pytest.mark.parametrize("form", STABLE)
def test_stable_products_are_where_the_recursion_loses_its_stability(form, beta):
    """The largest multiplier passes 1 in size exactly there, through −1."""
    bound = STABLE[form](beta)
    assert np.abs(multipliers(form, beta, (1 - 1e-6) * bound)).max() < 1
    assert np.abs(multipliers(form, beta, (1 + 1e-6) * bound)).max() > 1
    assert np.abs(multipliers(form, beta, bound) + 1).min() < 1e-12
    for part in (0.05, 0.5, 0.95):
        assert np.abs(multipliers(form, beta, part * bound)).max() < 1


def test_stable_steps_at_the_start_and_along_the_path():
    """A start that is sharper than the end, as where a warm-up helps, and one that is flatter."""
    sharp, flat = flow_of(scale=3.0), flow_of((4, 2), d=2, K=2, scale=0.05)
    for flow, falls in ((sharp, True), (flat, False)):
        run = flow.integrate(t_end=6.0)
        values = sharpness(flow, run)
        found = stable_steps(flow, run, 0.8)
        assert list(found) == list(STABLE)
        for name, steps in found.items():
            assert steps.start == pytest.approx(STABLE[name](0.8) / values[0], rel=1e-12)
            assert steps.path == pytest.approx(STABLE[name](0.8) / values.max(), rel=1e-12)
            assert largest_stable_step(flow, run, 0.8, name) == steps.path
        assert (values[0] == values.max()) == falls
    with pytest.raises(ProblemError, match="`form` is 'Nesterov'"):
        largest_stable_step(flow, run, 0.8, "Nesterov")


def test_nothing_curves_upwards_at_a_maximum():
    """At zero, of a negative teacher with a fixed a > 0, every direction is stable; with decay it curves by ρ."""
    zero = Student(np.zeros((1, 2)), [1.0], trainable=False)
    for decay, start in ((0.0, None), (20.0, 2 / 4.0)):  # −G = −4D − 2 tr D = −16 for M* = diag(2, 2)
        flow = GradientFlow(Problem(Teacher.from_eigenvalues([2, 2]), zero, weight_decay=decay))
        run = flow.integrate(times=[0, 0.1])
        assert stable_steps(flow, run, 0.0)["gradient descent"].start == start
        assert largest_stable_step(flow, run) == (start or np.inf)


def test_a_known_sharpness_one_mode():
    """A balanced learned mode μ of centred units: λ_max = 24a⁴ with a = (μ/2)^{1/3} (derived here)."""
    mu = 1.7
    a = (mu / 2) ** (1 / 3)
    problem = Problem(Teacher.from_eigenvalues([mu]), Student([[np.sqrt(2) * a]], [a]), "centred")
    flow = GradientFlow(problem)
    run = flow.integrate(times=[0, 0.1])
    assert stable_steps(flow, run, 0.5)["heavy ball"].path == pytest.approx(3 / (24 * a**4), rel=1e-10)


def test_a_schedule_is_unstable_only_where_its_rate_is_too_large():
    """The sharpness rises: the rate is too large for it from a time on, and no longer where the cosine ends."""
    flow = flow_of((4, 2), d=2, K=2, scale=0.05)
    run = flow.integrate(t_end=6.0)
    values = sharpness(flow, run, points=30)
    step = 3 / values.max()
    steps = Clock.until(6.0, step, 0.0, "cosine")[1]
    clock = Clock(step, 0.0, "cosine", steps)
    report = stability_along(flow, run, step, points=30, schedule="cosine", steps=steps)
    rates = np.array(
        [clock.rates[min(int(n), steps - 1)] for n in clock.steps(report.times) if np.isfinite(n)]
    )
    np.testing.assert_allclose(report.rates[: len(rates)], rates, atol=0.05 * step)
    beyond = report.times[report.rates * values > 2]
    assert report.unstable_from == beyond[0] > 0
    assert beyond[-1] < 6.0
    words = instability(run, step, schedule="cosine", steps=steps)
    worst = np.argmax(report.rates * values[: len(report.rates)])
    assert words.startswith("The learning rate is ")
    assert f"it leaves the modified flow from t = {instability_start(run, step, steps):.4g} on" in words
    assert instability(run, step / 10, schedule="cosine", steps=10 * steps) is None
    assert worst > 0


def instability_start(run, step, steps):
    return stability_along(GradientFlow(run.problem), run, step, schedule="cosine", steps=steps).unstable_from


def test_the_threshold_is_that_of_the_form_of_momentum():
    """Between Nesterov's largest step, 2(1 + β)/((1 + 2β)λ), and heavy ball's, 2(1 + β)/λ: only Nesterov is warned."""
    flow, beta = flow_of(), 0.9
    run = flow.integrate(t_end=3.0, samples=21)
    sharpest = sharpness(flow, run).max()
    step = 3 / sharpest  # 1.36 < 3 < 3.8
    assert instability(run, step, beta) is None
    words = instability(run, step, beta, form="nesterov")
    assert f"stable up to {2 * 1.9 / 2.8 / sharpest:.3g}" in words
    assert stability_along(flow, run, step, beta, form="nesterov").threshold == pytest.approx(
        2 * 1.9 / 2.8 / step
    )


@pytest.mark.parametrize(("beta", "form"), [(0.0, HEAVY_BALL), (0.9, HEAVY_BALL), (0.9, NESTEROV)])
def test_a_correction_as_large_as_the_slope_is_said(beta, form):
    """Against the modified velocity itself, at the end of a run, along the eigenvector of the sharpest curvature."""
    flow = flow_of()
    run = flow.integrate(t_end=3.0, samples=21)
    step = 0.3 / sharpness(flow, run).max()
    worst = int(np.argmax(sharpness(flow, run, points=21)))
    theta = flow.pack(run.coordinates[worst], run.A[worst])
    e = np.linalg.eigh(flow.hessian(theta))[1][:, -1]
    plain = flow(0.0, theta) @ e
    part = (ModifiedFlow(flow.problem, step, beta, form=form).velocity_at(step, theta) @ e - plain) / plain
    words = beyond_second_order(run, step, beta, form=form)
    assert (words is None) == (part < 1)
    if words is not None:
        assert words.startswith(
            f"`step` is {step:g} with momentum 0.9, so that at t = {run.times[worst]:.4g} "
        )
        assert f"by {part:.3g} times itself" in words
        assert f"far below {step / part:.2g}" in words
    assert beyond_second_order(run, 0.99 * step / part, beta, form=form) is None
    assert beyond_second_order(run, 1.01 * step / part, beta, form=form) is not None


def test_the_correction_is_that_of_the_rate_of_the_moment():
    """Sharp at the end, where a cosine is small: fine; with the schedule turned round it is not."""
    flow = flow_of((4, 2), d=2, K=2, scale=0.05)
    run = flow.integrate(t_end=6.0, samples=61)
    step = 1.1 * 2 / 190 / sharpness(flow, run).max()
    length = Clock.until(6.0, step, 0.9, "linear")[1]
    assert beyond_second_order(run, step, 0.9) is not None
    falling = beyond_second_order(run, step, 0.9, schedule="linear", steps=length)
    turned = beyond_second_order(run, step, 0.9, schedule=np.linspace(0, 1, length + 1)[1:], steps=length)
    assert falling is None and turned.startswith("The learning rate is ")
