"""The span reduction is exact."""

import resource
import subprocess
import sys

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.population.base import Population
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


def teacher_seen(problem):
    """The teacher's directions in the reduced problem, (R, r)."""
    return reduce_problem(problem).problem.teacher.V


def assert_axes(V):
    """One entry in each row, in the column of the row's number."""
    np.testing.assert_array_equal(V != 0, np.eye(*V.shape, dtype=bool))


def orthogonal(rng, count, d):
    return np.linalg.qr(rng.standard_normal((d, count)))[0].T


@pytest.mark.parametrize("O", [1, 3])
def test_orthogonal_directions_become_axes(rng, O):
    """Zeros are zeros, so that products with them need not be made; B stays what it is."""
    B = rng.standard_normal((O, 4))
    problem = Problem(Teacher(orthogonal(rng, 4, 30), B), Student.initialise(5, 30, outputs=O))
    assert_axes(teacher_seen(problem))
    np.testing.assert_array_equal(reduce_problem(problem).problem.teacher.B, B)


@pytest.mark.parametrize("activation", ["quadratic", "relu"])
def test_directions_along_axes_keep_their_lengths(activation):
    """To the last bit, signs included, whatever the axes are: V Qᵀ of the reduced ones is V."""
    V = np.zeros((3, 30))
    V[[0, 1, 2], [7, 29, 0]] = [2.0, -0.3, 1e-20]
    reduction = reduce_problem(Problem(Teacher(V, [1.0, 2.0, 3.0]), Student.initialise(4, 30), activation))
    assert_axes(reduction.problem.teacher.V)
    np.testing.assert_array_equal(reduction.lift(reduction.problem.teacher.V), V)


@pytest.mark.parametrize("distribution", ["gaussian", "sphere"])
def test_of_one_output_eigenvectors_become_axes(rng, distribution):
    """Whatever the directions are, repeated ones too: M* has rank 3 and its own eigenvalues."""
    V = rng.standard_normal((3, 30))
    V = np.vstack([V, V[:1] + V[1:2]])
    teacher = Teacher(V, [3.0, -2.0, 1.0, 0.5])
    problem = Problem(teacher, Student.initialise(5, 30, seed=1), "centred", distribution=distribution)
    small = reduce_problem(problem).problem
    assert_axes(small.teacher.V)
    assert small.inputs == 8
    values = np.linalg.eigvalsh(teacher.matrix())
    np.testing.assert_allclose(
        np.sort(small.teacher.B[0] * (small.teacher.V**2).sum(axis=1)),
        values[np.abs(values) > 1e-9],
        rtol=1e-12,
    )


def test_other_units_and_several_outputs_keep_their_directions(rng):
    """Of those more than M* matters, or no basis is that of all; zero beyond the R first columns all the same."""
    V, student = rng.standard_normal((3, 30)), Student.initialise(5, 30, outputs=2)
    for problem in (
        Problem(Teacher(V, rng.standard_normal((2, 3))), student),
        Problem(Teacher(V, [1.0, 2.0, 3.0]), Student.initialise(5, 30), "relu"),
    ):
        seen = teacher_seen(problem)
        assert not seen[:, 3:].any()
        np.testing.assert_allclose(seen @ seen.T, V @ V.T, rtol=1e-13)


def test_a_small_problem_that_cannot_be_reduced_is_not_turned(rng):
    problem = Problem(Teacher(rng.standard_normal((6, 6)), rng.standard_normal(6)), Student.initialise(3, 6))
    assert reduce_problem(problem).problem is problem


def large_and_full(rng, R=120, O=1):
    """20 units in 120 inputs that a teacher fills."""
    teacher = Teacher(rng.standard_normal((R, 120)) / 11, rng.standard_normal((O, R)))
    return Problem(teacher, Student.initialise(20, 120, scale=0.3, seed=2, outputs=O))


def test_a_large_full_problem_is_turned_into_the_eigenbasis_and_back(rng):
    """Every weight agrees to 1e-9; the curve holds the weights themselves, as if nothing had been turned."""
    problem = large_and_full(rng)
    reduction = reduce_problem(problem)
    assert (reduction.dimension, reduction.smaller) == (120, False)
    assert_axes(reduction.problem.teacher.V)
    full, turned = both(problem, t_end=0.05, samples=5, method="DOP853")
    assert turned.basis is None
    assert turned.reduced_dimension == 120
    for name in ("W", "A", "loss", "modes", "overlaps", "norms", "conserved"):
        ours, theirs = getattr(turned, name), getattr(full, name)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9 * np.abs(theirs).max())
    assert set(turned.variables()) == set(full.variables())


def test_what_gains_nothing_is_not_turned(rng):
    """Axes already, several outputs with directions that stay what they are, and correlated inputs."""
    axes = Problem(Teacher.from_eigenvalues(np.arange(1.0, 121.0)), Student.initialise(20, 120))
    several = large_and_full(rng, O=3)
    correlated = Problem(several.teacher, several.student, covariance=np.diag(np.linspace(1, 2, 120)))
    for problem in (axes, several, correlated):
        assert reduce_problem(problem).problem is problem


def test_a_loss_that_knows_no_ways_is_not_turned(rng, monkeypatch):
    """As that of a law of somebody's own may be: nobody knows what a turn would save."""
    problem = large_and_full(rng)
    monkeypatch.setattr(type(problem.population), "ways", Population.ways)
    assert reduce_problem(problem).problem is problem
