"""Natural gradient flow, θ̇ = −(F + δ)⁻¹ ∇R, with the metric F = E[JᵀJ] of the outputs under the law of the inputs.

It moves within the range of Jᵀ, as the gradient flow does, so that every quantity is conserved whose gradient is
orthogonal to that range at all inputs: the same as without a metric, and with any damping δ. Where J has full rank,
that is where a small change of the weights can make any change of the function, L̇ = −2L for δ = 0: nothing is left of
plateaus (Amari, *Natural gradient works efficiently in learning*, 1998, not consulted; derived here).

The gradient v of c_k being orthogonal to the range of Jᵀ, Fv = 0 and (F + δ)⁻¹v = v/δ: weight decay of rate ρ in the
gradient moves c_k by its law at the rate ρ/δ, and not at all for δ = 0; decoupled decay moves it at the rate ρ.

The metric is the Hessian of the population loss of a teacher that is the student itself: the error is zero there, and
with it the term that has second derivatives of the outputs (`dynamics.inputs.base.InputLaw.metric`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.curves.trajectory import Trajectory
from dynamics.errors import ComputationError, IntegrationError
from dynamics.flows.steered import SteeredFlow
from dynamics.integration import SolverReport
from dynamics.problem import Problem
from dynamics.problem.scope import require
from dynamics.problem.weight_decay import WeightDecay
from dynamics.validation import validate_real

COPIES = 4  # of F that its inverse takes
DAMPING = 1e-3  # by default, of flow and optimiser
LOST = 1e-8  # likewise, where a solver gave up: in between J is about to lose rank
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
    return problem.law.metric(problem, W, A)[:unknowns, :unknowns]


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
        δ; 0 is the pseudo-inverse of F, with which the flow ends where J loses rank.
    decay : (ρ_w, ρ_a)
        Decoupled weight decay, which is no part of the objective.

    Raises
    ------
    ProblemError
        If the damping is negative.
    """

    def __init__(
        self, problem: Problem, damping: float = DAMPING, decay: tuple[float, float] = (0.0, 0.0)
    ) -> None:
        require("natural gradient", problem)
        super().__init__(problem)
        check_metric(self.weights)
        self.damping = validate_real("damping", damping, nonnegative=True)
        self.decay, self._decoupled = self.rates(decay), decay

    @property
    def lawful(self) -> Problem:
        """With coupled decay over δ, or without where δ = 0; decoupled decay as it is."""
        coupled = self.problem.weight_decay
        share = 1 / self.damping if self.damping else 0.0
        both = zip((coupled.first, coupled.second), self._decoupled, strict=True)
        rates = WeightDecay(*(share * rate + own for rate, own in both))
        return self.problem if rates == coupled else replace(self.problem, weight_decay=rates)

    def failure(self, report: SolverReport, curve: Trajectory) -> ComputationError:
        """Without damping a failure is that of the metric: it says where the flow ends, and what goes on."""
        first, last = (self._rank(curve.coordinates[i], curve.A[i]) for i in (0, -1))
        if self.damping or not report.failed or last >= first:
            return super().failure(report, curve)
        message = (
            f"The natural gradient flow without damping ends at t = {report.time_reached:.6g}, where the derivative of"
            f" the outputs by the weights loses rank: a `damping` such as {DAMPING:g} leads past it."
        )
        return IntegrationError(message, curve)

    def _rank(self, W: Array, A: Array) -> int:
        """Of the metric, with what is small for a solver counted as zero."""
        values = np.linalg.eigvalsh(metric(self.reduction.problem, W, A, self.weights))
        return int(np.sum(values > LOST * values[-1]))

    def __call__(self, t: float, theta: Array) -> Array:
        """Right-hand side −(F + δ)⁻¹ ∇R, and decay."""
        W, A = self.unpack(theta)
        moved = natural_direction(self.reduction.problem, W, A, self.slope(theta), self.damping)
        return -moved - self.decay * theta
