"""What is measured of single hidden units: c_k and its drift, overlaps with the teacher, norms.

For an activation of degree h, φ(cz) = c^h φ(z) for c > 0, gradient flow conserves c_k = ‖w_k‖² − h Σ_o A_ok². Where φ
is not homogeneous nothing of the kind is conserved, and the matrix of the modes (`dynamics.problem.modes`) has no
meaning either, no more than where the teacher has another activation. Overlaps with the teacher's directions and norms
are reported instead. Both are those of the pre-activations w_k·x and v_m·x, x ~ N(0, Σ), on which alone the loss
depends: the overlap is their correlation, the cosine wᵀΣv/(√wᵀΣw √vᵀΣv), and the norm the standard deviation √wᵀΣw; of
uncorrelated inputs the cosine of the angle between w_k and v_m, and ‖w_k‖.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.covariance import covariance_factor
from dynamics.curves.variables import Variable, Variables
from dynamics.population.kernels import normalised
from dynamics.words import listed

NOT_CONSERVED = "φ is not homogeneous: there is no c_k that the flow could conserve, and no teacher modes"
OTHER_TEACHER = "the teacher has another activation: there are no teacher modes"
NO_TEACHER = "the labels are those of the data, not of a teacher: there are no teacher modes, and no overlaps"
C_K = "c_k = ‖w_k‖² − h Σ_o A_ok² of each unit"
C_K_LAW = "c_k of each unit by its exact law under weight decay"
TOO_MANY = "the overlaps of all units with all directions of the teacher are too many to be given"
LARGEST_OVERLAPS = 20_000_000  # numbers beyond which they are left out of files and of what is printed
OVERLAPS = "cosines of w_k with the teacher directions v_m, in the metric of Σ"
NORMS = "norms √(w_kᵀΣw_k) of the units"
SUMMARISED = 6  # units in a summary
LAWLESS = "under weight decay c_k has no law along this flow: its drift is not known"
DRIFT = "largest |c_k(t) − c_k(0)| over units and times, under weight decay that from the law of c_k(t)"


def unit_invariants(W: Array, A: Array, degree: int | None) -> Array:
    """c_k = ‖w_k‖² − h Σ_o A_ok² of every hidden unit, (…, K); W (…, K, d), A (…, O, K). NaN where there is no h."""
    if degree is None:
        return np.full(W.shape[:-1], np.nan)
    return np.sum(W**2, axis=-1) - degree * np.sum(A**2, axis=-2)


def conserved_or_none(W: Array, A: Array, degree: int | None) -> Array | None:
    """The same, or None where φ is not homogeneous."""
    return None if degree is None else unit_invariants(W, A, degree)


def overlaps_and_norms(W: Array, V: Array, covariance: Array | None = None) -> tuple[Array, Array]:
    """Cosines (…, K, R) of weights W (…, K, d) with directions V (…, R, d), and norms (…, K); Σ (d, d) is their metric.

    The cosine is 0 where a weight or a direction is.
    """
    if covariance is not None:
        F = covariance_factor(covariance)
        W, V = W @ F, V @ F
    (w, norms), (v, _) = _directions(W), _directions(V)
    return np.clip(w @ v.swapaxes(-1, -2), -1.0, 1.0), norms


def best_overlaps(overlaps: Array) -> Array:
    """How well any unit has each teacher direction: the largest |cosine| over units, (…, R) of overlaps (…, K, R)."""
    return np.asarray(np.abs(overlaps).max(axis=-2))


def _directions(X: Array) -> tuple[Array, Array]:
    """Unit vectors (…, n, d) and lengths (…, n) of vectors, without overflow or underflow; zero stays zero."""
    with np.errstate(invalid="ignore"):  # a network that diverged has no direction, that is NaN
        vectors, lengths = normalised(X.reshape(-1, X.shape[-1]))
    return vectors.reshape(X.shape), lengths.reshape(X.shape[:-1])


def unit_variables(overlaps: Array | None, norms: Array, axes: tuple[str, ...]) -> Variables:
    """Overlaps (…, K, R), unless there is no teacher or they are too many, and norms (…, K) of units.

    `axes` come before K.
    """
    found = {"norms": Variable((*axes, "unit"), norms, NORMS)}
    if overlaps is None or overlaps.size > LARGEST_OVERLAPS:
        return found
    return {"overlaps": Variable((*axes, "unit", "teacher_direction"), overlaps, OVERLAPS)} | found


def units_summary(overlaps: Array | None, norms: Array) -> str:
    """Norm of every unit with its teacher direction of largest overlap, on one line; overlaps (K, R), norms (K,).

    Norms alone of a teacher without directions, or where overlaps are not known.
    """
    if overlaps is None or not overlaps.size:
        return "norms of the units " + listed(norms, shown=SUMMARISED)
    best = np.abs(overlaps).argmax(axis=1)
    units = [f"{r:.4g} ({row[m]:+.3f} v_{m + 1})" for r, row, m in zip(norms, overlaps, best, strict=True)]
    return "norms (largest overlap) of the units " + listed(units, shown=SUMMARISED)


def unit_drift(conserved: ArrayLike) -> dict[str, Any]:
    """Initial value and largest change of c_k for every hidden unit.

    Parameters
    ----------
    conserved : (T, K) or (S, T, K) array
        c_k at T times, of one network or of S.

    Returns
    -------
    dict
        ``initial`` and ``drift``, (K,) arrays; of several networks the medians.
    """
    c = np.asarray(conserved, dtype=float)
    networks = c[np.newaxis] if c.ndim == 2 else c
    with np.errstate(invalid="ignore"):  # the difference of two infinities, after divergence
        drift = np.abs(networks - networks[:, :1]).max(axis=1)
    return {"initial": np.median(networks[:, 0], axis=0), "drift": np.median(drift, axis=0)}
