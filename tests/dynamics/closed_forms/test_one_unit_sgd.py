"""One unit under SGD: the closed forms against the exact mean of a step."""

import numpy as np
import pytest

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.closed_forms import OneUnitSGD, noise_balance, one_unit_largest_step, one_unit_risk
from dynamics.sgd.fluctuations import FluctuatingSGD
from dynamics.sgd.mean_sgd import MeanSGD


def deviations(W, lam, a):
    """Q = aλ‖u_⊥‖² and V = aλ u_∥² of weights (…, 1, d) beside √(λ/a) e_0."""
    u = W[..., 0, :] - np.sqrt(lam / a) * np.eye(W.shape[-1])[0]
    return a * lam * np.stack([np.sum(u[..., 1:] ** 2, axis=-1), u[..., 0] ** 2])


def exact_map(brute_force_step, step, batch, Delta, lam, a):
    """The map (Q, V) → M(Q, V) + n of one step, from all batches of quadrature nodes (d = 3).

    n is exact; M is a second difference in the size of the deviation, in error by its square, 1e-6.
    """
    fit = np.sqrt(lam / a) * np.eye(3)[:1]

    def after(w, noise):
        problem = Problem(Teacher.from_eigenvalues([lam], 3), Student(w, [a], trainable=False))
        W, _, probabilities = brute_force_step(problem, step, batch, noise, degree=8)
        return deviations(W, lam, a) @ probabilities

    h, at_rest = 1e-3, after(fit, 0.0)
    columns = []
    for direction in (1, 0):  # across, along
        u = h * np.eye(3)[[direction]]
        bend = after(fit + u, 0.0) + after(fit - u, 0.0) - 2 * at_rest
        columns.append(bend / (2 * a * lam * h**2))
    return np.stack(columns, axis=1), after(fit, Delta)


@pytest.mark.parametrize("batch", [1, 2])
def test_risk_and_largest_step_are_those_of_the_exact_step(brute_force_step, batch):
    """Fixed point of the map 2Q + 6V, and the step where its largest multiplier is 1."""
    lam, a, Delta = 2.0, 0.7, 0.3
    largest = one_unit_largest_step(3, batch=batch, eigenvalue=lam, a=a)
    M, n = exact_map(brute_force_step, 0.6 * largest, batch, Delta, lam, a)
    risk = np.array([2, 6]) @ np.linalg.solve(np.eye(2) - M, n)
    assert one_unit_risk(0.6 * largest, 3, Delta, batch=batch, eigenvalue=lam, a=a) == pytest.approx(
        risk, rel=1e-5
    )
    M, _ = exact_map(brute_force_step, largest, batch, Delta, lam, a)
    assert np.abs(np.linalg.eigvals(M)).max() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("batch", [1, 2])
def test_the_map_of_a_step_is_exact(brute_force_step, batch):
    """All four entries and both sources at a rate of its own, which a schedule changes from step to step."""
    lam, a, Delta, eta = 2.0, 0.7, 0.3, 0.013
    M, n = exact_map(brute_force_step, eta, batch, Delta, lam, a)
    unit = OneUnitSGD(3, Delta, batch, lam, a)
    for Q, V in ((0.02, 0.0), (0.0, 0.03), (0.01, 0.02)):
        np.testing.assert_allclose(unit.step(eta, Q, V), M @ [Q, V] + n, rtol=2e-5)
    np.testing.assert_allclose(unit.step(eta, 0.0, 0.0), n, rtol=1e-12)


def test_risk_of_simulated_networks(rng):
    """400 networks trained by plain NumPy SGD, d = 5, η = .004: within 4 standard errors of about 1 %.

    Δ = .01 leaves a stationary risk of 4e-4, to which terms beyond the leading order in Δ add parts of that size.
    """
    d, eta, Delta, networks = 5, 0.004, 0.01, 400
    w, risks = np.repeat(np.eye(d)[:1], networks, axis=0), []
    for step in range(2000):
        x = rng.standard_normal((networks, d))
        z = np.sum(w * x, axis=1)
        e = x[:, 0] ** 2 + np.sqrt(Delta) * rng.standard_normal(networks) - z**2
        w = w + 2 * eta * (e * z)[:, None] * x
        if step >= 400:  # 12 times the slower relaxation, 1/(8η)
            n = np.sum(w**2, axis=1)
            risks.append((1 - n) ** 2 / 2 + 1 - 2 * w[:, 0] ** 2 + n**2)
    mean = np.mean(risks, axis=0)
    error = mean.std(ddof=1) / np.sqrt(networks)
    assert error < 0.015 * mean.mean()
    assert abs(mean.mean() - one_unit_risk(eta, d, Delta)) < 4 * error


def test_risk_of_many_inputs():
    """d → ∞ at fixed X = ηd: XΔ/(1 − 6X), approached like 1/d with the derived factor, and the step 1/(6d)."""
    X, Delta = 0.05, 0.2
    for d in (1e4, 1e5):
        ratio = one_unit_risk(X / d, int(d), Delta) / (X * Delta / (1 - 6 * X))
        assert (ratio - 1) * d == pytest.approx((2 + 36 * X + 48 * X**2) / (1 - 6 * X), rel=10 / d)
    assert one_unit_largest_step(10**7) * 10**7 == pytest.approx(1 / 6, rel=1e-5)


def test_mean_dynamics_is_right_to_first_and_its_fluctuations_to_second_order_in_many_inputs():
    """Losses at rest against the exact risk at fixed ηd: wrong by 1/d, and by 1/d² with the fluctuations."""
    sizes, errors = np.array([50, 100, 200]), []
    for d in sizes:
        problem = Problem(Teacher.from_eigenvalues([1.0], d), Student(np.eye(d)[:1], [1.0], trainable=False))
        options = {"step": 0.05 / d, "label_noise": 1e-4}
        exact = one_unit_risk(0.05 / d, d, 1e-4)
        losses = [
            theory(problem, **options).integrate(times=[0, 8]).loss[-1]
            for theory in (MeanSGD, FluctuatingSGD)
        ]
        errors.append(np.abs(np.array(losses) / exact - 1))
    slopes = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    np.testing.assert_allclose(slopes, [-1, -2], atol=0.15)


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
        (lambda: one_unit_largest_step(0), "at least 1"),
        (lambda: noise_balance(3, "relu"), "balance of label noise"),
    ],
)
def test_bad_input_is_refused(call, words):
    with pytest.raises(ProblemError, match=words):
        call()
