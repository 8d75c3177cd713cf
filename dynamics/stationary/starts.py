"""Where searches among networks of any activation start, and how their roots are sharpened.

Random weights alone lead a root finder to the simplest saddles, or to where a bounded φ is flat and ∇L vanishes at
infinity only. Two further kinds of starts find what those miss:

* states that a descent passes: near minima, and near the saddles at which it slows down;
* states in which units coincide, and what is lowest among them, a saddle as a rule. The flow commutes with exchanges
  of units and, where φ is odd or even, with their reflections (w, a) → (−w, ±a). What such a group of exchanges leaves
  alone is a subspace that ∇L and H map into itself, hence every step of `dynamics.stationary.root_finding` too; what is
  stationary within it is stationary, since ∇L lies in it (Palais, *The principle of symmetric criticality*, 1979, not
  consulted).

For the same reason a root near which units almost coincide is sought once more within the subspace in which they do.
Where H has a null direction across it, in which L is flat to high order, this alone determines the root to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from dynamics.aliases import Array
from dynamics.flows.gradient import GradientFlow
from dynamics.population.biased import unit_weights

LONGEST_DESCENT = 9  # up to 2^9 steps, which mostly arrive
SHORT_DESCENT = 64  # steps among symmetric states, before rounding leads away from them
KINDS = 5  # of starts
ALMOST = 0.03  # distance, relative to the natural size, within which units are taken to coincide


@dataclass(frozen=True, eq=False)
class NetworkStarts:
    """Starts of a search, in units of the natural size.

    Parameters
    ----------
    flow : GradientFlow
    size : float
        The natural size of weights.
    """

    flow: GradientFlow
    size: float

    def draw(self, number: int, rng: np.random.Generator) -> Array:
        """The start of a number: units that coincide, a descent's end or middle, weights of one scale or of many."""
        turn, kind = divmod(number, KINDS)
        if kind == 0:
            return self._alike(rng, turn)
        return (self._descended, self._scaled, self._descending, self._gaussian)[kind - 1](rng)

    def _gaussian(self, rng: np.random.Generator) -> Array:
        return 10 ** rng.uniform(-1.0, 0.5) * rng.standard_normal(self.flow.theta0.size)

    def _scaled(self, rng: np.random.Generator) -> Array:
        n = self.flow.theta0.size
        return 10 ** rng.uniform(-1.5, 0.5, n) * rng.standard_normal(n)

    def _alike(self, rng: np.random.Generator, turn: int) -> Array:
        """Random groups of units that are alike, all of them every third time; the lowest of such states likewise."""
        W, A = self.flow.unpack(self._gaussian(rng))
        K = len(W)
        groups = 1 + turn // 3 % K if turn % 3 else 1
        group = rng.permutation(np.append(np.arange(groups), rng.integers(groups, size=K - groups)))
        columns = np.append(group, np.arange(K, A.shape[1]))  # a trained bias stays where it is
        theta = self.flow.pack(W[group], A[:, columns])
        return theta if turn % 2 else _descent(self.flow, self.size, theta, SHORT_DESCENT)

    def _descended(self, rng: np.random.Generator) -> Array:
        return _descent(self.flow, self.size, self._gaussian(rng), 2**LONGEST_DESCENT)

    def _descending(self, rng: np.random.Generator) -> Array:
        steps = int(2 ** rng.uniform(0.0, LONGEST_DESCENT))
        return _descent(self.flow, self.size, self._gaussian(rng), steps)

    def coinciding(self, theta: Array) -> Array:
        """The state with units that almost coincide, up to reflections, at their mean; almost vanished ones vanish."""
        W, whole = (np.array(x) for x in self.flow.unpack(theta))
        A = unit_weights(W, whole)  # without a trained bias
        parity = self.flow.problem.activation.parity
        free = np.ones(len(W), dtype=bool)
        for k in range(len(W)):
            if not free[k]:
                continue
            members, signs = _coinciding_with(k, W, A, free, parity)
            W[members] = signs[:, None] * np.mean(signs[:, None] * W[members], axis=0)
            turned = signs if parity == -1 else np.ones_like(signs)
            if self.flow.trainable:
                A[:, members] = turned * np.mean(turned * A[:, members], axis=1, keepdims=True)
            free[members] = False
        W[np.linalg.norm(W, axis=1) < ALMOST] = 0
        if self.flow.trainable:
            A[:, np.linalg.norm(A, axis=0) < ALMOST] = 0
        return self.flow.pack(W, whole)


def _coinciding_with(
    k: int, W: Array, A: Array, free: NDArray[np.bool_], parity: int | None
) -> tuple[NDArray[np.intp], Array]:
    """Which units, of those that are free, almost coincide with unit k, and by which sign."""
    signs = np.ones(len(W))
    near = free & (np.linalg.norm(W - W[k], axis=1) + np.linalg.norm(A.T - A[:, k], axis=1) < ALMOST)
    if parity is not None:
        turned = np.linalg.norm(W + W[k], axis=1) + np.linalg.norm(A.T - parity * A[:, k], axis=1) < ALMOST
        signs[turned & ~near] = -1
        near |= free & turned
    return np.flatnonzero(near), signs[near]


def _descent(flow: GradientFlow, size: float, start: Array, steps: int) -> Array:
    """Where so many steps of a quasi-Newton descent lead, in units of the natural size."""
    scale = flow.loss(0 * start) or 1.0
    gradient: Callable[[Array], Array] = lambda x: -size / scale * flow(0.0, size * x)  # noqa: E731
    end = minimize(
        lambda x: flow.objective.loss(*flow.unpack(size * x)) / scale,
        start,
        jac=gradient,
        method="L-BFGS-B",
        options={"maxiter": steps, "ftol": 0.0, "gtol": 0.0},
    )
    return np.asarray(end.x)
