"""Networks trained under schedules at their best rates, beside what theory predicts."""

import numpy as np
import pytest

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.schedule_choice import choose_schedule
from empirical import train
from empirical.experiments.schedules import schedule_curves, train_schedules

UNIT = Problem(Teacher.from_eigenvalues([1.0], 30), Student(np.eye(30)[:1], [1.0], trainable=False))


@pytest.mark.slow
def test_networks_reach_the_predicted_risks():
    """d = 30, Δ = ½, N = 2000, 1024 networks (0.8 % in the mean): the optimal 3.1298e-3 within 3 %, and every other."""
    choice = choose_schedule(UNIT, 2000, label_noise=0.5, schedules=["constant", "linear", "inverse-time"])
    for networks in train_schedules(choice, 1024, records=3):
        assert networks.standard_error[-1] < 0.012 * networks.risk[-1]
        np.testing.assert_allclose(networks.risk, networks.predicted, rtol=0.03)
    assert networks.name == "optimal"
    assert networks.predicted[-1] == pytest.approx(3.1298e-3, rel=1e-5)


def test_one_unit_along_the_optimal_schedule():
    """96 networks, 300 steps: mean within 4 standard errors (of some 3 %) of the exact map, everywhere."""
    networks = schedule_curves(UNIT, steps=300, label_noise=0.5, schedules=["constant"], seeds=96)
    assert [run.name for run in networks] == ["constant", "optimal"]
    for run in networks:
        assert run.steps[[0, -1]].tolist() == [0, 300]
        late = run.steps > 0
        assert (np.abs(run.risk - run.predicted)[late] < 4 * run.standard_error[late]).all()
        assert run.standard_error[-1] < 0.04 * run.risk[-1]
        assert run.predicted[0] == 0.012
        assert run.risk[0] == pytest.approx(0.012, rel=0.01)
    assert not np.allclose(networks[0].risk[1:], networks[1].risk[1:])


def test_two_units_along_their_best_schedules():
    """d = 100: mean dynamics within 4 standard errors and 5 % (its own error is of order 1/d)."""
    W = np.random.default_rng(0).standard_normal((2, 100)) / 20
    W[:, :2] = [[0.6, 0.3], [-0.2, 0.5]]
    problem = Problem(Teacher.from_eigenvalues([1, 0.5], 100), Student(W, [1, 1], trainable=False))
    for run in schedule_curves(
        problem, steps=150, batch=4, label_noise=0.2, schedules=["cosine", "wsd"], seeds=32
    ):
        error = np.abs(run.risk - run.predicted)
        assert (error <= 4 * run.standard_error + 0.05 * run.predicted).all()
        assert run.risk[-1] < 0.5 * run.risk[0]


def test_numbers_are_those_of_the_networks():
    """Mean and standard error over networks that are trained here, with the rates and seeds of the schedule."""
    choice = choose_schedule(UNIT, 40, label_noise=0.5, schedules=["cosine"])
    found = train_schedules(choice, 5, seed=7, records=3)
    for i, run in enumerate(found):
        rates = choice.rates(run.name)
        np.testing.assert_array_equal(run.rates, rates)
        np.testing.assert_array_equal(run.predicted, choice.risks(run.name)[run.steps])
        again = train(
            choice.problem,
            steps=40,
            step=1.0,
            schedule=rates,
            batch=1,
            label_noise=0.5,
            seeds=5,
            seed=7 + i,
            records=3,
        )
        np.testing.assert_allclose(run.risk, again.loss.mean(axis=0), rtol=1e-4)
        np.testing.assert_allclose(
            run.standard_error[1:], again.loss[:, 1:].std(axis=0, ddof=1) / 5**0.5, rtol=1e-3
        )
    with pytest.raises(ProblemError, match="`seeds` is 1"):
        train_schedules(choice, 1)


def test_networks_that_diverge_are_said():
    """A rate far beyond the stable one: no numbers, and the others are trained all the same."""
    from dataclasses import replace

    choice = choose_schedule(UNIT, 200, label_noise=0.5, schedules=["constant"])
    wild = replace(choice, schedules=(replace(choice.schedules[0], best_rate=1.0),))
    diverged, optimal = train_schedules(wild, 2)
    assert (diverged.risk, diverged.standard_error) == (None, None)
    assert optimal.risk[-1] > 0
