"""BDF-CG: exact solutions, orders, what it costs late, and what it refuses."""

import numpy as np
import pytest

from dynamics import FiniteDataFlow, GradientFlow, Problem, Student, Teacher
from dynamics.errors import ProblemError
from dynamics.flows.arc_length import ArcLengthFlow
from dynamics.integration import FINISHED, SOLVERS, VectorField
from dynamics.integration.backward_differences import (
    BDF_CG,
    HIGHEST,
    BackwardDifferences,
    _differences,
    _stretched,
)
from dynamics.integration.contract import RUNNING


class Stiff(VectorField):
    """θ̇ = −H(θ − cos t · 1) − sin t · 1 for H with eigenvalues from 0 to 10⁴; counts.

    Solved by cos t · 1 + e^{−Ht}(θ₀ − 1).
    """

    def __init__(self, n=30, largest=1e4):
        values = np.concatenate([[0.0, 0.0], np.geomspace(0.5, largest, n - 2)])
        Q = np.linalg.qr(np.random.default_rng(0).standard_normal((n, n)))[0]
        self.Q, self.values, self.H = Q, values, (Q * values) @ Q.T
        self.slopes = self.products = 0

    def __call__(self, t, theta):
        self.slopes += 1
        return -self.H @ (theta - np.cos(t)) - np.sin(t)

    def jacobian(self, t, theta):
        return -self.H

    def curvature(self):
        def product(theta, v):
            self.products += 1
            return self.H @ v

        return product

    def exact(self, t, theta0):
        return np.cos(t) + self.Q @ (np.exp(-self.values * t) * (self.Q.T @ (theta0 - 1)))


def run(field, theta0, t_end, rtol):
    solver = BDF_CG.create(field, theta0, t_end, rtol, rtol)
    while solver.status == RUNNING:
        assert solver.step() == ""
    assert (solver.t, solver.status) == (t_end, FINISHED)
    return solver


@pytest.mark.parametrize("rtol", [1e-4, 1e-6, 1e-8, 1e-10])
def test_a_stiff_linear_system_is_solved_to_its_tolerance(rtol):
    """Against the exact solution, within 100 tolerances, in steps that know nothing of the eigenvalue 10⁴."""
    field = Stiff()
    theta0 = 1 + np.random.default_rng(1).standard_normal(30)
    solver = run(field, theta0, 10.0, rtol)
    np.testing.assert_allclose(solver.y, field.exact(10.0, theta0), rtol=0, atol=100 * rtol)
    assert (
        field.slopes + field.products < 12_000
    )  # an explicit method is stable with 10⁴ · 10/3 slopes at least
    assert (solver.nfev, solver.njev) == (field.slopes, field.products)


def test_within_a_step_the_solution_is_as_accurate_as_at_its_end():
    field, rtol = Stiff(), 1e-8
    theta0 = 1 + np.random.default_rng(1).standard_normal(30)
    solver, worst = BDF_CG.create(field, theta0, 3.0, rtol, rtol), 0.0
    while solver.status == RUNNING:
        solver.step()
        step = solver.within_step()
        np.testing.assert_array_equal(step(step.t), solver.y)
        for x in (0.2, 0.5, 0.9):
            t = step.t_old + x * (step.t - step.t_old)
            worst = max(worst, np.abs(step(t) - field.exact(t, theta0)).max())
    assert worst < 100 * rtol


@pytest.mark.parametrize("order", range(1, HIGHEST + 1))
def test_the_order_of_convergence(order):
    """Steps of a given length and order from exact values: errors fall as hᵏ, by regression over three halvings."""
    errors, lengths = [], [0.1, 0.05, 0.025, 0.0125]
    field = Stiff(6, 2.0)
    theta0 = 1 + np.random.default_rng(1).standard_normal(6)
    for h in lengths:
        solver = BackwardDifferences(field, theta0, 1.0 + h, 1e-13, 1e-13)
        solver.restart(0.0, theta0)
        values = np.stack([field.exact(-i * h, theta0) for i in range(order + 1)])
        solver._D[: order + 1] = _differences(order) @ values
        solver.order, solver._h = order, h
        for n in range(round(1 / h)):
            x = solver._solve((n + 1) * h)
            solver._D[order + 1] = x
            for j in range(order, -1, -1):
                solver._D[j] += solver._D[j + 1]
        errors.append(np.abs(solver._D[0] - field.exact(1.0, theta0)).max())
    slope = np.polyfit(np.log(lengths), np.log(errors), 1)[0]
    assert slope == pytest.approx(order, abs=0.25)


