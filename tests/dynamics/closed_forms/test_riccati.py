"""The matrix Riccati solution against direct integration, and against its own semigroup."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.closed_forms import riccati, riccati_solution
from dynamics.errors import ComputationError

TIMES = [0.0, 0.1, 0.5, 1.0, 3.0, 10.0]


def problem_of(rng, d, K, a, eigenvalues, activation="quadratic", scale=0.1, decay=0.0):
    V = np.linalg.qr(rng.standard_normal((d, d)))[0][: len(eigenvalues)]
    student = Student(scale * rng.standard_normal((K, d)), np.full(K, a), trainable=False)
    return Problem(Teacher(V, eigenvalues), student, activation, weight_decay=decay)


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize(
    ("d", "K", "a", "eigenvalues"),
    [(4, 3, 1.0, [4, 2, 1]), (5, 5, 0.7, [2, 1]), (4, 4, -0.8, [1, -2, 0.5]), (9, 2, 1.3, [3, 1])],
)
@pytest.mark.parametrize("decay", [0.0, 0.4])
def test_equals_direct_integration(rng, activation, d, K, a, eigenvalues, decay):
    """M to 1e-9 and loss to 1e-7, LSODA at rtol 1e-12 on the other side; K < d, K = d, span reduction, a < 0."""
    problem = problem_of(rng, d, K, a, eigenvalues, activation, decay=decay)
    solution = riccati_solution(problem, TIMES)
    run = GradientFlow(problem).integrate(times=TIMES)
    M = a * run.coordinates.swapaxes(1, 2) @ run.coordinates
    np.testing.assert_allclose(solution.M, M, atol=1e-9)
    np.testing.assert_allclose(solution.loss, run.loss, rtol=1e-7, atol=1e-12)
    lifted = solution.M if solution.basis is None else solution.basis @ solution.M @ solution.basis.T
    np.testing.assert_allclose(lifted, a * run.W.swapaxes(1, 2) @ run.W, atol=1e-9)


def test_one_dimension_is_the_logistic_curve():
    """d = 1, centred: ṁ = 8m(λ − m), so m = λ/(1 + (λ/m₀ − 1)e^{−8λt})."""
    problem = Problem(Teacher.from_eigenvalues([2.0]), Student([[0.1]], [1.0], False), "centred")
    t = np.array([0.0, 0.2, 0.5, 5.0, 100.0])
    m = 2 / (1 + (2 / 0.01 - 1) * np.exp(-16 * t))
    np.testing.assert_allclose(riccati_solution(problem, t).M[:, 0, 0], m, rtol=1e-11)


def test_long_times_neither_overflow_nor_drift(rng):
    """e^{8λt} is 10^{1389} at t = 100: the limit is the teacher itself."""
    problem = problem_of(rng, 4, 4, 1.0, [4, 3, 2, 1], "centred")
    solution = riccati_solution(problem, [100.0])
    np.testing.assert_allclose(solution.M[-1], problem.teacher.matrix(), atol=1e-11)


def test_no_teacher_means_algebraic_forgetting():
    """M* = 0, centred: P = P₀(I + 8tP₀)⁻¹."""
    W = np.array([[1.0, 0.3], [0.2, 0.5]])
    problem = Problem(Teacher.from_eigenvalues([0.0], 2), Student(W, [1.0, 1.0], False), "centred")
    P = W.T @ W
    expected = P @ np.linalg.inv(np.eye(2) + 8 * 7.0 * P)
    np.testing.assert_allclose(riccati_solution(problem, [7.0]).M[0], expected, rtol=1e-12)


def test_other_problems_are_refused(rng, make_problem):
    teacher, W = Teacher.from_eigenvalues([1, 1]), np.eye(2)
    refused = [
        (Problem(teacher, Student(W, [1, 1])), "trainable"),
        (Problem(teacher, Student(W, [1, 2], False)), "equal"),
        (Problem(teacher, Student(W, [0, 0], False)), "other than zero"),
        (make_problem(rng, O=2, trainable=False), "one output"),
        (make_problem(rng, covariance=True, trainable=False), "uncorrelated"),
    ]
    for problem, words in refused:
        with pytest.raises(ProblemError, match=words):
            riccati_solution(problem, [1.0])


def test_a_matrix_that_is_not_definite_is_reported(rng, monkeypatch):
    """What LAPACK says of the Cholesky factorisation, a positive number where it broke down."""
    monkeypatch.setattr(riccati, "posv", lambda matrix, right: (matrix, right, 1))
    with pytest.raises(ComputationError, match="a matrix is not definite"):
        riccati_solution(problem_of(rng, 4, 3, 1.0, [4, 2, 1]), [1.0])


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_more_units_than_inputs_cost_no_more(activation, monkeypatch):
    """Of 60 units in 3 inputs matrices of three rows are factored, and the form is that of the flow of all units."""
    W = np.random.default_rng(0).standard_normal((60, 3)) / 8
    problem = Problem(Teacher.from_eigenvalues([2, -1], 3), Student(W, np.full(60, 0.5), False), activation)
    found = riccati_solution(problem, [0.1, 0.4])
    every = GradientFlow(problem, reduce=False).integrate(times=[0.1, 0.4], rtol=1e-11)
    M = 0.5 * np.einsum("tki,tkj->tij", every.W, every.W)
    np.testing.assert_allclose(found.M, M, atol=1e-9)
    sizes = []
    whole = np.linalg.cholesky
    monkeypatch.setattr(np.linalg, "cholesky", lambda A: sizes.append(len(A)) or whole(A))
    riccati_solution(problem, [0.1])
    assert set(sizes) == {3}
