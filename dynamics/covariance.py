"""The covariance Σ of the inputs, which may be singular.

Inputs x ~ N(0, Σ) live in the range of Σ. With an orthonormal basis U of it, x = Uz with z ~ N(0, UᵀΣU), and w·x =
(Uᵀw)·z: of teacher and student only the components Uᵀv, Uᵀw in the range have any effect on f and the loss. The
gradient with respect to w lies in the range, so that the other components stay what they are (derived here). A problem
with a singular Σ thus is one with r = rank Σ inputs and a positive definite covariance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.matrices import EPS, decompose, negligible, zeros

CLEAN = 20 * EPS  # of the largest eigenvalue: zeros after a projection are this small


def clean_covariance(
    value: ArrayLike,
    inputs: int,
    *,
    tolerance: float | None = None,
    rounding: float | None = None,
    symmetrize: bool = False,
) -> tuple[Array, tuple[str, ...]]:
    """Positive semidefinite d × d matrix, projected to its range, and sentences about what was changed.

    Parameters are those of `dynamics.matrices.decompose`. Negative eigenvalues beyond rounding are refused.
    """
    parts = decompose("covariance", value, tolerance=tolerance, rounding=rounding, symmetrize=symmetrize)
    Sigma, d = parts.matrix, len(parts.matrix)
    if d != inputs:
        raise ProblemError(f"`covariance` has shape {Sigma.shape}, but the inputs have dimension {inputs}.")
    if not len(parts.values):
        raise ProblemError("`covariance` is zero, but some input must vary.")
    if parts.values[0] < 0:
        raise ProblemError(
            f"`covariance` has the eigenvalue {parts.values[0]:.3g}, but must be positive semidefinite: none may be"
            " negative."
        )
    if not len(parts.zeros):
        return Sigma, parts.notes
    if np.abs(parts.zeros).max() > CLEAN * parts.values[-1]:
        Sigma = parts.projected()
    Sigma.setflags(write=False)
    said = zeros("covariance", len(parts.zeros), parts.threshold)
    note = f"{said}: inputs live in the range of `covariance`, of dimension {len(parts.values)}"
    return Sigma, (*(n for n in parts.notes if said not in n), note)


def validate_covariance(value: ArrayLike, inputs: int) -> Array:
    """Positive semidefinite d × d matrix."""
    return clean_covariance(value, inputs)[0]


def range_basis(Sigma: Array) -> Array | None:
    """Orthonormal basis (d, r) of the range of a covariance; None where that is everything."""
    lam, E = np.linalg.eigh(Sigma)
    kept = lam > negligible(len(lam)) * lam[-1]
    return None if kept.all() else np.asarray(E[:, kept])


def covariance_factor(Sigma: Array) -> Array:
    """F with Σ = FFᵀ: the Cholesky factor (d, d), or for a singular Σ of rank r a matrix (d, r)."""
    basis = range_basis(Sigma)
    if basis is None:
        return np.asarray(np.linalg.cholesky(Sigma))
    return np.asarray(basis @ np.linalg.cholesky(basis.T @ Sigma @ basis))


def symmetric_root(Sigma: Array) -> Array:
    """Σ^{1/2}, the positive semidefinite one, (d, d)."""
    lam, E = np.linalg.eigh(Sigma)
    return np.asarray((E * np.sqrt(np.maximum(lam, 0.0))) @ E.T)
