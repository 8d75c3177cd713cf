"""The flow of quadratic neurons: affine limit, conservation, stability, shrinking, ordinary networks within it."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from dynamics import ComputationError, ProblemError
from dynamics.neuron import NeuronFlow, Neurons, QuadraticTarget, Rates


def flow_of(d=4, K=4, rates=None, *, shrink=0.0, init="relinear", seed=0):
    target, neurons = QuadraticTarget.random(d, seed=seed), Neurons.initialise(K, d, init=init, seed=seed)
    return NeuronFlow(target, neurons, rates, shrink)


@pytest.mark.parametrize(("d", "K", "seed"), [(3, 2, 0), (4, 4, 1), (6, 6, 2)])
def test_frozen_quadratic_groups_end_at_the_best_affine_loss(d, K, seed):
    """γ_g = γ_b = 0 from ReLinear's start: ‖M*‖² to 1e-8, the variance no affine function explains."""
    flow = flow_of(d, K, Rates(g=0, b=0), seed=seed)
    trajectory = flow.integrate()
    assert trajectory.solver.status == "converged"
    assert trajectory.loss[-1] == pytest.approx(np.sum(flow.target.M**2), abs=1e-8)
    np.testing.assert_array_equal(trajectory.G[-1], flow.neurons.G)
    np.testing.assert_array_equal(trajectory.B[-1], flow.neurons.B)


@pytest.mark.parametrize("init", ["relinear", "random"])
@pytest.mark.parametrize("rates", [Rates(), Rates(g=0.1, b=0.03), Rates(2, 0.5, 0.2, 0.7), Rates(g=0, b=0)])
def test_Q1_and_Q2_are_conserved(rates, init):
    """Drift below 1e-9 on the way to convergence, while the weights themselves move by more than 0.1."""
    trajectory = flow_of(rates=rates, init=init, seed=3).integrate()
    assert trajectory.conserved_drift["Q1"] < 1e-9
    assert trajectory.conserved_drift["Q2"] < 1e-9
    assert np.abs(trajectory.R[-1] - trajectory.R[0]).max() > 0.1


def test_laws_divided_by_the_rates_are_those_of_the_theory():
    """Section 8: ‖r‖²/γ_r − ‖g‖²/γ_g and ‖r‖²/γ_r + ‖b‖²/γ_b − a²/γ_a, along a trajectory."""
    rates = Rates(2, 0.5, 0.2, 0.7)
    t = flow_of(rates=rates, init="random", seed=4).integrate(t_end=3.0, samples=5)
    r, g, b = (np.sum(X**2, axis=-1) for X in (t.R, t.G, t.B))
    for Q in (r / rates.r - g / rates.g, r / rates.r + b / rates.b - t.a**2 / rates.a):
        np.testing.assert_allclose(Q, np.broadcast_to(Q[0], Q.shape), atol=1e-9)


def test_frozen_b_that_is_zero_leaves_the_balance_of_an_ordinary_network():
    """γ_b = 0: Q2 is ‖r‖² − a² for b = 0, where it says something, and ‖b‖² (times rates) for b ≠ 0."""
    start = flow_of(rates=Rates(b=0), seed=5).integrate(t_end=2.0, samples=3)
    np.testing.assert_allclose(
        start.conserved["Q2"][-1], np.sum(start.R[-1] ** 2, axis=-1) - start.a[-1] ** 2
    )
    other = flow_of(rates=Rates(b=0), init="random", seed=5).integrate(t_end=2.0, samples=3)
    np.testing.assert_allclose(other.conserved["Q2"][-1], np.sum(other.B[-1] ** 2, axis=-1))
    balance = np.sum(other.R**2, axis=-1) - other.a**2
    assert np.abs(balance[-1] - balance[0]).max() > 0.01


def test_convergence_to_zero_loss():
    """d quadratic neurons reach every quadratic function: the flow ends at loss 0, with an exponential tail."""
    trajectory = flow_of(rates=Rates(g=0.3, b=0.3), seed=6).integrate()
    assert trajectory.loss[-1] < 1e-12
    assert (np.diff(trajectory.loss) < 1e-15).all()


def test_units_of_r_equal_to_g_are_ordinary_neurons_with_quadratic_activation():
    """r = g = w̃, γ_b = 0: f = Σ a (w·x + b)², and w̃ obeys ẇ = γ a Γ w̃ with Γ of the same residual, by DOP853."""
    rng = np.random.default_rng(7)
    W, a0 = 0.5 * rng.standard_normal((3, 4)), 0.5 * rng.standard_normal(3)
    target = QuadraticTarget.random(3, seed=7)
    trajectory = NeuronFlow(target, Neurons(W, W, 0 * W, a0), Rates(b=0)).integrate(t_end=2.0, samples=3)

    def ordinary(t, y):
        w, a = y[:12].reshape(3, 4), y[12:]
        D = target.homogeneous - (w.T * a) @ w
        Gamma = 2 * D
        Gamma[3, 3] = 0
        Gamma += np.trace(D) * np.eye(4)
        return np.concatenate([(a[:, None] * (w @ Gamma)).ravel(), np.einsum("ki,ij,kj->k", w, Gamma, w)])

    y = solve_ivp(ordinary, (0, 2), np.append(W, a0), "DOP853", [0, 1, 2], rtol=1e-12, atol=1e-14).y.T
    np.testing.assert_allclose(trajectory.R.reshape(3, -1), y[:, :12], atol=1e-9)
    np.testing.assert_allclose(trajectory.G.reshape(3, -1), y[:, :12], atol=1e-9)
    np.testing.assert_allclose(trajectory.a, y[:, 12:], atol=1e-9)


