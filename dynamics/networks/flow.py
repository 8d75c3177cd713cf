"""Gradient flow of a network of one's own on its population loss, or on a data set."""

from __future__ import annotations

from functools import cached_property, partial
from time import perf_counter

import numpy as np

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.flows.base import Flow, Run, Watch
from dynamics.flows.endings import CONVERGED
from dynamics.flows.rest import distance_from_rest
from dynamics.flows.spectrum import extreme_eigenvalue
from dynamics.flows.start import check_loss
from dynamics.integration import SolverReport, Stop
from dynamics.integration.contract import Curvature
from dynamics.networks.network import shortened
from dynamics.networks.population import NetworkPopulation
from dynamics.networks.problem import NetworkProblem
from dynamics.networks.trajectory import NetworkTrajectory

PATIENCE = (
    1e3  # lengths of the first plateau, or of the slowest natural time, after which nothing is waited for
)
MOVES = 0.1  # of the parameters: what a flow at rest would not move in all that time
HESSIANS = 4  # copies of the Hessian at a time


class NetworkFlow(Flow[NetworkTrajectory]):
    """The flow θ̇ = −∇L(θ) − ρθ of a network.

    Parameters
    ----------
    problem : NetworkProblem
    data : (n, d) array, optional
        Follow the loss on these inputs instead of the population loss. The curve still is the population loss.
    labels : (n, O) array, optional
        Of the data; by default those of the target.

    Attributes
    ----------
    population, objective : NetworkPopulation
        The loss that is measured, and the one that is followed.
    theta0 : (p,) array
        Initial parameters: on the inputs that matter, or with `data` all of them.

    Raises
    ------
    ProblemError
        If the grid would be too large, or the initial loss would overflow.

    Examples
    --------
    >>> from dynamics.networks import NetworkFlow, NetworkProblem
    >>> flow = NetworkFlow(NetworkProblem("deep-quadratic:2,3,1", "x_0**2 + 2*x_1**2", init_scale=0.3))
    >>> trajectory = flow.integrate(t_end=30.0)
    >>> bool(trajectory.loss[-1] < 1e-6), trajectory.conserved_drift < 1e-6
    (True, True)
    """

    def __init__(
        self, problem: NetworkProblem, data: Array | None = None, labels: Array | None = None
    ) -> None:
        start = perf_counter()
        self.problem = problem
        self.population = problem.population
        self.objective: NetworkPopulation = self.population
        self.theta0 = problem.reduced(problem.theta0)
        if data is not None:
            # samples leave the span of weights and target: all parameters move
            self.objective, self.theta0 = problem.on(data, labels), problem.theta0
        self.on_data = data is not None
        check_loss(self.loss, self.theta0, "target")
        self.setup_seconds = perf_counter() - start

    def __call__(self, t: float, theta: Array) -> Array:
        """Right-hand side −∇R."""
        return -self.objective.gradient(theta)

    def jacobian(self, t: float, theta: Array) -> Array:
        """Minus the Hessian, (p, p)."""
        return -self.objective.hessian(theta)

    def curvature(self) -> Curvature | None:
        """Hessian-vector products."""
        return self.objective.hessian_vector

    def loss(self, theta: Array) -> float:
        """Population loss."""
        return self.problem.measured(theta) if self.on_data else self.population.loss(theta)

    def extreme_eigenvalue(self, theta: Array, which: str) -> float:
        """Smallest ("lowest") or largest ("highest") eigenvalue of the Hessian at θ."""
        kept = np.ones(theta.size, dtype=bool)
        hessian, product = (
            partial(self.objective.hessian, theta),
            partial(self.objective.hessian_vector, theta),
        )
        return extreme_eigenvalue(hessian, product, kept, which)

    @cached_property
    def _units(self) -> tuple[float, float, float]:
        """Natural size of a parameter, of rates, and the length of the first plateau.

        With outputs of the size y and H factors on the way a parameter is of the size s = y^{1/H}; rates are those of a
        chain of such factors, y²/s² = y^{2 − 2/H}, and from a size ε it takes a time 1/(y ε^{H−2}) (derived here).
        """
        L = max(self.loss(self.theta0), self.loss(0 * self.theta0), np.finfo(float).tiny)
        y, H = float(np.sqrt(2 * L)), max(self.problem.network.order, 2)
        s = y ** (1 / H)
        rate = (y / s) ** 2
        size = float(np.sqrt(np.mean(self.theta0**2))) or s
        return s, rate, 1 / (y * min(size, s) ** (H - 2))

    def horizon(self, explicit: bool = False) -> float:
        """Time after which an open-ended integration gives up."""
        _, rate, plateau = self._units
        slowest = min(rate, self.problem.weight_decay or rate)
        return PATIENCE * (1 / slowest + plateau)

    def watch(self, run: Run) -> Watch:
        """Convergence of an open-ended integration: it stands still for good, and no direction of descent is left."""
        check_memory(
            f"The Hessian of the network {shortened(self.problem.network.spec)!r}",
            HESSIANS * 8 * len(self.theta0) ** 2,
            "make its layers narrower",
        )
        return Watch(ends=(Stop(CONVERGED, self._distance_from_rest),)) if run.open_ended else Watch()

    def _distance_from_rest(self, t: float, theta: Array) -> float:
        """Positive until it is at rest: near zero a deep network is slow, but goes on in a time that is known."""
        s, rate, _ = self._units
        speed = float(np.linalg.norm(self(t, theta)))
        slow = speed * self.horizon() - MOVES * float(np.linalg.norm(theta))
        if speed and slow > 0:
            return slow
        lowest = partial(self.extreme_eigenvalue, theta, "lowest")
        return distance_from_rest(speed, lowest, (rate * s, rate))

    def result(self, times: Array, states: Array, report: SolverReport) -> NetworkTrajectory:
        """The learning curve."""
        error = None
        if not self.problem.nodes.exact and not self.on_data:
            error = np.array([self.population.error_bar(theta) for theta in states])
        loss = np.array([self.loss(theta) for theta in states])
        return NetworkTrajectory(self.problem, times, states, loss, error, report)
