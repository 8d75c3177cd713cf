"""The state and the slopes of one step of a Runge–Kutta method, in memory that is used again and again.

They are the rows of one array, so that the argument of a stage is one product of its weights with them, and the
right-hand side writes each slope where it is wanted: nothing is allocated.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from dynamics.aliases import Array
from dynamics.integration.contract import Write
from dynamics.integration.tableau import Tableau


class Stages(Protocol):
    """One step from a state, as far as its stages have been evaluated."""

    @property
    def memory(self) -> Array:
        """State y and slopes k_0, k_1, …, (1 + S, n)."""

    def slope(self, t: float, y: Array, out: Array) -> None:
        """F(t, y)."""

    def evaluate(self, t: float, h: float, first: int, last: int) -> None:
        """Slopes k_i, first ≤ i < last, of a step of length h from time t; those before are there."""

    def arrive(self, h: float, out: Array) -> None:
        """The state at the end of the step, from its s slopes."""

    def squares(self, end: Array, rtol: float, atol: float) -> Array:
        """Mean squares (m,) of the estimates of the error for h = 1, in units of atol + rtol max(|y|, |end|)."""


class ArrayStages:
    """Stages by NumPy; it keeps the contract of `Stages`.

    Parameters
    ----------
    tableau : Tableau
    write : callable
        The right-hand side; see `dynamics.integration.contract.VectorField.in_place`.
    unknowns : int
    """

    def __init__(self, tableau: Tableau, write: Write, unknowns: int) -> None:
        S, n = len(tableau.rows), unknowns
        self.tableau, self.slope = tableau, write
        self.memory = np.empty((1 + S, n))
        self._weights, self._argument = tableau.weights.copy(), np.empty(n)
        self._errors, self._scale, self._size = (
            np.empty((len(tableau.estimates), n)),
            np.empty(n),
            np.empty(n),
        )
        # views are made once: slicing takes as long as adding a thousand numbers
        self._rows = [
            (c, self._weights[i, : i + 1], self.memory[: i + 1], self.memory[i + 1])
            for i, c in enumerate(tableau.nodes)
        ]
        self._estimated = self.memory[1 : 1 + tableau.estimates.shape[1]]

    def evaluate(self, t: float, h: float, first: int, last: int) -> None:
        """Slopes k_i, first ≤ i < last, of a step of length h from time t."""
        np.multiply(self.tableau.weights, h, out=self._weights)
        self._weights[:, 0] = 1.0
        for c, weights, before, out in self._rows[first:last]:
            np.dot(weights, before, out=self._argument)
            self.slope(t + c * h, self._argument, out)

    def arrive(self, h: float, out: Array) -> None:
        """The state at the end of the step that was evaluated."""
        _, weights, before, _ = self._rows[self.tableau.stages]
        np.dot(weights, before, out=out)

    def squares(self, end: Array, rtol: float, atol: float) -> Array:
        """Mean squares (m,) of the estimates of the error for h = 1, in units of the tolerance."""
        np.dot(self.tableau.estimates, self._estimated, out=self._errors)
        np.abs(self.memory[0], out=self._size)
        np.abs(end, out=self._scale)
        np.maximum(self._size, self._scale, out=self._scale)
        self._scale *= rtol
        self._scale += atol
        self._errors /= self._scale
        return np.array([np.dot(e, e) for e in self._errors]) / end.size
