"""Units that vanish and come back: exact times, gradient descent, conservation."""

import numpy as np
import pytest
from scipy.integrate import quad

from dynamics import GradientFlow, IntegrationError, Problem, Student, Teacher
from dynamics.flows.modified import ModifiedFlow
from dynamics.flows.vanishing_units import VanishingUnits


def descent(flow, eta, records):
    """Loss at the times 0, 0.1, … of explicit Euler steps, which know nothing of vanishing units."""
    theta, losses = flow.theta0.copy(), [flow.loss(flow.theta0)]
    for n in range(1, round(0.1 * (records - 1) / eta) + 1):
        theta = theta + eta * flow(0.0, theta)
        if n % round(0.1 / eta) == 0:
            losses.append(flow.loss(theta))
    return np.array(losses)


@pytest.mark.parametrize("activation", ["linear", "relu", "abs"])
@pytest.mark.parametrize("O", [1, 2])
def test_balance_is_conserved_through_vanishing_and_return(activation, O):
    """c_k = ‖w_k‖² − Σ_o A_ok² within 1e-9, from starts in which half of the units must vanish."""
    for seed in range(3):
        student = Student.initialise(8, 4, scale=0.2, seed=seed, outputs=O)
        problem = Problem(Teacher.from_eigenvalues([2, 1, -1.5], 4, O), student, activation)
        trajectory = GradientFlow(problem).integrate(t_end=20.0)
        assert trajectory.conserved_drift < 1e-9
        assert (np.diff(trajectory.loss) < 1e-14).all()


def test_one_unit_of_the_wrong_sign_vanishes_in_a_finite_time():
    """d = 1, |·|: ṙ = a(λ − ar), ȧ = r(λ − ar) with a = −√|c| cosh τ, r = √|c| sinh τ is τ̇ = −λ − ½|c| sinh 2τ.

    It reaches τ = 0 at T = ∫ dτ/(λ + ½|c| sinh 2τ), and rests there at the loss λ²/2 with a = −√|c|.
    """
    lam, r0, a0 = 1.5, 0.4, -0.9
    c = a0**2 - r0**2
    T = quad(lambda tau: 1 / (lam + 0.5 * c * np.sinh(2 * tau)), 0, np.arctanh(r0 / -a0))[0]
    problem = Problem(Teacher.from_eigenvalues([lam]), Student([[r0]], [a0]), "abs")
    for method in ("LSODA", "DOP853", "Radau"):
        trajectory = GradientFlow(problem).integrate(times=[0, 0.99 * T, 1.01 * T, 5.0], method=method)
        r = np.abs(trajectory.W[:, 0, 0])
        assert r[1] > 1e-3
        assert r[2] == r[3] == 0
        np.testing.assert_allclose(trajectory.loss[2:], lam**2 / 2, rtol=1e-8)
        np.testing.assert_allclose(trajectory.a[2:, 0], -np.sqrt(c), rtol=1e-8)


def test_a_vanished_unit_comes_back_when_it_is_pulled():
    """Aligned |·| units of both signs, λ = (2, −1): where a₁ has learned λ₁ the other one is pulled along e₂.

    On the way a < 0 is pushed by E(f* − f)|ŵ·x| ≈ 2E|x₁||ŵ·x| − …, positive in every direction: it vanishes. The end is
    the teacher itself, which needs the unit.
    """
    student = Student([[0.1, 0.001], [0.05, 0.02]], [0.1, -0.2])
    problem = Problem(Teacher.from_eigenvalues([2, -1]), student, "abs")
    trajectory = GradientFlow(problem).integrate(t_end=30.0, samples=600)
    r = np.linalg.norm(trajectory.W[:, 1], axis=1)
    assert r.min() == 0
    assert trajectory.loss[-1] < 1e-9
    np.testing.assert_allclose(trajectory.modes[-1], [2, -1], atol=1e-3)


@pytest.mark.parametrize(("activation", "lam"), [("relu", [2, -1]), ("abs", [2, 1])])
def test_gradient_descent_converges_to_the_flow_at_first_order(activation, lam):
    """The largest error of the loss halves with the step."""
    problem = Problem(
        Teacher.from_eigenvalues(lam, 3), Student.initialise(4, 3, scale=0.3, seed=1), activation
    )
    flow = GradientFlow(problem)
    trajectory = flow.integrate(times=0.1 * np.arange(61))
    errors = []
    for eta in (0.02, 0.01, 0.005):
        errors.append(np.abs(descent(flow, eta, 61) - trajectory.loss).max())
    order = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(order, 1, atol=0.1)
    if activation == "abs":
        assert (np.linalg.norm(trajectory.W, axis=2) == 0).any()


def test_a_unit_that_starts_at_zero_stays_there():
    """As under automatic differentiation, though it would be pulled."""
    problem = Problem(Teacher.from_eigenvalues([2, 1]), Student([[0, 0], [0.3, 0.1]], [0.5, 0.3]), "abs")
    trajectory = GradientFlow(problem).integrate(t_end=10.0, samples=20)
    assert not trajectory.W[:, 0].any()
    assert (trajectory.a[:, 0] == 0.5).all()


