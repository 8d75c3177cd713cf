"""Largest stable steps: exact for quadratics, verified on both sides by descending."""

import numpy as np
import pytest

from dynamics import ComputationError, GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.flows.finite_data import FiniteDataFlow
from dynamics.sgd.mean_sgd import MeanSGD
from dynamics.stability import (
    RESOLUTION,
    _largest,
    largest_stable_sgd_step,
    largest_stable_step,
    sharpness,
    stability_along,
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
