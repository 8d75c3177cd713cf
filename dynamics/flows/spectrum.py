"""Extreme eigenvalues of a Hessian, dense or by its products with vectors; and whether it leads down.

Where training ends most eigenvalues are close to zero, among which Lanczos iterations find the lowest one late or
never. Whether there is one below some −m < 0 is easier to tell: H + m has a Cholesky factor, or it has not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from dynamics.aliases import Array

LARGEST_DENSE = 300  # unknowns; above, extreme eigenvalues come from Lanczos iterations
LARGEST_FACTOR = 6000  # unknowns; above, a Cholesky factor costs more memory and time than that


def extreme_eigenvalue(
    hessian: Callable[[], Array],
    product: Callable[[Array], Array],
    kept: NDArray[np.bool_],
    which: str,
) -> float:
    """Smallest ("lowest") or largest ("highest") eigenvalue of the part of a Hessian that belongs to some unknowns.

    Above 300 unknowns that part is embedded in zeros, so that a lowest eigenvalue above zero comes out as zero.

    Parameters
    ----------
    hessian : callable
        Gives the Hessian, (n, n).
    product : callable
        Its product with a vector (n,).
    kept : (n,) array of bool
        The unknowns.
    which : {"lowest", "highest"}
    """
    n = len(kept)
    if n <= LARGEST_DENSE:
        H = hessian()[np.ix_(kept, kept)]
        return float(np.linalg.eigvalsh(H)[0 if which == "lowest" else -1])
    return _by_lanczos(product, kept, "SA" if which == "lowest" else "LA")


def _by_lanczos(
    product: Callable[[Array], Array], kept: NDArray[np.bool_], which: str, resolution: float = 0.0
) -> float:
    """Extreme eigenvalue ("SA" or "LA"), to 1e-6 of itself, or to 1e-2 of itself and a resolution above zero."""
    n = len(kept)

    def matvec(v: Array) -> Array:
        u = kept * v.ravel()
        return np.asarray(kept * product(u) - resolution * v.ravel())

    start = kept * np.random.default_rng(0).standard_normal(n)
    try:
        values = eigsh(
            LinearOperator((n, n), matvec=matvec, dtype=float),
            k=1,
            which=which,
            tol=1e-2 if resolution else 1e-6,
            v0=start,
        )[0]
    except ArpackNoConvergence as failure:
        if len(failure.eigenvalues) == 0:
            raise
        values = failure.eigenvalues
    return float(values[0]) + resolution


def descent(
    hessian: Callable[[], Array], product: Callable[[Array], Array], kept: NDArray[np.bool_], least: float
) -> float:
    """−λ for the lowest eigenvalue λ of the part of a Hessian that belongs to some unknowns; 0 unless λ < −least.

    Parameters
    ----------
    hessian, product, kept
        As for `extreme_eigenvalue`.
    least : float
        Positive.
    """
    n = len(kept)
    if n <= LARGEST_DENSE:
        lowest = extreme_eigenvalue(hessian, product, kept, "lowest")
    elif n <= LARGEST_FACTOR and _positive(hessian()[np.ix_(kept, kept)], least):
        return 0.0
    else:
        lowest = _by_lanczos(product, kept, "SA", resolution=least)
    return -lowest if lowest < -least else 0.0


def _positive(H: Array, shift: float) -> bool:
    """Whether a symmetric H + shift is positive definite; H is overwritten."""
    H.reshape(-1)[:: len(H) + 1] += shift
    return bool(dpotrf(H.T, lower=True, clean=False, overwrite_a=True)[1] == 0)
