"""Subspaces of the inputs that flows stay in."""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array

NEGLIGIBLE = 1e-12  # of the norm of a matrix: what it adds to a subspace is rounding below


def basis_of(rows: Array) -> Array:
    """Orthonormal columns (d, m) that span m ≤ d rows (m, d), the first of them the first one first."""
    return np.asarray(np.linalg.qr(rows.T)[0])


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
