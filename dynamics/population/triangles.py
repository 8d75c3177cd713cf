"""Symmetric matrices as vectors of their upper triangles, with the scalar product tr(AB)."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array


def svec(M: Array) -> Array:
    """Upper triangles (…, p) of symmetric matrices (…, d, d), off-diagonal entries times √2."""
    upper, _, weight = triangle(M.shape[-1])
    return M.reshape(*M.shape[:-2], M.shape[-1] ** 2)[..., upper] * weight


def smat(v: Array) -> Array:
    """Symmetric matrices (…, d, d) of their triangles (…, p): the inverse of `svec`."""
    d = int(np.sqrt(2 * v.shape[-1]))
    upper, lower, weight = triangle(d)
    M = np.empty((*v.shape[:-1], d * d))
    M[..., upper] = M[..., lower] = v / weight
    return M.reshape(*v.shape[:-1], d, d)


@cache
def triangle(d: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
    """Places of the upper triangle and of its mirror image in a flattened matrix, and the weights of svec."""
    i, j = np.triu_indices(d)
    return i * d + j, j * d + i, np.where(i == j, 1.0, np.sqrt(2))
