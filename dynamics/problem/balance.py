"""A state at rest in which some modes are learned, and the loss of aligned states that has such states.

With M and the teacher diagonal in one basis, whatever the loss, learned modes balance: what the loss would gain by more
of one is what it would lose. What is left of the others is a force g_j on each, an eigenvalue of G. The catalogue of
stationary points, their Hessians, plateaus, staircases and verdicts ask a `Landscape` for nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array


@dataclass(frozen=True, eq=False)
class Balance:
    """A state that has learned some modes, seen from each distinct eigenvalue of the teacher.

    Parameters
    ----------
    values : (g,) array
        μ of each eigenvalue where it is learned; elsewhere without meaning.
    base : (g,) array
        What orders the eigenvalues: the gains without what all have in common.
    shift : float
        What all gains have in common.
    forces : (g,) array
        Eigenvalues of G on modes that are not learned; of learned ones G has the eigenvalue 0.
    loss : float
    residual_trace : float
        T, the sum of the eigenvalues that are not learned.
    bias : float or None
        Output bias where it is trained.
    """

    values: Array
    base: Array
    shift: float
    forces: Array
    loss: float
    residual_trace: float
    bias: float | None = None

    @property
    def gains(self) -> Array:
        """λ̃ of each eigenvalue: a force has its sign, and so has the learned value μ where it is learned, (g,)."""
        return self.base + self.shift

    @property
    def stiffness(self) -> Array:
        """What a force is in units of its gain, (g,): minus how G_ij answers to an entry M_ij that mixes j with S."""
        vanishing = self.gains == 0
        return np.where(vanishing, 0.0, self.forces / np.where(vanishing, 1.0, self.gains))


class Landscape(Protocol):
    """The loss of aligned states, as far as states at rest are concerned."""

    @property
    def coupling(self) -> float | None:
        """c of a loss ΣD_i² + ½cτ², of which more is known (`dynamics.problem.aligned_loss`); None of every other."""

    @property
    def ratio(self) -> float:
        """ρ: a learned mode i holds its unit against a mode j iff the gains have β_i/β_j ≥ ρ."""

    @property
    def isotropic(self) -> bool:
        """Whether rotations make no difference: then there are no stationary points but aligned ones."""

    @property
    def gain(self) -> str:
        """Formula of the gain, for readers."""

    def unit(self, largest: float) -> float:
        """A typical loss of a teacher whose largest eigenvalue has this size."""

    def balance(self, values: Array, multiplicities: NDArray, counts: NDArray) -> Balance | None:
        """The state at rest that has learned `counts` modes of each distinct eigenvalue; None if there is none."""
