"""What samples and compiled code see of a solver that steps by an explicit method."""

from __future__ import annotations

from typing import Protocol

from dynamics.aliases import Array
from dynamics.integration.stages import Stages
from dynamics.integration.tableau import Tableau


class Stepper(Protocol):
    """An explicit method at a time and a state; see `dynamics.integration.runge_kutta.RungeKutta`.

    Attributes
    ----------
    tableau : Tableau
    t, t_old, t_bound : float
        Time, start of the last step, end of the integration.
    y : (n,) array
        State.
    rtol, atol : float
    next, error : float
        Length of the next step, 0 if it is not known yet, and error of the last one.
    nfev, steps : int
        Evaluations, and steps that were begun.
    stages : Stages
        Of the last step.
    """

    tableau: Tableau
    t: float
    t_old: float
    t_bound: float
    y: Array
    rtol: float
    atol: float
    next: float
    error: float
    nfev: int
    steps: int
    stages: Stages

    @property
    def aside(self) -> Stages:
        """Memory for steps that are made for samples."""

    def slope(self, t: float, y: Array, out: Array) -> None:
        """F(t, y), counted."""

    def evaluate(self, stages: Stages, t: float, h: float, first: int, last: int) -> None:
        """Slopes k_i, first ≤ i < last, of a step of length h from time t, counted; those before are there."""
