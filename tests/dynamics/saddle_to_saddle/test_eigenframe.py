"""The common eigenbasis of teacher and inputs, and the growth matrix in it."""

import numpy as np
import pytest
from scipy.stats import ortho_group

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.population.quadratic import QuadraticPopulation
from dynamics.saddle_to_saddle.eigenframe import eigenframe


def growth_matrix(problem, W, a):
    """G = 4ΣDΣ + 2τΣ (theory, section 1), dense."""
    Sigma = np.eye(problem.inputs) if problem.covariance is None else problem.covariance
    D = problem.teacher.matrix() - (W.T * a) @ W
    tau = np.trace(D @ Sigma) if problem.activation.name == "quadratic" else 0.0
    return 4 * Sigma @ D @ Sigma + 2 * tau * Sigma


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
@pytest.mark.parametrize("seed", range(5))
def test_rates_are_eigenvalues_of_the_growth_matrix(seed, activation):
    """With one unit exactly on a learned direction, at its learned value: spectrum of G and loss of the level."""
    rng = np.random.default_rng(seed)
    Q = ortho_group.rvs(4, random_state=seed)
    values, variances = rng.standard_normal(4), rng.uniform(0.5, 2, 4)
    problem = Problem(
        Teacher.from_matrix((Q * values) @ Q.T),
        Student.initialise(2, 4, scale=1e-3, seed=seed),
        activation,
        (Q * variances) @ Q.T,
    )
    frame = eigenframe(problem)
    order = np.argsort(-values * variances)
    assert frame.eigenvalues == pytest.approx((values * variances)[order])
    assert frame.variances == pytest.approx(variances[order])
    for n in range(4):
        level = frame.level([n])
        direction = Q[:, order[n]] / np.sqrt(variances[order[n]])
        a = np.sign(level.values[0])
        W = np.sqrt(abs(level.values[0])) * direction[None]
        G = growth_matrix(problem, W, np.array([a]))
        assert np.linalg.eigvalsh(G) == pytest.approx(np.sort(frame.rates([n])), abs=1e-12)
        population = QuadraticPopulation(
            problem.teacher.V, problem.teacher.B, problem.covariance, float(activation == "quadratic")
        )
        assert population.loss(W, np.array([[a]])) == pytest.approx(level.loss, rel=1e-12)


def test_weights_in_the_basis():
    """Norms and teacher modes of the student are the same in the basis, also after a span reduction."""
    problem = Problem(Teacher.from_eigenvalues([2, -1], 50), Student.initialise(3, 50, seed=1))
    frame = eigenframe(problem)
    W = problem.student.W
    assert np.linalg.norm(frame.W, axis=1) == pytest.approx(np.linalg.norm(W, axis=1))
    assert frame.W[:, 0] ** 2 == pytest.approx(W[:, 0] ** 2)
    assert frame.W[:, -1] ** 2 == pytest.approx(W[:, 1] ** 2)
    assert list(frame.numbers) == [
        0,
        1,
        2,
        3,
        49,
    ]  # three directions that only the student has; −1 is the last
    assert frame.named([4]).learned == (49,)


def test_repeated_eigenvalues_and_covariance():
    """M* = I: the basis that diagonalises Σ is taken; eigenvalues then belong together only where σ agrees as well."""
    Q = ortho_group.rvs(3, random_state=3)
    Sigma = (Q * [1.0, 2.0, 2.0]) @ Q.T
    frame = eigenframe(Problem(Teacher.from_matrix(np.eye(3)), Student.initialise(2, 3), covariance=Sigma))
    assert frame.variances == pytest.approx([2, 2, 1])
    assert list(frame.alike(0)) == [0, 1]
    assert list(frame.alike(2)) == [2]


def test_refused():
    """Several outputs; Σ that mixes eigenvectors of M*."""
    with pytest.raises(ProblemError, match="outputs"):
        eigenframe(Problem(Teacher.from_eigenvalues([1.0], outputs=2), Student.initialise(1, 1, outputs=2)))
    Sigma = np.array([[1.0, 0.1], [0.1, 1.0]])
    with pytest.raises(ProblemError, match="covariance"):
        eigenframe(Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(2, 2), covariance=Sigma))
