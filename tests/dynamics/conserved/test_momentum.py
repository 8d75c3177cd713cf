"""Recursions of conserved quantities with momentum, against PyTorch's formulas written out step by step."""

import numpy as np
import pytest

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.conserved.momentum import heavy_ball_curves, heavy_ball_total, nesterov_curves, product_of
from dynamics.conserved.quantities import undecayed_quantities

STEP, BETA = 0.02, 0.7


def run(problem, steps, rho, nesterov=False):
    """θ (W, A), velocities v and moves u of every step of v ← βv + F, θ ← θ + η(v, or F + βv)."""
    theta = [problem.student.W.copy(), problem.student.A.copy()]
    v = [np.zeros_like(part) for part in theta]
    states, velocities, moves = [[part.copy()] for part in theta], [[], []], [[], []]
    for _ in range(steps):
        force = problem.population.velocity(*theta)
        for i, F in enumerate(force):
            F = F - rho * theta[i] if i == 0 or problem.student.trainable else 0 * F
            v[i] = BETA * v[i] + F
            u = F + BETA * v[i] if nesterov else v[i]
            velocities[i].append(v[i])
            moves[i].append(u)
            theta[i] = theta[i] + STEP * u
            states[i].append(theta[i])
    return tuple(tuple(map(np.array, part)) for part in (states, velocities, moves))


def problems():
    """Trained second layer of two outputs; and a fixed one with opposite units."""
    rng = np.random.default_rng(5)
    teacher = Teacher(rng.normal(size=(2, 3)), rng.normal(size=(2, 2)))
    yield Problem(teacher, Student(0.5 * rng.normal(size=(3, 3)), 0.5 * rng.normal(size=(2, 3))))
    student = Student(0.5 * rng.normal(size=(3, 3)), [1.0, -1.0, 1.0], trainable=False)
    yield Problem(Teacher.from_eigenvalues([2, -1], 3), student)


@pytest.mark.parametrize("problem", list(problems()), ids=["trained", "fixed"])
@pytest.mark.parametrize("rho", [0.0, 0.3])
@pytest.mark.parametrize("nesterov", [False, True])
def test_recursion_is_exact(problem, rho, nesterov):
    """q_n and b_n of 100 steps from the velocities alone, to rounding (theory, section 16: 1e-14)."""
    states, v, u = run(problem, 100, rho, nesterov)
    quantities = undecayed_quantities(problem)
    measured = np.stack([q(*states) for q in quantities], axis=-1)
    if nesterov:
        found = nesterov_curves(quantities, measured[0], *v, u, STEP, BETA, rho)
    else:
        found = heavy_ball_curves(quantities, measured[0], *v, STEP, BETA, rho)
    np.testing.assert_allclose(found.values, measured, atol=1e-12)
    later = tuple(part[1:] for part in states)
    b = np.stack([product_of(q, later, v) for q in quantities], axis=-1)
    np.testing.assert_allclose(found.products[1:], b, atol=1e-11)
    assert np.abs(measured - measured[0]).max() > 1e-2


def test_total_over_a_run_is_exact():
    """Δc = η²(1+β)/(1−β) Σ B(v, v) − 2ηβ/(1−β) b_N at any end; without the last term once the velocity is gone."""
    problem = next(problems())
    quantities = undecayed_quantities(problem)
    for steps, at_rest in ((30, False), (20_000, True)):
        states, v, _ = run(problem, steps, 0.0)
        measured = np.array([q(*states)[-1] - q(*states)[0] for q in quantities])
        last = tuple(part[-1] for part in states), tuple(part[-1] for part in v)
        b = np.array([product_of(q, *last) for q in quantities])
        np.testing.assert_allclose(heavy_ball_total(quantities, *v, STEP, BETA, b), measured, atol=1e-12)
        off = np.abs(heavy_ball_total(quantities, *v, STEP, BETA) - measured).max()
        assert off < 1e-11 if at_rest else off > 1e-3


def test_polarisation():
    """B(x, x) = q(x), and B of a balance written out."""
    rng = np.random.default_rng(0)
    problem = next(problems())
    q = undecayed_quantities(problem)[1]
    x, y = ((rng.normal(size=(3, 3)), rng.normal(size=(2, 3))) for _ in range(2))
    assert product_of(q, x, x) == pytest.approx(q(*x))
    assert product_of(q, x, y) == pytest.approx(x[0][1] @ y[0][1] - 2 * x[1][:, 1] @ y[1][:, 1])


def test_steps_push_c_up_where_it_is_zero():
    """B(F, F) = a²‖Gw‖² − ½(wᵀGw)² ≥ 0 at ‖w‖² = 2a² (Cauchy–Schwarz): one step from rest, 200 random starts."""
    rng = np.random.default_rng(1)
    for _ in range(200):
        w = rng.normal(size=(1, 3))
        problem = Problem(
            Teacher.from_eigenvalues([2, -1, 0.5]), Student(w, [np.linalg.norm(w) / np.sqrt(2)])
        )
        _, v, _ = run(problem, 1, 0.0)
        (change,) = heavy_ball_curves(undecayed_quantities(problem), [0.0], *v, STEP, BETA).values[1]
        assert change >= -1e-12


def test_arguments_that_are_refused():
    problem = next(problems())
    _, v, _ = run(problem, 2, 0.0)
    quantities = undecayed_quantities(problem)
    for constants, message in [
        ((0.0, 0.5), "positive"),
        ((0.1, 1.0), "below 1"),
        ((0.1, 0.5, -1.0), "decay"),
    ]:
        with pytest.raises(ProblemError, match=message):
            heavy_ball_curves(quantities, np.zeros(3), *v, *constants)


@pytest.mark.parametrize("nesterov", [False, True])
def test_column_space_stays_from_rest(nesterov):
    """K = 5 equal fixed units in d = 3, with decay: the projector in neuron space, to rounding (theory: 2e-16)."""
    rng = np.random.default_rng(2)
    student = Student(0.5 * rng.normal(size=(5, 3)), np.ones(5), trainable=False)
    (W, _), _, _ = run(Problem(Teacher.from_eigenvalues([2, 1, -0.5]), student), 100, 0.3, nesterov)
    Q = np.linalg.qr(W).Q
    P = Q @ np.swapaxes(Q, 1, 2)
    assert np.abs(P - P[0]).max() < 1e-13
    assert np.abs(W[-1] - W[0]).max() > 0.1
