"""Weights at the points of the catalogue."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Teacher
from dynamics.stationary import fixed_points, representative

TEACHER = Teacher.from_matrix(
    np.array([[1.5, 0.3, 0.0, 0.1], [0.3, 0.4, 0.2, 0.0], [0.0, 0.2, -0.9, 0.3], [0.1, 0.0, 0.3, 0.0]])
)


@pytest.mark.parametrize("seed", [None, 0, 1])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"activation": "centred"},
        {"second_layer": "fixed", "second_layer_value": 0.7},
        {"signs": "+,-,0,+,-,-"},
    ],
)
def test_students_sit_at_their_points(seed, options):
    """Gradient and loss from the population loss; the network's M has the learned values as its spectrum."""
    catalogue = fixed_points(TEACHER, 6, **options)
    for point in catalogue.feasible:
        student = representative(catalogue.spectrum, catalogue.second_layer, point, seed)
        flow = GradientFlow(Problem(TEACHER, student, catalogue.activation))
        assert np.abs(flow(0, flow.theta0)).max() < 1e-12
        assert flow.loss(flow.theta0) == pytest.approx(point.loss, rel=1e-12, abs=1e-13)
        assert student.trainable == catalogue.trainable
        if catalogue.trainable:
            np.testing.assert_array_equal(np.sign(student.a), point.signs)
        M = (student.W.T * student.a) @ student.W
        values = np.sort(np.append(point.learned_values, np.zeros(4 - point.rank)))
        np.testing.assert_allclose(np.linalg.eigvalsh(M), values, atol=1e-12)


def test_aligned_representatives_are_balanced_and_spare_units_dead():
    catalogue = fixed_points(Teacher.from_eigenvalues([4, 2, 1]), 4)
    student = catalogue.representative(catalogue.point((0, 2)))
    active = student.W.any(axis=1)
    assert active.sum() == 2
    np.testing.assert_allclose(np.sum(student.W[active] ** 2, axis=1), 2 * student.a[active] ** 2, rtol=1e-14)


def test_random_representatives_differ_and_share_the_work():
    catalogue = fixed_points(Teacher.from_eigenvalues([4, 2, -1]), 5)
    point = catalogue.point((0, 2))
    first, second = (catalogue.representative(point, seed) for seed in (0, 1))
    assert np.abs(first.W - second.W).max() > 0.1
    assert np.count_nonzero(np.abs(first.W).sum(axis=1) > 1e-3) == 5
    np.testing.assert_array_equal(first.W, catalogue.representative(point, 0).W)


def test_points_that_do_not_exist_have_no_weights():
    catalogue = fixed_points(Teacher.from_eigenvalues([2, -1.9]), 1)
    with pytest.raises(ProblemError, match="has no weights: Needs 1 positive and 1 negative"):
        catalogue.representative(catalogue.point((0, 1)))


def test_random_second_layers_scatter_about_the_natural_size():
    """log |a_k| is normal about (λ_0/2)^{1/3}, what the unit of mode λ_0 takes in balance, with a deviation of 0.3.

    1000 draws: mean and deviation within five standard errors, 0.3/√1000 and 0.3/√2000. A fixed layer stays.
    """
    catalogue = fixed_points(Teacher.from_eigenvalues([4, 2, -1]), 5)
    point = catalogue.point((0, 2))
    students = [catalogue.representative(point, seed) for seed in range(200)]
    logs = np.log(np.abs([student.a for student in students]) / 2 ** (1 / 3))
    assert abs(logs.mean()) < 5 * 0.3 / np.sqrt(1000)
    assert abs(logs.std() - 0.3) < 5 * 0.3 / np.sqrt(2000)
    fixed = fixed_points(Teacher.from_eigenvalues([4, 2]), 3, second_layer="fixed", second_layer_value=0.7)
    np.testing.assert_array_equal(fixed.representative(fixed.point((0,)), 1).a, [0.7, 0.7, 0.7])
