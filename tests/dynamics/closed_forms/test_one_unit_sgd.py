"""One unit under SGD: the closed forms against the exact mean of a step."""

import numpy as np
import pytest

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.closed_forms import noise_balance, one_unit_largest_step, one_unit_risk
from dynamics.sgd.mean_sgd import MeanSGD


@pytest.mark.parametrize("batch", [1, 5])
def test_the_mean_step_vanishes_at_the_stationary_state(batch):
    """‖w‖² = λ/a and L = 2λ²ρ with the predicted risk: F = 0, to rounding."""
    d, lam, a, eta, Delta = 60, 2.0, 0.5, 1e-3, 0.3
    rho = one_unit_risk(eta, d, Delta, batch=batch, eigenvalue=lam, a=a) / (2 * lam**2)
    w = np.zeros((1, d))
    w[0, :2] = np.sqrt(lam / a) * np.array([np.sqrt(1 - rho), np.sqrt(rho)])
    theory = MeanSGD(Problem(Teacher.from_eigenvalues([lam], d), Student(w, [a], False)), eta, batch, Delta)
    assert theory.order.loss(theory.theta0) == pytest.approx(2 * lam**2 * rho, rel=1e-12)
    assert np.abs(theory.drift(theory.theta0)).max() < 1e-12


def test_risk_of_many_inputs():
    """d → ∞ at fixed ηd: ηdΔ/(1 − 6ηd) for λ = a = 1, diverging at ηd = 1/6."""
    d = 10**7
    assert one_unit_risk(0.05 / d, d, 0.2) == pytest.approx(0.05 * 0.2 / (1 - 0.3), rel=1e-5)
    assert one_unit_largest_step(d) * d == pytest.approx(1 / 6, rel=1e-5)


def test_large_batches_are_limited_by_the_length():
    """B → ∞ is gradient descent: 2/λ_max with the Hessian eigenvalue 12aλ along w."""
    assert one_unit_largest_step(10, batch=10**9, eigenvalue=3.0, a=0.5) == pytest.approx(2 / (12 * 1.5))


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_noise_does_not_change_the_mean_balance_at_the_predicted_ratio(brute_force_step, activation):
    """E[Δc] of one exact step on pure label noise at zero loss vanishes at the ratio, with opposite signs beside it."""
    ratio, changes = noise_balance(3, activation), []
    for factor in (0.8, 1.0, 1.25):
        w = np.array([[0.6, -0.3, 0.2]])
        a = np.sqrt(np.sum(w**2) / (factor * ratio))
        problem = Problem(Teacher(w, [a]), Student(w, [a]), activation)
        W, A, probabilities = brute_force_step(problem, 0.1, 1, 0.5, degree=6)
        c = np.sum(W**2, axis=(1, 2)) - 2 * np.sum(A**2, axis=(1, 2))
        changes.append(probabilities @ c - (np.sum(w**2) - 2 * a**2))
    assert abs(changes[1]) < 1e-12
    assert changes[0] * changes[2] < 0
    assert changes[0] > 0  # too small a w grows


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: one_unit_risk(0.1, 100, 0.1), "diverges"),
        (lambda: one_unit_risk(1e-4, 100, -0.1), "negative"),
        (lambda: one_unit_largest_step(100, a=-1.0), "must be positive"),
        (lambda: one_unit_largest_step(1), "at least 2"),
        (lambda: noise_balance(3, "relu"), "quadratic and centred"),
    ],
)
def test_bad_input_is_refused(call, words):
    with pytest.raises(ProblemError, match=words):
        call()
