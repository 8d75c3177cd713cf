"""Counted signatures, closed eigenvalues, losses and gradients at random stationary points under weight decay."""

import numpy as np
import pytest

from dynamics import ProblemError
from dynamics.stationary import fixed_points
from dynamics.stationary.decayed.eigenvalues import eigenvalues


def compare_random_points(number, seed, trainable, random_problem, check_point):
    """At least that many random points, up to 8 of each problem; how many are of which kind."""
    rng = np.random.default_rng(seed)
    seen = {"all": 0, "shared": 0, "lower": 0, "frame": 0, "raw": 0, "centred": 0}
    while seen["all"] < number:
        problem = random_problem(rng, trainable)
        catalogue = fixed_points(problem)
        for i in rng.permutation(len(catalogue.points))[:8]:
            point = catalogue.points[i]
            draw = None if rng.random() < 0.3 else int(rng.integers(2**31))
            h = check_point(problem, catalogue, point, draw)
            if not point.frame or draw is None:
                np.testing.assert_allclose(
                    eigenvalues(catalogue.state(point)), h, atol=1e-11 * np.abs(h).max()
                )
            seen["all"] += 1
            seen["frame"] += point.frame
            seen["shared"] += not point.frame and max(point.units, default=0) > 1
            seen["lower"] += "lower" in (point.branch or ())
            seen["raw" if catalogue.trace_coupling else "centred"] += 1
    return seen


def test_random_points_of_trained_layers(random_problem, check_point):
    seen = compare_random_points(200, 0, True, random_problem, check_point)
    assert min(seen.values()) > 4, seen


def test_random_points_of_a_fixed_second_layer(random_problem, check_point):
    compare_random_points(80, 1, False, random_problem, check_point)


@pytest.mark.slow
def test_many_random_points_of_trained_layers(random_problem, check_point):
    seen = compare_random_points(2500, 2, True, random_problem, check_point)
    assert seen["all"] - seen["frame"] >= 2000
    assert min(seen["raw"], seen["centred"], seen["lower"], seen["shared"]) > 500


@pytest.mark.slow
def test_many_random_points_of_a_fixed_second_layer(random_problem, check_point):
    compare_random_points(600, 3, False, random_problem, check_point)


def test_every_frame_descends(random_problem):
    """Theory 14.4: rotating the units at fixed M lowers the strictly concave Σ m_k^{2/3}: index ≥ 1."""
    rng = np.random.default_rng(5)
    frames = 0
    while frames < 30:
        catalogue = fixed_points(random_problem(rng, True))
        found = [point.index for point in catalogue.points if point.frame]
        assert min(found, default=1) >= 1
        frames += len(found)


def test_decay_balances_every_unit(random_problem):
    """14.1: stationarity forces ρ_w‖w_k‖² = 2ρ_a a_k² on each unit, whatever it holds."""
    rng = np.random.default_rng(6)
    for _ in range(20):
        problem = random_problem(rng, True)
        catalogue, decay = fixed_points(problem), problem.weight_decay
        for point in catalogue.points[:10]:
            student = catalogue.representative(point, seed=1)
            balance = decay.first * np.sum(student.W**2, axis=1) - 2 * decay.second * student.a**2
            np.testing.assert_allclose(balance, 0, atol=1e-14)


def test_decay_of_one_layer_leaves_no_point_that_learns(random_problem):
    """Stationarity forces ρ_w‖w‖² = 2ρ_a a²: with one rate 0 the other weight vanishes, and M with it."""
    from dynamics import Teacher

    for rates in ((0.1, 0.0), (0.0, 0.1)):
        with pytest.raises(ProblemError, match="known only for decay of both trained layers"):
            fixed_points(Teacher.from_eigenvalues([2, 1]), 2, weight_decay=rates)
