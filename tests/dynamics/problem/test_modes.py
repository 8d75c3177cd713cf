"""Teacher modes of activations of degree 1: the teacher itself, and what they measure of a function."""

import numpy as np
import pytest

from dynamics import Teacher
from dynamics.problem.modes import mode_targets, teacher_modes

NAMES = ["linear", "relu", "abs"]
PHI = {"relu": lambda z: np.maximum(z, 0), "abs": np.abs}


@pytest.mark.parametrize("activation", NAMES)
@pytest.mark.parametrize("O", [1, 2])
def test_modes_of_a_perfect_student_are_the_targets(rng, activation, O):
    """Any teacher network; hidden units rescaled by (w, a) → (cw, a/c), c > 0, which changes no function."""
    teacher = Teacher(rng.standard_normal((3, 5)), rng.standard_normal((O, 3)))
    c = rng.uniform(0.2, 5, 3)
    W, A = c[:, None] * teacher.V, teacher.B / c
    targets = mode_targets(teacher, activation)
    np.testing.assert_allclose(teacher_modes(teacher, W, A, activation), targets, rtol=1e-12)
    assert all((np.diff(part) <= 0).all() for part in np.split(targets, O))


@pytest.mark.parametrize("activation", NAMES)
def test_targets_of_an_axis_parallel_teacher_are_its_eigenvalues(activation):
    """f* = Σ λ_m φ(x_m), also where the directions are not normalised: b φ(v·x) = b‖v‖ φ(v̂·x)."""
    np.testing.assert_allclose(mode_targets(Teacher.from_eigenvalues([1, -2, 4]), activation), [4, 1, -2])
    np.testing.assert_allclose(mode_targets(Teacher(np.diag([3.0, 2.0]), [1, 5]), activation), [10, 3])


@pytest.mark.parametrize(("activation", "h"), [("relu", 1 / np.sqrt(2 * np.pi)), ("abs", np.sqrt(2 / np.pi))])
def test_modes_are_the_second_hermite_coefficient(make_problem, rng, activation, h):
    """E f(x)((v·x)² − 1) / E φ(z)(z² − 1) for unit v, by 400,000 samples, within 4.5 standard errors."""
    problem = make_problem(rng, activation=activation)
    W, A = problem.student.W, problem.student.A
    teacher = Teacher.from_eigenvalues([2, 1, 0.5])
    x = rng.standard_normal((400_000, 3))
    samples = (PHI[activation](x @ W.T) @ A[0])[:, None] * (x**2 - 1) / h
    error = samples.std(axis=0) / np.sqrt(len(x))
    modes = teacher_modes(teacher, W, A, activation)
    assert (np.abs(samples.mean(axis=0) - modes) < 4.5 * error).all()
