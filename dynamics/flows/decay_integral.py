"""The integral in the law of c_k where the layers decay differently, carried along the flow.

See `dynamics.curves.decay_law`: I_k(t) = ∫₀ᵗ e^{−2ρ_w(t − s)} Σ_o A_ok(s)² ds solves İ_k = −2ρ_w I_k + Σ_o A_ok², and
is integrated together with the flow, so that it is as accurate as that however far apart the samples are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dynamics.aliases import Array
from dynamics.integration import Sampling, SolverReport, Switching, VectorField, integrate
from dynamics.problem import Problem


def decay_integral(
    flow: VectorField, problem: Problem, theta0: Array, times: Array, report: SolverReport
) -> Array | None:
    """I_k at the samples of a flow that was integrated, (T, K).

    None where no law needs it: both layers decay alike, the second is fixed, or φ is not homogeneous; and where the
    flow failed.

    Parameters
    ----------
    flow : VectorField
        θ̇; the second layer is at the end of θ.
    problem : Problem
    theta0 : (n,) array
        Where the flow started.
    times : (T,) array
    report : SolverReport
        Tolerances of its integration.
    """
    decay, A, K = problem.weight_decay, problem.second_layer, problem.student.hidden
    needed = not decay.equal and problem.student.trainable and problem.activation.degree is not None
    if not needed or report.failed or not times[-1]:
        return None
    field = CarriedIntegral(flow, theta0.size, A.shape, 2 * decay.first)
    sampling = Sampling.create(None, times, len(times), False, horizon=0.0)
    start = np.append(theta0, np.zeros(A.shape[1]))
    _, states, own = integrate(field, start, sampling, rtol=report.rtol, atol=report.atol)
    return None if own.failed else states[:, theta0.size : theta0.size + K]


@dataclass(frozen=True, eq=False)
class CarriedIntegral(VectorField):
    """Right-hand side of (θ, I).

    Parameters
    ----------
    flow : VectorField
    unknowns : int
        Length n of θ.
    layer : (O, K)
        Shape of the second layer.
    rate : float
    """

    flow: VectorField
    unknowns: int
    layer: tuple[int, ...]
    rate: float

    def _second(self, theta: Array) -> Array:
        """A (O, K)."""
        O, K = self.layer
        return theta[self.unknowns - O * K : self.unknowns].reshape(O, K)

    def __call__(self, t: float, theta: Array) -> Array:
        """θ̇, and Σ_o A_ok² − rate · I_k."""
        weights, integral = np.split(theta, [self.unknowns])
        return np.append(
            self.flow(t, weights), np.sum(self._second(theta) ** 2, axis=0) - self.rate * integral
        )

    def jacobian(self, t: float, theta: Array) -> Array:
        """Exact; I acts on nothing."""
        n, (O, K) = self.unknowns, self.layer
        J = np.zeros((theta.size, theta.size))
        J[:n, :n] = self.flow.jacobian(t, theta[:n])
        J[n:, n - O * K : n] = np.hstack([np.diag(2 * row) for row in self._second(theta)])
        J[n:, n:] = -self.rate * np.eye(K)
        return J

    def switching(self, atol: float) -> Switching | None:
        """Where the flow switches."""
        events = self.flow.switching(atol)
        return None if events is None else _OfTheFlow(events, self.unknowns)

    def stretches(self) -> Sequence[tuple[float, VectorField]] | None:
        """Those of the flow."""
        parts = self.flow.stretches()
        return None if parts is None else [(end, replace(self, flow=part)) for end, part in parts]


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
