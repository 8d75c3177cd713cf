"""Steps of a Runge–Kutta method for many systems at once, whose states are the columns of an array (n, N).

Every operation is one of its column, in the same order however many columns there are: sums run over rows, products
are taken entry by entry, and there is no BLAS, whose sums depend on the sizes of the arrays.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dynamics.aliases import Array
from dynamics.integration.contract import BulkField
from dynamics.integration.step_size import INTEGRAL, LEAST, MOST, PROPORTIONAL, SAFETY, SMALLEST
from dynamics.integration.tableau import SECOND, Tableau

FEWEST = 2  # columns: of a single one NumPy would sum in another order


class BulkMethod:
    """An explicit method, and its sums of stages.

    Slopes are kept as an array (s + 1, n, N) in an order in which those that a sum needs are neighbours: the second and
    the third are soon forgotten, and come before the first.

    Parameters
    ----------
    tableau : Tableau
    """

    def __init__(self, tableau: Tableau) -> None:
        s = tableau.stages
        self.tableau, self.stages, self.order = tableau, s, tableau.order
        self.place = np.array([2, 1, 0, *range(3, s + 1)])
        self.first, self.last = int(self.place[0]), s
        self._inner = [(int(self.place[i]), *self._sum(tableau.rows[i])) for i in range(1, s)]
        self._step = self._sum(tableau.rows[s])
        self._estimates = [self._sum(row) for row in tableau.estimates.tolist()]

    def _sum(self, row: Sequence[float]) -> tuple[slice, Array]:
        """Which slopes a sum takes, and their weights."""
        weights = np.zeros(self.stages + 1)
        weights[self.place[: len(row)]] = row
        used = np.flatnonzero(weights)
        part = slice(int(used[0]), int(used[-1]) + 1)
        return part, weights[part].copy()

    def advance(self, field: BulkField, y: Array, h: Array, slopes: Array, end: Array, work: Array) -> None:
        """Put the states a step h (N,) after y into `end`; the first slope is there. s − 1 evaluations."""
        for place, part, weights in self._inner:
            _add(weights, slopes[part], h, y, work)
            field(work, slopes[place])
        part, weights = self._step
        _add(weights, slopes[part], h, y, end)

    def errors(self, h: Array, slopes: Array, scale: Array, work: Array) -> Array:
        """Size of the error of every step in units of the tolerance `scale` (n, N), as `Tableau.error` has it."""
        squares = []
        for part, weights in self._estimates:
            np.einsum("s,sin->in", weights, slopes[part], out=work)
            np.divide(work, scale, out=work)
            squares.append(np.einsum("in,in->n", work, work))
        whole = squares[0]
        for other in squares[1:]:
            whole = whole + SECOND * other
        return np.where(whole == 0, 0.0, h * squares[0] / np.sqrt(whole * len(work)))

    def factors(self, error: Array, before: Array) -> Array:
        """Of the next steps to these, by `next_factor` and `shorter_factor`: from this error and the one before."""
        k = self.order + 1
        aim = SAFETY**k
        now, last = aim / error, aim / np.maximum(before, SMALLEST)
        longer = now ** ((PROPORTIONAL + INTEGRAL) / k) * last ** (-PROPORTIONAL / k)
        shorter = SAFETY * error ** (-1 / k)
        return np.fmax(LEAST, np.where(error <= 1, np.fmin(MOST, longer), shorter))


class BulkStep:
    """The solution within the step of one system, by a shorter step of the same method.

    Parameters
    ----------
    method : BulkMethod
    field : BulkField
        Of the system alone, `FEWEST` times.
    t_old, t : float
    before, after : (n,) array
    """

    def __init__(
        self, method: BulkMethod, field: BulkField, t_old: float, t: float, before: Array, after: Array
    ) -> None:
        self.t_old, self.t, self.before, self.after = t_old, t, before, after
        self._method, self._field = method, field

    def __call__(self, t: float) -> Array:
        if t >= self.t or t <= self.t_old:
            return self.after if t >= self.t else self.before
        y = np.repeat(self.before[:, None], FEWEST, axis=1)
        slopes, end = np.empty((self._method.stages + 1, *y.shape)), np.empty_like(y)
        with np.errstate(all="ignore"):  # a solution that explodes leaves the numbers within the step too
            self._field(y, slopes[self._method.first])
            h = np.full(FEWEST, t - self.t_old)
            self._method.advance(self._field, y, h, slopes, end, np.empty_like(y))
        return end[:, 0]


def first_steps(field: BulkField, y: Array, slope: Array, order: int, rtol: Array, atol: Array) -> Array:
    """Lengths (N,) of the first steps, as `dynamics.integration.step_size.first_step` has them; one evaluation."""
    scale = atol + np.abs(y) * rtol
    size, speed = column_norms(y / scale), column_norms(slope / scale)
    h = np.where((size < 1e-5) | (speed < 1e-5), 1e-6, 0.01 * size / speed)
    later = np.empty_like(y)
    field(y + h * slope, later)
    steepest = np.maximum(speed, column_norms((later - slope) / scale) / h)
    longer = np.where(steepest > 1e-15, (0.01 / steepest) ** (1 / (order + 1)), np.maximum(1e-6, 1e-3 * h))
    return np.minimum(100 * h, longer)


def column_norms(x: Array) -> Array:
    """Root mean square of every column, (N,)."""
    return np.sqrt(np.einsum("in,in->n", x, x) / len(x))


def _add(weights: Array, slopes: Array, h: Array, y: Array, out: Array) -> None:
    """Put y + h Σ_s w_s k_s into `out`."""
    np.einsum("s,sin->in", weights, slopes, out=out)
    np.multiply(out, h, out=out)
    np.add(out, y, out=out)
