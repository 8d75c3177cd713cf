"""The integral in the law of c_k where the layers decay differently, carried along the flow.

See `dynamics.curves.decay_law`: I_k(t) = ∫₀ᵗ e^{−2ρ_w(t − s)} Σ_o A_ok(s)² ds solves İ_k = −2ρ_w I_k + Σ_o A_ok², and
is integrated together with the flow, so that it is as accurate as that however far apart the samples are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dynamics.aliases import Array
from dynamics.integration import METHODS, Sampling, SolverReport, Switching, VectorField, integrate

if TYPE_CHECKING:
    from dynamics.flows.gradient import GradientFlow


def decay_integral(flow: GradientFlow, times: Array, report: SolverReport) -> Array | None:
    """I_k at the samples of a flow that was integrated, (T, K).

    None where no law needs it: both layers decay alike, the second is fixed, or φ is not homogeneous; and where the
    flow failed.
    """
    decay, problem = flow.problem.weight_decay, flow.problem
    needed = not decay.equal and problem.student.trainable and problem.activation.degree is not None
    if not needed or report.failed or not times[-1]:
        return None
    field = CarriedIntegral(flow, 2 * decay.first)
    sampling = Sampling.create(None, times, len(times), False, horizon=0.0)
    start = np.append(flow.theta0, np.zeros(problem.student.hidden))
    method = report.method if report.method in METHODS else "auto"
    _, states, own = integrate(field, start, sampling, method=method, rtol=report.rtol, atol=report.atol)
    return None if own.failed else states[:, flow.theta0.size :]


@dataclass(frozen=True, eq=False)
class CarriedIntegral(VectorField):
    """Right-hand side of (θ, I)."""

    flow: GradientFlow
    rate: float

    @property
    def unknowns(self) -> int:
        """Length of θ."""
        return self.flow.theta0.size

    def __call__(self, t: float, theta: Array) -> Array:
        """θ̇, and Σ_o A_ok² − rate · I_k."""
        weights, integral = np.split(theta, [self.unknowns])
        A = self.flow.unpack(weights)[1]
        return np.append(self.flow(t, weights), np.sum(A**2, axis=0) - self.rate * integral)

    def jacobian(self, t: float, theta: Array) -> Array:
        """Exact; I acts on nothing."""
        n, weights = self.unknowns, theta[: self.unknowns]
        A = self.flow.unpack(weights)[1]
        J = np.zeros((theta.size, theta.size))
        J[:n, :n] = self.flow.jacobian(t, weights)
        for o, row in enumerate(A):
            K = len(row)
            J[range(n, n + K), range(n - A.size + o * K, n - A.size + (o + 1) * K)] = 2 * row
        J[range(n, theta.size), range(n, theta.size)] = -self.rate
        return J

    def switching(self, atol: float) -> Switching | None:
        """Where the flow switches."""
        events = self.flow.switching(atol)
        return None if events is None else _OfTheFlow(events, self.unknowns)


@dataclass(frozen=True)
class _OfTheFlow:
    """Switches of a flow in a state that holds more."""

    events: Switching
    unknowns: int

    @property
    def most(self) -> int:
        """Number of switches after which there is no end to them."""
        return self.events.most

    def distance(self, theta: Array) -> float:
        """Positive until the flow switches."""
        return self.events.distance(theta[: self.unknowns])

    def switched(self, theta: Array) -> Array:
        """The state from which the integration goes on."""
        return np.append(self.events.switched(theta[: self.unknowns]), theta[self.unknowns :])
