"""Subspaces of the inputs that flows stay in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array

NEGLIGIBLE = 1e-12  # of the norm of a matrix: what it adds to a subspace is rounding below


def basis_of(rows: Array) -> Array:
    """Orthonormal columns (d, m) that span m ≤ d rows (m, d), the first of them the first one first.

    Of the first rows that lie on axes these are the columns, and only what others have beside them is decomposed.
    """
    axes = leading_axes(rows)
    beside = np.ones(rows.shape[1], dtype=bool)
    beside[axes] = False
    Q, m = np.zeros(rows.shape[::-1]), len(axes)
    Q[axes, np.arange(m)] = 1.0
    Q[np.flatnonzero(beside), m:] = np.linalg.qr(rows[m:, beside].T)[0]
    return Q


def leading_axes(rows: Array) -> NDArray[np.intp]:
    """Columns of the first rows that have one entry each, up to the first that has more, or shares its column."""
    filled = rows != 0
    single = filled.sum(axis=1) == 1
    count = len(rows) if single.all() else int(single.argmin())
    axes = filled[:count].argmax(axis=1) if count else np.zeros(0, dtype=np.intp)
    repeated = np.setdiff1d(np.arange(count), np.unique(axes, return_index=True)[1])
    return axes[: repeated[0]] if len(repeated) else axes


def krylov_closure(Q: Array, *matrices: Array | None) -> Array:
    """Orthonormal basis of the smallest subspace that contains the columns of Q and is invariant under all matrices.

    These are symmetric; None is the identity.
    """
    given = [S for S in matrices if S is not None]
    tolerances = [NEGLIGIBLE * np.linalg.norm(S, 2) for S in given]
    new = Q
    while given and new.shape[1] and Q.shape[1] < len(Q):
        found = []
        for S, tolerance in zip(given, tolerances, strict=True):
            image = S @ new
            for _ in range(2):  # twice is enough for orthogonality to rounding
                image -= Q @ (Q.T @ image)
            directions, sizes, _ = np.linalg.svd(image, full_matrices=False)
            fresh = directions[:, sizes > tolerance]
            Q = np.hstack([Q, fresh])
            found.append(fresh)
        new = np.hstack(found)
    return Q
