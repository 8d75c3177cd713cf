"""Noether charges and the law of c_k with inertia, along solutions of θ̈ + γθ̇ = −∇R."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from dynamics import Problem, ProblemError, Student, Teacher
from dynamics.conserved.inertia import InertialField, integrate_inertia
from dynamics.flows.gradient import GradientFlow

TEACHER = Teacher.from_eigenvalues([2, 1, -0.5])


def fixed(K=3, seed=0, **options):
    rng = np.random.default_rng(seed)
    return Problem(TEACHER, Student(0.5 * rng.normal(size=(K, 3)), np.ones(K), trainable=False), **options)


@pytest.mark.parametrize("rho", [0.0, 0.3])
def test_noether_charges_stay(rho):
    """J_kl of units with one fixed weight, from a start that turns, with and without decay; ✓ 6e-14 in the theory."""
    rng = np.random.default_rng(7)
    problem = fixed(weight_decay=rho)
    speed = rng.normal(size=(3, 3)), np.zeros((1, 3))
    curve = integrate_inertia(problem, 1.5, np.linspace(0, 3, 7), velocity=speed)
    J = curve.charges
    assert np.abs(J[0]).max() > 0.1
    np.testing.assert_allclose(J, np.broadcast_to(J[0], J.shape), atol=1e-9)  # e^{4.5} times the tolerance
    np.testing.assert_allclose(J[0], curve.W[0] @ speed[0].T - speed[0] @ curve.W[0].T, atol=1e-14)
    assert np.ptp(np.exp(-1.5 * curve.times) * J[:, 0, 1]) > 0.1


def test_column_space_stays_from_rest():
    """K = 5 units in d = 3: the projector in neuron space, with decay; a start that turns loses it."""
    problem = fixed(K=5, weight_decay=0.2)
    turning = np.random.default_rng(1).normal(size=(5, 3)), np.zeros((1, 5))
    for velocity, kept in ((None, True), (turning, False)):
        curve = integrate_inertia(problem, 1.0, [0, 0.5, 2], velocity=velocity)
        Q = np.linalg.qr(curve.W).Q
        P = Q @ np.swapaxes(Q, 1, 2)
        assert (np.abs(P - P[0]).max() < 1e-10) == kept


def test_other_units_have_no_charge():
    """Units of different fixed weights turn against each other: their J moves."""
    rng = np.random.default_rng(0)
    problem = Problem(TEACHER, Student(rng.normal(size=(2, 3)), [1.0, 0.4], trainable=False))
    curve = integrate_inertia(problem, 1.0, [0, 1.0])
    assert np.abs(curve.charges[-1, 0, 1]) > 1e-2


@pytest.mark.parametrize("rho", [0.0, 0.2])
def test_law_of_the_balances(rho):
    """d/dt(e^{γt}ċ) = 2e^{γt}[B(θ̇, θ̇) − ρc]: against the fundamental theorem, by Gauss's rule of 20 points."""
    problem = Problem(TEACHER, Student.initialise(3, 3, scale=0.6, seed=2), weight_decay=rho)
    x, w = np.polynomial.legendre.leggauss(20)
    times = np.concatenate([[0.0], 0.25 * (1 + x), [0.5]])
    curve = integrate_inertia(problem, 2.0, times)
    for q in curve.quantities:
        momentum, force = curve.momentum_of(q)
        assert momentum[0] == 0
        assert momentum[-1] == pytest.approx(0.25 * w @ force[1:-1], abs=1e-11)
        assert abs(momentum[-1]) > 1e-4


def test_solution_and_jacobian():
    """Against the equation written out for SciPy; the Jacobian against central differences (error 1e-10)."""
    problem = Problem(TEACHER, Student.initialise(2, 3, scale=0.5, seed=3), weight_decay=0.1)
    times = np.linspace(0, 2, 5)
    curve = integrate_inertia(problem, 1.3, times)

    def speed(t, y):
        W, A = y[:6].reshape(2, 3), y[6:8].reshape(1, 2)
        dW, dA = problem.population.velocity(W, A)
        force = np.append(dW - 0.1 * W, dA - 0.1 * A)
        return np.append(y[8:], force - 1.3 * y[8:])

    start = np.concatenate([problem.student.W.ravel(), problem.student.A.ravel(), np.zeros(8)])
    states = solve_ivp(speed, (0, 2), start, "DOP853", times, rtol=1e-13, atol=1e-15).y.T
    np.testing.assert_allclose(curve.W.reshape(5, 6), states[:, :6], atol=1e-10)
    np.testing.assert_allclose(curve.dA[:, 0], states[:, 14:], atol=1e-10)
    np.testing.assert_allclose(
        curve.loss, [problem.population.loss(W, A) for W, A in zip(curve.W, curve.A, strict=True)]
    )
    field = InertialField(GradientFlow(problem, reduce=False), 1.3)
    state = states[2]
    columns = [(field(0.0, state + e) - field(0.0, state - e)) / 2e-5 for e in 1e-5 * np.eye(16)]
    np.testing.assert_allclose(field.jacobian(0.0, state), np.transpose(columns), atol=1e-7)


def test_arguments_that_are_refused():
    with pytest.raises(ProblemError, match="positive"):
        integrate_inertia(fixed(), 0.0, [0, 1])
    with pytest.raises(ProblemError, match="shapes"):
        integrate_inertia(fixed(), 1.0, [0, 1], velocity=([[1.0]], [[0.0]]))
