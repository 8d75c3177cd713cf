"""Height of a plateau: the loss at the stationary point where a set S of teacher modes is learned.

At a stationary point the learned directions V are an invariant subspace of M* with G V = 0, that is
(M* − M)|_V = −(τ/2) I. With r = |S|, T = Σ_{j∉S} λ_j this gives τ = 2T/(r + 2), hence (derived here, for Σ = I)

    μ_i = λ_i + T/(r+2)  (i ∈ S),   L_S = Σ_{j∉S} λ_j² + T²/(r+2).

The learned modes overshoot. Without trace coupling (centred activation) μ_i = λ_i, L_S = Σ_{j∉S} λ_j². With any
coupling c, L = tr D² + ½cτ², the overshoot is ν = cT/(2 + cr) and L_S = Σ_{j∉S} λ_j² + νT; other laws of the inputs
have other c (`dynamics.problem.aligned_loss`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class Level:
    """A plateau.

    Parameters
    ----------
    learned : tuple of int
        Indices S of the learned modes.
    values : (|S|,) array
        Learned values μ_i.
    residual_trace : float
        T = Σ_{j∉S} λ_j.
    loss : float
    """

    learned: tuple[int, ...]
    values: NDArray[np.float64]
    residual_trace: float
    loss: float


def plateau_level(eigenvalues: ArrayLike, learned: Sequence[int], trace_coupling: float = 1.0) -> Level:
    """Level of the plateau on which the modes with indices `learned` are learned.

    Parameters
    ----------
    eigenvalues : (m,) array
        Of M*; zeros may be left out.
    learned : sequence of int
    trace_coupling : float
        c: 1 for the quadratic activation, 0 for the centred one.
    """
    lam = np.asarray(eigenvalues, dtype=float)
    S = tuple(sorted(int(i) for i in learned))
    unlearned = np.ones(len(lam))
    unlearned[list(S)] = 0
    T, shift, loss = overshoot(lam, unlearned, len(S), trace_coupling)
    return Level(S, lam[list(S)] + shift, T, loss)


def overshoot(
    eigenvalues: NDArray[np.float64], unlearned: NDArray, rank: int, trace_coupling: float
) -> tuple[float, float, float]:
    """Residual trace T, overshoot cT/(2 + cr) of every learned mode, and loss.

    Parameters
    ----------
    eigenvalues : (m,) array
    unlearned : (m,) array
        How many modes of each eigenvalue are not learned.
    rank : int
        Number r of learned modes.
    trace_coupling : float
        c ≥ 0.
    """
    T = float(eigenvalues @ unlearned)
    shift = trace_coupling * T / (2 + trace_coupling * rank)
    return T, shift, float(eigenvalues**2 @ unlearned) + shift * T
