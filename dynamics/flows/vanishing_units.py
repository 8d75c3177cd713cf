"""Hidden units that vanish and come back: the flow of kinked activations where it has no derivative.

Near w_k = 0 a unit of degree 1 sees the rest of the network through one function on the sphere of directions (derived
here; A_k the output weights of the unit, Δ_o = f*_o − f_o):

    ẇ_k = ∇_w [r m(ŵ)],   m(ŵ) = Σ_o A_ok E Δ_o φ(ŵ·x),   so   ṙ = m(ŵ),   dŵ/dt = ∇m(ŵ)/r.

Its direction turns to a maximum of m faster and faster. Where m is negative even there, w_k arrives at zero at a finite
time, with finite speed (c_k = ‖w_k‖² − ‖A_k‖² < 0: A_k stays). It rests there, since every direction leads back,
until some direction has m > 0: then it leaves along it. That is the solution of the differential inclusion
θ̇ ∈ −∂L (Clarke) and what gradient descent with small steps does, jittering about zero by a step.

A solver in the ordinary sense would take ever smaller steps. So the integration is interrupted where a unit has shrunk
below a threshold, the unit is set to zero, and it is put back where max m becomes positive. A unit that starts at
exactly zero stays there, as it does under automatic differentiation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.population.base import Population, Pull
from dynamics.population.kernels import normalised
from dynamics.problem.reduction import Reduction

VANISHED = 1e-8  # of ‖A_k‖: a unit this small is zero; it changes c_k by 1e-16 of itself
RETURNED = 1e-6  # of ‖A_k‖: how large a unit comes back; smaller ones turn too fast for solvers
LARGEST_VANISHED = 1e-3  # the same at most, where the tolerance of the solver is loose
RESOLVED = 100  # times the absolute tolerance: smaller units are not resolved by the solver
ROUNDING = 1e-12  # of the terms of m: a smaller m is zero
ASCENT_STEPS = 60
MOST_SWITCHES = 50  # per unit
RANDOM_STARTS = 16


class KinkedFlow(Protocol):
    """What of a flow is looked at (`dynamics.flows.gradient.GradientFlow`, of a kinked activation)."""

    theta0: Array
    population: Population
    reduction: Reduction

    def pack(self, W: Array, A: Array) -> Array:
        """θ of weights."""

    def unpack(self, theta: Array) -> tuple[Array, Array]:
        """Weights W (K, r) and A (O, K)."""


@dataclass
class VanishingUnits:
    """When the units of a flow vanish and come back, and to which state.

    It keeps the contract of `dynamics.integration.contract.Switching`.

    Parameters
    ----------
    flow : KinkedFlow
    atol : float
        Absolute tolerance of the solver.
    returned : float
        Length, in units of ‖A_k‖, with which a unit comes back.
    """

    flow: KinkedFlow
    atol: float
    returned: float = RETURNED
    _seen: tuple[float, Array] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        W, _ = self.flow.unpack(self.flow.theta0)
        self.inert: NDArray[np.bool_] = np.logical_not(W.any(axis=1))

    @property
    def most(self) -> int:
        """Number of switches after which there is no end to them."""
        return MOST_SWITCHES * len(self.inert)

    def distance(self, theta: Array) -> float:
        """Positive until a unit vanishes or comes back."""
        W, A = self.flow.unpack(theta)
        r = np.linalg.norm(W, axis=1)
        present = r > 0
        sizes = r[present] - self.threshold(A)[present]
        absent = np.flatnonzero(~present & ~self.inert)
        gains = [self._no_gain(theta, absent)] if absent.size else []
        return float(min([*sizes, *gains], default=1.0))

    def switched(self, theta: Array) -> Array:
        """The state with the units that vanish at zero, and those that come back."""
        W, A = (x.copy() for x in self.flow.unpack(theta))
        r, threshold = np.linalg.norm(W, axis=1), self.threshold(A)
        small = (r <= 1.001 * threshold) & ~self.inert
        m, directions = self.gain(theta, np.flatnonzero(small))
        returning = (m > 0)[:, None]
        size = np.maximum(2 * threshold, self.returned * np.linalg.norm(A, axis=0))
        W[small] = np.where(returning, size[small, None] * directions, 0.0)
        self._seen = None
        return self.flow.pack(W, A)

    def threshold(self, A: Array) -> Array:
        """Lengths of w_k below which units vanish, (K,)."""
        size = np.linalg.norm(A, axis=0)
        return np.minimum(np.maximum(VANISHED * size, RESOLVED * self.atol), LARGEST_VANISHED * size)

    def gain(self, theta: Array, units: NDArray[np.intp]) -> tuple[Array, Array]:
        """Largest m/‖A_k‖ of some units over all directions, less rounding, and where, (n,) and (n, d)."""
        W, A = self.flow.unpack(theta)
        population = self.flow.population
        starts = self._starts(W)
        # one output leaves two functions to maximise, for a_k > 0 and a_k < 0
        outputs, which = np.unique(
            A[:, units] / np.linalg.norm(A[:, units], axis=0), axis=1, return_inverse=True
        )
        assert population.pull_on is not None  # or nothing would vanish
        peaks = [highest(population.pull_on(W, A, output), starts) for output in outputs.T]
        m, directions = (np.array([peak[part] for peak in peaks]) for part in (0, 1))
        return m[which.ravel()], directions[which.ravel()]

    def _starts(self, W: Array) -> Array:
        """Directions from which m is maximised: those of all units and teacher units, and random ones."""
        U = normalised(np.vstack([W, self.flow.reduction.problem.teacher.V]))[0]
        U = U[U.any(axis=1)]
        random = np.random.default_rng(0).standard_normal((RANDOM_STARTS, W.shape[1]))
        return np.vstack([U, -U, normalised(random)[0]])

    def _no_gain(self, theta: Array, absent: NDArray[np.intp]) -> float:
        """−max m/‖A_k‖ of the absent units; a lower bound of it where that settles that none comes back.

        From one state to another m/‖A_k‖ changes by no more than the root mean square of the change of f, and that of
        φ(u·x) − φ(w·x) is at most ‖Σ‖^½ ‖u − w‖: so nothing needs to be maximised until the weights have moved enough.
        """
        if self._seen is not None:
            margin, reference = self._seen
            bound = margin - self._largest_change(reference, theta)
            if bound > 0:
                return bound
        value = -float(self.gain(theta, absent)[0].max())
        self._seen = (value, theta.copy())
        return value

    def _largest_change(self, theta: Array, other: Array) -> float:
        """Bound on the change of every m/‖A_k‖ between two states with the same absent units."""
        (W, A), (X, B) = self.flow.unpack(theta), self.flow.unpack(other)
        move = np.linalg.norm(B, axis=0) * np.linalg.norm(X - W, axis=1)
        move += np.linalg.norm(B - A, axis=0) * np.linalg.norm(W, axis=1)
        return self._spread * float(move.sum())

    @cached_property
    def _spread(self) -> float:
        """‖Σ‖."""
        Sigma = self.flow.reduction.problem.covariance
        return 1.0 if Sigma is None else float(np.linalg.norm(Sigma, 2))


def highest(pull: Pull, starts: Array) -> tuple[float, Array]:
    """Maximum of a pull over the sphere, less rounding, and the direction where, by ascent from several starts."""
    X = starts
    force = pull.force(X)
    height = np.sum(X * force, axis=1)  # degree 1
    step = np.full(len(X), 1 / pull.stiffness) if pull.stiffness else np.zeros(len(X))
    for _ in range(ASCENT_STEPS):
        trial = normalised(X + step[:, None] * force)[0]
        there = pull.force(trial)
        level = np.sum(trial * there, axis=1)
        better = level > height
        X, force = np.where(better[:, None], trial, X), np.where(better[:, None], there, force)
        height, step = np.where(better, level, height), step * np.where(better, 2.0, 0.25)
    top = int(np.argmax(height))
    return float(height[top] - ROUNDING * pull.stiffness), X[top]
