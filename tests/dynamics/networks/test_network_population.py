"""The population loss on the grid: exact, with exact slopes; and over draws, within its error bar."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from dynamics.errors import ProblemError
from dynamics.networks import Expectation, NetworkProblem
from dynamics.networks.nodes import grid
from tests.dynamics.networks.cases import NAMES, differences, problem, symbolic_loss


@pytest.mark.parametrize("name", NAMES)
def test_the_grid_is_the_moment_engine(name):
    """Loss and gradient on the grid equal Isserlis' theorem in symbols, to 1e-13."""
    given = problem(name)
    population, free = given.population, given.network.size // 2
    t, loss = symbolic_loss(given, free)
    at = sympy.Rational(given.theta0[free])
    assert population.loss(given.theta0) == pytest.approx(float(loss.subs(t, at)), rel=1e-13)
    slope = float(sympy.diff(loss, t).subs(t, at))
    assert population.gradient(given.theta0)[free] == pytest.approx(slope, rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_slopes_are_those_of_the_loss(name):
    """Gradient, Hessian-vector product and Hessian against central differences, an error of 1e-5² and rounding."""
    given = problem(name, weight_decay=0.3)
    population, theta = given.population, given.theta0
    direction = np.random.default_rng(1).standard_normal(len(theta))
    g, hv = population.slopes(theta, direction)
    H = population.hessian(theta)
    size = np.abs(H).max()
    assert g == pytest.approx(differences(population.objective, theta), abs=1e-7 * size)
    assert np.abs(H - differences(population.gradient, theta)).max() < 1e-7 * size
    assert H @ direction == pytest.approx(hv, abs=1e-12 * size)
    assert np.array_equal(H, H.T)
    assert g == pytest.approx(population.gradient(theta), rel=1e-13)


def test_parts_of_many_nodes_add_up(monkeypatch):
    """Node by node in small parts gives what all at once give."""
    from dynamics.networks import population as module

    given = problem("deep quadratic")
    whole = given.population.slopes(given.theta0, given.theta0)
    monkeypatch.setattr(module, "CHUNK", 5)
    parts = problem("deep quadratic").population.slopes(given.theta0, given.theta0)
    for one, other in zip(whole, parts, strict=True):
        assert one == pytest.approx(other, rel=1e-12)


@pytest.mark.parametrize(("degree", "directions"), [(2, 1), (3, 2), (4, 3)])
def test_the_grid_is_exact_and_no_larger_than_needed(degree, directions):
    """E Π z_i^{2p} = Π (2p − 1)!!, by p + 1 nodes, whole or half; with one node less it is wrong."""
    double_factorial = float(np.prod(np.arange(1, 2 * degree, 2)))
    for even in (False, True):
        nodes = grid(degree, directions, even)
        found = nodes.weights @ np.prod(nodes.Z ** (2 * degree), axis=1)
        assert found == pytest.approx(double_factorial**directions, rel=1e-13)
        assert nodes.weights.sum() == pytest.approx(1, rel=1e-14)
    fewer = grid(degree - 1, directions)
    assert fewer.weights @ np.prod(fewer.Z ** (2 * degree), axis=1) < 0.99 * double_factorial**directions
    assert (
        len(grid(degree, directions, even=True).weights)
        == (degree + 1) ** directions - (degree + 1) ** directions // 2
    )


def test_the_span_of_weights_and_target_is_enough():
    """12 inputs reduced to 5: loss and velocity equal those of the whole grid's twin, the moments of 12 inputs."""
    given = NetworkProblem("deep-quadratic:12,2,1", "x_0**2 - 2*x_3*x_4", init_scale=0.9, seed=2)
    assert given.restricted and given.free_directions == 5
    W, a = given.network.unpack(given.theta0)
    target = np.zeros((12, 12))
    target[0, 0], target[3, 4], target[4, 3] = 1, -1, -1
    D = target - (W.T * a[0]) @ W
    # E(xᵀDx)² = (tr D)² + 2 tr D²
    assert given.population.loss(given.reduced(given.theta0)) == pytest.approx(
        0.5 * np.trace(D) ** 2 + np.sum(D**2), rel=1e-13
    )
    slope = given.network.unpack(given.lifted(given.population.gradient(given.reduced(given.theta0))))[0]
    G = 2 * D + np.trace(D) * np.eye(12)  # −∂L/∂w_k = 2 a_k G w_k
    assert slope == pytest.approx(-2 * a[0][:, None] * (W @ G), rel=1e-12, abs=1e-12)


def test_reduced_and_lifted_are_inverse():
    """On the span; and everything is left alone that has all its inputs already."""
    given = NetworkProblem("attention:2,8,1", "x_0*x_8**2; x_1*x_8**2", init_scale=0.9)
    assert given.restricted and given.described().startswith("5 of 8 inputs")  # Q, K, v and two of the target
    small = given.reduced(given.theta0)
    assert given.lifted(small) == pytest.approx(given.theta0, rel=1e-12, abs=1e-13)
    assert np.array_equal(given.lifted(given.theta0), given.theta0)
    stacked = np.stack([small, 2 * small])
    assert given.lifted(stacked) == pytest.approx(np.stack([given.theta0, 2 * given.theta0]), abs=1e-12)


def test_what_is_read_otherwise_keeps_its_inputs():
    """An expression keeps the inputs that it and its target name, and drops the others."""
    given = NetworkProblem("a*x_0**2 + b*x_3", "x_0**2")
    assert given.free_directions == 2 and not given.restricted
    assert "2 of 4 inputs" in given.described()
    alone = NetworkProblem("a*x_0", "x_0").described()
    assert alone == "its one input: read otherwise than by linear layers; degree 1: 1 node"
    assert NetworkProblem("a*x_0", "x_1").described().startswith("all 2 inputs: read otherwise")


def test_correlated_inputs():
    """E(x_0 x_1 − w x_0²)²/2 under Σ, by Isserlis: (σ_00σ_11 + 2σ_01² − 6wσ_00σ_01 + 3w²σ_00²)/2."""
    Sigma = np.array([[2.0, 0.6], [0.6, 1.0]])
    given = NetworkProblem("w*x_0**2", "x_0*x_1", [0.7], covariance=Sigma)
    exact = (2 * 1 + 2 * 0.36 - 6 * 0.7 * 2 * 0.6 + 3 * 0.49 * 4) / 2
    assert given.population.loss(given.theta0) == pytest.approx(exact, rel=1e-13)


def test_draws_know_their_error():
    """Means over draws are off by some of their error bars: χ² of 12 seeds about the grid's value, 6 groups free."""
    exact = problem("bilinear")
    truth = exact.population.loss(exact.theta0)
    pulls = []
    for seed in range(12):
        given = problem("bilinear", expectation=Expectation(2048, seed))
        assert given.nodes.groups == 8
        pulls.append((given.population.loss(given.theta0) - truth) / given.population.error_bar(given.theta0))
    # Student's t with 7 degrees of freedom has the variance 7/5; twelve of them within 3.5 of it, and not far below
    assert 0.2 < np.mean(np.square(pulls)) < 1.4 * 3.5
    assert max(map(abs, pulls)) < 6
    assert exact.population.error_bar(exact.theta0) == 0.0


def test_sizes_are_said_and_refused_beforehand():
    """The cost stands in words; what nobody can wait for is refused with what helps."""
    given = NetworkProblem("deep-quadratic:4,4,2,1", "x_0**4")
    assert given.cost == (5**4 + 1) // 2 and "313 nodes" in given.described()
    large = NetworkProblem("deep-quadratic:30,20,2,1", "x_0**4")
    with pytest.raises(ProblemError, match="samples:N"):
        _ = large.population


def test_expectations_as_text():
    assert Expectation.parse("grid") == Expectation()
    assert Expectation.parse("samples:512", 3) == Expectation(512, 3)
    assert str(Expectation(512)) == "samples:512"
    for wrong in ("sample:3", "samples:x", "samples:3", "samples:-1"):
        with pytest.raises(ProblemError):
            Expectation.parse(wrong)
