"""What an explicit Runge–Kutta method is: its coefficients, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dynamics.aliases import Array

SECOND = 0.01  # weight of the square of the second estimate of the error


@dataclass(frozen=True, eq=False)
class Tableau:
    """An explicit Runge–Kutta method whose last stage is the first of the next step.

    With slopes k_i = F(t + c_i h, y + h Σ_{j<i} a_ij k_j) of its s stages the new state is the argument of k_s, counted
    from 0: a_sj is what is called b_j elsewhere. Stages after that serve the interpolant alone,

        y(t + xh) = y + h Σ_p β_p(x) Σ_j d_pj k_j,  β = x, x(1 − x), x²(1 − x), x²(1 − x)², … for 0 ≤ x ≤ 1,

    where the first of the sums is the new state and the others vanish at both ends.

    Parameters
    ----------
    name : str
    order : int
        Order q of the estimate of the error of a step, O(h^{q+1}).
    rows : sequence of S sequences
        a_ij, the lower triangle row by row: row i has i entries.
    nodes : sequence of S floats
        c_i = Σ_j a_ij.
    stages : int
        s, the evaluations of a step.
    estimates : (m, s) or (m, s + 1) array
        Weights of k in the differences of the new state to less accurate ones: one, or two, of which the second is of
        lower order; see `error`. Without k_s a step that is rejected costs an evaluation less.
    dense : (P, S) array
        d_pj.
    last_term : float, optional
        By how much at least the last term of the interpolant exceeds its error, wherever steps are stable. None of an
        interpolant that is by and large as accurate as the end of the step: it needs no watching.
    """

    name: str
    order: int
    rows: Sequence[Sequence[float]]
    nodes: Sequence[float]
    stages: int
    estimates: Array
    dense: Array
    last_term: float | None = None

    @cached_property
    def weights(self) -> Array:
        """Weights (S, S) of the state, at first, and of S − 1 slopes in the argument of each stage, for h = 1."""
        S = len(self.rows)
        a = np.zeros((S, S))
        a[:, 0] = 1.0
        for i, row in enumerate(self.rows):
            a[i, 1 : i + 1] = row
        return a

    @property
    def early(self) -> bool:
        """Whether the estimate of the error needs the slope at the end of the step."""
        return self.estimates.shape[1] > self.stages

    def basis(self, x: float) -> Array:
        """Polynomials β (P,) of the interpolant."""
        return np.asarray(np.cumprod([(x, 1 - x)[p % 2] for p in range(len(self.dense))]), dtype=float)

    @cached_property
    def largest_last(self) -> float:
        """Maximum of the last of the polynomials, x^m (1 − x)^n, on the step."""
        m, n = (len(self.dense) + 1) // 2, len(self.dense) // 2
        return float(self.basis(m / (m + n))[-1])

    def error(self, squares: Array) -> float:
        """Size of the error of a step from the mean squares (m,) of its estimates, in units of the tolerance.

        Of two estimates e, ê as by Hairer, Nørsett and Wanner [Solving Ordinary Differential Equations I, 2nd ed.,
        Springer 1993, II.10]: e²/√(e² + 0.01 ê²), which is of higher order than either.
        """
        whole = squares[0] + SECOND * squares[1:].sum()
        return float(squares[0] / np.sqrt(whole)) if whole != 0 else 0.0
