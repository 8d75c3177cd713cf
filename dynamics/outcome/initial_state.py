"""What an initial state says about where gradient flow can end: frozen signs, possible levels, obstacles.

See `dynamics.outcome.diagnosis` for the argument.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.aliases import Array
from dynamics.curves.units import unit_invariants
from dynamics.flows.gradient import GradientFlow
from dynamics.outcome.balanced_level import at_rest, balanced_level
from dynamics.outcome.invariant_manifolds import Reach, reach
from dynamics.outcome.resting_level import RestingLevel, resting_level
from dynamics.problem import Problem
from dynamics.problem.balance import Landscape
from dynamics.problem.landscapes import landscape_of, separates
from dynamics.problem.scope import THEORIES

Division = tuple[int, int]

BALANCED = 1e-12  # of ‖w‖² + 2a²: a smaller |c_k| is zero up to rounding
ZERO = 1e-11  # of the largest |λ|: a smaller eigenvalue of the teacher is zero
SAME = 1e-9  # of λ_max²: losses closer than this are one level
AT_REST = 1e-13  # of the natural speed


@dataclass(frozen=True, eq=False)
class InitialState:
    """A problem seen from its initial state; levels only where `unknown` is empty.

    Parameters
    ----------
    problem : Problem
    """

    problem: Problem

    @cached_property
    def flow(self) -> GradientFlow:
        """The flow in reduced coordinates."""
        return GradientFlow(self.problem)

    @cached_property
    def small(self) -> Problem:
        """The reduced problem."""
        return self.flow.reduction.problem

    @cached_property
    def loss(self) -> float:
        """Loss of the start."""
        return self.flow.loss(self.flow.theta0)

    @cached_property
    def conserved(self) -> Array:
        """c_k, (K,)."""
        student = self.problem.student
        return unit_invariants(student.W, student.A, self.problem.activation.degree)

    @cached_property
    def unknown(self) -> str:
        """Why the theory does not cover the problem; empty if it does."""
        return THEORIES["outcome"].gap(self.problem)

    # Units

    @cached_property
    def inert(self) -> NDArray[np.bool_]:
        """Units that never learn, (K,)."""
        student = self.problem.student
        dead = ~student.W.any(axis=1)
        return np.asarray(dead if student.trainable else dead | ~student.A.any(axis=0))

    @cached_property
    def balanced(self) -> NDArray[np.bool_]:
        """Trained units with c_k = 0 up to rounding, (K,)."""
        student = self.problem.student
        size = np.sum(student.W**2, axis=1) + 2 * np.sum(student.A**2, axis=0)
        return ~self.inert & student.trainable & (np.abs(self.conserved) <= BALANCED * size)

    @cached_property
    def frozen_signs(self) -> NDArray[np.int64]:
        """Sign of a_k where it cannot change, else 0, (K,); zero with several outputs."""
        student = self.problem.student
        if student.outputs > 1:
            return np.zeros(student.hidden, dtype=np.int64)
        flexible = (self.conserved > 0) & ~self.balanced & ~self.inert & student.trainable
        return np.where(flexible, 0, np.sign(student.A[0])).astype(np.int64)

    def signs(self, balance_freezes: bool = True) -> tuple[int, int, int]:
        """Numbers of units with a_k > 0, with a_k < 0 and flexible ones, inert units left out."""
        signs = self.frozen_signs if balance_freezes else np.where(self.balanced, 0, self.frozen_signs)
        positive, negative, flexible = (int(np.sum(signs[~self.inert] == s)) for s in (1, -1, 0))
        return positive, negative, flexible

    def divisions(self, balance_freezes: bool = True) -> list[Division]:
        """Numbers (P, N) of units with a_k > 0 and a_k < 0 at the end; the other flexible ones have a_k = 0.

        More units of a sign than there are eigenvalues make no difference, and are not listed.
        """
        P, N, flexible = self.signs(balance_freezes)
        more_P, more_N = (min(flexible, max(0, len(self.eigenvalues) - n)) for n in (P, N))
        return [(P + p, N + n) for p in range(more_P + 1) for n in range(min(more_N, flexible - p) + 1)]

    # Teacher

    @cached_property
    def eigenvalues(self) -> Array:
        """Eigenvalues of the whitened teacher in the reduced space, zeros included, ascending."""
        lam = self._spectrum(np.eye(self.small.inputs))
        return np.where(np.abs(lam) > ZERO * np.abs(lam).max(), lam, 0.0)

    def _spectrum(self, basis: Array) -> Array:
        """Eigenvalues of the whitened teacher on an invariant subspace with orthonormal basis (r, u)."""
        M, Sigma = basis.T @ self.small.teacher.matrix() @ basis, self.small.covariance
        if Sigma is not None:
            F = np.linalg.cholesky(basis.T @ Sigma @ basis)
            M = F.T @ M @ F
        return np.asarray(np.linalg.eigvalsh(M), dtype=float)

    @cached_property
    def needed(self) -> Division:
        """Numbers n₊ and n₋ of positive and negative eigenvalues; of M at its best, where that is not the teacher."""
        if self.landscape.coupling is None:
            best = self._level((len(self.eigenvalues),) * 2)
            return best.positive, best.negative
        return int(np.sum(self.eigenvalues > 0)), int(np.sum(self.eigenvalues < 0))

    @cached_property
    def resolution(self) -> float:
        """Losses closer than this are one level."""
        return SAME * self.landscape.unit(float(np.abs(self.eigenvalues).max()) or 1.0)

    @cached_property
    def lowest_saddle(self) -> float:
        """No stationary point has a loss between the least and this one; −inf where that is not known.

        A student with enough units has a gap below a point that misses a mode: of the square loss L ≥ γλ_j², of others
        the least loss without that mode.
        """
        if self.problem.student.hidden < sum(self.needed):
            return -np.inf
        return self.least + self.weakest

    @cached_property
    def weakest(self) -> float:
        """What the loss gains at least without one of the modes of the global minimum."""
        landscape, modes = self.landscape, self.eigenvalues[::-1]
        if landscape.coupling is not None:
            return landscape.unit(float(np.abs(modes[modes != 0]).min(initial=np.inf)))
        S = self.best[0].learned
        without = (at_rest(landscape, modes, [i for i in S if i != j]) for j in S)
        gaps = [point.loss - self.least for point in without if point is not None]
        return min((gap for gap in gaps if gap > self.resolution), default=np.inf)

    # Levels

    def force(self, W: Array, a: Array) -> Array | None:
        """G of a state W (K, r), a (K,) in reduced coordinates, (r, r); None where it depends on a trained bias too."""
        force = self.flow.population.force
        return None if force is None else np.asarray(force(W, a[None])[0])

    @property
    def grows(self) -> bool:
        """Whether a student with enough units finds no minimum, and grows for ever."""
        return self.landscape.coupling is None and separates(self.problem)

    @cached_property
    def landscape(self) -> Landscape:
        """The loss of aligned states."""
        landscape = landscape_of(self.problem)
        assert landscape is not None
        return landscape

    @cached_property
    def _levels_known(self) -> dict[Division, RestingLevel]:
        """Levels of all modes, as far as they were asked for."""
        return {}

    def _level(
        self, division: Division, lam: Array | None = None, unreachable: Array | None = None
    ) -> RestingLevel:
        outside = () if unreachable is None else unreachable
        if lam is not None:
            return self._level_of(division, lam, outside)
        if division not in self._levels_known:
            self._levels_known[division] = self._level_of(division, self.eigenvalues, outside)
        return self._levels_known[division]

    def level(self, division: Division) -> RestingLevel:
        """Level ℓ(P, N) of so many positive and negative units."""
        return self._level(division)

    def _level_of(self, division: Division, lam: Array, outside: ArrayLike) -> RestingLevel:
        coupling = self.landscape.coupling
        if coupling is None:
            return balanced_level(self.landscape, lam, *division, outside)
        level = resting_level(lam, *division, coupling, outside)
        return replace(level, loss=self.landscape.unit(1.0) * level.loss)

    @cached_property
    def best(self) -> tuple[RestingLevel, Division]:
        """Least level of any student with as many units, and the numbers of signs that it needs."""
        K = self.problem.student.hidden
        if sum(self.needed) <= K:
            return self._level(self.needed), self.needed
        levels = [self._level((P, K - P)) for P in range(K + 1)]
        level = min(levels, key=lambda level: level.loss)
        return level, (level.positive, level.negative)

    @cached_property
    def least(self) -> float:
        """Loss of the global minimum."""
        enough = sum(self.needed) <= self.problem.student.hidden
        return 0.0 if enough and self.landscape.coupling is not None else self.best[0].loss

    def levels(self, balance_freezes: bool = True) -> tuple[float, ...]:
        """Distinct losses at which the flow can rest, except from a set of starts of measure zero, ascending."""
        divisions = self.divisions(balance_freezes)
        flexible = self.signs(balance_freezes)[2] > 0
        levels = [self._level(division) for division in divisions]
        # a flexible unit ends with w_k ≠ 0 in the kernel of G: there must be one
        losses = [level.loss for level in levels if level.kernel or not flexible]
        distinct: list[float] = []
        for loss in sorted(losses):
            if not distinct or distinct[-1] + self.resolution < loss < self.loss:  # the flow descends
                distinct.append(loss)
        return tuple(distinct)

    def level_of(self, a: Array) -> float:
        """Level ℓ(P, N) of a state with second layer a (K,)."""
        live = a[~self.inert]
        return self._level((int(np.sum(live > 0)), int(np.sum(live < 0)))).loss

    @cached_property
    def hindrance(self) -> str:
        """Why statements about almost every start do not hold for this one; empty if they do."""
        live = np.flatnonzero(~self.inert)
        if not live.size:
            return ""
        if np.linalg.norm(self.flow(0.0, self.flow.theta0)) <= AT_REST * self._speed:
            return "The start is a stationary point."
        reached = reach(self.small, live)
        if reached.blocks > 1:
            return (
                "The start lies on an invariant manifold: the units fall into groups in orthogonal subspaces that"
                " the flow does not mix, but any perturbation does."
            )
        if reached.exchangeable and reached.basis.shape[1] > 1:
            k, l = reached.exchangeable
            return (
                f"The start lies on an invariant manifold: units {k} and {l} are copies or mirror images of each"
                " other and stay so, unless perturbed."
            )
        if not self._reaches_everything(reached):
            return (
                "The start lies on an invariant manifold: all weights are orthogonal to a mode that matters, and"
                " stay so, unless perturbed."
            )
        return ""

    @cached_property
    def _speed(self) -> float:
        """Speed that weights of this size have where D is as large as at the start or M*."""
        size = float(np.linalg.norm(self.flow.theta0))
        return float(np.sqrt(max(self.loss, self.resolution))) * size * max(1.0, size)

    def _reaches_everything(self, reached: Reach) -> bool:
        """Whether modes outside the reach make no difference to any level."""
        basis = reached.basis
        if basis.shape[1] == len(basis):
            return True
        complement = np.linalg.svd(basis, full_matrices=True)[0][:, basis.shape[1] :]
        inside, outside = self._spectrum(basis), self._spectrum(complement)
        return all(
            abs(self._level(division, inside, outside).loss - self._level(division).loss) <= self.resolution
            for division in self.divisions()
        )
