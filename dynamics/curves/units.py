"""What is measured of single hidden units: c_k and its drift, overlaps with the teacher, norms.

For an activation of degree h, φ(cz) = c^h φ(z) for c > 0, gradient flow conserves c_k = ‖w_k‖² − h Σ_o A_ok². Where φ
is not homogeneous nothing of the kind is conserved, and the matrix of the modes (`dynamics.problem.modes`) has no
meaning either: overlaps w_k·v_m with the teacher's directions and norms ‖w_k‖ are reported instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.curves.variables import Variable, Variables

NOT_CONSERVED = "φ is not homogeneous: there is no c_k that the flow could conserve, and no teacher modes"
C_K = "c_k = ‖w_k‖² − h Σ_o A_ok² of each unit"
C_K_LAW = "c_k of each unit by its exact law under weight decay"
OVERLAPS = "overlaps w_k·v_m with the teacher directions"
NORMS = "norms ‖w_k‖ of the units"
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


def unit_variables(W: Array, V: Array, axes: tuple[str, ...]) -> Variables:
    """Overlaps (…, K, R) and norms (…, K) of weights W (…, K, d) with directions V (R, d); `axes` come before K."""
    return {
        "overlaps": Variable((*axes, "unit", "teacher_direction"), W @ V.swapaxes(-1, -2), OVERLAPS),
        "norms": Variable((*axes, "unit"), np.linalg.norm(W, axis=-1), NORMS),
    }


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