@pytest.mark.parametrize("factor", [0.25, 0.9, 3.0])
@pytest.mark.parametrize("k", range(1, HIGHEST + 1))
def test_differences_of_other_steps_are_those_of_the_polynomial(k, factor):
    """∇ʲ of a random polynomial of degree k, from its values at the new places."""
    p = np.polynomial.Polynomial(np.random.default_rng(k).standard_normal(k + 1))
    old = _differences(k) @ p(-np.arange(k + 1.0))
    new = _differences(k) @ p(-factor * np.arange(k + 1.0))
    np.testing.assert_allclose(_stretched(k, factor) @ old, new, rtol=1e-10, atol=1e-12)


class Exact:
    """A step of which the solution is known."""

    def __init__(self, field, theta0, t_old, t):
        self.field, self.theta0, self.t_old, self.t = field, theta0, t_old, t

    def __call__(self, t):
        return self.field.exact(t, self.theta0)


def test_it_goes_on_from_another_solver_with_the_highest_order():
    """From the exact solution over one step the next ones are as long at once; a start from nothing is not."""
    field, rtol = Stiff(6, 2.0), 1e-9
    theta0 = 1 + np.random.default_rng(1).standard_normal(6)
    solver = BDF_CG.create(field, theta0, 3.0, rtol, rtol)
    solver.resume(Exact(field, theta0, 0.4, 0.64))
    assert (solver.t, solver.order) == (0.64, HIGHEST)
    assert solver.step() == ""
    assert solver.t == pytest.approx(0.64 + 0.24 / HIGHEST)
    np.testing.assert_allclose(solver.y, field.exact(solver.t, theta0), rtol=0, atol=10 * rtol)
    step = solver.within_step()
    np.testing.assert_allclose(step(0.65), field.exact(0.65, theta0), rtol=0, atol=10 * rtol)
    fresh = BDF_CG.create(field, theta0, 3.0, rtol, rtol)
    fresh.step()
    assert fresh.t < 1e-3


def wide(**student):
    return Problem(
        Teacher.from_eigenvalues([2, 1], 8), Student.initialise(6, 8, scale=0.3, seed=1, **student)
    )


@pytest.mark.parametrize("stiffness", [0.0, np.inf])
def test_products_by_differences_and_exact_ones_give_the_same(stiffness, monkeypatch):
    """Both solve the equations of a step; the solution is that of LSODA, to their tolerances."""
    monkeypatch.setattr("dynamics.integration.backward_differences.EXACT", stiffness)
    flow = GradientFlow(wide())
    ours, other = (flow.integrate(t_end=30.0, samples=21, rtol=1e-9, method=m) for m in ("BDF-CG", "LSODA"))
    np.testing.assert_allclose(ours.W, other.W, rtol=0, atol=1e-6)
    assert ours.conserved_drift < 1e-6
    assert (ours.solver.jacobian_evaluations > 100) == (stiffness == 0)


def test_what_is_no_smooth_gradient_is_refused():
    X = np.random.default_rng(0).standard_normal((10, 8))
    kinked = FiniteDataFlow(Problem(wide().teacher, wide().student, "relu"), X, X[:, 0])
    for flow in (ArcLengthFlow(wide()), kinked):
        for name in ("BDF-CG", "DOP853/BDF", "Tsit5/BDF"):
            with pytest.raises(ProblemError, match="along gradients with a continuous slope"):
                SOLVERS[name].create(flow, flow.theta0, 1.0, 1e-6, 1e-6)


def test_a_solution_that_explodes_fails_with_a_reason():
    """θ̇ = θ² from 1 ends at t = 1."""

    class Explosion(VectorField):
        def __call__(self, t, theta):
            return theta**2

        def jacobian(self, t, theta):
            return np.diag(2 * theta)

        def curvature(self):
            return lambda theta, v: -2 * theta * v

    solver, reason = BDF_CG.create(Explosion(), np.ones(1), 2.0, 1e-8, 1e-8), ""
    with np.errstate(all="ignore"):
        for _ in range(20_000):
            reason = solver.step()
            if solver.status != RUNNING:
                break
    assert solver.status == "failed" and "spacing of numbers" in reason
    assert solver.t == pytest.approx(1.0, abs=1e-5)
