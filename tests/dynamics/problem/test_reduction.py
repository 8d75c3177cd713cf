"""The span reduction is exact."""

import resource
import subprocess
import sys

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.problem.reduction import reduce_problem


def both(problem, **options):
    full = GradientFlow(problem, reduce=False).integrate(**options)
    reduced = GradientFlow(problem).integrate(**options)
    return full, reduced


def test_reduced_trajectory_is_the_full_one_at_200_inputs():
    """K = 5 units and 3 teacher directions: 8 of 200 inputs; every weight agrees to 1e-9."""
    rng = np.random.default_rng(3)
    teacher = Teacher(rng.standard_normal((3, 200)) / np.sqrt(200), [3.0, 2.0, -1.0])
    problem = Problem(teacher, Student.initialise(5, 200, scale=0.3, seed=1))
    full, reduced = both(problem, t_end=4.0, samples=21, method="DOP853")
    assert reduced.reduced_dimension == 8
    assert full.reduced_dimension == 200
    np.testing.assert_allclose(reduced.W, full.W, rtol=0, atol=1e-9)
    np.testing.assert_allclose(reduced.A, full.A, rtol=0, atol=1e-9)
    np.testing.assert_allclose(reduced.loss, full.loss, rtol=1e-9)
    np.testing.assert_allclose(reduced.modes, full.modes, rtol=0, atol=1e-9)


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_spiked_covariance_reduces_to_its_krylov_space(activation):
    """Σ = I + 2uuᵀ maps span{w, v, u} into itself: at most K + R + 1 dimensions."""
    rng = np.random.default_rng(4)
    u = rng.standard_normal(30)
    Sigma = np.eye(30) + 2 * np.outer(u, u) / (u @ u)
    teacher = Teacher(rng.standard_normal((2, 30)) / 5, [2.0, 1.0])
    problem = Problem(teacher, Student.initialise(3, 30, scale=0.5, seed=2), activation, Sigma)
    full, reduced = both(problem, t_end=1.0, samples=5)
    assert reduced.reduced_dimension == 6
    np.testing.assert_allclose(reduced.W, full.W, rtol=0, atol=1e-9)
    np.testing.assert_allclose(reduced.loss, full.loss, rtol=1e-9)


def test_generic_covariance_is_not_reduced(make_problem, rng):
    problem = make_problem(rng, d=12, K=2, R=2, covariance=True)
    assert reduce_problem(problem).basis is None


def test_nothing_to_reduce_leaves_the_problem_alone(make_problem, rng):
    problem = make_problem(rng, d=3, K=4)
    assert reduce_problem(problem).problem is problem


def test_axis_parallel_starts_stay_axis_parallel():
    """An aligned start lies on an invariant manifold; a rotation with rounding would push it off."""
    problem = Problem(Teacher.from_eigenvalues([3, 2], 40), Student.initialise(2, 40, init="aligned"))
    trajectory = GradientFlow(problem).integrate(t_end=3.0, samples=4)
    W = trajectory.W_at(-1)
    off_axis = W[~np.eye(2, 40, dtype=bool)]
    assert trajectory.reduced_dimension == 4
    np.testing.assert_array_equal(off_axis, 0.0)


def test_a_million_inputs_stay_under_three_gib():
    """Runs in a process of its own, whose peak memory the operating system reports."""
    code = (
        "from dynamics import *\n"
        "t = Teacher.from_eigenvalues([5, 4, 3, 2, 1], 10**6)\n"
        "r = GradientFlow(t, Student.initialise(20, 10**6)).integrate(t_end=1.0)\n"
        "assert r.reduced_dimension == 25 and r.loss[-1] < 0.9 * r.loss[0]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # KiB on Linux
    assert peak < 3 * 2**20
