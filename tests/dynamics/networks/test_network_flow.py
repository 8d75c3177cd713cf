"""The flow of networks of one's own: what it conserves, where it ends, and what a finite step makes of it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from dynamics import GradientFlow, Problem, Student, Teacher
from dynamics.errors import ProblemError
from dynamics.flows.momentum import NESTEROV
from dynamics.laws import conserved_report
from dynamics.networks import ModifiedNetworkFlow, NetworkFlow, NetworkProblem, NetworkTrajectory
from dynamics.networks.laws import conserved_laws, polynomial_network
from tests.dynamics.networks.cases import NAMES, network, problem

EXACT = {"rtol": 1e-13, "atol": 1e-15, "method": "DOP853"}


@pytest.mark.parametrize("name", NAMES)
def test_balances_between_layers_stay(name):
    """Drift below 1e-12 at the solver's tightest tolerance."""
    trajectory = NetworkFlow(problem(name, 0.4)).integrate(0.5, samples=5, **EXACT)
    assert trajectory.laws or name == "tied outputs"
    assert all(drift < 1e-12 for drift in trajectory.drifts.values())
    # and it is no standstill
    assert np.abs(trajectory.parameters[-1] - trajectory.parameters[0]).max() > 1e-3


def test_laws_of_layers_with_a_factor_between():
    """Section 12: ‖w_k‖² − 2‖Q_·k‖², QQᵀ − PᵀP as a matrix, ‖P_j·‖² − 2a_j²."""
    texts = [law.text for law in conserved_laws(network("a factor between"))]
    assert texts == ["‖W_1[k]‖² − 2‖W_2[:,k]‖²", "W_2 W_2ᵀ − W_3ᵀ W_3", "‖W_3[k]‖² − 2‖W_4[:,k]‖²"]


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("deep quadratic", "a factor between")])
def test_laws_are_those_of_the_algebra(name):
    """Each law of the network is one by exact algebra, and no independent one is missing."""
    report = conserved_report(polynomial_network(network(name)), degree=2)
    values = network(name).initialise(1.0, 5)
    mine = sum(len(law.values(values)) for law in conserved_laws(network(name)))
    assert report["exact"] and mine == report["count"]


@pytest.mark.parametrize("name", ["expression", "deep quadratic", "attention", "biases"])
def test_laws_fall_under_weight_decay(name):
    """e^{−2ρt}; the drift from that is the solver's."""
    trajectory = NetworkFlow(problem(name, 0.4, weight_decay=0.8)).integrate(0.5, samples=5, **EXACT)
    for law in trajectory.laws:
        values = trajectory.conserved[law.text]
        assert values[-1] == pytest.approx(values[0] * np.exp(-0.8), abs=1e-12)
    assert trajectory.conserved_drift < 1e-12
    assert trajectory.objective[-1] == pytest.approx(
        trajectory.loss[-1] + 0.4 * np.sum(trajectory.parameters[-1] ** 2), rel=1e-14
    )


def test_two_layers_are_the_two_layer_network():
    """deep-quadratic:4,3,1 is the quadratic network: its loss along the flow, from the same weights."""
    student = Student.initialise(3, 4, scale=0.4, seed=1)
    theirs = GradientFlow(Problem(Teacher.from_eigenvalues([3.0, 1.0], 4), student)).integrate(3.0, samples=7)
    start = {"W_1": student.W, "W_2": student.A}
    ours = NetworkFlow(NetworkProblem("deep-quadratic:4,3,1", "3*x_0**2 + x_1**2", start)).integrate(
        3.0, samples=7
    )
    assert ours.loss == pytest.approx(theirs.loss, rel=1e-9)
    assert ours.arrays_at(-1)["W_1"] == pytest.approx(theirs.W[-1], abs=1e-8)


def test_it_ends_at_a_minimum_and_not_near_zero():
    """A deep chain from ε = 0.01 is as slow as one that has converged, at no saddle of its Hessian, and goes on."""
    learning = NetworkFlow(NetworkProblem("deep-quadratic:1,1,1,1", "x_0**4", np.array([0.01, 0.008, 0.006])))
    assert np.linalg.norm(learning(0.0, learning.theta0)) < 1e-9
    trajectory = learning.integrate()
    assert trajectory.solver.status == "converged" and trajectory.loss[-1] < 1e-12
    resting = NetworkFlow(NetworkProblem("deep-quadratic:1,1,1,1", "x_0**4", np.zeros(3))).integrate()
    assert resting.solver.status == "converged" and resting.loss[-1] == pytest.approx(52.5, rel=1e-12)


