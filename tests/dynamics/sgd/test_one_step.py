"""Means of one step of SGD with decay, against exact quadrature over its samples."""

import numpy as np
import pytest

from dynamics import Problem, Student, Teacher
from dynamics.sgd.fluctuations import FluctuatingSGD
from dynamics.sgd.mean_sgd import MeanSGD
from dynamics.sgd.one_step import step_means

STEP, NOISE = 0.07, 0.3


def with_decay(problem, decay):
    return Problem(problem.teacher, problem.student, problem.activation, weight_decay=decay)


def brute_force(problem, batch, one_step):
    """Weights after a step from every batch of nodes, W ← (1 − ηρ_w)W + ηF, A alike, and the probabilities."""
    W, A, p = one_step(problem, STEP, batch, NOISE, degree=8)
    decay = problem.weight_decay
    return W - STEP * decay.first * problem.student.W, A - STEP * decay.second * problem.student.A, p


CASES = [
    ("quadratic", 1, True, 1, 0.4),
    ("quadratic", 2, True, 1, (0.5, 0.2)),
    ("centred", 1, True, 2, 0.4),
    ("quadratic", 1, True, 2, (0.0, 0.3)),
    ("centred", 1, False, 1, 0.4),
]


@pytest.mark.parametrize(("activation", "outputs", "trainable", "batch", "decay"), CASES)
def test_means_are_exact(make_problem, brute_force_step, rng, activation, outputs, trainable, batch, decay):
    """Q, R, A, products of A and c after one step: Gauss–Hermite quadrature of the right degree, to rounding.

    ✓ 5e-15 in the theory; here 1e-13 of the largest entry, for sums of up to 1e5 terms.
    """
    sizes = {"d": 2, "K": 3, "R": 2, "O": outputs, "activation": activation, "trainable": trainable}
    problem = with_decay(make_problem(rng, **sizes), decay)
    W, A, p = brute_force(problem, batch, brute_force_step)
    found = step_means(problem, STEP, batch=batch, label_noise=NOISE)
    measured = {
        "Q": np.einsum("n,nki,nli->kl", p, W, W),
        "R": np.einsum("n,nki,mi->km", p, W, problem.teacher.V),
        "A": np.einsum("n,nok->ok", p, A),
        "AA": np.einsum("n,nok,nol->okl", p, A, A),
    }
    c = np.sum(W**2, axis=2) - 2 * np.sum(A**2, axis=1)
    for name, value in (*measured.items(), ("conserved", p @ c)):
        np.testing.assert_allclose(
            getattr(found, name), value, atol=1e-13 * np.abs(value).max(), err_msg=name
        )


def test_balance_of_equal_decay(make_problem, rng):
    """E[c'] = (1 − ηρ)²c + η²(E‖∂L/∂w‖² − 2E(∂L/∂a)²): its bracket by the step without decay, c' − c over η²."""
    problem = make_problem(rng, d=3, K=2, R=2)
    W, A = problem.student.W, problem.student.A
    c = np.sum(W**2, axis=1) - 2 * np.sum(A**2, axis=0)
    plain = step_means(problem, STEP, label_noise=NOISE).conserved
    decayed = step_means(with_decay(problem, 0.4), STEP, label_noise=NOISE).conserved
    np.testing.assert_allclose(
        decayed, (1 - STEP * 0.4) ** 2 * c + (plain - c), atol=1e-12 * np.abs(plain).max()
    )


def test_fixed_second_layers_stay(make_problem, rng):
    problem = with_decay(make_problem(rng, d=3, K=2, trainable=False), 0.4)
    found, A = step_means(problem, STEP), problem.student.A
    np.testing.assert_array_equal(found.A, A)
    np.testing.assert_array_equal(found.AA, A[:, :, None] * A[:, None, :])


def test_covariance_of_a_step_with_decay(make_problem, brute_force_step, rng):
    """E[Δs Δsᵀ] less the mean, over η², by quadrature of degree 16; ‖x‖² → d is the one approximation.

    Of the part linear in η the quadrature is exact, so that the step is taken small: what is left is O(η).
    """
    problem = with_decay(make_problem(rng, d=2, K=2, R=1), 30.0)  # ηρ = 0.3
    eta, order = 0.01, FluctuatingSGD(problem, 0.01, 1, NOISE).order
    W, A, p = brute_force_step(problem, 1e-7, 1, NOISE, degree=16)
    F = (W - problem.student.W) / 1e-7, (A - problem.student.A) / 1e-7
    kept, W0 = 1 - eta * 30.0, problem.student.W
    dQ = kept * (F[0] @ W0.T + W0 @ np.swapaxes(F[0], 1, 2))  # its part quadratic in η is left out
    change = order.pack(dQ, F[0] @ problem.teacher.V.T, F[1])
    change -= p @ change
    expected = np.einsum("n,ni,nj->ij", p, change, change)
    quadratic = FluctuatingSGD(problem, eta, 10**9, NOISE)  # a batch this large has no quadratic part
    found = quadratic.step_covariance(order.start)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


def test_mean_dynamics_follows_its_recursion():
    """Iterating the exact mean step: difference ∝ η², with decay, trained second layer (slope 2 ± 0.1)."""
    student = Student([[0.6, 0.3, 0.2], [-0.2, 0.5, 0.1]], [1.0, 0.8])
    problem = Problem(Teacher.from_eigenvalues([1, 0.5], 3), student, weight_decay=(0.5, 0.3))
    etas, errors = np.array([4e-3, 2e-3, 1e-3]), []
    for eta in etas:
        theory = MeanSGD(problem, eta, label_noise=0.1)
        curve = theory.integrate(times=eta * np.arange(round(1.2 / eta) + 1))
        states = theory.order.pack(curve.Q, curve.R, curve.A)
        s, worst = theory.theta0, 0.0
        for state in states[1:]:
            s = s + eta * theory.drift(s)
            worst = max(worst, np.abs(s - state).max())
        errors.append(worst)
    assert np.polyfit(np.log(etas), np.log(errors), 1)[0] == pytest.approx(2.0, abs=0.1)


def test_objective_and_drift_of_the_curve(tmp_path):
    """The penalty of the order parameters, and c_k beside its law: without noise, as η → 0, nothing is left."""
    problem = Problem(
        Teacher.from_eigenvalues([1, 0.5], 3), Student.initialise(2, 3, scale=0.6, seed=1), weight_decay=0.3
    )
    curve = MeanSGD(problem, 1e-9).integrate(t_end=1.0, samples=5)
    penalty = 0.15 * (np.einsum("tkk->t", curve.Q) + np.sum(curve.A**2, axis=(1, 2)))
    np.testing.assert_allclose(curve.objective, curve.loss + penalty, rtol=1e-14)
    assert curve.conserved_drift < 1e-6
    assert np.abs(curve.conserved - curve.conserved[0]).max() > 0.03
    assert "objective" in curve.summary()
    curve.save(tmp_path / "run.npz")
    assert (type(curve).load(tmp_path / "run.npz").objective == curve.objective).all()
    plain = MeanSGD(Problem(problem.teacher, problem.student), 1e-9).integrate(t_end=1.0, samples=2)
    assert plain.objective is None
