"""The Gaussian counterpart: its loss against Isserlis' theorem and sums over samples, its flow against another law."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.gaussian_theory.counterpart import gaussian_counterpart

CENTRED = {"quadratic": False, "centred": True}


def samples(n=60, d=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.gamma(2.0, size=(n, d)) - 1.0


def gaussian_form(D, S, centred):
    """E (xᵀDx)² of x ~ N(0, S), or the variance of xᵀDx."""
    SD = S @ D
    return 2 * np.trace(SD @ SD) + (0 if centred else np.trace(SD) ** 2)


def forms(W, A):
    return np.einsum("ok,ki,kj->oij", A, W, W)


@pytest.mark.parametrize("activation", CENTRED)
@pytest.mark.parametrize("clock", [1.0, 0.7])
def test_with_a_teacher(activation, clock):
    """γ ½ Σ_o ⟨D_o, C_G[D_o]⟩ for D = M* − M."""
    X, rng = samples(), np.random.default_rng(1)
    teacher = Teacher(rng.standard_normal((3, 4)), rng.standard_normal((2, 3)))
    problem = Problem(teacher, Student.initialise(2, 4, outputs=2), activation, data=(X, np.zeros((60, 2))))
    W, A, S = rng.standard_normal((2, 4)), rng.standard_normal((2, 2)), X.T @ X / 60
    D = forms(teacher.V, teacher.B) - forms(W, A)
    expected = 0.5 * clock * sum(gaussian_form(d, S, CENTRED[activation]) for d in D)
    counterpart = gaussian_counterpart(problem, clock)
    assert counterpart.constant == 0.0
    assert counterpart.loss(W, A) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("activation", CENTRED)
@pytest.mark.parametrize("clock", [1.0, 0.7])
@pytest.mark.parametrize("singular", [False, True])
def test_with_labels(activation, clock, singular):
    """Σ_o [½γ⟨M_o, C_G[M_o]⟩ − E y_o f_o + ½E y_o²], by sums over the samples."""
    X, rng = samples(), np.random.default_rng(1)
    if singular:
        X = X @ np.linalg.qr(rng.standard_normal((5, 4)))[0].T
    Y, S = rng.standard_normal((60, 2)) + X[:, :2] ** 2, X.T @ X / 60
    W, A = rng.standard_normal((2, X.shape[1])), rng.standard_normal((2, 2))
    problem = Problem(None, Student(W, A), activation, data=(X, Y))
    mean = np.sum((W @ S) * W, axis=1) if CENTRED[activation] else 0.0
    f = ((X @ W.T) ** 2 - mean) @ A.T
    quadratic = sum(gaussian_form(M, S, CENTRED[activation]) for M in forms(W, A))
    expected = 0.5 * clock * quadratic + np.sum(0.5 * Y**2 - Y * f) / 60
    assert gaussian_counterpart(problem, clock).loss(W, A) == pytest.approx(expected, rel=1e-10)


def test_both_flows_of_labels_start_alike_from_small_weights():
    """The gradient at M = 0 is that of −⟨B, M⟩ alone, which both have."""
    X, rng = samples(), np.random.default_rng(1)
    problem = Problem(None, Student.initialise(2, 4, scale=1e-4, seed=1), data=(X, rng.standard_normal(60)))
    W, A = problem.student.W, problem.student.A
    exact, gaussian = (
        p.population.velocity(W, A)[0] for p in (problem, gaussian_counterpart(problem).problem)
    )
    np.testing.assert_allclose(gaussian, exact, rtol=1e-6, atol=1e-6 * np.abs(exact).max())


def test_a_clock_under_weight_decay():
    """Inputs on the sphere have the loss γL_G, γ = d/(d + 2): their flow, decay and all, is the counterpart's by γ."""
    problem = Problem(
        Teacher.from_eigenvalues([2, 1]),
        Student.initialise(3, 2, scale=0.5, seed=1),
        weight_decay=(0.3, 0.1),
        distribution="sphere",
        covariance=np.array([[1.0, 0.3], [0.3, 0.5]]),
    )
    times = np.linspace(0, 3, 7)
    exact = GradientFlow(problem).integrate(times=times).loss
    np.testing.assert_allclose(gaussian_counterpart(problem, 0.5).curve(times), exact, rtol=1e-7)
    assert abs(gaussian_counterpart(problem).curve(times)[0] - 2 * exact[0]) < 1e-12
