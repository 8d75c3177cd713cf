"""Known laws that fall by one common factor in recorded weights: what weight decay makes of them.

Where all weights decay at the rate ρ every known law of degree 2 is q(0) e^{−rt} with the same r = 2ρ, whatever the
loss is (`dynamics.conserved.decay`). One rate r is fitted to all units and runs together; a law counts as decaying if
that leaves a residual within the tolerance, in units of how far it could have moved. Such a law is no conserved
quantity, and never called one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar

from dynamics.aliases import Array
from dynamics.conserved.weight_log import InferredQuantity, WeightLog
from dynamics.errors import ProblemError
from dynamics.validation import validate_array

FASTEST, GRID = (
    50.0,
    401,
)  # largest |rate| times the length of the records; rates that are tried before refining one


@dataclass(frozen=True, eq=False)
class CommonDecay:
    """One exponential for the records of several laws.

    Parameters
    ----------
    times : (T,) array
        Of the records.
    """

    times: Array

    @classmethod
    def of(cls, log: WeightLog, times: ArrayLike | None) -> CommonDecay:
        """Times that belong to the records; numbers of records where none are given.

        Raises
        ------
        ProblemError
            If they are not as many, or do not increase.
        """
        T = log.theta.shape[1]
        if times is None:
            return cls(np.arange(T, dtype=float))
        t = validate_array("times", times, 1)
        if len(t) != T or (np.diff(t) <= 0).any():
            raise ProblemError(
                f"`times` has {len(t)} entries, but must be {T} increasing ones, of the records."
            )
        return cls(t - t[0])

    def judge(
        self, laws: Sequence[InferredQuantity], values: Sequence[Array], tolerance: float
    ) -> list[InferredQuantity]:
        """The laws with the rate that they have in common, and what is left beside it; values (R, T) of each.

        None where they fall by less than the fraction `tolerance`.
        """
        moving = [i for i, q in enumerate(laws) if q.movement > 0]
        if not moving:
            return []
        scaled = [(laws[i].movement, values[i]) for i in moving]

        def square(rate: float) -> float:
            return float(sum(np.sum(self._left(v, rate) ** 2) / size**2 for size, v in scaled))

        rates = np.linspace(0.0, FASTEST, GRID) / self.times[-1]
        best = int(np.argmin([square(rate) for rate in rates]))
        low, high = rates[max(best - 1, 0)], rates[min(best + 1, GRID - 1)]
        rate = float(  # weight decay lets what is of degree 2 fall, never grow
            minimize_scalar(square, bounds=(low, high), method="bounded", options={"xatol": 1e-12 * high}).x
        )
        if -np.expm1(-rate * self.times[-1]) <= tolerance:
            return []  # what hardly falls may as well be constant
        return [
            replace(
                laws[i],
                match=f"{laws[i].match}, times e^({-rate:.4g}t) as weight decay has it",
                residual=float(np.sqrt(np.mean(self._left(values[i], rate) ** 2)) / laws[i].movement),
                rate=rate,
            )
            for i in moving
        ]

    def _left(self, values: Array, rate: float) -> Array:
        """q − q̂ e^{−rate t} with the best start q̂ of each run, (R, T)."""
        shape = np.exp(-rate * self.times)
        return np.asarray(values - np.outer(values @ shape / (shape @ shape), shape))
