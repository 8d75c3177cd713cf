"""The loss at which the flow comes to rest, given how many units are positive and how many are negative.

Derived here from the catalogue of stationary points (theory: "fixed points"). On a stationary point with learned
modes S, r = |S|, all learned eigenvalues are shifted by the same ν = T/(r+2): μ_i = λ_i + ν, and G has the
eigenvalues 4 λ̃_j, λ̃_j = λ_j + ν, on the others. With P units a_k > 0 and N units a_k < 0 the point is a local
minimum iff

    λ̃_j > 0  ⇒  P ≤ #{i ∈ S : λ_i ≥ λ_j},        λ̃_j < 0  ⇒  N ≤ #{i ∈ S : λ_i ≤ λ_j}        (j ∉ S),

and it exists iff P ≥ #{μ_i > 0} and N ≥ #{μ_i < 0}. Together: S holds the P largest of the positive λ + ν and the
N smallest of the negative ones, or all of them where there are fewer. As τ = 2ν, the shift solves

    2ν + Σ_{P largest} max(λ_i + ν, 0) + Σ_{N smallest} min(λ_i + ν, 0) = tr M*.

With a coupling c of the trace other than 1 (`dynamics.problem.levels`) the first term is 2ν/c.

The left side increases strictly with ν: there is exactly one solution. *All local minima with the same numbers of
signs have the same loss ℓ(P, N)*; it is the least loss of any M with at most P positive and N negative
eigenvalues, and falls with P and with N. For P ≥ n₊ and N ≥ n₋ it is zero: enough units of both signs leave no
spurious minimum. (Centred activation: ν = 0.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.problem.levels import plateau_level
from dynamics.validation import validate_array, validate_count

ROUNDING = 1e-12  # of the largest |λ|: a shifted eigenvalue this small is neither positive nor negative


@dataclass(frozen=True)
class RestingLevel:
    """Where the flow rests.

    Parameters
    ----------
    learned : tuple of int
        Indices of the learned modes, eigenvalues in descending order.
    shift : float
        ν, by which the learned values exceed the teacher's.
    loss : float
    kernel : int
        Dimension of the kernel of G: the learned modes and those with λ_j + ν = 0.
    positive, negative : int
        How many of the learned values are positive, and how many negative.
    """

    learned: tuple[int, ...]
    shift: float
    loss: float
    kernel: int
    positive: int
    negative: int


def resting_level(
    eigenvalues: ArrayLike,
    positive: int,
    negative: int,
    trace_coupling: float = 1.0,
    unreachable: ArrayLike = (),
) -> RestingLevel:
    """Loss ℓ(P, N) of the local minima of a student with P positive and N negative units.

    Parameters
    ----------
    eigenvalues : (m,) array
        Of the (whitened) teacher matrix, zeros included: P + N of them count.
    positive, negative : int
        P and N.
    trace_coupling : float
        0 ≤ c ≤ 1: under Gaussian inputs 1 for the quadratic activation, 0 for the centred one.
    unreachable : (n,) array
        Eigenvalues of modes that no unit can learn; they add to the loss and to the trace.

    Returns
    -------
    RestingLevel
    """
    lam = np.sort(validate_array("eigenvalues", eigenvalues, 1))[::-1]
    outside = validate_array("unreachable", unreachable, 1)
    P = min(validate_count("positive", positive, minimum=0), len(lam))
    N = min(validate_count("negative", negative, minimum=0), len(lam))
    c, trace = trace_coupling, float(lam.sum() + outside.sum())
    shift = _shift(lam, P, N, trace, 2 / c) if c else 0.0
    zero = ROUNDING * (float(np.abs(np.append(lam, outside)).max(initial=0.0)) or 1.0)
    rank = np.arange(len(lam))
    learned = ((rank < P) & (lam + shift > zero)) | ((rank >= len(lam) - N) & (lam + shift < -zero))
    S = tuple(int(i) for i in np.flatnonzero(learned))
    loss = plateau_level(np.append(lam, outside), S, trace_coupling).loss
    flat = int(np.sum(~learned & (np.abs(lam + shift) <= zero)))
    above = int(np.sum(learned & (lam + shift > 0)))
    return RestingLevel(S, shift, loss, len(S) + flat, above, len(S) - above)


def _shift(lam: Array, P: int, N: int, trace: float, spread: float) -> float:
    """Solution ν of the monotone, piecewise linear equation; eigenvalues descending, spread = 2/c."""
    top, bottom = lam[:P], lam[len(lam) - N :]

    def excess(nu: Array) -> Array:
        learned = np.maximum(top + nu[:, None], 0).sum(axis=1) + np.minimum(bottom + nu[:, None], 0).sum(
            axis=1
        )
        return spread * nu + learned - trace

    kinks = np.sort(np.concatenate([-top, -bottom, [0.0]]))
    ends = excess(kinks[[0, -1]])
    # the slope is at least 2 everywhere
    nu = np.concatenate([[kinks[0] - abs(ends[0])], kinks, [kinks[-1] + abs(ends[1])]])
    return float(np.interp(0.0, excess(nu), nu))


def least_loss(eigenvalues: ArrayLike, hidden: int, trace_coupling: float = 1.0) -> float:
    """Least loss of a student with K hidden units whose signs may be chosen: zero if K is at least the rank."""
    lam = validate_array("eigenvalues", eigenvalues, 1)
    K = validate_count("hidden", hidden, minimum=0)
    if np.count_nonzero(lam) <= K:
        return 0.0
    return min(resting_level(lam, P, K - P, trace_coupling).loss for P in range(K + 1))
