"""The figure of a network of one's own draws the flow and the networks that it is given."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import same_color

from dynamics.networks import NetworkFlow, NetworkProblem
from empirical.polynomial import NetworkRun
from empirical.polynomial.comparison import NetworkComparison
from figures.own_network import NETWORKS, network_curves
from figures.style import COLUMN_WIDTH, PALETTE


@pytest.fixture(scope="module")
def comparison():
    """A small flow, and three made-up networks: 0.9, 1 and 1.2 times its loss, and its weights shifted by as much."""
    problem = NetworkProblem("a*(w_1*x_0)**2", "x_0**2", [0.3, 0.5])
    trajectory = NetworkFlow(problem).integrate(2.0, samples=30)
    factors = np.array([0.9, 1.0, 1.2])
    theta = trajectory.parameters + (factors - 1)[:, None, None]
    run = NetworkRun(problem, np.arange(30), trajectory.times, factors[:, None] * trajectory.loss, theta)
    return NetworkComparison(trajectory, run, None)


def test_losses_and_weights(comparison):
    figure = network_curves(comparison)
    above, below = figure.axes
    theory = next(line for line in above.lines if line.get_label() == "theory: gradient flow")
    np.testing.assert_array_equal(
        theory.get_xydata().T, [comparison.trajectory.times, comparison.trajectory.loss]
    )
    networks = next(line for line in above.lines if line.get_label() == "networks: median of 3")
    t, median = networks.get_xydata().T
    at = np.searchsorted(comparison.run.times, t)
    np.testing.assert_allclose(median, comparison.trajectory.loss[at])
    assert same_color(networks.get_color(), NETWORKS)
    (band,) = above.collections
    vertices = band.get_paths()[0].vertices
    low, high = np.quantile(comparison.run.loss[:, 0], [0.1, 0.9])
    assert vertices[:, 1].max() == pytest.approx(high) and low == pytest.approx(
        vertices[vertices[:, 0] == 0, 1].min()
    )
    for i, colour in enumerate(PALETTE[:2]):
        line, markers = (entry for entry in below.lines if same_color(entry.get_color(), colour))
        np.testing.assert_array_equal(line.get_ydata(), comparison.trajectory.parameters[:, i])
        at = np.searchsorted(comparison.run.times, markers.get_xdata())
        np.testing.assert_allclose(markers.get_ydata(), comparison.trajectory.parameters[at, i])
    assert {text.get_text() for text in below.texts} == {"$a$", "$w_{1}$"}
    assert figure.get_size_inches()[0] == COLUMN_WIDTH


def test_one_network_has_no_band(comparison):
    one = replace(
        comparison, run=replace(comparison.run, loss=comparison.run.loss[:1], theta=comparison.run.theta[:1])
    )
    labels = [line.get_label() for line in network_curves(one).axes[0].lines]
    assert "networks: one seed" in labels and not network_curves(one).axes[0].collections


def test_large_networks_show_their_loss_alone():
    problem = NetworkProblem("deep-linear:2,4,1", "x_0", init_scale=0.3)
    flow = NetworkFlow(problem)
    (axes,) = network_curves(flow.integrate(samples=5)).axes
    assert axes.get_yscale() == "log"
    (flat,) = network_curves(
        flow.integrate(0.01, samples=5)
    ).axes  # a loss that hardly falls has a linear axis
    assert flat.get_yscale() == "linear"


def test_the_error_bar_of_draws_is_shown():
    problem = NetworkProblem("a*(w*x_0)**2", "x_0**2", [0.3, 0.5], expectation="samples:256")
    trajectory = NetworkFlow(problem).integrate(0.5, samples=5)
    (band,) = network_curves(trajectory).axes[0].collections
    assert band.get_label() == "± 2 standard errors"
    top = band.get_paths()[0].vertices[:, 1].max()
    assert top == pytest.approx((trajectory.loss + 2 * trajectory.loss_error).max())
