"""The covariance Σ as what rows are multiplied by: the identity, a diagonal or a dense matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array


@dataclass(frozen=True, eq=False)
class Metric:
    """Multiplication of rows by Σ.

    Parameters
    ----------
    Sigma : array or None
        (d, d), or the diagonal (d,) where that is all of it; None is the identity.
    """

    Sigma: Array | None

    @classmethod
    def of(cls, Sigma: Array | None) -> Metric:
        """Of a matrix (d, d) or the identity, None."""
        if Sigma is None or np.count_nonzero(Sigma) > np.count_nonzero(Sigma.diagonal()):
            return cls(Sigma)
        return cls(Sigma.diagonal().copy())

    @property
    def identity(self) -> bool:
        """Whether rows stay what they are."""
        return self.Sigma is None

    @property
    def operations(self) -> int:
        """Multiplications in matrix products for one row."""
        return 0 if self.Sigma is None or self.Sigma.ndim == 1 else self.Sigma.size

    def times(self, X: Array, out: Array | None = None) -> Array:
        """Rows of X (…, d) times Σ, in `out` if that is given; X itself, untouched, where Σ is the identity."""
        if self.Sigma is None:
            return X
        multiply = np.multiply if self.Sigma.ndim == 1 else np.matmul
        return np.asarray(multiply(X, self.Sigma, out=out))
