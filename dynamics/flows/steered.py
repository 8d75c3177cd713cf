"""What flows share that go down the objective by another way than the steepest: θ̇ = F(θ, ∇R(θ))."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dynamics.aliases import Array
from dynamics.flows.base import Run, Watch
from dynamics.flows.endings import CONVERGED
from dynamics.flows.gradient import GradientFlow
from dynamics.flows.motion import Motion
from dynamics.flows.rest import distance_from_rest
from dynamics.integration import Stop
from dynamics.integration.contract import VectorField, Write
from dynamics.population.base import Population
from dynamics.population.biased import unit_weights
from dynamics.population.flow_shape import FlowShape
from dynamics.problem import Problem
from dynamics.problem.reduction import Reduction
from dynamics.problem.scope import require

DIFFERENCE = 6e-6  # of the size of the state: balances truncation and rounding of a central difference


@dataclass(frozen=True, eq=False)
class Line:
    """A straight piece of a solution, from t_old to t; by default a rest."""

    t_old: float
    t: float
    start: Array
    velocity: Array | float = 0.0

    def __call__(self, t: float) -> Array:
        """The state at a time."""
        return self.start + (t - self.t_old) * self.velocity


class SteeredFlow(GradientFlow):
    """A flow of the weights that another optimiser than gradient descent follows.

    The weights are the first entries of its state. A subclass says its right-hand side; the Jacobian is that by central
    differences unless it says that as well.
    """

    def _start(self, problem: Problem, reduction: Reduction, objective: Population | None = None) -> None:
        require("other optimisers", problem)
        super()._start(problem, reduction, objective)

    def smaller(self) -> None:
        """None: rotations of the units among one another may change what another optimiser does."""
        return

    def unpack(self, theta: Array) -> tuple[Array, Array]:
        """Weights (…, K, r) and (…, O, K) of states (…, m)."""
        return super().unpack(theta[..., : self.weights])

    def slope(self, theta: Array) -> Array:
        """Gradient ∇R of the objective over the trained weights, (n,)."""
        return -super().__call__(0.0, theta)

    def jacobian(self, t: float, theta: Array) -> Array:
        """Jacobian of the right-hand side by central differences, (n, n)."""
        h = DIFFERENCE * float(np.abs(theta).max() or 1.0)
        shifts = h * np.eye(theta.size)
        return np.stack([(self(t, theta + e) - self(t, theta - e)) / (2 * h) for e in shifts], axis=1)

    def in_place(self) -> Write:
        """The right-hand side, written into memory of the caller."""
        return VectorField.in_place(self)

    def kernel(self) -> None:
        """None: compiled code knows gradients only."""
        return

    def curvature(self) -> None:
        """None: the right-hand side is no gradient."""
        return

    def polynomial(self) -> tuple[FlowShape, Array] | None:
        """None: the right-hand side is no polynomial."""
        return None

    def switching(self, atol: float) -> None:
        """None: a unit that vanishes is not followed further."""
        return

    def watch(self, run: Run) -> Watch:
        """Convergence of an open-ended integration: the gradient is gone, and no way down is left."""
        return Watch(ends=(Stop(CONVERGED, self._distance_from_convergence),) if run.open_ended else ())

    def _distance_from_convergence(self, t: float, state: Array) -> float:
        weights, units = state[: self.weights], self.natural_units
        return distance_from_rest(
            self._steepness(t, state),
            lambda: self.extreme_eigenvalue(weights, "lowest"),
            (units.speed, units.rate),
        )

    def _steepness(self, t: float, state: Array) -> float:
        """‖∇R‖ over the trained weights."""
        return self._descent.speed(t, state[: self.weights])

    @cached_property
    def _descent(self) -> Motion:
        """∇R, which both the end of the flow and a rest ask for."""

        def write(t: float, weights: Array, out: Array) -> None:
            out[...] = self.slope(weights)

        return Motion(write)

    def rates(self, decay: tuple[float, float]) -> Array:
        """Rates of decoupled decay ρ_w, ρ_a of the trained weights, (n,)."""
        W, A = self.unpack(self.theta0[: self.weights])
        second = np.zeros(A.shape)  # a bias does not decay
        unit_weights(W, second)[...] = decay[1]
        return self.pack(np.full(W.shape, decay[0]), second)

    @property
    def weights(self) -> int:
        """How many entries of the state are trained weights."""
        W, A = self.reduction.problem.student.W, self.reduction.problem.second_layer
        return W.size + A.size * self.trainable