@pytest.mark.parametrize("shrink", [0.0, 0.3])
def test_jacobian_is_that_of_the_right_hand_side(shrink):
    """Complex steps; rates and shrinking included."""
    flow = flow_of(3, 2, Rates(1, 0.3, 0.1, 0.5), shrink=shrink, init="random", seed=8)
    h = 1e-100
    J = np.stack([flow(0.0, flow.theta0 + 1j * h * e).imag / h for e in np.eye(flow.theta0.size)], axis=1)
    np.testing.assert_allclose(flow.jacobian(0.0, flow.theta0), J, atol=1e-11)


@pytest.mark.parametrize(
    ("rates", "shrink"), [(Rates(), 0.0), (Rates(1, 0.1, 0.05, 0.5), 0.0), (Rates(g=0.1), 0.2)]
)
def test_descent_shrinks_below_and_grows_above_the_largest_stable_step(rates, shrink):
    """Where the flow ended, perturbed along the sharpest direction: 60 steps at 0.98 and at 1.02 of the step."""
    flow = flow_of(3, 3, rates, shrink=shrink, seed=9)
    t = flow.integrate()
    end = np.concatenate([x[-1].ravel() for x in (t.R, t.G, t.B, t.a)])
    direction = flow.sharpest_direction(end)
    assert t.largest_stable_step == flow.largest_stable_step(end)
    for factor, grows in ((0.98, False), (1.02, True)):
        theta = end + 1e-5 * direction
        for _ in range(60):
            theta = theta + factor * t.largest_stable_step * flow(0.0, theta)
        assert (np.linalg.norm(theta - end) > 1e-5) == grows


def test_shrinking_without_a_gradient_decays_exponentially():
    """Zero network and target: G → (0, …, 0, 1) and B → 0 like e^{−λt}, while R and a stay."""
    rng = np.random.default_rng(10)
    R, G, B = rng.standard_normal((3, 2, 4))
    target = QuadraticTarget(np.zeros((3, 3)), np.zeros(3))
    t = NeuronFlow(target, Neurons(R, G, B, [0, 0]), Rates(a=0), 0.7).integrate(times=[0.0, 1.0, 2.0])
    rest = np.array([0, 0, 0, 1.0])
    decay = np.exp(-0.7 * t.times)[:, None, None]
    np.testing.assert_allclose(t.G, rest + decay * (G - rest), atol=1e-10)
    np.testing.assert_allclose(t.B, decay * B, atol=1e-10)
    np.testing.assert_array_equal(t.R[-1], R)
    assert "not conserved" in t.to_dict()["warnings"][0]


def test_strong_shrinking_ends_near_the_best_affine_loss():
    """λ → ∞ pins G and B to ReLinear's start: the excess below ‖M*‖² falls like 1/λ."""
    ends = [
        flow_of(3, 3, shrink=shrink, seed=11).integrate(t_end=60.0, samples=2).loss[-1]
        for shrink in (1e3, 2e3)
    ]
    gaps = flow_of(3, 3, seed=11).target.best_affine_loss - np.array(ends)
    assert gaps[0] > 0
    assert gaps[0] / gaps[1] == pytest.approx(2, rel=0.05)


def test_times_tolerance_and_save(tmp_path):
    """The end does not depend on the method; the file holds what it should."""
    flow = flow_of(3, 2, Rates(g=0.2, b=0.2), seed=12)
    t = flow.integrate(times=[0.0, 0.5, 1.5])
    other = flow.integrate(times=[0.0, 0.5, 1.5], method="DOP853")
    np.testing.assert_allclose(t.R, other.R, atol=1e-9)
    t.save(tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz") as file:
        np.testing.assert_array_equal(file["R"], t.R)
        np.testing.assert_array_equal(file["Q2"], t.conserved["Q2"])
    assert "rates 1, 0.2, 0.2" in repr(t)
    assert flow.loss(flow.theta0) == t.loss[0]


def test_refusals():
    target, neurons = QuadraticTarget.random(3), Neurons.initialise(2, 4)
    with pytest.raises(ProblemError, match="3 inputs"):
        NeuronFlow(target, neurons)
    with pytest.raises(ProblemError, match="shrink"):
        NeuronFlow(target, Neurons.initialise(2, 3), shrink=-1)
    with pytest.raises(ProblemError, match="scale target and weights down"):
        NeuronFlow(QuadraticTarget([[1e200]], [0.0]), Neurons.initialise(1, 1))
    with pytest.raises(ComputationError, match="evaluations"):
        NeuronFlow(target, Neurons.initialise(2, 3)).integrate(t_end=100.0, max_evaluations=50)
