"""How training breaks the conserved quantities: drift by finite steps, momentum, weight decay and sampling noise.

Let q(θ) = θᵀSθ be conserved by the flow θ̇ = −R∇L, R the relative learning rates, with S' = SR independent of R. Then
θᵀS'g(θ) = 0 for the gradient g = ∇L at every θ; its derivative is S'g + HS'θ = 0, H the Hessian. Hence (derived here)

* a step θ ← θ − ηRg changes q by *exactly* η² q(Rg): for q = c_k that is η²(η_w‖∂L/∂w_k‖² − h η_a Σ_o(∂L/∂A_ok)²);
* summed along the run, to leading order, the drift is η ∫ q(Rg) dt along the flow;
* with momentum β, weight decay γ, in the time t = η n/(1 − β) and with η̃ = η(1 + β)/(1 − β)², descent follows
  θ̇ = −g̃ − (η̃/2) H̃g̃, where g̃ = g + γθ, H̃ = H + γ (heavy ball; theory: "from gradient flow to real training"), and
  with θᵀSHg = −q(g) this gives

      q̇ = −(2γ + η̃γ²) q + η̃ q(g);

* noise of the gradient of covariance C, independent from step to step, adds η/(1 − β) tr(SC) to q̇: a step adds the
  variance of the velocity, η²/(1 − β²), and its correlation with the steps before, 2η²β/((1 − β)(1 − β²)). One
  sample's tr(SC) comes from `dynamics.conserved.sample_gradients`; a batch of B divides it by B.

All of it up to corrections of the relative size η.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.clock import Clock
from dynamics.conserved.one_step import noise_rate
from dynamics.conserved.quantities import QuadraticQuantity, undecayed_quantities
from dynamics.curves.trajectory import Trajectory
from dynamics.errors import IntegrationError, ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.integration import Sampling, VectorField, integrate
from dynamics.problem import Problem
from dynamics.problem.weight_decay import NO_DECAY
from dynamics.validation import (
    validate_count,
    validate_label_noise,
    validate_momentum,
    validate_real,
    validate_times,
)


@dataclass(frozen=True, eq=False)
class Drift:
    """Predicted values of conserved quantities along a training run.

    Parameters
    ----------
    names : tuple of str
    times : (T,) array
        Of the flow, after the steps of the run.
    values : (T, Q) array
    """

    names: tuple[str, ...]
    times: Array
    values: Array

    @property
    def drift(self) -> Array:
        """Change since the start, (T, Q)."""
        return self.values - self.values[0]


def predicted_drift(
    problem: Problem,
    step: float,
    times: ArrayLike,
    *,
    momentum: float = 0.0,
    weight_decay: float | None = None,
    batch: int = 0,
    label_noise: float = 0.0,
    rates: Sequence[float] = (1.0, 1.0),
    rtol: float = 1e-10,
) -> Drift:
    """Conserved quantities along a training run, to leading order in the step.

    Parameters
    ----------
    problem : Problem
    step : float
        η.
    times : (T,) array
        Of the flow (`dynamics.clock.Clock`); the first must be 0.
    momentum : float
        β of the heavy ball v ← βv + g, θ ← θ − ηv.
    weight_decay : float, optional
        γ: the gradient is that of L + ½γ‖θ‖². By default that of the problem, whose layers then must decay alike.
    batch : int
        B fresh samples in every step; 0 is descent on the population loss.
    label_noise : float
        Variance Δ of the labels' noise; needs a batch.
    rates : (η_w, η_a)
        Learning rates of the layers in units of η; not together with weight decay, which then has no closed
        equation.
    rtol : float
        Tolerance of the integration.

    Returns
    -------
    Drift

    Raises
    ------
    ProblemError
        If an argument is not usable, or the model has no quadratic conserved quantity.
    IntegrationError
        If the solver fails.
    """
    t = validate_times(times)
    if t[0] != 0:
        raise ProblemError(f"`times` starts at {t[0]:g}, but must start at 0, where the drift is zero.")
    field = DriftField.create(problem, step, momentum, weight_decay, batch, label_noise, rates)
    sampling = Sampling.create(None, t, len(t), False, horizon=0.0)
    reached, states, report = integrate(field, field.start(), sampling, rtol=rtol)
    if report.failed:
        n = field.unknowns
        W, A = field.flow.unpack(states[:, :n])
        partial = Trajectory.from_states(problem, field.flow.reduction, reached, W, A, report)
        raise IntegrationError(report.message, partial)
    names = tuple(q.name for q in field.quantities)
    return Drift(names, reached, states[:, field.unknowns :] - field.transient(reached))


@dataclass(frozen=True, eq=False)
class DriftField(VectorField):
    """The flow together with its quantities: right-hand side of (θ, q), q of shape (Q,)."""

    flow: GradientFlow
    quantities: tuple[QuadraticQuantity, ...]
    relative_rates: Array
    step: float
    momentum: float
    weight_decay: float
    batch: int
    label_noise: float
    rates: tuple[float, float]

    @classmethod
    def create(
        cls,
        problem: Problem,
        step: float,
        momentum: float,
        weight_decay: float | None,
        batch: int,
        label_noise: float,
        rates: Sequence[float],
    ) -> DriftField:
        """Check the arguments of `predicted_drift`."""
        eta = validate_real("step", step, positive=True)
        beta = validate_momentum(momentum)
        gamma = common_decay(problem, weight_decay)
        problem = replace(problem, weight_decay=NO_DECAY)
        noise = validate_label_noise(label_noise)
        B = validate_count("batch", batch, minimum=0)
        eta_w, eta_a = (validate_real("rates", rate, positive=True) for rate in rates)
        if noise and not B:
            raise ProblemError(
                f"`label_noise` is {noise:g} without a `batch`, but the population loss has no noise."
            )
        if gamma and eta_w != eta_a:
            raise ProblemError(
                f"`rates` are {eta_w:g} and {eta_a:g} with `weight_decay`, but with it they must be equal."
            )
        quantities = tuple(
            q for q in undecayed_quantities(problem, (eta_w, eta_a)) if isinstance(q, QuadraticQuantity)
        )
        if not quantities:
            raise ProblemError("`problem` has no quadratic conserved quantity that could drift.")
        flow = GradientFlow(problem)
        W, A = flow.unpack(flow.theta0)
        relative = flow.pack(np.full(W.shape, eta_w), np.full(A.shape, eta_a))
        return cls(flow, quantities, relative, eta, beta, gamma, B, noise, (eta_w, eta_a))

    @property
    def unknowns(self) -> int:
        """Number of trained parameters."""
        return self.flow.theta0.size

    @property
    def _damping(self) -> float:
        """2γ + η̃γ², times the common rate of the layers."""
        gamma = self.weight_decay * self.rates[0]
        return 2 * gamma + self._effective_step * gamma**2

    @property
    def _effective_step(self) -> float:
        """η̃ = η(1 + β)/(1 − β)²."""
        return self.step * (1 + self.momentum) / (1 - self.momentum) ** 2

    def start(self) -> Array:
        """Initial (θ, q), q with all that the velocity will lag behind."""
        W, A = self.flow.unpack(self.flow.theta0)
        q = np.array([c.of(W, A) for c in self.quantities])
        return np.concatenate([self.flow.theta0, q * (1 + self._lag)])

    def transient(self, times: Array) -> Array:
        """What is still missing of the velocity's lag after n = t (1 − β)/η steps, (T, Q)."""
        q = self.start()[self.unknowns :] / (1 + self._lag)
        return self._lag * np.outer(self.momentum ** Clock(self.step, self.momentum).steps(times), q)

    @property
    def _lag(self) -> float:
        """2γηβ/(1 − β)²: the decay of q in the time by which the velocity stays behind."""
        return 2 * self.weight_decay * self.rates[0] * self.step * self.momentum / (1 - self.momentum) ** 2

    def __call__(self, t: float, theta: Array) -> Array:
        """Rates of change of the state (θ, q)."""
        weights, q = theta[: self.unknowns], theta[self.unknowns :]
        W, A = self.flow.unpack(weights)
        dW, dA = self.flow.population.velocity(W, A)
        moved = self.rates[0] * dW, self.rates[1] * dA
        slope = self._effective_step * np.array([c.of(*moved) for c in self.quantities]) - self._damping * q
        if self.batch:
            noise = noise_rate(
                self.quantities,
                self.flow.problem,
                self.flow.reduction.lift(W),  # a sample moves w_k in all d directions
                A,
                batch=self.batch,
                label_noise=self.label_noise,
                rates=self.rates,
            )
            slope += self.step / (1 - self.momentum) * noise
        return np.concatenate(
            [self.flow.pack(*moved) - self.weight_decay * self.relative_rates * weights, slope]
        )

    def jacobian(self, t: float, theta: Array) -> Array:
        """Jacobian; that of q̇ by θ is left out, since q acts on nothing: Newton's method converges without."""
        n = self.unknowns
        J = np.zeros((theta.size, theta.size))
        H = self.flow.hessian(theta[:n]) + self.weight_decay * np.eye(n)
        J[:n, :n] = -self.relative_rates[:, None] * H
        J[range(n, theta.size), range(n, theta.size)] = -self._damping
        return J


def common_decay(problem: Problem, weight_decay: float | None = None) -> float:
    """The one rate ρ at which all that is trained decays: the given one, or that of the problem.

    Raises
    ------
    ProblemError
        If it is not usable, the problem has one already, or its layers decay differently.
    """
    decay = problem.weight_decay
    if weight_decay is not None:
        if decay:
            raise ProblemError(
                f"`weight_decay` is {weight_decay:g}, but that of the problem is {decay}: leave it out."
            )
        return validate_real("weight_decay", weight_decay, nonnegative=True)
    if problem.student.trainable and not decay.equal:
        raise ProblemError(
            f"`weight_decay` is {decay}, but only where both layers decay alike have these quantities closed laws."
        )
    return decay.first
