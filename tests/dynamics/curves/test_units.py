"""Drift of c_k, overlaps and norms, unit by unit: by hand, and against statistics of the pre-activations."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.curves.units import overlaps_and_norms, unit_drift, units_summary


def test_one_network_and_several():
    """Two units at three times; three networks whose drifts differ: the median."""
    c = np.array([[1.0, -2.0], [1.5, -2.0], [0.9, -1.0]])
    found = unit_drift(c)
    np.testing.assert_allclose(found["initial"], [1, -2])
    np.testing.assert_allclose(found["drift"], [0.5, 1.0])
    several = unit_drift([c, c[:1] + 3 * (c - c[:1]), c[:1] + 2 * (c - c[:1])])
    np.testing.assert_allclose(several["initial"], [1, -2])
    np.testing.assert_allclose(several["drift"], [1.0, 2.0])


def test_overlaps_are_correlations_of_the_pre_activations():
    """Against numpy.corrcoef and std of w·x and v·x on points whose second moments are Σ to rounding."""
    rng = np.random.default_rng(3)
    points = rng.standard_normal((8, 3)) @ rng.standard_normal((3, 3))
    points = np.concatenate([points, -points])  # of mean zero
    W, V = rng.standard_normal((2, 4, 3)), rng.standard_normal((5, 3))
    overlaps, norms = overlaps_and_norms(W, V, points.T @ points / len(points))
    for t in range(2):
        z = np.concatenate([W[t], V]) @ points.T
        np.testing.assert_allclose(overlaps[t], np.corrcoef(z)[:4, 4:], atol=1e-13)
        np.testing.assert_allclose(norms[t], z[:4].std(axis=1), rtol=1e-13)


def test_overlaps_at_the_edges():
    """Cosine of 60° at lengths whose squares overflow and vanish; exactly ±1 along v; 0 of zero; NaN stays alone."""
    W = np.array([[0.5, np.sqrt(0.75)], [3e200, 0], [-1e-200, 0], [0, 0], [np.nan, 1]])
    overlaps, norms = overlaps_and_norms(W, np.array([[1e-180, 0], [0.0, 0]]))
    np.testing.assert_allclose(overlaps[:, 0], [0.5, 1, -1, 0, np.nan], rtol=1e-15)
    np.testing.assert_array_equal(overlaps[:4, 1], 0)
    np.testing.assert_allclose(norms, [1, 3e200, 1e-200, 0, np.nan], rtol=1e-15)


@pytest.mark.parametrize("covariance", [None, np.diag(np.arange(1.0, 10.0))])
def test_of_a_reduced_problem_they_are_those_of_its_weights(covariance):
    """tanh units in nine dimensions, solved in fewer; against the lifted weights."""
    rng = np.random.default_rng(0)
    V = np.eye(9)[:2] if covariance is not None else rng.standard_normal((2, 9))
    W = np.eye(9)[1:3] + 0.3 * np.eye(9)[:2]
    problem = Problem(Teacher(V, [1, 1]), Student(W, [0.5, 0.5]), "tanh", covariance)
    trajectory = GradientFlow(problem).integrate(0.5, samples=3)
    assert trajectory.basis is not None
    overlaps, norms = overlaps_and_norms(trajectory.W, V, covariance)
    np.testing.assert_allclose(trajectory.overlaps, overlaps, atol=1e-14)
    np.testing.assert_allclose(trajectory.norms, norms, rtol=1e-13)


def test_summary_of_units():
    """Norms with the direction whose overlap is largest in size; six units at most."""
    text = units_summary(np.array([[0.1, -0.9], [1.0, 0.0]]), np.array([2.0, 0.125]))
    assert text == "norms (largest overlap) of the units 2 (-0.900 v_2), 0.125 (+1.000 v_1)"
    assert units_summary(np.ones((7, 1)), np.ones(7)).count("v_1") == 6
