"""The teacher's spectrum, as the catalogue needs it: whitened, sorted, repeated eigenvalues grouped.

In the coordinates u = Fᵀw, Σ = FFᵀ, inputs are white: w·x = u·z with z ~ N(0, I), and the teacher's matrix is
FᵀM*F. The loss is the same function of u, so stationary points correspond one to one, and the Hessians are
congruent: by Sylvester's law their signatures agree. Everything about stationary points under a covariance Σ
is therefore the white theory for the whitened teacher (derived here). The spectrum of FᵀM*F is that of
Σ^{1/2}M*Σ^{1/2} whichever factor F is used; F is the Cholesky factor, or (d, r) if Σ is singular: then d is r below.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.covariance import covariance_factor
from dynamics.problem import Teacher

EQUAL = 1e-11  # of max|λ|: eigenvalues this close are one repeated eigenvalue; eigh errs by some 1e-15 of it


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvalues of the whitened teacher, zeros included.

    Parameters
    ----------
    values : (g,) array
        Distinct eigenvalues, descending; one of them is 0 unless the teacher has full rank.
    multiplicities : (g,) integer array
        Their sum is d.
    vectors : (n, d) array
        Orthonormal eigenvectors of the non-zero eigenvalues as rows, eigenvalues descending, whitened coordinates.
    whitening : array or None
        F with Σ = FFᵀ, see `dynamics.covariance.covariance_factor`; None is the identity.
    """

    values: Array
    multiplicities: NDArray[np.int64]
    vectors: Array
    whitening: Array | None

    @classmethod
    def of(cls, teacher: Teacher, covariance: Array | None = None) -> Spectrum:
        """Spectrum of a teacher with one output; covariance (d, d), None is the identity."""
        F: Array | None = None if covariance is None else covariance_factor(covariance)
        white = teacher if F is None else Teacher(teacher.V @ F, teacher.B)
        lam, vectors = white.eigen[0]
        zeros = white.inputs - len(lam)
        firsts = [i for i in range(len(lam)) if i == 0 or lam[i - 1] - lam[i] > EQUAL * np.abs(lam).max()]
        groups = np.split(lam, firsts[1:]) if len(lam) else []
        pairs = [(float(group.mean()), len(group)) for group in groups] + ([(0.0, zeros)] if zeros else [])
        pairs.sort(reverse=True)
        values, multiplicities = np.array([v for v, _ in pairs]), np.array([m for _, m in pairs])
        return cls(values, multiplicities, vectors, F)

    @property
    def inputs(self) -> int:
        """Input dimension d, or the rank of a singular Σ."""
        return int(self.multiplicities.sum())

    @property
    def scale(self) -> float:
        """Largest |λ|; 1 for the zero teacher."""
        return float(np.abs(self.values).max()) or 1.0

    @property
    def tolerance(self) -> float:
        """Size below which a sum of eigenvalues counts as zero."""
        return EQUAL * self.scale

    @property
    def zeros(self) -> frozenset[int]:
        """Indices of the eigenvalues that are zero, among all d in descending order."""
        groups = zip(self.values, self.starts, self.multiplicities, strict=True)
        return frozenset(i for value, first, n in groups if not value for i in range(first, first + n))

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Index of the first eigenvalue of each group, (g,), among all d in descending order."""
        return np.concatenate([[0], np.cumsum(self.multiplicities)[:-1]])

    def modes(self, counts: tuple[int, ...]) -> tuple[int, ...]:
        """Indices of the modes if the first `counts[g]` of every group are chosen."""
        return tuple(int(s) + i for s, c in zip(self.starts, counts, strict=True) for i in range(c))

    def counts(self, modes: tuple[int, ...]) -> tuple[int, ...]:
        """How many of the given modes lie in each group."""
        groups = np.searchsorted(self.starts, modes, side="right") - 1
        return tuple(np.bincount(groups, minlength=len(self.values)).tolist())

    def eigenvectors(self, modes: tuple[int, ...]) -> Array:
        """Orthonormal eigenvectors of the chosen modes as rows, (len(modes), d), in whitened coordinates."""
        positives = int(self.multiplicities[self.values > 0].sum())
        zeros = self.inputs - len(self.vectors)
        null = [i for i in modes if positives <= i < positives + zeros]
        kernel = self._kernel(max(null) - positives + 1) if null else self.vectors[:0]
        rows = [
            kernel[i - positives] if i in null else self.vectors[i if i < positives else i - zeros]
            for i in modes
        ]
        return np.array(rows).reshape(len(rows), self.inputs)

    def _kernel(self, count: int) -> Array:
        """The first `count` orthonormal vectors of a basis of the kernel, as rows, without a d × d matrix."""
        E, d = self.vectors, self.inputs
        # Any R + count coordinate vectors leave at least `count` independent directions beside R rows.
        candidates = np.eye(d, min(d, len(E) + count))
        for _ in range(2):  # twice is enough for orthogonality to rounding
            candidates -= E.T @ (E @ candidates)
        Q, _, _ = scipy.linalg.qr(candidates, mode="economic", pivoting=True)
        return Q[:, :count].T
