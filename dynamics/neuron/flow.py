"""Gradient flow of quadratic neurons on their population loss, with a learning rate for each group of weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.budget import check_memory
from dynamics.errors import ComputationError, ProblemError
from dynamics.integration import DEFAULT_RTOL, Sampling, Stop, integrate
from dynamics.neuron.population import NeuronPopulation, pack, theta_of, unpack
from dynamics.neuron.problem import SIZES, Neurons, QuadraticTarget, Rates, relinear_start
from dynamics.neuron.trajectory import NeuronTrajectory
from dynamics.validation import validate_real

Array = NDArray[np.float64]

HESSIANS = 4  # copies of the Hessian at a time
LARGEST_LOSS = 1e100  # well before squares and products overflow


class NeuronFlow:
    """The flow θ̇ = −P∇L(θ) − λ(θ − θ_ReLinear) of K quadratic neurons with output weights.

    P = diag(rates) holds the learning rates γ of the groups. The second term, absent for λ = 0, is the shrinking
    variant of ReLinear; it acts on G and B alone. Gradient descent with a step η, θ ← θ + ηθ̇, is Euler's method
    for this flow: time is learning rate × steps.

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
        with np.errstate(over="ignore", invalid="ignore"):
            start = self.loss(self.theta0)
        if not start < LARGEST_LOSS:
            raise ProblemError(
                f"The initial loss is {start:.3g}, beyond {LARGEST_LOSS:.0e}: scale target and weights down."
            )

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

    def integrate(
        self,
        t_end: float | None = None,
        *,
        times: ArrayLike | None = None,
        samples: int = 201,
        log_times: bool = False,
        method: str = "auto",
        rtol: float = DEFAULT_RTOL,
        atol: float | None = None,
        max_evaluations: int | None = None,
        progress: bool = False,
    ) -> NeuronTrajectory:
        """Integrate from the initial weights.

        Parameters
        ----------
        t_end : float, optional
            End time. Without it and without `times` the flow runs until it has converged: it stands still, and no
            direction of descent is left.
        times, samples, log_times
            As for `dynamics.flow.GradientFlow.integrate`.
        method, rtol, atol, max_evaluations, progress
            See `dynamics.integration.integrate`.

        Raises
        ------
        ProblemError
            If an argument is not usable.
        ComputationError
            If the solver gives up.
        """
        n = len(self.theta0)
        check_memory(
            f"The Hessian of {self.neurons.hidden} quadratic neurons with {self.neurons.inputs} inputs",
            HESSIANS * 8 * n**2,
            "lower `hidden` or `inputs`",
        )
        open_ended = t_end is None and times is None
        sampling = Sampling.create(t_end, times, samples, log_times, horizon=self.horizon())
        stops = [Stop("converged", self._distance_from_convergence)] if open_ended else []
        times_, states, report = integrate(
            self,
            self.theta0,
            sampling,
            method=method,
            rtol=rtol,
            atol=atol,
            stops=stops,
            max_evaluations=max_evaluations,
            progress=progress,
        )
        if report.status == "failed":
            raise ComputationError(report.message)
        if open_ended and report.status == "finished":
            report = replace(report, status="finished, not converged")
        loss = np.array([self.loss(theta) for theta in states])
        return NeuronTrajectory(
            self.target,
            self.rates,
            self.shrink,
            times_,
            *unpack(states, self.neurons.hidden),
            loss,
            self.largest_stable_step(states[-1]),
            report,
        )

    def _scale(self) -> float:
        """Natural size of Γ, 1 where there is nothing to learn."""
        return 4 * float(np.sqrt(max(self.loss(self.theta0), self.loss(0 * self.theta0)))) or 1.0

    def horizon(self) -> float:
        """Time after which an open-ended integration gives up waiting for convergence."""
        slowest = min(rate for rate in (*self._P, 1.0) if rate > 0)
        return 1e5 / (slowest * self._scale())

    def _distance_from_convergence(self, t: float, theta: Array) -> float:
        """Positive until θ̇ is negligible *and* no direction of descent is left (as in `dynamics.flow`)."""
        scale = self._scale()
        speed = float(np.linalg.norm(self(t, theta)))
        excess = speed - 1e-9 * scale
        if excess > 0:
            return excess
        lowest = float(np.linalg.eigvalsh(self.preconditioned_hessian(theta))[0])
        return 1.0 if lowest < -0.01 * np.sqrt(speed * scale) else excess
