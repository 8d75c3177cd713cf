"""Training with inertia in continuous time, θ̈ + γθ̇ = −∇R: its Noether charges, and what becomes of c_k.

Rotations of units that share one fixed output weight, W ↦ OW with O orthogonal in neuron space, are isometries that
leave the loss and the penalty of weight decay alone. Noether's theorem with friction gives for every pair of them

    J_kl = e^{γt}(w_k·ẇ_l − ẇ_k·w_l) = const,

0 if training starts from rest, and then the column space of W in neuron space stays. The scaling (w, a) ↦ (cw, a/c^h)
of a unit with trained a is no isometry and gives no charge; c = B(θ, θ), B(θ, ∇L) = 0, obeys instead

    d/dt(e^{γt} ċ) = 2e^{γt}[B(θ̇, θ̇) − ρc]   (equal decay ρ).

Derived here. How long plateaus last with inertia is in `dynamics.saddle_to_saddle.inertial_growth`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.conserved.quantities import QuadraticQuantity, Quantities, undecayed_quantities
from dynamics.errors import ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.integration import DEFAULT_RTOL, Sampling, SolverReport, VectorField, integrate
from dynamics.problem import Problem
from dynamics.validation import validate_real, validate_times


@dataclass(frozen=True, eq=False)
class InertialCurve:
    """A solution of θ̈ + γθ̇ = −∇R.

    Parameters
    ----------
    problem : Problem
    friction : float
        γ.
    times : (T,) array
        Of the equation; the flow of the same loss has the time t/γ where inertia is negligible.
    W, A : (T, K, d), (T, O, K) arrays
    dW, dA : (T, K, d), (T, O, K) arrays
        Velocities; dA is zero where the second layer is fixed.
    solver : SolverReport
    """

    problem: Problem
    friction: float
    times: Array
    W: Array
    A: Array
    dW: Array
    dA: Array
    solver: SolverReport

    @property
    def loss(self) -> Array:
        """Population loss, (T,)."""
        population = self.problem.population
        return np.array([population.loss(W, A) for W, A in zip(self.W, self.A, strict=True)])

    @property
    def charges(self) -> Array:
        """J_kl = e^{γt}(w_k·ẇ_l − ẇ_k·w_l), (T, K, K): constants for units with one fixed output weight."""
        turn = self.W @ np.swapaxes(self.dW, -1, -2)
        return np.exp(self.friction * self.times)[:, None, None] * (turn - np.swapaxes(turn, -1, -2))

    @property
    def quantities(self) -> Quantities:
        """What the gradient flow on the same loss would conserve."""
        return undecayed_quantities(self.problem)

    def momentum_of(self, quantity: QuadraticQuantity) -> tuple[Array, Array]:
        """e^{γt} ċ, and its rate of change 2e^{γt}[B(θ̇, θ̇) − ρc] as the law has it, (T,) each."""
        growth = np.exp(self.friction * self.times)
        value, square = quantity.of(self.W, self.A), quantity.of(self.dW, self.dA)
        speed = (quantity.of(self.W + self.dW, self.A + self.dA) - value - square) * growth
        return speed, 2 * growth * (square - self.problem.weight_decay.first * value)


def integrate_inertia(
    problem: Problem,
    friction: float,
    times: ArrayLike,
    *,
    velocity: tuple[ArrayLike, ArrayLike] | None = None,
    rtol: float = DEFAULT_RTOL,
) -> InertialCurve:
    """Integrate θ̈ + γθ̇ = −∇R, R the loss with its weight decay.

    Parameters
    ----------
    problem : Problem
        Its student is the start.
    friction : float
        γ.
    times : (T,) array
        The first is 0.
    velocity : ((K, d), (O, K)) arrays, optional
        Initial velocities; by default the start is at rest.
    rtol : float
        Tolerance of the integration.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    gamma = validate_real("friction", friction, positive=True)
    field = InertialField(GradientFlow(problem, reduce=False), gamma)
    flow, n = field.flow, field.flow.theta0.size
    if velocity is None:
        velocity = 0 * problem.student.W, 0 * problem.student.A
    dW, dA = (np.asarray(part, dtype=float) for part in velocity)
    if dW.shape != problem.student.W.shape or dA.shape != problem.student.A.shape:
        raise ProblemError(
            f"`velocity` has shapes {dW.shape} and {dA.shape}, but must have those of W and A,"
            f" {problem.student.W.shape} and {problem.student.A.shape}."
        )
    t = validate_times(times)
    sampling = Sampling.create(None, t, len(t), False, horizon=0.0)
    start = np.append(flow.theta0, flow.pack(dW, dA))
    reached, states, report = integrate(field, start, sampling, rtol=rtol)
    W, A = flow.unpack(states[:, :n])
    dW, dA = flow.unpack(states[:, n:])
    dA = dA if flow.trainable else np.zeros_like(A)
    return InertialCurve(problem, gamma, reached, W, np.array(A), dW, dA, report)


@dataclass(frozen=True, eq=False)
class InertialField(VectorField):
    """Right-hand side of (θ, θ̇)."""

    flow: GradientFlow
    friction: float

    def __call__(self, t: float, theta: Array) -> Array:
        """(θ̇, −γθ̇ − ∇R)."""
        weights, speed = np.split(theta, 2)
        return np.append(speed, self.flow(t, weights) - self.friction * speed)

    def jacobian(self, t: float, theta: Array) -> Array:
        """Blocks 0, 1, −H and −γ."""
        n = theta.size // 2
        eye = np.eye(n)
        return np.block([[0 * eye, eye], [-self.flow.hessian(theta[:n]), -self.friction * eye]])
