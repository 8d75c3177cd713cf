"""Natural gradient flow, θ̇ = −(F + δ)⁻¹ ∇R, with the metric F = E[JᵀJ] of the outputs under the law of the inputs.

It moves within the range of Jᵀ, as the gradient flow does, so that every quantity is conserved whose gradient is
orthogonal to that range at all inputs: the same as without a metric, and with any damping δ. Where J has full rank,
that is where a small change of the weights can make any change of the function, L̇ = −2L for δ = 0: nothing is left of
plateaus (Amari, *Natural gradient works efficiently in learning*, 1998, not consulted; derived here).

The metric is the Hessian of the population loss of a teacher that is the student itself: the error is zero there, and
with it the term that has second derivatives of the outputs.
"""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.flows.steered import SteeredFlow
from dynamics.problem import Problem
from dynamics.validation import validate_real

COPIES = 4  # of F that its inverse takes
RANK = 1e-13  # of the largest eigenvalue of F: smaller ones are zero


def check_metric(unknowns: int) -> None:
    """Refuse a metric that does not fit into the memory, with its factors.

    Raises
    ------
    ProblemError
    """
    check_memory(f"The metric of {unknowns} weights", COPIES * 8 * unknowns**2, "take fewer hidden units")


def metric(problem: Problem, W: Array, A: Array, unknowns: int) -> Array:
    """F over the first entries of (W, A), flattened row by row, (n, n)."""
    return problem.activation.loss(W, A, problem.covariance).hessian(W, A)[:unknowns, :unknowns]


def natural_direction(problem: Problem, W: Array, A: Array, slope: Array, damping: float) -> Array:
    """(F + δ)⁻¹ times a vector (n,), with the pseudo-inverse for δ = 0."""
    F = metric(problem, W, A, slope.size)
    if damping:
        return np.asarray(np.linalg.solve(F + damping * np.eye(slope.size), slope))
    values, vectors = np.linalg.eigh(F)
    kept = values > RANK * values[-1]
    return np.asarray(vectors[:, kept] @ ((vectors[:, kept].T @ slope) / values[kept]))


class NaturalGradientFlow(SteeredFlow):
    """Natural gradient flow of the objective.

    Parameters
    ----------
    problem : Problem or GradientFlow
    damping : float
        δ; 0 is the pseudo-inverse of F.
    decay : (ρ_w, ρ_a)
        Decoupled weight decay, which is no part of the objective.

    Raises
    ------
    ProblemError
        If the damping is negative.
    """

    def __init__(
        self, problem: Problem, damping: float = 0.0, decay: tuple[float, float] = (0.0, 0.0)
    ) -> None:
        super().__init__(problem)
        check_metric(self.weights)
        self.damping = validate_real("damping", damping, nonnegative=True)
        self.decay = self.rates(decay)

    def __call__(self, t: float, theta: Array) -> Array:
        """Right-hand side −(F + δ)⁻¹ ∇R, and decay."""
        W, A = self.unpack(theta)
        moved = natural_direction(self.reduction.problem, W, A, self.slope(theta), self.damping)
        return -moved - self.decay * theta
