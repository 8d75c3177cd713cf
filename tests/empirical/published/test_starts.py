"""Starts and configurations that entries rebuild from what is stored."""

import itertools

import numpy as np
import pytest

from dynamics import Problem, Student, Teacher
from empirical.published import (
    copy_average,
    erf_committee,
    escape_equation,
    mean_field_sgd,
    symmetric_plateau,
)
from empirical.published.power_law import decay_order, power_law


def test_weights_of_the_erf_committee_have_the_stored_overlaps():
    """M as it is stored, and the first row of Q; d = 3 there, so that nothing else is free."""
    W = erf_committee.start()
    np.testing.assert_array_equal(W[:, :2], erf_committee.M)
    np.testing.assert_allclose(W @ W[0], erf_committee.Q0, atol=1e-14)


def test_units_on_the_sphere_have_the_stored_overlaps():
    one, two = escape_equation.start(1), escape_equation.start(2)
    for W in (one, two):
        np.testing.assert_allclose(np.linalg.norm(W, axis=1), 1, atol=1e-15)
    np.testing.assert_allclose(two[:, 0], escape_equation.TWO)
    assert two[0] @ two[1] == pytest.approx(escape_equation.BETWEEN, abs=1e-16)
    assert 2 * (1 - one[0, 0] ** 2) == pytest.approx(escape_equation.ONE[0], abs=1e-15)


def test_units_in_batches_begin_at_the_stored_error():
    """(Loss + noise)/2 = 0.088454815741156…, ten digits of which are stored: overlaps 0, 1 and that of the units."""
    W = symmetric_plateau.start()
    np.testing.assert_allclose(W @ W.T, [[1, symmetric_plateau.BETWEEN], [symmetric_plateau.BETWEEN, 1]])
    assert not (W[:, :2]).any()
    pair = 2 / np.pi * np.arcsin(np.array([0.5, symmetric_plateau.BETWEEN / 2]))  # E erf erf
    loss = (2 * pair[0] + (pair[0] + pair[1]) * 2) / 8
    assert (loss + symmetric_plateau.NOISE) / 2 == pytest.approx(symmetric_plateau.ERRORS[0][0], abs=1e-10)


def test_three_units_run_through_the_losses_of_many():
    """Sample by sample, by plain SGD on 40 units with a = 1/40 and on three with a = 1, the same M and the same ηa."""
    rng = np.random.default_rng(5)
    v = np.array([1.0, 0.0, 0.0])
    many = rng.normal(size=(40, 3))
    few = np.linalg.cholesky(many.T @ many / 40).T
    networks = [[many, 1 / 40], [few, 1.0]]
    losses = []
    for _ in range(50):
        x = rng.normal(size=3)
        row = []
        for network in networks:
            W, a = network
            error = a * np.sum((W @ x) ** 2) - (v @ x) ** 2
            network[0] = W - 0.02 * error * np.outer(W @ x, x)
            student = Student(network[0], np.full((1, len(W)), a), trainable=False)
            row.append(Problem(Teacher(v[None], np.ones(1)), student).population.loss(student.W, student.A))
        losses.append(row)
    first, second = np.array(losses).T
    np.testing.assert_allclose(first, second, rtol=1e-11)
    assert np.ptp(first) > 0.1


def test_the_regenerated_start_is_the_stored_one():
    """The first loss that is stored, to its nine digits: 2‖M − vvᵀ‖² and the trace, by hand."""
    v, M0 = mean_field_sgd.start()
    D = M0 - np.outer(v, v)
    assert np.sum(D**2) + np.trace(D) ** 2 / 2 == pytest.approx(mean_field_sgd.RISKS[0], abs=2e-9)


@pytest.mark.parametrize(("units", "groups"), [(4, 2), (6, 3), (7, 4), (3, 3), (5, 1)])
def test_partitions(units, groups):
    """All of them, as brute force finds them among all products."""
    expected = {
        tuple(sorted(sizes, reverse=True))
        for sizes in itertools.product(range(1, units + 1), repeat=groups)
        if sum(sizes) == units
    }
    found = list(copy_average.partitions(units, groups))
    assert set(found) == expected
    assert len(found) == len(expected)


def test_only_the_averaging_unit_of_the_closed_form_rests():
    """Another length, or another second layer, moves: the formula is not one of many."""
    W, A = copy_average.copy_average((3,))
    problem = Problem(Teacher(np.eye(3, 4), np.ones(3)), Student(W, A), activation="erf")
    for length, second in ((1.0, 1.0), (1.01, 1.0), (1.0, 1.01)):
        velocity = problem.population.velocity(length * W, second * A)
        moved = max(np.abs(v).max() for v in velocity)
        assert (moved < 1e-14) == (length == second == 1.0)


def test_power_law_of_mean_square_one():
    lam = power_law(1.25, 400)
    assert np.mean(lam**2) == pytest.approx(1)
    np.testing.assert_allclose(lam[[0, 3]] / lam[[1, 7]], 2**1.25)
    assert decay_order(0.1, 0.5) == pytest.approx(0.1)  # Σr²/d² + λ̃ tr S/d = 2α(Σr²/2n + λ̃/(2α) tr S/d)
