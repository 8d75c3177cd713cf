"""The state and the slopes of one step of a Runge–Kutta method, in memory that is used again and again.

They are the rows of one array, so that the argument of a stage is one product of its weights with them, and the
right-hand side writes each slope where it is wanted: nothing is allocated.
"""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array
from dynamics.integration.contract import Write
from dynamics.integration.tableau import Tableau


class Stages:
    """One step from a state, as far as its stages have been evaluated.

    Parameters
    ----------
    tableau : Tableau
    unknowns : int

    Attributes
    ----------
    memory : (1 + S, n) array
        The state y and the slopes k_0, k_1, ….
    weights : (S, S) array
        Those of the state and the slopes in the argument of each stage, of the step that was evaluated last.
    argument : (n,) array
        Overwritten.
    """

    def __init__(self, tableau: Tableau, unknowns: int) -> None:
        S, n = len(tableau.rows), unknowns
        self.tableau, self.memory = tableau, np.empty((1 + S, n))
        self.weights, self.argument = tableau.weights.copy(), np.empty(n)
        self._errors, self._scale, self._size = (
            np.empty((len(tableau.estimates), n)),
            np.empty(n),
            np.empty(n),
        )
        # views are made once: slicing takes as long as adding a thousand numbers
        self._rows = [
            (c, self.weights[i, : i + 1], self.memory[: i + 1], self.memory[i + 1])
            for i, c in enumerate(tableau.nodes)
        ]
        self._estimated = self.memory[1 : 1 + tableau.estimates.shape[1]]

    def evaluate(self, slope: Write, t: float, h: float, first: int, last: int) -> None:
        """Slopes k_i, first ≤ i < last, of a step of length h from time t; those before are there."""
        np.multiply(self.tableau.weights, h, out=self.weights)
        self.weights[:, 0] = 1.0
        for c, weights, before, out in self._rows[first:last]:
            np.dot(weights, before, out=self.argument)
            slope(t + c * h, self.argument, out)

    def arrive(self, out: Array) -> None:
        """The state at the end of the step that was evaluated."""
        _, weights, before, _ = self._rows[self.tableau.stages]
        np.dot(weights, before, out=out)

    def squares(self, end: Array, rtol: float, atol: float) -> Array:
        """Mean squares (m,) of the estimates of the error for h = 1, in units of atol + rtol max(|y|, |end|)."""
        np.dot(self.tableau.estimates, self._estimated, out=self._errors)
        np.abs(self.memory[0], out=self._size)
        np.abs(end, out=self._scale)
        np.maximum(self._size, self._scale, out=self._scale)
        self._scale *= rtol
        self._scale += atol
        self._errors /= self._scale
        return np.array([np.dot(e, e) for e in self._errors]) / end.size
