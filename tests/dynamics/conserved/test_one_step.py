"""What one step does to conserved quantities: against the step itself, and by hand."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.closed_forms import noise_balance
from dynamics.conserved.one_step import decayed_step, descent_change, noise_rate
from dynamics.conserved.quantities import conserved_quantities


@pytest.mark.parametrize("rates", [(1.0, 1.0), (2.0, 0.3)])
def test_change_in_one_step_is_exact(rates, make_problem, rng):
    """q(θ − ηRg) − q(θ) = η² q(Rg) to rounding, with several outputs and correlated inputs."""
    problem = make_problem(rng, O=2, covariance=True, scale=0.5)
    W, A = problem.student.W, problem.student.A
    quantities = conserved_quantities(problem, rates=rates)
    dW, dA = GradientFlow(problem, reduce=False).population.velocity(W, A)
    change = descent_change(quantities, -dW, -dA, 0.01, rates)
    moved = W + 0.01 * rates[0] * dW, A + 0.01 * rates[1] * dA
    measured = np.array([q(*moved) - q(W, A) for q in quantities])
    np.testing.assert_allclose(change, measured, atol=1e-13)
    assert np.abs(change).max() > 1e-4


@pytest.mark.parametrize("rates", [(1.0, 1.0), (2.0, 0.3)])
def test_step_with_decay_is_exact(rates, make_problem, rng):
    """θ ← (1 − ηρ)θ − ηRg gives (1 − ηρ)²q + η²q(Rg) to rounding (theory, 14.1: 2e-13)."""
    problem = make_problem(rng, O=2, covariance=True, scale=0.5)
    W, A = problem.student.W, problem.student.A
    quantities = conserved_quantities(problem, rates=rates)
    dW, dA = problem.population.velocity(W, A)
    moved = 0.97 * W + 0.01 * rates[0] * dW, 0.97 * A + 0.01 * rates[1] * dA
    before, measured = (np.array([q(*state) for q in quantities]) for state in ((W, A), moved))
    found = decayed_step(quantities, before, -dW, -dA, 0.01, 3.0, rates)
    np.testing.assert_allclose(found, measured, atol=1e-13)
    assert np.abs(measured - 0.97**2 * before).max() > 1e-4


@pytest.mark.parametrize("activation", ["quadratic", "centred"])
def test_noise_vanishes_in_the_balance(activation):
    """At a perfect fit with one unit, label noise stands still where ‖w‖²/a² is the known ratio, and pushes back.

    By hand: 4a²Δ(d + 2)‖w‖² − 2Δ · 3‖w‖⁴ for one quadratic unit, d + 1 and 2 in place of d + 2 and 3 if it is centred.
    """
    d, Delta = 5, 0.7
    legs, kurtosis = (d + 2, 3) if activation == "quadratic" else (d + 1, 2)
    for factor, sign in ((1.0, 0), (1.1, -1), (0.9, 1)):
        w = np.zeros((1, d))
        w[0, 0] = 1.3
        a = 1.3 / np.sqrt(noise_balance(d, activation)) * factor
        problem = Problem(Teacher(w, [a]), Student(w, [a]), activation)
        noise = {"label_noise": Delta}
        (rate,) = noise_rate(conserved_quantities(problem), problem, w, np.array([[a]]), **noise)
        assert np.sign(np.round(rate, 12)) == -sign
        assert rate == pytest.approx(Delta * (4 * a**2 * legs * 1.3**2 - 2 * kurtosis * 1.3**4), abs=1e-12)
    half = noise_rate(conserved_quantities(problem), problem, w, np.array([[a]]), batch=2, **noise)
    assert half[0] == pytest.approx(rate / 2)
