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


def forms(W, A):
    """M_o of every state, (T, O, d, d)."""
    return np.einsum("tok,tki,tkj->toij", A, W, W)


@pytest.mark.parametrize("O", [1, 3])
@pytest.mark.parametrize("axes", [True, False])
def test_modes_are_the_form_along_eigenvectors(rng, O, axes):
    """v_iᵀM_ov_i by definition, eigenvectors from the dense M*_o; along axes and along anything else."""
    V = np.zeros((3, 6))
    V[[0, 1, 2], [4, 0, 3]] = [2.0, -1.0, 0.5]
    teacher = Teacher(V if axes else rng.standard_normal((3, 6)), rng.standard_normal((O, 3)))
    W, A = rng.standard_normal((5, 4, 6)), rng.standard_normal((5, O, 4))
    expected = []
    for o, M in enumerate(np.moveaxis(forms(W, A), 1, 0)):
        values, vectors = np.linalg.eigh(teacher.matrix(o))
        order = [i for i in np.argsort(-values) if abs(values[i]) > 1e-12]
        expected.append(np.einsum("im,tij,jm->tm", vectors[:, order], M, vectors[:, order]))
    np.testing.assert_allclose(teacher_modes(teacher, W, A), np.hstack(expected), rtol=0, atol=1e-12)


def test_directions_along_axes_are_eigenvectors_to_the_last_bit(rng, monkeypatch):
    """Of other lengths and signs too, and without a decomposition; a mode that is 1e-14 of another is none."""
    V, b = np.zeros((4, 7)), np.array([1.0, -2.0, 3.0, 1e-15])
    V[[0, 1, 2, 3], [5, 1, 2, 6]] = [-2.0, 1.0, 0.5, 1.0]
    decomposed = Teacher(V, b)._decomposed(b)
    monkeypatch.setattr(np.linalg, "eigh", None)
    ((values, vectors),) = Teacher(V, b).eigen
    np.testing.assert_array_equal(values, [4.0, 0.75, -2.0])
    np.testing.assert_array_equal(vectors, np.eye(7)[[5, 2, 1]])
    np.testing.assert_allclose(np.sort(decomposed[0]), np.sort(np.append(values, 1e-15)), atol=1e-15)


def test_equal_eigenvalues_keep_the_order_of_the_decomposition():
    """Which of two equal modes is the first is a convention that stays: that of the eigenvectors of the matrix."""
    teacher = Teacher.from_eigenvalues([3.0, 3.0, 1.0, 3.0])
    values, E = np.linalg.eigh(np.diag([3.0, 3.0, 1.0, 3.0]))
    expected = E[:, np.argsort(-values, kind="stable")].T
    np.testing.assert_array_equal(teacher.eigen[0][1], np.abs(expected))


def test_outputs_that_are_taught_the_same_are_decomposed_once(rng, monkeypatch):
    calls, eigh = [], np.linalg.eigh
    monkeypatch.setattr(np.linalg, "eigh", lambda M: calls.append(1) or eigh(M))
    b = rng.standard_normal(3)
    pairs = Teacher(rng.standard_normal((3, 5)), [b, 2 * b, b]).eigen
    assert len(calls) == 2
    assert pairs[0] is pairs[2]
    np.testing.assert_allclose(np.sort(2 * pairs[0][0]), np.sort(pairs[1][0]), rtol=1e-12)
