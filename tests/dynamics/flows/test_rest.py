"""Rest is a minimum: a flow of nothing but a right-hand side and a Jacobian does not end at a saddle."""

from dataclasses import dataclass

import numpy as np
import pytest

from dynamics.curves.followed import Followed
from dynamics.flows.base import Flow, Watch
from dynamics.flows.endings import CONVERGED
from dynamics.flows.rest import distance_from_rest
from dynamics.integration import SolverReport, Stop


@dataclass(frozen=True, eq=False, repr=False)
class Curve(Followed):
    """What a flow hands out."""

    times: np.ndarray
    states: np.ndarray
    solver: SolverReport


class DoubleWell(Flow):
    """Down L = ¼(x² − 1)² + ½y²: a saddle at the origin with L = ¼ and growth rate 1, minima at x = ±1."""

    def __init__(self, x, y):
        self.theta0 = np.array([x, y])

    def __call__(self, t, theta):
        x, y = theta
        return np.array([x - x**3, -y])

    def jacobian(self, t, theta):
        return np.diag([1 - 3 * theta[0] ** 2, -1.0])

    def loss(self, theta):
        return (theta[0] ** 2 - 1) ** 2 / 4 + theta[1] ** 2 / 2

    def horizon(self, explicit=False):
        return 1e3

    def watch(self, run):
        return Watch(ends=(Stop(CONVERGED, self.distance),))

    def result(self, times, states, report):
        return Curve(times, states, report)

    def distance(self, t, theta):
        speed = float(np.linalg.norm(self(t, theta)))
        return distance_from_rest(speed, lambda: -self.jacobian(t, theta)[0, 0], (1.0, 1.0))


@pytest.mark.parametrize("method", ["LSODA", "DOP853"])
def test_a_saddle_is_no_rest(method):
    """From x₀ = 1e-12 it is nearer than 1e-9 to the origin, and slower, for some seven units of time.

    x² = 1/(1 + e^{−2t}(1/x₀² − 1)): the time at which 1 − x² ≈ e^{−2t}/x₀² gives the speed 1e-9.
    """
    curve = DoubleWell(1e-12, 1.0).integrate(samples=2, method=method)
    assert curve.solver.status == CONVERGED
    np.testing.assert_allclose(curve.states[-1], [1, 0], atol=1e-8)
    assert curve.times[-1] == pytest.approx(np.log(1e9 / 1e-24) / 2, rel=1e-3)


def test_nothing_leads_away_from_a_saddle_without_a_component():
    """x₀ = 0 stays, but the way down is there: the flow goes on until its horizon and says so."""
    report = DoubleWell(0.0, 1.0).integrate(samples=2).solver
    assert (report.status, report.time_reached) == ("finished, not converged", 1e3)


def test_how_steep_a_descent_keeps_a_slow_flow_going():
    """At the speed s it is 0.01 √s in natural units: 1.5 times that goes on, half of it is at rest."""
    speed, units = 1e-12, (2.0, 3.0)
    edge = 0.01 * np.sqrt(speed / units[0]) * units[1]
    assert distance_from_rest(speed, lambda: -1.5 * edge, units) == 1.0
    assert distance_from_rest(speed, lambda: -0.5 * edge, units) < 0
