"""Laws of decaying quantities, along flows that SciPy integrates here with decay and rates written out."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from dynamics import GradientFlow, Problem, ProblemError, Student, Teacher
from dynamics.conserved.decay import DecayedQuantity, decayed_quantities
from dynamics.conserved.quantities import (
    LawQuantity,
    ProjectorQuantity,
    conserved_quantities,
    undecayed_quantities,
)
from dynamics.laws import count_laws, quadratic
from dynamics.problem.weight_decay import WeightDecay

TEACHER = Teacher.from_eigenvalues([2, -1], 3)


def path(problem, decay, times, rates=(1.0, 1.0)):
    """ẇ = η_w(−∂L/∂w − ρ_w w), ȧ alike, by DOP853 at 1e-13: W (T, K, d), A (T, O, K)."""
    W0, A0 = problem.student.W, problem.student.A
    velocity, trained = problem.population.velocity, problem.student.trainable

    def speed(t, theta):
        W, A = theta[: W0.size].reshape(W0.shape), theta[W0.size :].reshape(A0.shape)
        dW, dA = velocity(W, A)
        dA = rates[1] * (dA - decay[1] * A) if trained else 0 * A
        return np.concatenate([(rates[0] * (dW - decay[0] * W)).ravel(), dA.ravel()])

    start = np.concatenate([W0.ravel(), A0.ravel()])
    found = solve_ivp(speed, (0, times[-1]), start, "DOP853", times, rtol=1e-13, atol=1e-15).y.T
    return found[:, : W0.size].reshape(-1, *W0.shape), found[:, W0.size :].reshape(-1, *A0.shape)


@pytest.mark.parametrize(("activation", "degree"), [("quadratic", 2), ("relu", 1), ("linear", 1)])
def test_balances_fall_together(activation, degree):
    """c_k(t) = c_k(0) e^{−2ρt} for activations of any degree, to the tolerance of the integration."""
    student = Student.initialise(3, 3, scale=0.7, seed=2)
    problem = Problem(Teacher(np.eye(2, 3), [1.5, -0.8]), student, activation)
    times = np.linspace(0, 1.5, 4)
    W, A = path(problem, (0.3, 0.3), times)
    c = np.sum(W**2, axis=2) - degree * A[:, 0] ** 2
    np.testing.assert_allclose(c, np.outer(np.exp(-0.6 * times), c[0]), atol=1e-11)
    for q in decayed_quantities(problem, 0.3):
        assert q.law.rate == pytest.approx(0.6)
        assert np.abs(q.deviation(times, W, A)).max() < 1e-11


def test_products_of_opposite_units_fall_and_column_spaces_stay():
    """a = (1, 1, 1, −1) fixed, d = 2: w_k·w_3 falls as e^{−2ρt}; the projector, of degree 0, stays. ✓ 1e-13."""
    rng = np.random.default_rng(3)
    student = Student(0.6 * rng.normal(size=(4, 2)), [1.0, 1.0, 1.0, -1.0], trainable=False)
    problem = Problem(Teacher.from_eigenvalues([2, -1]), student, weight_decay=0.4)
    times = np.linspace(0, 1, 3)
    W, A = path(problem, (0.4, 0.0), times)
    found = decayed_quantities(problem)
    assert [q.law.rate for q in found] == [0.8] * 3 + [0.0] * 2
    assert all(isinstance(q.quantity, ProjectorQuantity) for q in found[3:])
    assert max(np.abs(q.deviation(times, W, A)).max() for q in found) < 1e-11
    assert min(np.ptp(q.quantity(W, A)) for q in found[:3]) > 0.05
    assert found[0].constant == "(w_0·w_3) e^(0.8t)"
    assert found[3].constant == found[3].name


def test_clocks_in_one_dimension_grow():
    """T_k − T_0 has degree −1 in the weights: it grows like e^{ρt}, where c of either sign (theory: 3e-11)."""
    student = Student([[0.9], [0.3], [0.5]], [0.2, 0.5, 0.1])
    problem = Problem(Teacher.from_eigenvalues([1.5]), student)
    times = np.linspace(0, 0.8, 4)
    W, A = path(problem, (0.5, 0.5), times)
    laws = [
        DecayedQuantity(q, q.decayed(0.5, 0.5)) for q in map(LawQuantity, count_laws(quadratic(1, 3)).laws)
    ]
    clocks = [q for q in laws if q.law.rate < 0]
    assert sorted(q.law.rate for q in laws) == [-0.5, -0.5, 1.0, 1.0, 1.0]
    for q in clocks:
        value = q.quantity(W, A)
        assert np.abs(q.deviation(times, W, A)).max() < 1e-9 * np.abs(value).max()
        np.testing.assert_allclose(value / value[0], np.exp(0.5 * times), rtol=1e-9)
    with pytest.raises(ProblemError, match="only where both are equal"):
        clocks[0].quantity.decayed(0.5, 0.2)


@pytest.mark.parametrize("rates", [(1.0, 1.0), (2.0, 0.5)])
def test_unequal_decay_is_an_integral_along_the_path(rates):
    """The law with its integral by the spline through 2001 records of SciPy's solution, within the estimated error.

    Where η_wρ_w = η_aρ_a the law is closed, and exact to the integration.
    """
    problem = Problem(TEACHER, Student.initialise(3, 3, scale=0.5, seed=4))
    times, decay = np.linspace(0, 1, 2001), (0.2, 0.7)
    W, A = path(problem, decay, times, rates)
    for q in decayed_quantities(problem, decay, rates=rates):
        value, (law, error) = q.quantity(W, A), q.expected(times, W, A)
        assert not q.law.closed
        assert np.abs(value - law).max() < max(error, 1e-11)
        assert error < 1e-8
        assert np.abs(value - value[0]).max() > 1e-3
    closed = (0.2, 0.2 * rates[0] / rates[1])
    W, A = path(problem, closed, times[::500], rates)
    for q in decayed_quantities(problem, closed, rates=rates):
        assert q.law.closed
        assert np.abs(q.deviation(times[::500], W, A)).max() < 1e-11


def test_flows_carry_the_integral():
    """`GradientFlow` at three samples: the deviation from the law is its tolerance; samples alone do not do."""
    problem = Problem(TEACHER, Student.initialise(3, 3, scale=0.3, seed=4), weight_decay=(0.1, 0.3))
    curve = GradientFlow(problem).integrate(times=[0, 1, 4])
    found = decayed_quantities(problem)
    assert max(np.abs(q.deviation(curve.times, curve)).max() for q in found) < 1e-9
    assert max(np.abs(q.deviation(curve.times, curve.W, curve.A)).max() for q in found) > 1e-3


def test_stationary_weights_are_balanced():
    """At rest ρ_w‖w_k‖² = 2ρ_a a_k² of every unit, wherever it started (theory, 14.1)."""
    student = Student.initialise(2, 2, init="aligned", scale=0.5)
    problem = Problem(Teacher.from_eigenvalues([2, 1]), student, weight_decay=(0.05, 0.02))
    end = GradientFlow(problem).integrate(t_end=400, samples=2)
    W, a = end.W[-1], end.a[-1]
    np.testing.assert_allclose(0.05 * np.sum(W**2, axis=1), 2 * 0.02 * a**2, rtol=1e-8)
    assert (a > 0.3).all()


def test_formulas():
    problem = Problem(TEACHER, Student.initialise(1, 3, seed=0))
    (q,) = decayed_quantities(problem, (0.1, 0.3))
    assert q.constant == "d/dt(‖w_0‖² − 2a_0²) = -0.2(‖w_0‖² − 2a_0²) + 0.4(2a_0²)"
    (q,) = decayed_quantities(problem, (0.3, 0.1))
    assert q.constant == "d/dt(‖w_0‖² − 2a_0²) = -0.6(‖w_0‖² − 2a_0²) − 0.4(2a_0²)"
    (q,) = decayed_quantities(problem, WeightDecay(0.1, 0.1))
    assert q.constant == "(‖w_0‖² − 2a_0²) e^(0.2t)"
    (q,) = decayed_quantities(problem)
    assert q.constant == "‖w_0‖² − 2a_0²"


def test_what_decays_is_not_called_conserved():
    problem = Problem(TEACHER, Student.initialise(1, 3, seed=0), weight_decay=0.1)
    with pytest.raises(ProblemError, match="decay instead of being conserved"):
        conserved_quantities(problem)
    with pytest.raises(ProblemError, match="decay instead of being conserved"):
        conserved_quantities(GradientFlow(problem))
    assert len(undecayed_quantities(problem)) == 1


@pytest.mark.parametrize("decay", [(0.05, 0.0), (0.0, 0.05)])
def test_decay_of_one_layer_alone_never_rests(decay):
    """One mode escapes slowly: a³ → (3/2)ρ_wμt, or p⁶ → 12ρ_aμ²t, within 0.3 % at t = 2e4 (theory, 14.1)."""
    student = Student([[1.2]], [0.7])
    problem = Problem(Teacher.from_eigenvalues([1.0]), student, "centred", weight_decay=decay)
    curve = GradientFlow(problem).integrate(times=[0, 2e4])
    a, p, t = curve.a[-1, 0], curve.W[-1, 0, 0], 2e4
    mu = a * p**2
    found, expected = (a**3, 1.5 * 0.05 * mu * t) if decay[0] else (p**6, 12 * 0.05 * mu**2 * t)
    assert found == pytest.approx(expected, rel=3e-3)
    assert curve.conserved_drift < 1e-7  # of a c that is as large as 100 by then
