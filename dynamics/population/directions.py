"""Teacher directions as rows, with what is known of their zeros.

In the basis of the span reduction, which begins with the teacher's directions, the rows are zero beyond the first R
columns; orthogonal directions are multiples of the first axes there. Products with weights then are slices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array


@dataclass(frozen=True, eq=False)
class Directions:
    """Rows v_m of a matrix (R, d).

    Parameters
    ----------
    rows : (R, c) array
        Their first c entries; the others are 0.
    lengths : (R,) array or None
        Where v_m = lengths_m e_m; None where they are not.
    """

    rows: Array
    lengths: Array | None

    @classmethod
    def of(cls, V: Array) -> Directions:
        """Rows V (R, d), their zeros found."""
        used = np.flatnonzero(V.any(axis=0))
        c = int(used[-1]) + 1 if used.size else 0
        rows = np.ascontiguousarray(V[:, :c])
        diagonal = rows.diagonal().copy()
        axes = len(V) == c and np.count_nonzero(rows) == np.count_nonzero(diagonal)
        return cls(rows, diagonal if axes else None)

    @property
    def count(self) -> int:
        """R."""
        return len(self.rows)

    @property
    def support(self) -> int:
        """c."""
        return self.rows.shape[1]

    @property
    def operations(self) -> int:
        """Multiplications in matrix products for one row of `overlaps`, and as many of `combined`."""
        return 0 if self.lengths is not None else self.rows.size

    def overlaps(self, W: Array, out: Array | None = None) -> Array:
        """w_k·v_m, (…, K, R), of rows W (…, K, d)."""
        W = W[..., : self.support]
        if self.lengths is not None:
            return np.multiply(W, self.lengths, out=out)
        return np.matmul(W, self.rows.T, out=out)

    def combined(self, Y: Array, out: Array | None = None) -> Array:
        """Σ_m Y_km v_m, the first c entries of it, (…, K, c), of Y (…, K, R)."""
        if self.lengths is not None:
            return np.multiply(Y, self.lengths, out=out)
        return np.matmul(Y, self.rows, out=out)
