"""The loss of aligned states, in which M and the teacher are diagonal in one basis, under laws that keep them so.

With the residuals D_i of the modes and τ = Σ D_i (derived here)

    L = γ [Σ D_i² + ½ c τ²],   and a small off-diagonal entry D_ij adds 2 D_ij² γ/ρ:

| inputs | units | γ | c | ρ |
|---|---|---|---|---|
| rotation-invariant, fourth moment γ times that of a Gaussian | quadratic | γ | 1 | 1 |
| the same | centred | γ | 1 − 1/γ | 1 |
| independent coordinates of excess κ, teacher along the axes | quadratic | 1 + κ/2 | 2/(2 + κ) | 1 + κ/2 |
| the same | centred | 1 + κ/2 | 0 | 1 + κ/2 |

(C = γ(2D + τI), of centred units less τI; C = 2D + τI + κ diag D.) So stationary points are those of Gaussian inputs
with another c (`dynamics.problem.levels`), and a learned mode i holds its unit against mode j iff μ_i/λ̃_j ≥ ρ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.activations import Activation
from dynamics.aliases import Array
from dynamics.inputs.laws import InputLaw
from dynamics.problem.balance import Balance
from dynamics.problem.levels import Level, overshoot, plateau_level
from dynamics.problem.problem import Problem


@dataclass(frozen=True)
class AlignedLoss:
    """γ, c and ρ.

    Parameters
    ----------
    scale : float
        γ > 0: of the loss, and of the speed of the flow.
    coupling : float
        c ≥ 0: of the trace.
    ratio : float
        ρ > 0: what a mode's residual costs, over what an entry between modes does. 1 where rotations make no
        difference.
    """

    scale: float
    coupling: float
    ratio: float

    @property
    def isotropic(self) -> bool:
        """Whether rotations make no difference: then there are no stationary points but aligned ones."""
        return self.ratio == 1

    @property
    def gain(self) -> str:
        """λ̃_j, for readers."""
        return f"λ_j + T/(r+{2 / self.coupling:g})" if self.coupling else "λ_j"

    def unit(self, largest: float) -> float:
        """γλ²."""
        return self.scale * largest**2

    def balance(self, values: Array, multiplicities: NDArray, counts: NDArray) -> Balance:
        """Learned values overshoot by ν = cT/(2 + cr), and G has the eigenvalues 4γλ̃_j, λ̃_j = λ_j + ν."""
        T, shift, height = overshoot(values, multiplicities - counts, int(np.sum(counts)), self.coupling)
        gains = values + shift
        return Balance(gains, values, shift, 4 * self.scale * gains, self.scale * height, T)

    def level(self, eigenvalues: ArrayLike, learned: Sequence[int]) -> Level:
        """Plateau with some modes learned, as `dynamics.problem.levels.plateau_level`."""
        level = plateau_level(eigenvalues, learned, self.coupling)
        return replace(level, loss=self.scale * level.loss)


def aligned_loss(activation: Activation, law: InputLaw) -> AlignedLoss | None:
    """γ, c and ρ of quadratic or centred units under a law that has them; None where states do not stay aligned."""
    raw = activation.trace_coupling
    if raw is None:
        return None
    if law.clock is not None:
        gamma = law.clock
        return AlignedLoss(gamma, raw if raw else 1 - 1 / gamma, 1.0)
    if law.kurtosis is not None:
        gamma = 1 + law.kurtosis / 2
        return AlignedLoss(gamma, raw / gamma if gamma else np.inf, gamma)
    return None


def along_axes(problem: Problem) -> bool:
    """Whether uncorrelated inputs meet a diagonal teacher."""
    M = problem.teacher.matrix()
    off = M - np.diag(M.diagonal())
    return problem.covariance is None and bool(np.abs(off).max() <= 1e-14 * np.abs(M).max())
