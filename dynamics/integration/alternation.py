"""An explicit method and BDF-CG by turns: whichever gets ahead with fewer evaluations.

While a network learns, steps are short because the solution bends, and an explicit method of high order makes them for
less. Later they are short because the explicit method would be unstable with longer ones; then implicit steps, which
cost a few evaluations more, soon are a thousand times as long. Where that begins cannot be told from the steps of
either, so it is tried: where h times the largest eigenvalue of the Hessian says that stability may be what limits the
explicit steps, some implicit ones are made, from the solution at hand, and the evaluations that each method spends on
a unit of time decide. A trial in vain, some hundred evaluations, is not repeated too soon.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import cast

import numpy as np

from dynamics.aliases import Array
from dynamics.integration.backward_differences import BackwardDifferences, curvature_of
from dynamics.integration.contract import Method, Solver, Step, StridingSolver, VectorField

STRETCH = 40  # steps after which is asked what they cost
WORTHWHILE = 0.7  # of the price of explicit steps: what implicit ones must not exceed to be taken up
STIFF = 1.0  # h λ_max; explicit methods become unstable at some 3 to 6
FINER = 0.1  # of the tolerance: errors of implicit steps add up to more
PRODUCT = 2.5  # price of a product with the Hessian, in evaluations
PATIENCE, MOST_PATIENCE = 2, 32  # stretches until the next trial: at first, and at most
POWERS = 2  # products with the Hessian of a vector that is kept: a lower bound of the largest eigenvalue


class Alternation:
    """Steps by turns; it keeps the contract of `dynamics.integration.contract.Solver`.

    Parameters
    ----------
    explicit : Method
        Its solver strides.
    field : VectorField
        Minus a gradient.
    theta0 : (n,) array
    t_bound, rtol, atol : float

    Raises
    ------
    ProblemError
        If the field is not known to be a gradient.
    """

    def __init__(
        self, explicit: Method, field: VectorField, theta0: Array, t_bound: float, rtol: float, atol: float
    ) -> None:
        self._explicit = cast(StridingSolver, explicit.create(field, theta0, t_bound, rtol, atol))
        self._implicit = BackwardDifferences(field, theta0, t_bound, FINER * rtol, FINER * atol)
        self._curvature, self._products = curvature_of(field), 0
        self._vector = np.random.default_rng(0).standard_normal(theta0.size)
        self._solver: Solver = self._explicit
        self._price, self._patience = np.inf, PATIENCE
        self._steps, self._implicit_steps = 0, 0  # of this stretch, and of all
        self._waiting = self._patience
        self._begin_stretch()

    @property
    def t(self) -> float:
        """Time reached."""
        return self._solver.t

    @property
    def y(self) -> Array:
        """State there, (n,)."""
        return self._solver.y

    @property
    def t_bound(self) -> float:
        """End of the integration."""
        return self._solver.t_bound

    @property
    def status(self) -> str:
        """That of the solver at work."""
        return self._solver.status

    @property
    def nfev(self) -> int:
        """Evaluations of the right-hand side."""
        return self._explicit.nfev + self._implicit.nfev

    @property
    def njev(self) -> int:
        """Products with the Hessian."""
        return self._explicit.njev + self._implicit.njev + self._products

    @property
    def steps(self) -> int:
        """Steps so far."""
        return self._explicit.steps + self._implicit_steps

    def step(self) -> str:
        """One step; the reason if it failed."""
        return self.stride(self.t, most=1)

    def stride(self, until: float, allowed: int = sys.maxsize, most: int = STRETCH) -> str:
        """Explicit steps until the time `until`, or `allowed` evaluations, or one that is implicit; why one failed."""
        if self._steps >= STRETCH:
            self._look_back()
        elif self._steps == STRETCH // 2 and self._solver is self._implicit:
            self._mark()  # the first steps are still on the way to the length that they may have
        if self._solver is self._implicit:
            self._steps, self._implicit_steps = self._steps + 1, self._implicit_steps + 1
            if not self._implicit.step():
                return ""
            self._give_up()
        before = self._explicit.steps
        reason = self._explicit.stride(until, allowed - self._implicit.nfev, min(most, STRETCH - self._steps))
        self._steps += self._explicit.steps - before
        return reason

    def within_step(self) -> Step:
        """The solution within the last step."""
        return self._solver.within_step()

    def restart(self, t: float, y: Array) -> None:
        """Go on from another time and state, by explicit steps."""
        self._explicit.restart(t, y)
        self._solver = self._explicit
        self._begin_stretch()

    def _begin_stretch(self) -> None:
        self._steps = 0
        self._mark()

    def _mark(self) -> None:
        self._marked = (self._spent, self.t)

    @property
    def _spent(self) -> float:
        return self.nfev + PRODUCT * self.njev

    def _look_back(self) -> None:
        """Choose the method of the next steps by what the last ones cost."""
        spent, since = self._marked
        price = (self._spent - spent) / max(self.t - since, float(np.finfo(float).tiny))
        if self._solver is self._implicit:
            if price > WORTHWHILE * self._price:
                self._give_up()
            else:
                self._patience = PATIENCE
        else:
            self._waiting -= 1
            if self._waiting <= 0 and self._stiff((self.t - since) / self._steps):
                self._price = price
                self._implicit.resume(self._explicit.within_step())
                self._solver = self._implicit
        self._begin_stretch()

    def _give_up(self) -> None:
        """Go on by explicit steps, and wait twice as long for the next trial."""
        self._patience = min(2 * self._patience, MOST_PATIENCE)
        self._waiting = self._patience
        self.restart(self._implicit.t, self._implicit.y)

    def _stiff(self, h: float) -> bool:
        """Whether stability may be what limits steps of length h."""
        v = self._vector
        for _ in range(POWERS):
            v = self._curvature(self.y, v / float(np.linalg.norm(v)))
        self._products += POWERS
        largest = float(np.linalg.norm(v))
        if largest > 0:
            self._vector = v
        return h * largest > STIFF


def alternating(explicit: Method) -> Method:
    """An explicit method by turns with BDF-CG."""
    return Method(
        f"{explicit.name}/BDF", True, partial(Alternation, explicit), strides=True, matrix_free=True
    )
