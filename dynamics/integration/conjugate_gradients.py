"""Conjugate gradients for (1 + cH)x = b with a symmetric H that is known by its products with vectors alone.

The method of Hestenes and Stiefel [Methods of conjugate gradients for solving linear systems, J. Res. Natl. Bur. Stand.
49 (1952) 409, not consulted]. Where H has few large eigenvalues and many small ones, as at the end of training, the
number of products grows with the first and not with the unknowns.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from dynamics.aliases import Array

Product = Callable[[Array], Array]
"""``product(v)`` gives Hv, (n,)."""


class ShiftedSystem:
    """Solves (1 + cH)x = b, in memory that it keeps.

    Parameters
    ----------
    unknowns : int

    Attributes
    ----------
    stiffness : float
        The largest c vᵀHv/vᵀv that the last solution met, a lower bound of the largest eigenvalue of cH.
    """

    def __init__(self, unknowns: int) -> None:
        self._x, self._r, self._p, self._work = np.empty((4, unknowns))
        self.stiffness = 0.0

    def solve(
        self, product: Product, c: float, b: Array, weights: Array, goal: float, most: int
    ) -> Array | None:
        """x, (n,), in memory that is used again; None where 1 + cH is not positive or `most` products do not suffice.

        Parameters
        ----------
        product : callable
        c : float
        b, weights : (n,) array
        goal : float
            The root mean square of weights · (b − (1 + cH)x) at which it stops.
        most : int
        """
        x, r, p, work = self._x, self._r, self._p, self._work
        x[:], r[:], p[:] = 0.0, b, b
        square, self.stiffness = float(r @ r), 0.0
        for _ in range(most):
            np.multiply(weights, r, out=work)
            if not float(work @ work) > goal**2 * len(b):
                return x if math.isfinite(square) else None
            Hp = product(p)
            length, bend = float(p @ p), c * float(p @ Hp)
            if not length + bend > 0:
                return None
            self.stiffness = max(self.stiffness, bend / length)
            alpha = square / (length + bend)
            x += np.multiply(alpha, p, out=work)
            r -= np.multiply(alpha, p, out=work)
            r -= np.multiply(alpha * c, Hp, out=work)
            before, square = square, float(r @ r)
            p *= square / before
            p += r
        return None
