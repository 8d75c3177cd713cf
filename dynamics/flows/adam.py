"""Flows with memories: what Adam, AdamW and RMSProp become as their steps go to zero at fixed memories in time.

A mean with a share β kept in a step η forgets within the time τ = −η/ln β. With τ₁ and τ₂ fixed as η goes to zero, in
the time t = Σ η over the steps (derived here; theory: "normalised, sign, Adam, Muon, natural gradient"),

    τ₁ ṁ = g − m,   τ₂ v̇ = g² − v,   θ̇ = −m̂/(√v̂ + ε) − λθ,
    m̂ = m/(1 − e^{−t/τ₁}),   v̂ = v/(1 − e^{−t/τ₂})

from m = v = 0, with g = ∇R, and λ the rate of decoupled decay. At t = 0 it is m̂ = g and v̂ = g². The error is O(η).
Along a schedule of learning rates the memories are as long as the steps, τ = −η(t)/ln β, and e^{−t/τ} is β^{n(t)}.

RMSProp has τ₁ = 0 and no correction: its first steps are of the size η/√(1 − β) = √(ητ₂), and θ̇ = −g/(√v + ε)
starts like t^{−1/2}. A sum of such steps is not their integral (Euler–Maclaurin with that singularity, derived here):
while the gradient hardly changes,

    θ_n = θ(t_n) − √(ητ₂) [Σ_{m≤n} m^{−1/2} − 2√n − ζ(½)] sign(g₀) + O(η ln 1/η),   θ(0) = θ₀ − ζ(½) √(ητ₂) sign(g₀):

a shifted start, of order √η, and a layer that dies away like 1/√n. Without both the error would be O(√η) for ever.

Stationary points of AdamW: |∂_iL| = ελ|θ_i|/(1 − λ|θ_i|), against the sign of θ_i. The decay hardly shrinks what is
learned (in proportion to ε), but is a barrier at |θ_i| = 1/λ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamics.aliases import Array
from dynamics.clock import Clock
from dynamics.errors import ProblemError
from dynamics.flows.rest import STILL
from dynamics.flows.steered import SteeredFlow
from dynamics.integration import Stop, VectorField
from dynamics.problem import Problem
from dynamics.validation import validate_real

if TYPE_CHECKING:
    from dynamics.schedules.schedule import Spec

ZETA_HALF = -1.4603545088095868  # ζ(½)
FAINT = 1e-4  # of ε or η: a smaller √v, or rate, is as good as none
INSTANT = 1e-10  # of τ₂: the expansions of the start of RMSProp are as good as exact
LARGE = 10  # times ε: a smaller gradient has no sign at the start of RMSProp
DIRECT = 30  # terms of Σ m^{−1/2} that are added up; from there on Euler–Maclaurin's series


class AdamFlow(SteeredFlow):
    """The flow with memories that Adam follows to first order in its step.

    The state is (θ, m, v), in all inputs: it depends on their axes, so that nothing is reduced.

    Parameters
    ----------
    problem : Problem
    step : float
        Learning rate η, which says how long the memories are.
    betas : (β₁, β₂)
    epsilon : float
        ε > 0.
    decay : (ρ_w, ρ_a)
        Decoupled weight decay λ of the layers, which is no part of the objective.
    schedule : Schedule, str, callable or array
        Rates η_n = η s_n, see `dynamics.schedules.Schedule.of`. The flow ends where the schedule does.
    steps : int, optional
        Number of steps of the schedule; a constant one needs none.

    Raises
    ------
    ProblemError
        If a parameter is not usable.
    """

    default_rtol = 1e-10

    def __init__(
        self,
        problem: Problem,
        step: float,
        betas: tuple[float, ...] = (0.9, 0.999),
        epsilon: float = 1e-8,
        decay: tuple[float, float] = (0.0, 0.0),
        *,
        schedule: Spec = "constant",
        steps: int | None = None,
    ) -> None:
        super().__init__(problem, reduce=False)
        self.clock = Clock(step, 0.0, schedule, steps)
        self.epsilon = validate_real("epsilon", epsilon, positive=True)
        self.spans = tuple(map(memory_span, betas))
        self.decay = self.rates(decay)
        self._prepare()

    def _prepare(self) -> None:
        """Memories of nothing."""
        nothing = np.zeros(self.weights)
        self.theta0 = np.concatenate([self.theta0, nothing, nothing])

    @property
    def last_time(self) -> float | None:
        """End of the schedule; None if the rate is constant."""
        return None if self.clock.length is None else self.clock.end

    def stretches(self) -> list[tuple[float, VectorField]] | None:
        """The field between the jumps and bends of the rate; None if the rate is constant."""
        curve = self.clock.rate_curve
        if curve is None:
            return None
        parts = zip(curve.ends.tolist(), curve.pieces, strict=True)
        return [(end, _Stretch(self, piece)) for end, piece in parts]

    @cached_property
    def _curve_of_rates(self) -> Callable[[float], float]:
        return self.clock.rate_curve or (lambda t: self.clock.step)

    def __call__(self, t: float, theta: Array) -> Array:
        """Right-hand side (θ̇, ṁ, v̇) at the rate η(t)."""
        return self.velocity_at(t, self._curve_of_rates(t), theta)

    def jacobian(self, t: float, theta: Array) -> Array:
        """Jacobian of the right-hand side at the rate η(t), (3n, 3n)."""
        return self.jacobian_at(t, self._curve_of_rates(t), theta)

    def _filled(self, t: float) -> list[float]:
        """1 − βⁿ of each memory after the steps up to t."""
        n = float(self.clock.steps(t))
        return [float(-np.expm1(-n / span)) for span in self.spans]

    def velocity_at(self, t: float, eta: float, theta: Array) -> Array:
        """Right-hand side for a rate η."""
        weights, m, v = np.split(theta, 3)
        g, (tau1, tau2) = (
            self.slope(weights),
            (max(eta, FAINT * self.clock.step) * span for span in self.spans),
        )
        mean, square = (
            (g, g**2) if t == 0 else (x / full for x, full in zip((m, v), self._filled(t), strict=True))
        )
        moved = -mean / (np.sqrt(np.maximum(square, 0.0)) + self.epsilon) - self.decay * weights
        return np.concatenate([moved, (g - m) / tau1, (g**2 - v) / tau2])

    def jacobian_at(self, t: float, eta: float, theta: Array) -> Array:
        """Its derivative, (3n, 3n)."""
        weights, m, v = np.split(theta, 3)
        n, (tau1, tau2) = self.weights, (max(eta, FAINT * self.clock.step) * span for span in self.spans)
        g, H = self.slope(weights), self.hessian(weights)
        J = np.zeros((3 * n, 3 * n))
        w, first, second = slice(n), slice(n, 2 * n), slice(2 * n, None)
        J[w, w] = -np.diag(self.decay)
        if t == 0:
            J[w, w] -= self.epsilon / (np.abs(g) + self.epsilon)[:, None] ** 2 * H
        else:
            E1, E2 = self._filled(t)
            root = np.sqrt(np.maximum(v / E2, (FAINT * self.epsilon) ** 2))
            J[w, first] = -np.diag(1 / (E1 * (root + self.epsilon)))
            J[w, second] = np.diag(m / E1 / (root + self.epsilon) ** 2 / (2 * root * E2))
        J[first, w], J[first, first] = H / tau1, -np.eye(n) / tau1
        J[second, w], J[second, second] = 2 * g[:, None] * H / tau2, -np.eye(n) / tau2
        return J

    @property
    def lawful(self) -> Problem | None:
        """None under weight decay: memories scale the weights entry by entry."""
        return None if self.problem.weight_decay or self.decay.any() else self.problem

    def observed(self, times: Array, states: Array) -> Array:
        """The weights of states (T, n)."""
        return states[:, : self.weights]

    def _distance_from_convergence(self, t: float, state: Array) -> float:
        """Positive until the weights stand still where they decay by themselves, or the gradient is gone."""
        if self.decay.any():
            return float(np.abs(self(t, state)[: self.weights]).max()) - STILL
        return super()._distance_from_convergence(t, state)


class RMSPropFlow(AdamFlow):
    """The flow with a memory of squares that RMSProp follows to first order in its step.

    Parameters
    ----------
    problem, step, epsilon, decay, schedule, steps
        As of `AdamFlow`; the schedule must be constant.
    betas : (β,)
        The share of the mean of squares that is kept, PyTorch's α.
    """

    def __init__(
        self,
        problem: Problem,
        step: float,
        betas: tuple[float, ...] = (0.99,),
        epsilon: float = 1e-8,
        decay: tuple[float, float] = (0.0, 0.0),
        *,
        schedule: Spec = "constant",
        steps: int | None = None,
    ) -> None:
        super().__init__(problem, step, betas, epsilon, decay, schedule=schedule, steps=steps)

    def _prepare(self) -> None:
        """The start that makes up for the first steps, and a state whose speed is finite there.

        The state is (ψ, y): the weights are θ = ψ − S(t) sign(g₀) and the mean of squares is v = V(t) + y, with what
        the first steps do at a gradient that hardly changes, by expansion in √t, fading like e^{−t/τ}.
        """
        if self.clock.length is not None:
            raise ProblemError(
                f"`schedule` is {self.clock.schedule.name}, but the flow of RMSProp is known for a constant rate only."
            )
        self.step, self.memory = self.clock.step, self.clock.step * self.spans[0]
        self._late = np.sqrt(self.step * self.memory) * np.sign(self.slope(self.theta0))
        start = self.theta0 - ZETA_HALF * self._late
        g = self.slope(start)
        self._sign, self._square = np.sign(g) * (np.abs(g) > LARGE * self.epsilon), g**2
        self._relative = self.epsilon / np.maximum(np.abs(g), LARGE * self.epsilon)
        self._curve = -8 / 3 * g * (self.hessian(start) @ self._sign) * np.sqrt(self.memory)
        self.theta0 = np.concatenate([start, np.zeros(self.weights)])

    def _advance(self, t: Array | float) -> Array:
        """S(t) sign(g₀), (…, n): with x = √(1 − e^{−t/τ}) and e = ε/|g₀| it is ∫ e^{−t/τ}/(x + e) dt."""
        x, e = np.sqrt(caught_up(t, self.memory))[..., None], self._relative
        return np.asarray(2 * self.memory * (x - e * np.log1p(x / e)) * self._sign)

    def _weights_at(self, t: float, state: Array) -> Array:
        return np.asarray(state[: self.weights] - self._advance(t))

    def _mean_square(self, t: float, state: Array) -> Array:
        """v, with V(t) = (1 − e^{−t/τ}) e^{−t/τ} (g₀² − (8/3) g₀ (H₀ sign g₀) √(τt))."""
        E = caught_up(t, self.memory)
        early = E * (1 - E) * (self._square + self._curve * np.sqrt(t))
        return np.maximum(early + state[self.weights :], 0.0)

    def __call__(self, t: float, theta: Array) -> Array:
        """Right-hand side (ψ̇, ẏ)."""
        t = max(t, INSTANT * self.memory)
        weights, v, tau = self._weights_at(t, theta), self._mean_square(t, theta), self.memory
        g, E, early = self.slope(weights), caught_up(t, tau), self._square + self._curve * np.sqrt(t)
        first = self._sign * (1 - E) / (np.sqrt(E) + self._relative)
        rising = (1 - E) * ((1 - 2 * E) * early / tau + E * self._curve / (2 * np.sqrt(t)))
        moved = first - g / (np.sqrt(v) + self.epsilon) - self.decay * weights
        return np.concatenate([moved, (g**2 - v) / tau - rising])

    def jacobian(self, t: float, theta: Array) -> Array:
        """Jacobian of the right-hand side, (2n, 2n)."""
        t = max(t, INSTANT * self.memory)
        weights, v, tau = self._weights_at(t, theta), self._mean_square(t, theta), self.memory
        g, H = self.slope(weights), self.hessian(weights)
        root = np.maximum(np.sqrt(v), FAINT * self.epsilon)
        below = root + self.epsilon
        upper = np.hstack([-H / below[:, None] - np.diag(self.decay), np.diag(g / below**2 / (2 * root))])
        return np.vstack([upper, np.hstack([2 * g[:, None] * H / tau, -np.eye(self.weights) / tau])])

    def observed(self, times: Array, states: Array) -> Array:
        """Weights of the descent, with the layer of its first steps (T, n)."""
        layer = np.multiply.outer(unsummed(times / self.step), self._late)
        return states[:, : self.weights] - self._advance(times) - layer

    def _goal(self, until_loss: float | None) -> tuple[Stop, ...]:
        """The stop at a value of the loss, of the weights at that time."""
        stops = super()._goal(until_loss)
        return tuple(replace(stop, function=partial(self._on_weights, stop.function)) for stop in stops)

    def _on_weights(self, function: Callable[[float, Array], float], t: float, state: Array) -> float:
        return function(t, self.observed(np.array([t]), state[None])[0])

    def _distance_from_convergence(self, t: float, state: Array) -> float:
        """Of the weights at that time."""
        if self.decay.any():
            E = caught_up(t, self.memory)
            speed = self(t, state)[: self.weights] - self._sign * (1 - E) / (np.sqrt(E) + self._relative)
            return float(np.abs(speed).max()) - STILL
        return super()._distance_from_convergence(t, self._weights_at(t, state))


@dataclass(frozen=True, eq=False)
class _Stretch(VectorField):
    """The flow along one smooth stretch of the rate."""

    flow: AdamFlow
    rate: Callable[[float], float]

    def __call__(self, t: float, theta: Array) -> Array:
        return self.flow.velocity_at(t, self.rate(t), theta)

    def jacobian(self, t: float, theta: Array) -> Array:
        return self.flow.jacobian_at(t, self.rate(t), theta)


def memory_span(beta: float) -> float:
    """τ/η = −1/ln β: steps within which a mean with the share β forgets.

    Raises
    ------
    ProblemError
        If β is not between 0 and 1.
    """
    beta = validate_real("betas", beta)
    if not 0 < beta < 1:
        raise ProblemError(
            f"`betas` holds {beta:g}, but a memory of the flow needs more than 0 and less than 1."
        )
    return float(-1 / np.log(beta))


def caught_up(t: Array | float, tau: float) -> Any:
    """1 − e^{−t/τ}: how much of a constant a mean has taken up."""
    return -np.expm1(-np.asarray(t) / tau)


def unsummed(n: Array) -> Array:
    """Σ_{m≤n} m^{−1/2} − 2√n − ζ(½) for n ≥ 0, which falls from −ζ(½) to zero like 1/(2√n).

    It is −ζ(½, n + 1) − 2√n with Hurwitz' zeta function, which also says what it is between whole numbers.
    """
    start = np.asarray(n, dtype=float)[..., None] + 1 + np.arange(DIRECT)
    a = start[..., -1] + 1
    zeta = np.sum(start**-0.5, axis=-1) - 2 * np.sqrt(a) + a**-0.5 / 2 + a**-1.5 / 24 - a**-3.5 / 384
    return np.asarray(-zeta - 2 * np.sqrt(np.asarray(n, dtype=float)))
