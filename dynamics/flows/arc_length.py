"""Gradient flow in its arc length: what normalised gradient descent, θ ← θ − η g/‖g‖, becomes as its step goes to zero.

    dθ/ds = −∇R/‖∇R‖

has the path of the gradient flow and keeps all that this keeps, but runs through it at the speed 1: plateaus, which
have no length, take no time (derived here; theory: "normalised, sign, Adam, Muon, natural gradient"). At a minimum,
which comes at a finite length, it rests. A descent with a finite step h does not: what is learned chatters with
‖∇R‖ ~ h, and the plateaus after the first one are escaped from at a finite rate. These times are those of steps that
are small against the gradient on the plateaus.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dynamics.aliases import Array
from dynamics.curves.decay_law import DecayLaw
from dynamics.curves.trajectory import Trajectory
from dynamics.curves.units import unit_invariants
from dynamics.flows.base import Run, Watch
from dynamics.flows.steered import Line, SteeredFlow
from dynamics.integration import SolverReport
from dynamics.integration.contract import Step
from dynamics.population.base import Population
from dynamics.population.biased import unit_weights
from dynamics.problem import Problem
from dynamics.problem.reduction import Reduction

FAINT = 1e-10  # of the natural rate times the size of the weights: a slower flow is not sped up any further
GONE = 1e-11  # likewise: at a minimum, of such a gradient the path that is left is no longer than that


class ArcLengthFlow(SteeredFlow):
    """Gradient flow of the objective at the speed 1; its time is the length of the path, η × steps.

    Parameters
    ----------
    As of `dynamics.flows.gradient.GradientFlow`.

    Notes
    -----
    The speed is 1 up to a relative FAINT²/2 · (rate ‖θ‖/‖∇R‖)², with the natural rate of the problem; the flow comes to
    rest within that much of a stationary point instead of stopping there with a jolt, which no solver could follow.
    """

    def _start(self, problem: Problem, reduction: Reduction, objective: Population | None = None) -> None:
        """Under weight decay the state also holds c_k by its law, in the time of the gradient flow."""
        super()._start(problem, reduction, objective)
        decay, degree = problem.weight_decay, problem.activation.degree
        self.law: DecayLaw | None = None
        if decay and degree is not None and self.trainable:
            self.law = DecayLaw.of_balance(decay, degree, True)
            W, A = self.unpack(self.theta0)
            self.theta0 = np.append(self.theta0, unit_invariants(W, unit_weights(W, A), degree))

    def _law(self, state: Array) -> Array:
        """Right-hand side −rate c_k + pump Σ_o A_ok² of the law in the time of the gradient flow, (K,) or ()."""
        if self.law is None:
            return state[self.weights :]
        A = unit_weights(*self.unpack(state))
        return np.asarray(self.law.pump * np.sum(A**2, axis=0) - self.law.rate * state[self.weights :])

    def result(self, times: Array, states: Array, report: SolverReport) -> Trajectory:
        """The learning curve, with c_k by its law."""
        curve = Trajectory.from_states(self.problem, self.reduction, times, *self.unpack(states), report)
        return curve if self.law is None else replace(curve, conserved_law=states[:, self.weights :])

    def __call__(self, t: float, theta: Array) -> Array:
        """Right-hand side −∇R/‖∇R‖, and the law of c_k as fast."""
        slope = self.slope(theta)
        speed = np.hypot(np.linalg.norm(slope), FAINT * self._natural_speed(theta))
        return np.append(-slope, self._law(theta)) / speed

    def jacobian(self, t: float, theta: Array) -> Array:
        """Its derivative −(1 − ĝĝᵀ)H/‖∇R‖, (n, n)."""
        slope = self.slope(theta)
        speed = np.hypot(np.linalg.norm(slope), FAINT * self._natural_speed(theta))
        unit, H = slope / speed, self.hessian(theta[: self.weights])
        J = np.zeros((theta.size, theta.size))
        n = self.weights
        J[:n, :n] = -(H - np.outer(unit, unit @ H)) / speed
        if self.law is not None:
            W, A = self.unpack(theta)
            (O, columns), K = A.shape, len(W)
            J[n:, :n] = -np.outer(self._law(theta), unit @ H) / speed**2
            rows = [np.diag(2 * self.law.pump * row)[:K] for row in A]
            J[n:, n - O * columns : n] += np.hstack(rows) / speed
            J[n:, n:] = -self.law.rate / speed * np.eye(K)
        return J

    def watch(self, run: Run) -> Watch:
        """As of every flow of this kind; at a minimum the rest of the time is one step."""
        return replace(super().watch(run), leap=self._rest)

    def _rest(self, t: float, theta: Array, t_end: float) -> Step | None:
        """The solution up to the end where the weights rest."""
        faint = self._steepness(t, theta) > GONE * self._natural_speed(theta)
        return (
            None if faint or self._distance_from_convergence(t, theta) > 0 else Line(t, t_end, theta.copy())
        )

    def _natural_speed(self, theta: Array) -> float:
        """Of weights that move by their size within the natural time of the problem."""
        return float(self.natural_units.rate * np.linalg.norm(theta[: self.weights]))
