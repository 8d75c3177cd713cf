"""When an open-ended flow has come to an end: at a minimum, at a saddle for good, or on a plateau too long to wait for.

A small gradient alone says nothing: on a plateau it is as small as the dormant units are. So what is asked, where the
flow hardly moves, is a matter of structure and not of a tolerance:

- Is anything left to learn? Every stationary point of one output that misses a mode λ_j has L ≥ λ_j², so a force that
  is small against the weakest mode is that of a global minimum.
- Which units are dormant, and will one of them grow? The frozen-unit law says so, and when
  (`dynamics.saddle_to_saddle.dormant_units`); learned modes that still relax do not enter.
- Has the Hessian of the other units a direction of descent? Near a saddle its lowest eigenvalue is of the order of the
  force times the weights, far above what an unfinished convergence leaves. For other activations and for a fixed
  second layer, where small units grow exponentially, that is asked of all units.
- Where no law of dormant units is known: does a small unit grow while the loss is not zero? Of a high information
  exponent, as that of a Hermite polynomial, saddles are degenerate, and the Hessian does not tell them from minima.

Weight decay turns every plateau into a minimum for units that are too small to grow faster than they decay: then what
was a saddle is where the flow converges, and that a unit cannot escape any more is a matter of the same law. Which
minimum it is, and which would be the best, is said where they differ.

On a plateau of one output nothing moves but the dormant units, by the frozen-unit law: so a long plateau is crossed in
one leap, to a few hundred jump durations before its end. Where that cannot be, because the jump could not be resolved
in double precision, or because several outputs leave only the solver to wait, and it takes too many steps, the flow
is said to rest, with the time at which it will go on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.errors import ComputationError
from dynamics.flows.base import Run, Watch
from dynamics.flows.endings import CONVERGED, RESTING, SADDLE
from dynamics.flows.motion import Motion
from dynamics.flows.natural_units import NaturalUnits
from dynamics.flows.traps import trap
from dynamics.integration import SolverReport, Stop
from dynamics.integration.contract import Write
from dynamics.population.base import FormLoss, Population
from dynamics.population.biased import unit_weights
from dynamics.problem import Problem
from dynamics.problem.mode_numbers import mode_numbers, mode_set
from dynamics.problem.reduction import Reduction
from dynamics.problem.weight_decay import WeightDecay
from dynamics.saddle_to_saddle.dormant_units import Growth, Plateau, dormant_units, growth, plateau
from dynamics.saddle_to_saddle.growing_unit import invariant

STILL = 1e-9  # speeds below this, in natural units, are looked at more closely
RESOLVED = 100  # times the solver's relative tolerance: smaller speeds may be its errors
NOTHING_LEFT = 1e-3  # of the force of the weakest mode
FLAT = 1e-9  # Hessian eigenvalues below this, in natural units, are no directions of descent
FOREVER = 1500  # e-foldings after which a component that doubles can hold at all has grown
RESOLUTION = 0.02  # of the duration of a jump: how finely the clock must tell times apart
LONG = 1e4  # natural times from which an integration is worth looking for plateaus to leap over
MOST_STEPS = 20_000  # looks at one plateau, one for each step of the solver, before it is too long
CLOSE = 1e-3  # of the waiting time: one leap comes no closer to its end, where t(s) is hard to invert
NOTHING = 1e-12  # of the loss of a student that is zero: what is below, is a global minimum
SMALL_UNIT = 0.1  # of the natural weight
GROWS = (
    1e-14  # of the natural rate: a small unit that neither grows nor shrinks faster is on a saddle for good
)
GROWING = "growing"
LEAVE = 300.0  # jump durations before the end of a plateau at which the solver takes over: G is still the same to 1e-7


class Descent(Protocol):
    """What of a flow the test of convergence looks at (`dynamics.flows.gradient.GradientFlow`)."""

    problem: Problem
    theta0: Array
    objective: Population
    reduction: Reduction

    @property
    def forms(self) -> FormLoss | None:
        """The loss as one of the forms M_o, up to corrections; None if it is none."""

    @property
    def trainable(self) -> bool:
        """Whether the second layer is trained."""

    @property
    def keeps_balances(self) -> bool:
        """Whether c_k follows its exact law."""

    def in_place(self) -> Write:
        """θ̇, written into memory of the caller."""

    def pack(self, W: Array, A: Array) -> Array:
        """θ of weights."""

    def unpack(self, theta: Array) -> tuple[Array, Array]:
        """Weights W (K, r) and A (O, K)."""

    def descent(self, theta: Array, least: float, among: NDArray[np.bool_]) -> float:
        """Growth rate in the best direction of descent that some unknowns have; 0 where none exceeds the least."""


@dataclass(frozen=True, eq=False)
class Wait:
    """The time from `t_old` to `t` on a plateau, `end` its last state; calling it gives θ at a time in between."""

    flow: Descent
    plateau: Plateau
    t_old: float
    t: float
    end: Array

    def __call__(self, t: float) -> Array:
        return self.end if t >= self.t else self.flow.pack(*self.plateau.after(t - self.t_old))


@dataclass
class ConvergenceTest:
    """Looks at the states of a flow as an integration goes by, and says where it ends.

    Parameters
    ----------
    flow : Descent
    units : NaturalUnits
    rtol : float
        Relative tolerance of the solver.
    """

    flow: Descent
    units: NaturalUnits
    rtol: float
    growth: Growth | None = field(default=None, init=False)  # of the plateau on which the flow is
    _looks: int = field(default=0, init=False)  # at this plateau
    _unseen: float = field(default=0.0, init=False)  # until then nothing can happen
    _descending: float | None = field(default=None, init=False)  # since when there is a direction of descent
    _last: tuple[float, str | None] = field(default=(-1.0, None), init=False)

    def distance(self, status: str, t: float, theta: Array) -> float:
        """Positive until the flow ends with this status."""
        speed = self._motion.speed(t, theta)
        excess = speed - self.still
        if excess > 0:
            self._descending, self.growth, self._looks = None, None, 0
            return excess
        if self._last[0] < t:  # within the step that ends there the answer is that of its end
            self._last = (t, self._status(t, theta, speed))
        return excess if self._last[1] == status else 1.0

    @cached_property
    def _motion(self) -> Motion:
        """θ̇, which every ending asks for at every step."""
        return Motion(self.flow.in_place())

    @cached_property
    def still(self) -> float:
        """Speed below which the flow hardly moves: weak modes move weakly."""
        return max(STILL * min(1.0, self.units.weakest), min(RESOLVED * self.rtol, STILL)) * self.units.speed

    def _status(self, t: float, theta: Array, speed: float) -> str | None:
        """How the flow ends here; None if it goes on."""
        self._looks += 1
        if t < self._unseen:
            return RESTING if self._looks > MOST_STEPS else None
        dormant = self._dormant(theta)
        outlook = None if dormant is None else self._outlook(t, theta, dormant)
        if outlook is not None and np.isfinite(outlook.wait):
            self.growth, self._unseen = outlook, t + outlook.wait / 2
            return RESTING if self._unresolved(t, theta) else None
        descent = self._descent(theta, speed, dormant)
        if descent > 0:
            self._descending = t if self._descending is None else self._descending
            return SADDLE if (t - self._descending) * descent > FOREVER else None
        small = self._small_units(t, theta)
        if small is not None:
            return None if small == GROWING else small
        return SADDLE if outlook is not None and outlook.possible else CONVERGED

    def _descent(self, theta: Array, speed: float, dormant: NDArray[np.intp] | None) -> float:
        """Growth rate in the best direction of descent that units other than dormant ones have; 0 if there is none."""
        W, A = (np.ones_like(x, dtype=bool) for x in self.flow.unpack(theta))
        W[dormant if dormant is not None else []] = False
        A[:, dormant if dormant is not None else []] = False
        among = self.flow.pack(W, A).astype(bool)
        if not among.any():
            return 0.0
        least = max(0.01 * np.sqrt(speed / self.units.speed), FLAT) * self.units.rate
        return self.flow.descent(theta, least, among)

    def _small_units(self, t: float, theta: Array) -> str | None:
        """What small units do while something is left to learn: "grow", or rest at a saddle; None if neither.

        None too where the law of dormant units is known, and under weight decay: what is of higher order than the
        penalty makes no saddle of the origin.
        """
        W, A = self.flow.unpack(theta)
        nothing_left = self.flow.objective.loss(W, A) <= NOTHING * self.units.output**2
        if self.flow.forms is not None or self._decay or nothing_left:
            return None
        dW, dA = self.flow.unpack(self._motion.velocity(t, theta))
        size, growth = np.sum(W**2, axis=1), np.sum(W * dW, axis=1)
        at_rest = np.abs(growth) <= GROWS * self.units.rate * size
        if self.flow.trainable:
            A, dA = unit_weights(W, A), unit_weights(W, dA)
            size, growth = size + np.sum(A**2, axis=0), growth + np.sum(A * dA, axis=0)
        small = W.any(axis=1) & (size < (SMALL_UNIT * self.units.weight) ** 2)
        if (growth > GROWS * self.units.rate * size)[small].any():
            return GROWING
        return SADDLE if at_rest[small].any() else None

    def _dormant(self, theta: Array) -> NDArray[np.intp] | None:
        """The dormant units, told by the force that each exerts; None where no law of theirs is known, or needed."""
        loss = self.flow.forms
        if not self.flow.trainable or loss is None:
            return None
        W, A = self.flow.unpack(theta)
        force = float(np.linalg.norm(loss.force(W, A)))
        if force <= NOTHING_LEFT * self.units.weakest_force:
            return None
        nothing = loss.force(0 * W[:1], A[:, :1])
        influence = [
            np.linalg.norm(loss.force(w[None], a[:, None]) - nothing) for w, a in zip(W, A.T, strict=True)
        ]
        return dormant_units(np.array(influence), force)

    def _outlook(self, t: float, theta: Array, dormant: NDArray[np.intp]) -> Growth:
        """What the dormant units will do."""
        assert self.flow.forms is not None
        W, A = self.flow.unpack(theta)
        return growth(W, A, self.flow.forms.force(W, A), dormant, self._invariants(t), self._decay)

    @property
    def _decay(self) -> WeightDecay:
        return self.flow.reduction.problem.weight_decay

    def _invariants(self, t: float) -> Array | None:
        """c_k(0) e^{−2ρt}, (K,), for one output; None where a finite step or unequal decay lets them drift."""
        if self._balances is None or not self._decay.equal:
            return None
        return self._balances * np.exp(-2 * self._decay.first * t)

    @cached_property
    def _balances(self) -> Array | None:
        """c_k of the start."""
        W, A = self.flow.unpack(self.flow.theta0)
        A = unit_weights(W, A)
        if len(A) > 1 or not self.flow.keeps_balances:
            return None
        return np.array([invariant(w, float(a)) for w, a in zip(W, A[0], strict=True)])

    def _jump(self, theta: Array) -> float:
        """Duration of the jump at the end of a plateau: 1/(g a) for a unit that learns what is left of the force g."""
        assert self.flow.forms is not None
        g = float(np.linalg.norm(self.flow.forms.force(*self.flow.unpack(theta))))
        return 1 / (g * (g / 8) ** (1 / 3) * self.units.variance ** (-2 / 3))

    def _unresolved(self, t: float, theta: Array) -> bool:
        """Whether the clock cannot tell the times of the next jump apart."""
        assert self.growth is not None
        return bool(np.spacing(t + self.growth.wait) > RESOLUTION * self._jump(theta))

    def out_of_reach(self, t_end: float, t: float, theta: Array) -> float:
        """Positive unless the flow is on a plateau that ends before `t_end`, but in a jump that cannot be resolved."""
        if self._last[0] != t:
            self._look_ahead(t, theta)
        if self.growth is None or t + self.growth.wait > t_end:
            return 1.0
        return -1.0 if self._unresolved(t, theta) else 1.0

    def _look_ahead(self, t: float, theta: Array) -> None:
        """Find the growth on a plateau where nobody asks for the end of the flow."""
        self.growth, self._last = None, (t, None)
        if t < self._unseen or self._motion.speed(t, theta) > self.still:
            return
        dormant = self._dormant(theta)
        if dormant is not None:
            self.growth = self._outlook(t, theta, dormant)
            self._unseen = t + min(self.growth.wait / 2, t)

    def words(self, report: SolverReport, theta: Array) -> str:
        """What there is to say about an ending other than convergence to the global minimum."""
        problem = self.flow.reduction.problem
        if report.status == CONVERGED:
            W, A = self.flow.unpack(theta)
            modes = problem.modes(W, unit_weights(W, A))
            return (
                trap(self.flow.problem, modes, problem.population.loss(W, A)) if problem.weight_decay else ""
            )
        if report.status == SADDLE:
            return "The weights have no component along any way down from this saddle."
        if report.status != RESTING or self.growth is None:
            return ""
        W, A = self.flow.unpack(theta)
        modes = problem.modes(W, unit_weights(W, A))
        targets = problem.mode_targets
        numbers = mode_numbers(targets, problem.all_inputs, problem.teacher.outputs)
        learned = numbers[modes / targets > 0.5]
        return (
            f"Resting on the plateau {mode_set(learned)}: unit {self.growth.unit} grows next, "
            f"at t ≈ {report.time_reached + self.growth.wait:.4g}, which is out of the reach of {report.method}."
        )

    def leap(self, t: float, theta: Array, t_end: float) -> Wait | None:
        """The time on a long plateau; None if the flow is on none, or not for long, or not alone with dormant units."""
        if self._last[0] != t:
            self._look_ahead(t, theta)
        if self.growth is None or self.growth.unit is None:
            return None
        W, A = self.flow.unpack(theta)
        left = max(2 * LEAVE * self._jump(theta), CLOSE * self.growth.wait)
        dormant = self._dormant(theta)
        if dormant is None or len(A) > 1 or self.growth.wait < 10 * left:
            return None
        if self._descent(theta, self.still, dormant) > 0:
            return None
        assert self.flow.forms is not None
        rest = plateau(W, A, self.flow.forms.force(W, A), dormant, self._invariants(t), self._decay)
        end = min(t + self.growth.wait - left, t_end)
        try:
            state = self.flow.pack(*rest.after(end - t))
        except (
            ComputationError
        ):  # the law of a unit is too steep to be inverted there: the solver has to wait
            return None
        self.growth, self._unseen = None, end
        return Wait(self.flow, rest, t, end, state)


def watch_convergence(flow: Descent, units: NaturalUnits, run: Run) -> Watch:
    """What an integration of a gradient flow looks out for."""
    test = ConvergenceTest(flow, units, run.rtol)
    long, still = run.t_end * units.rate > LONG, test.still
    ends: tuple[Stop, ...] = ()
    if run.open_ended:
        names = (CONVERGED, SADDLE, RESTING)
        ends = tuple(Stop(name, partial(test.distance, name), speed=still) for name in names)
    elif long:
        ends = (Stop(RESTING, partial(test.out_of_reach, run.t_end), speed=still),)
    return Watch(ends=ends, leap=test.leap if long else None, speed=still, words=test.words)
