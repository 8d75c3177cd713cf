"""Forms of momentum: the order of their flows, their exactly solvable recursions, what the shifted start does."""

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.flows.modified import ModifiedFlow
from dynamics.flows.momentum import HEAVY_BALL, NESTEROV

BETA = 0.5
HALVINGS = 5


def gradient_flow(decay=0.0):
    student = Student.initialise(3, 3, scale=0.3, seed=0)
    return GradientFlow(Problem(Teacher.from_eigenvalues([2, 1], 3), student, weight_decay=decay))


def nesterov_losses(flow, eta, beta, steps):
    """Losses of v ← βv + g, θ ← θ − η(g + βv) from v = 0, after 0 … steps steps."""
    theta, v, losses = flow.theta0, np.zeros_like(flow.theta0), []
    for _ in range(steps + 1):
        losses.append(flow.loss(theta))
        g = -flow(0.0, theta)
        v = beta * v + g
        theta = theta - eta * (g + beta * v)
    return np.array(losses)


def errors_of(decay=0.0, form=NESTEROV, halvings=HALVINGS, first=0):
    """sup |ΔL| between descent and its modified flow up to t = 1, from a share of the run on, step after step."""
    flow, found = gradient_flow(decay), []
    for half in range(halvings + 1):
        eta = 2e-3 / 2**half
        theory = ModifiedFlow(flow, eta, BETA, form=form)
        steps = round(1.0 * (1 - BETA) / eta)
        late = np.arange(int(first * steps), steps + 1)
        losses = nesterov_losses(flow, eta, BETA, steps)[late]
        curve = theory.integrate(times=theory.clock.times(late)).loss
        found.append(np.abs(losses - curve).max())
    return np.array(found)


@pytest.mark.parametrize("decay", [0.0, pytest.param((0.3, 0.1), marks=pytest.mark.slow)])
def test_nesterovs_flow_is_of_second_order(decay):
    """Slopes of the last two of five halvings, from the first step on, with and without weight decay."""
    errors = errors_of(decay)
    slopes = np.log2(errors[:-1] / errors[1:])
    np.testing.assert_allclose(slopes[-2:], 2.0, atol=0.1)


def test_another_form_is_of_first_order():
    """Heavy ball's coefficient and shift do not follow Nesterov's descent to second order."""
    errors = errors_of(form=HEAVY_BALL, halvings=3, first=0.5)
    np.testing.assert_allclose(np.log2(errors[:-1] / errors[1:])[-2:], 1.0, atol=0.1)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_coefficient_by_an_exactly_solvable_recursion(beta):
    """For L = λθ²/2 Nesterov's modes are zⁿ, z² − (1 + β)(1 − ηλ)z + β(1 − ηλ) = 0.

    The slow one is e^{−rt}, t = ηn/(1 − β), r = −log z (1 − β)/η = λ + (h/2)λ² + O(η²): h/η by a small step.
    """
    lam, eta = 1.0, 1e-5
    middle = (1 + beta) * (1 - eta * lam) / 2
    rate = -np.log(middle + np.sqrt(middle**2 - beta * (1 - eta * lam))) * (1 - beta) / eta
    assert NESTEROV.correction(eta, beta) / 2 * lam**2 == pytest.approx(
        rate - lam, rel=1e-2 if beta else 1e-4
    )


def test_shift_by_a_constant_gradient():
    """With ∇L = 1 the descent is behind the flow by lag · βη/(1 − β)² for good: steps of the rule itself."""
    eta, beta = 0.1, 0.6
    theta = v = 0.0
    for _ in range(200):
        v = beta * v + 1
        theta -= eta * (1 + beta * v)
    behind = theta + eta * 200 / (1 - beta)
    assert NESTEROV.lag(beta) * beta * eta / (1 - beta) ** 2 == pytest.approx(behind, rel=1e-10)
