"""Extreme eigenvalues of a Hessian, dense or by its products with vectors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from dynamics.aliases import Array

LARGEST_DENSE = 300  # unknowns; above, extreme eigenvalues come from Lanczos iterations


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
    operator = LinearOperator((n, n), matvec=lambda v: kept * product(kept * v.ravel()), dtype=float)
    start = kept * np.random.default_rng(0).standard_normal(n)
    try:
        values = eigsh(operator, k=1, which="SA" if which == "lowest" else "LA", tol=1e-6, v0=start)[0]
    except ArpackNoConvergence as failure:
        if len(failure.eigenvalues) == 0:
            raise
        values = failure.eigenvalues
    return float(values[0])
