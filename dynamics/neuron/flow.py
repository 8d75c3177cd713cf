"""Gradient flow of quadratic neurons on their population loss, with a learning rate for each group of weights."""

from __future__ import annotations

from functools import cached_property, partial

import numpy as np

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.errors import ProblemError
from dynamics.flows.base import Flow, Run, Watch
from dynamics.flows.endings import CONVERGED
from dynamics.flows.rest import distance_from_rest
from dynamics.flows.start import check_loss
from dynamics.integration import SolverReport, Stop
from dynamics.neuron.population import NeuronPopulation, pack, theta_of, unpack
from dynamics.neuron.problem import SIZES, Neurons, QuadraticTarget, Rates, relinear_start
from dynamics.neuron.trajectory import NeuronTrajectory
from dynamics.validation import validate_real

HESSIANS = 4  # copies of the Hessian at a time


class NeuronFlow(Flow[NeuronTrajectory]):
    """The flow θ̇ = −P∇L(θ) − λ(θ − θ_ReLinear) of K quadratic neurons with output weights.

    P = diag(rates) holds the learning rates γ of the groups. The second term, absent for λ = 0, is the shrinking
    variant of ReLinear; it acts on G and B alone. Gradient descent with a step η, θ ← θ + ηθ̇, is Euler's method
    for this flow: time is that of the flow, learning rate × steps.

    Parameters
    ----------
    target : QuadraticTarget
    neurons : Neurons
        Initial weights.
    rates : Rates
    shrink : float
        λ ≥ 0, per unit of time: a step η multiplies the distance of G and B from (0, …, 0, 1) and 0 by 1 − ηλ.

    Attributes
    ----------
    theta0 : (K(3d + 4),) array
        Initial state θ = (R, G, B, a), each row by row.

    Raises
    ------
    ProblemError
        If target and neurons have different inputs, λ is negative, or the initial loss would overflow.

    Examples
    --------
    >>> from dynamics.neuron import NeuronFlow, Neurons, QuadraticTarget, Rates
    >>> flow = NeuronFlow(QuadraticTarget.random(3), Neurons.initialise(4, 3), Rates(g=0.1, b=0.1))
    >>> trajectory = flow.integrate(t_end=5.0)
    >>> max(trajectory.conserved_drift.values()) < 1e-9
    True
    """

    def __init__(
        self, target: QuadraticTarget, neurons: Neurons, rates: Rates | None = None, shrink: float = 0.0
    ) -> None:
        if target.inputs != neurons.inputs:
            raise ProblemError(
                f"The target has {target.inputs} inputs, but the neurons have {neurons.inputs}."
            )
        self.target, self.neurons = target, neurons
        self.rates = Rates() if rates is None else rates
        self.shrink = validate_real("shrink", shrink, nonnegative=True, size=(0.0, SIZES[1]))
        self.population = NeuronPopulation(target)
        self.theta0 = theta_of(neurons)
        K, d = neurons.hidden, neurons.inputs
        self._P = self.rates.diagonal(K, d)
        self._shrinking = self.shrink * Rates(0, 1, 1, 0).diagonal(K, d)
        self._resting = pack(np.zeros((K, d + 1)), *relinear_start(K, d), np.zeros(K))
        check_loss(self.loss, self.theta0, "target")

    def __call__(self, t: float, theta: Array) -> Array:
        """Right-hand side θ̇."""
        downhill = pack(*self.population.velocity(*unpack(theta, self.neurons.hidden)))
        return self._P * downhill - self._shrinking * (theta - self._resting)

    def jacobian(self, t: float, theta: Array) -> Array:
        """Jacobian −PH − λ of the right-hand side, (n, n)."""
        return -self._P[:, None] * self.hessian(theta) - np.diag(self._shrinking)

    def loss(self, theta: Array) -> float:
        """Population loss at θ."""
        return self.population.loss(*unpack(theta, self.neurons.hidden))

    def hessian(self, theta: Array) -> Array:
        """Hessian of the loss, (n, n)."""
        return self.population.hessian(*unpack(theta, self.neurons.hidden))

    def preconditioned_hessian(self, theta: Array) -> Array:
        """P^½ H P^½ + λ, symmetric, (n, n): what decides about the stability of gradient descent at θ.

        It is P^−½ (PH + λ) P^½, so θ + P^½y is an eigendirection of the descent for every eigenvector y.
        """
        root = np.sqrt(self._P)
        return root[:, None] * self.hessian(theta) * root + np.diag(self._shrinking)

    def largest_stable_step(self, theta: Array) -> float:
        """Step 2/λ_max(P^½ H P^½ + λ) beyond which gradient descent leaves a stationary point θ; inf if flat."""
        sharpest = float(np.linalg.eigvalsh(self.preconditioned_hessian(theta))[-1])
        return 2 / sharpest if sharpest > 0 else np.inf

    def sharpest_direction(self, theta: Array) -> Array:
        """Direction P^½y, of length 1, in which gradient descent becomes unstable first, (n,)."""
        y = np.linalg.eigh(self.preconditioned_hessian(theta))[1][:, -1]
        direction = np.sqrt(self._P) * y
        return direction / np.linalg.norm(direction)

    def horizon(self, explicit: bool = False) -> float:
        """Time after which an open-ended integration gives up waiting for convergence."""
        slowest = min(rate for rate in (*self._P, 1.0) if rate > 0)
        return 1e5 / (slowest * self._scale)

    def watch(self, run: Run) -> Watch:
        """Convergence of an open-ended integration: it stands still, and no direction of descent is left."""
        check_memory(  # of which the largest stable step at the end needs one in any case
            f"The Hessian of {self.neurons.hidden} quadratic neurons with {self.neurons.inputs} inputs",
            HESSIANS * 8 * len(self.theta0) ** 2,
            "lower `hidden` or `inputs`",
        )
        if not run.open_ended:
            return Watch()
        return Watch(ends=(Stop(CONVERGED, self._distance_from_convergence),))

    def result(self, times: Array, states: Array, report: SolverReport) -> NeuronTrajectory:
        """The learning curve."""
        return NeuronTrajectory(
            self.target,
            self.rates,
            self.shrink,
            times,
            *unpack(states, self.neurons.hidden),
            np.array([self.loss(theta) for theta in states]),
            self.largest_stable_step(states[-1]),
            report,
        )

    @cached_property
    def _scale(self) -> float:
        """Natural size of Γ, 1 where there is nothing to learn."""
        return 4 * float(np.sqrt(max(self.loss(self.theta0), self.loss(0 * self.theta0)))) or 1.0

    def _distance_from_convergence(self, t: float, theta: Array) -> float:
        """Positive until the flow is at rest."""
        speed = float(np.linalg.norm(self(t, theta)))
        return distance_from_rest(speed, partial(self._lowest, theta), (self._scale, self._scale))

    def _lowest(self, theta: Array) -> float:
        return float(np.linalg.eigvalsh(self.preconditioned_hessian(theta))[0])
