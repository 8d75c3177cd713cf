"""Levenberg–Marquardt steps to zeros that are not isolated: order of convergence and failures."""

import numpy as np
import pytest

from dynamics.stationary.root_finding import find_root


def circle(x):
    """∇ of (|x|² − 1)²/4 + x_3²/2: stationary on a circle and at 0."""
    return (x[:2] @ x[:2] - 1) * np.array([x[0], x[1], 0]) + np.array([0, 0, x[2]])


def circle_hessian(x):
    H = np.diag([x[:2] @ x[:2] - 1] * 2 + [1.0])
    H[:2, :2] += 2 * np.outer(x[:2], x[:2])
    return H


def test_quadratic_convergence_to_a_manifold():
    """Order log(e_{k+1}/e_k)/log(e_k/e_{k−1}) of the distance to the circle; theory says 2 (Fan & Yuan)."""
    distances = []
    for steps in range(2, 6):
        x, _ = find_root(circle, circle_hessian, np.array([1.3, 0.8, 0.5]), tolerance=0.0, max_steps=steps)
        distances.append(abs(np.hypot(x[0], x[1]) - 1) + abs(x[2]))
    e = np.array([d for d in distances if d > 1e-14])
    orders = np.log(e[2:] / e[1:-1]) / np.log(e[1:-1] / e[:-2])
    assert len(orders) and orders[-1] > 1.8


def test_saddles_and_maxima_are_found_too():
    """x = 0 is a maximum in the plane of the circle."""
    x, norm = find_root(circle, circle_hessian, np.array([0.1, -0.15, 0.3]), tolerance=1e-14)
    assert norm <= 1e-14
    assert np.linalg.norm(x) < 1e-13


def test_linear_convergence_where_the_hessian_vanishes():
    """∇L = x³: every step removes a third of the distance, as Newton's does; no division by zero at the end."""
    x, norm = find_root(lambda x: x**3, lambda x: np.diag(3 * x**2), np.array([1.0, -2.0]), tolerance=1e-15)
    assert norm <= 1e-15
    assert np.abs(x).max() < 1e-4


def test_no_root_is_no_success():
    """∇L = 1 + x² has no zero; |∇L| is least at x = 0, where the search stalls."""
    x, norm = find_root(lambda x: 1 + x**2, lambda x: np.diag(2 * x), np.array([1.5]), tolerance=1e-10)
    assert norm == pytest.approx(1, abs=1e-6)
    assert abs(x[0]) < 1e-2


def test_a_zero_at_infinity_is_given_up():
    """∇L = 1/(1 + x²) of L = atan x: the search stops where it has left [−50, 50], and says that it failed."""
    how = {"tolerance": 1e-12, "max_steps": 400}
    args = (lambda x: 1 / (1 + x**2), lambda x: np.diag(-2 * x / (1 + x**2) ** 2), np.array([1.0]))
    x, norm = find_root(*args, farthest=50.0, **how)
    assert 50 < x[0] < 1e4
    assert norm == pytest.approx(1 / (1 + x[0] ** 2), rel=1e-12)
    beyond, _ = find_root(*args, **how)
    assert beyond[0] > 10 * x[0]


def test_one_weight_at_infinity_is_enough():
    """The same with a second weight that is drawn to zero; a step of Newton's is half of x at most."""
    args = (
        lambda x: np.array([1 / (1 + x[0] ** 2), x[1]]),
        lambda x: np.diag([-2 * x[0] / (1 + x[0] ** 2) ** 2, 1.0]),
        np.array([1.0, 0.5]),
    )
    x, _ = find_root(*args, farthest=50.0, tolerance=1e-12, max_steps=400)
    assert 50 < x[0] < 76
    assert abs(x[1]) < 1


def test_a_least_gradient_that_is_not_zero_is_given_up():
    """∇L = 1 + (x − 1)²: its least value is 1, from which patience goes after so many steps without halving."""
    seen = []

    def gradient(x):
        seen.append(x[0])
        return 1 + (x - 1) ** 2

    x, norm = find_root(
        gradient, lambda x: np.diag(2 * (x - 1)), np.array([5.0]), tolerance=1e-12, patience=5
    )
    assert x[0] == pytest.approx(1, abs=0.1)
    assert norm == pytest.approx(1, abs=0.01)
    impatient = len(seen)
    find_root(gradient, lambda x: np.diag(2 * (x - 1)), np.array([5.0]), tolerance=1e-12, patience=30)
    assert impatient < len(seen) - impatient