def descent(flow, step, steps, momentum=0.0, nesterov=False):
    """Gradient descent on the same loss, step by step."""
    theta, v = flow.theta0.copy(), np.zeros_like(flow.theta0)
    for _ in range(steps):
        g = -flow(0.0, theta)
        v = momentum * v + g
        theta = theta - step * (g + momentum * v if nesterov else v)
    return theta


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.5, False), (0.5, True)])
def test_a_finite_step_to_second_order(momentum, nesterov):
    """Halving η: the flow is off by O(η), the modified flow by O(η²), by the slopes of their errors."""
    given = problem("attention", 0.6)
    flow = NetworkFlow(given)
    errors = []
    for steps in (100, 200):
        step = 0.5 * (1 - momentum) / steps
        end = descent(flow, step, steps, momentum, nesterov)
        form = {"form": NESTEROV} if nesterov else {}
        theories = (flow, ModifiedNetworkFlow(given, step, momentum, **form))
        errors.append([np.abs(f.integrate(0.5, samples=2).parameters[-1] - end).max() for f in theories])
    plain, modified = np.log2(np.array(errors[0]) / errors[1])
    assert plain == pytest.approx(1, abs=0.25)
    assert modified == pytest.approx(2, abs=0.25)


def test_a_schedule_of_rates():
    """The modified flow of a rate that falls linearly to 0 is off by O(η²), and ends with the schedule."""
    given = problem("expression", 0.6)
    errors = []
    for steps in (100, 200):
        eta = 1.0 / steps
        flow = ModifiedNetworkFlow(given, eta, schedule="linear", steps=steps)
        theta = NetworkFlow(given).theta0
        for rate in flow.clock.rates:
            theta = theta - rate * given.population.gradient(theta)
        errors.append(np.abs(flow.integrate(samples=2).parameters[-1] - theta).max())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.25)


def test_a_data_set_takes_the_place_of_the_population():
    """On samples all weights move; the curve is the population loss there: that of the grid of all inputs."""
    given = NetworkProblem("deep-quadratic:5,1,1", "x_0**2", init_scale=0.7)
    X = np.random.default_rng(0).standard_normal((30, 5))
    flow = NetworkFlow(given, X)
    trajectory = flow.integrate(0.5, samples=3)
    W, a = given.network.unpack(trajectory.theta_at(-1))
    D = np.diag([1.0, 0, 0, 0, 0]) - a[0, 0] * np.outer(W[0], W[0])
    assert (
        given.restricted
        and np.linalg.matrix_rank(np.stack([W[0], given.network.unpack(given.theta0)[0][0]])) == 2
    )
    assert trajectory.loss[-1] == pytest.approx(0.5 * np.trace(D) ** 2 + np.sum(D**2), rel=1e-12)
    # its slope is that of the mean over the samples
    h, e = 1e-6, np.eye(given.network.size)[2]
    mean = lambda t: 0.5 * np.mean((given.network(t, X)[:, 0] - X[:, 0] ** 2) ** 2)  # noqa: E731
    numeric = (mean(given.theta0 + h * e) - mean(given.theta0 - h * e)) / (2 * h)
    assert -flow(0.0, given.theta0)[2] == pytest.approx(numeric, rel=1e-6)


@pytest.mark.parametrize("name", ["expression", "attention", "biases"])
def test_a_trajectory_is_kept_in_a_file(name, tmp_path):
    """Everything comes back, the problem too."""
    more = {"covariance": np.diag([2.0, 1.0])} if name == "expression" else {}
    trajectory = NetworkFlow(problem(name, weight_decay=0.1, **more)).integrate(0.3, samples=4)
    trajectory.save(tmp_path / "t.npz")
    again = NetworkTrajectory.load(tmp_path / "t.npz")
    assert np.array_equal(again.parameters, trajectory.parameters)
    assert again.problem.network.spec == trajectory.problem.network.spec
    assert again.problem.population.loss(again.parameters[-1]) == trajectory.loss[-1]
    assert again.drifts == trajectory.drifts
    assert again.summary() == trajectory.summary()
    elsewhere = pickle.loads(pickle.dumps(trajectory))  # after its laws were asked for
    assert elsewhere.drifts == trajectory.drifts


def test_the_curve_between_its_samples():
    """`at` integrates once more: the same as the samples there."""
    trajectory = NetworkFlow(problem("deep linear")).integrate(1.0, samples=5)
    assert trajectory.at([0.25, 0.5]).loss == pytest.approx(trajectory.loss[1:3], rel=1e-9)


def test_a_start_that_overflows_is_refused():
    with pytest.raises(ProblemError, match="initial loss"):
        NetworkFlow(problem("deep quadratic", 1e20))
