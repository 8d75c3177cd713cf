"""Drift of c_k unit by unit, from measured curves."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike


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