def test_the_modified_flow_keeps_its_order_through_vanishing_and_return():
    """Gradient descent on the population loss against L + (η/4)‖∇L‖²: error ∝ η² (see `test_modified_flow`)."""
    student = Student.initialise(4, 3, scale=0.1, seed=1)
    problem = Problem(Teacher.from_eigenvalues([2, 1], 3), student, "abs")
    flow, errors = GradientFlow(problem), []
    for eta in (0.01, 0.005, 0.0025):
        modified = ModifiedFlow(problem, eta).integrate(times=0.1 * np.arange(61))
        r = np.linalg.norm(modified.W[:, 0], axis=1)
        assert r.min() == 0
        assert r[-1] > 1e-3
        errors.append(np.abs(descent(flow, eta, 61) - modified.loss).max())
    np.testing.assert_allclose(np.log2(np.array(errors[:-1]) / errors[1:]), 2, atol=0.1)


def test_endless_switching_is_a_failure(monkeypatch):
    """A unit that is taken for vanished again and again, without any change."""
    monkeypatch.setattr(VanishingUnits, "distance", lambda self, theta: -1.0)
    monkeypatch.setattr(VanishingUnits, "switched", lambda self, theta: theta)
    problem = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(2, 2, scale=0.3), "abs")
    with pytest.raises(IntegrationError, match="without end"):
        GradientFlow(problem).integrate(t_end=1.0)


def vanishing(seed, outputs=1, covariance=None, atol=1e-12):
    """Five units, of which the first has vanished, and another state with that unit at zero."""
    rng = np.random.default_rng(seed)
    student = Student(rng.standard_normal((5, 3)), rng.standard_normal((outputs, 5)))
    teacher = Teacher(rng.standard_normal((2, 3)), rng.standard_normal((outputs, 2)))
    flow = GradientFlow(Problem(teacher, student, "relu", covariance))
    W, A = (x.copy() for x in flow.unpack(flow.theta0))
    W[0] = 0.0
    return VanishingUnits(flow, atol), W, A, rng


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("covariance", [None, np.diag([4.0, 1.0, 0.25])])
def test_the_bound_on_the_change_of_the_pull(outputs, covariance):
    """No m/‖A_k‖ in any direction changes by more between random states, and the bound is not four times too large."""
    largest = []
    for seed in range(20):
        units, W, A, rng = vanishing(seed, outputs, covariance)
        B = A + 0.1 * rng.standard_normal(A.shape) * (np.arange(5) > 0)
        X = W + 0.1 * rng.standard_normal(W.shape) * (np.arange(5) > 0)[:, None]
        if seed % 2:  # one unit alone, by its first layer alone
            B, X[2:] = A, W[2:]
        output = A[:, 0] / np.linalg.norm(A[:, 0])
        directions = rng.standard_normal((500, 3))
        directions /= np.linalg.norm(directions, axis=1)[:, None]
        pulls = [
            np.sum(directions * units.flow.population.pull_on(*state, output).force(directions), axis=1)
            for state in ((W, A), (X, B))
        ]
        bound = units._largest_change(units.flow.pack(W, A), units.flow.pack(X, B))
        largest.append(np.abs(pulls[1] - pulls[0]).max() / bound)
    assert 0.3 < max(largest) < 1


def test_thresholds_of_vanishing():
    """1e-8 of ‖A_k‖, or 100 times the tolerance where that is more, but never more than 1e-3 of ‖A_k‖."""
    for atol, share in ((1e-14, 1e-8), (1e-7, 1e-5), (1.0, 1e-3)):
        units, *_ = vanishing(0, atol=atol)
        np.testing.assert_allclose(units.threshold(np.array([[3.0], [4.0]]) / 5), share)
    np.testing.assert_allclose(vanishing(0, atol=1e-14)[0].threshold(np.array([[3.0, 0.5]])), [3e-8, 5e-9])


def test_a_pull_is_asked_for_only_where_the_weights_have_moved_enough(monkeypatch):
    """With a margin of 1 a change of 0.1 leaves 0.9 of it; one of 2 asks again, and remembers."""
    units, W, A, _ = vanishing(0)
    asked = []

    def gain(theta, absent):
        asked.append(theta)
        return np.array([-1.0]), None

    monkeypatch.setattr(units, "gain", gain)
    theta = units.flow.pack(W, A)
    assert units._no_gain(theta, np.array([0])) == 1.0
    monkeypatch.setattr(units, "_largest_change", lambda one, other: 0.1)
    assert units._no_gain(theta, np.array([0])) == 0.9
    assert len(asked) == 1
    monkeypatch.setattr(units, "_largest_change", lambda one, other: 2.0)
    assert units._no_gain(theta, np.array([0])) == 1.0
    assert len(asked) == 2
