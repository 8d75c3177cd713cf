"""Teacher, student, problem: what they hold and what they refuse."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamics import Problem, ProblemError, Student, Teacher


def test_eigenvalue_teacher_is_the_diagonal_matrix():
    teacher = Teacher.from_eigenvalues([4, 0, -2], inputs=5)
    np.testing.assert_array_equal(teacher.matrix(), np.diag([4.0, 0, -2, 0, 0]))
    np.testing.assert_array_equal(teacher.eigen[0][0], [4, -2])


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_eigen_of_a_teacher_network_rebuilds_its_matrix(d, R, seed):
    """Σ λ_i v_i v_iᵀ = Σ b_m v_m v_mᵀ, orthonormal v_i, for R below, at and above d."""
    rng = np.random.default_rng(seed)
    teacher = Teacher(rng.standard_normal((R, d)), rng.standard_normal((2, R)))
    for o, (lam, vectors) in enumerate(teacher.eigen):
        np.testing.assert_allclose((vectors.T * lam) @ vectors, teacher.matrix(o), atol=1e-11)
        np.testing.assert_allclose(vectors @ vectors.T, np.eye(len(lam)), atol=1e-12)
        assert (np.diff(lam) <= 0).all()


def test_matrix_teacher_round_trip(rng):
    S = rng.standard_normal((2, 4, 4))
    M = S + S.transpose(0, 2, 1)
    teacher = Teacher.from_matrix(M)
    assert teacher.outputs == 2
    for o in range(2):
        np.testing.assert_allclose(teacher.matrix(o), M[o], atol=1e-13)


def test_one_matrix_serves_every_output():
    teacher = Teacher.from_matrix(np.diag([2.0, 1.0]), inputs=3, outputs=2)
    np.testing.assert_allclose(teacher.matrix(0), teacher.matrix(1))
    assert teacher.inputs == 3


@pytest.mark.parametrize("size", [1e51, 1e200, 1e-51, 1e-300])
def test_teachers_whose_losses_no_number_holds_are_refused(size):
    """Squares of 1e±51 and more; zero is a teacher, and a mode may be as small as it likes beside a larger one."""
    with pytest.raises(ProblemError, match="scale it"):
        Teacher.from_eigenvalues([size, 0.0])
    with pytest.raises(ProblemError, match="scale it"):
        Teacher([[size**0.5, 0.0]], [1.0])
    assert Teacher.from_eigenvalues([0.0, 0.0]).inputs == 2
    assert Teacher.from_eigenvalues([1.0, 1e-300]).inputs == 2
    assert Teacher.from_eigenvalues([1e50, 1e-50]).inputs == 2


def test_power_law_eigenvalues():
    np.testing.assert_allclose(Teacher.power_law(1.5, 4).eigen[0][0], [1, 2**-1.5, 3**-1.5, 4**-1.5])


def test_a_low_rank_teacher_in_a_million_inputs_forms_no_matrix():
    """A 10⁶ × 10⁶ matrix would need 8 TB."""
    teacher = Teacher.from_eigenvalues([3, 1], inputs=10**6)
    np.testing.assert_allclose(teacher.eigen[0][0], [3, 1])


def test_balanced_start_has_vanishing_invariants():
    """c_k = ‖w_k‖² − 2 Σ_o A_ok² = 0 by definition of balance."""
    for outputs in (1, 3):
        s = Student.initialise(6, 4, init="balanced", scale=0.3, seed=5, outputs=outputs)
        np.testing.assert_allclose(np.sum(s.W**2, 1), 2 * np.sum(s.A**2, 0), rtol=1e-13)


def test_gaussian_start_has_the_stated_scales():
    """Variances of 20,000 w entries and 2,000 a entries, within 5 standard errors σ²√(2/n)."""
    s = Student.initialise(2000, 10, scale=0.2, seed=1)
    assert abs(np.var(s.W) / (0.04 / 10) - 1) < 5 * np.sqrt(2 / 20000)
    assert abs(np.var(s.A) / 0.04 - 1) < 5 * np.sqrt(2 / 2000)


def test_a_balanced_start_is_a_gaussian_one_with_random_signs():
    """Variance of w as stated, and half of the a_k positive, within 5 standard errors σ²√(2/n) and √n/2."""
    n = 2000
    s = Student.initialise(n, 10, init="balanced", scale=0.2, seed=1)
    assert abs(np.var(s.W) / (0.04 / 10) - 1) < 5 * np.sqrt(2 / (10 * n))
    assert abs(np.sum(s.a > 0) - n / 2) < 5 * np.sqrt(n) / 2


def test_aligned_start():
    s = Student.initialise(3, 2, init="aligned", scale=0.1)
    np.testing.assert_array_equal(s.W, [[0.1, 0], [0, 0.1], [0.1, 0]])
    np.testing.assert_array_equal(s.a, [0.1, 0.1, 0.1])


def test_problems_are_frozen():
    s = Student.initialise(2, 2)
    with pytest.raises(ValueError, match="read-only"):
        s.W[0, 0] = 1.0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Teacher.from_eigenvalues([1, np.nan]), "NaN"),
        (lambda: Teacher.from_eigenvalues([]), "empty"),
        (lambda: Teacher.from_eigenvalues([3, 2, 1], inputs=2), "inputs"),
        (lambda: Teacher.from_eigenvalues([1], inputs=0), "at least 1"),
        (lambda: Teacher.from_eigenvalues([[1]]), "axes"),
        (lambda: Teacher.from_eigenvalues(["x"]), "real numbers"),
        (lambda: Teacher.from_matrix([[1, 2], [0, 1]]), "not symmetric"),
        (lambda: Teacher.from_matrix([[1, 2]]), "square"),
        (lambda: Teacher.power_law(1, 0), "at least 1"),
        (lambda: Teacher(np.ones((2, 3)), [1.0]), "directions"),
        (lambda: Teacher(np.ones((2, 0)), [1.0, 2.0]), "no columns"),
        (lambda: Teacher.from_eigenvalues([1, 2]).padded(1), "already"),
        (lambda: Student(np.ones((2, 3)), [1.0]), "hidden units"),
        (lambda: Student(np.ones((0, 3)), np.ones((1, 0))), "at least one hidden"),
        (lambda: Student([[1, -2e50]], [1.0]), "`W` has entries up to 2e\\+50, but at most 1e\\+50"),
        (lambda: Student([[1.0]], [2e50]), "`a` has entries up to 2e"),
        (lambda: Student.initialise(2, 2, init="zeros"), "gaussian, balanced, aligned"),
        (lambda: Student.initialise(2, 2, scale=-1), "negative"),
        (lambda: Student.initialise(2, 2, scale=np.inf), "finite"),
        (lambda: Student.initialise(2.5, 2), "whole number"),
        (lambda: Student.initialise(True, 2), "whole number"),
        (lambda: Student.initialise(2, 2, second_layer="frozen"), "trainable, fixed"),
        (lambda: Student.initialise(2, 2, outputs=2).a, "use `A`"),
        (lambda: Student.initialise(2, 3).padded(2), "already"),
        (lambda: Problem(Teacher.from_eigenvalues([1]), Student.initialise(2, 2)), "inputs"),
        (lambda: Problem(Teacher.from_eigenvalues([1, 1]), Student.initialise(2, 2, outputs=2)), "outputs"),
        (lambda: Problem(Teacher.from_eigenvalues([1, 1]), Student.initialise(2, 2), "cubic"), "quadratic"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(make, words):
    with pytest.raises(ProblemError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("Sigma", "words"),
    [
        (np.eye(3), "dimension"),
        (-np.eye(2), "positive"),
        ([[1, 1], [0, 1]], "symmetric"),
        (np.ones(2), "axes"),
    ],
)
def test_bad_covariance_is_refused(Sigma, words):
    with pytest.raises(ProblemError, match=words):
        Problem(Teacher.from_eigenvalues([1, 1]), Student.initialise(2, 2), "quadratic", Sigma)


def test_a_copy_with_another_activation_keeps_the_teacher_unless_told():
    """ψ is stored: the student of the copy learns what it learned before; None makes the teacher follow."""
    problem = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(2, 2))
    kept = replace(problem, activation="relu")
    assert (kept.activation.name, kept.teacher_activation.name) == ("relu", "quadratic")
    together = replace(problem, activation="relu", teacher_activation=None)
    assert together.teacher_activation == together.activation == kept.activation
