"""Curves that follow a flow, and know their states between their samples: the flow is integrated once more.

Samples alone do not say what is between them to more than a few digits, and the interpolants of solvers err by far more
than a tolerance where stability limits the step. The flow itself says it as accurately as it said the samples: with the
same method and tolerances it takes the same steps again. That costs one integration up to the last of the times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.curves.result import Result
from dynamics.errors import ProblemError
from dynamics.integration import SolverReport
from dynamics.validation import validate_array, validate_times

SAME = 1e-6  # of the largest loss: what losses of the same flow may differ by,
LOST = 1e3  # or as many tolerances, which errors have grown to on the way


class Flow(Protocol):
    """What is asked of a flow, see `dynamics.flows.base.Flow`."""

    def integrate(self, *, times: ArrayLike, rtol: float, atol: float, progress: bool) -> Any:
        """The curve at these times."""


class Sampled(Protocol):
    """What is asked of a curve."""

    @property
    def times(self) -> Array:
        """Its samples (T,)."""

    @property
    def loss(self) -> Array:
        """(T,)."""

    @property
    def solver(self) -> SolverReport:
        """Of its integration."""

    @property
    def again(self) -> Callable[..., Any] | None:
        """See `Followed`."""


Curve = TypeVar("Curve", bound=Sampled)


@dataclass(frozen=True, eq=False, repr=False)
class Followed(Result):
    """Base of the curves of flows.

    Parameters
    ----------
    again : callable, optional
        ``again(times, progress=False)`` integrates the same flow to other times. Curves from files and from other
        processes have none.
    """

    again: Callable[..., Any] | None = field(default=None, kw_only=True)

    def at(self: Curve, times: ArrayLike, *, flow: Flow | None = None, progress: bool = False) -> Curve:
        """The curve at other times of the flow, as accurate as its samples: integrated once more, up to the last.

        Parameters
        ----------
        times : float or (T,) array
            Increasing, from 0 to where the curve ends; one number gives a curve of one sample.
        flow : Flow, optional
            That of this curve, where it does not know it itself: `GradientFlow(trajectory.problem)`, say, of one that
            was loaded from a file.
        progress : bool
            Show a progress bar on standard error if that is a terminal.

        Raises
        ------
        ProblemError
            If the times are not usable or beyond the end, or the flow is not known, or is another one.

        Examples
        --------
        >>> from dynamics import GradientFlow, Problem, Student, Teacher
        >>> problem = Problem(Teacher.from_eigenvalues([2, 1]), Student.initialise(3, 2, scale=0.1))
        >>> between = GradientFlow(problem).integrate(t_end=5.0).at([1.234, 2.345])
        >>> between.W.shape, between.modes.shape
        ((2, 3, 2), (2, 2))
        """
        asked = validate_times(np.atleast_1d(validate_array("times", times, min(np.ndim(times), 1))))
        end = self.solver.time_reached
        if asked[-1] > end:
            raise ProblemError(
                f"`times` goes up to {asked[-1]:.12g}, but the curve ends at t = {end:.12g}: integrate further."
            )
        if flow is not None:
            return _along(self, flow, asked, progress)
        if self.again is None:
            raise ProblemError(
                "This curve does not know its flow, as it comes from a file or another process: give `flow`."
            )
        found: Curve = self.again(asked, progress=progress)
        return found

    def __getstate__(self) -> dict[str, Any]:
        """What other processes get: everything but the flow, which may hold compiled code."""
        return self.__dict__ | {"again": None}


def _along(curve: Curve, flow: Flow, times: Array, progress: bool) -> Curve:
    """The curve of a flow that is said to be that of another curve, which is checked at its samples up to there."""
    how = {"rtol": curve.solver.rtol, "atol": curve.solver.atol}
    known = int(np.searchsorted(curve.times, times[-1], side="right"))
    if known:
        theirs, ours = (
            flow.integrate(times=curve.times[:known], progress=progress, **how).loss,
            curve.loss[:known],
        )
        n, allowed = int(np.argmax(np.abs(theirs - ours))), max(SAME, LOST * curve.solver.rtol)
        if not abs(theirs[n] - ours[n]) <= allowed * np.abs(curve.loss).max():
            raise ProblemError(
                f"`flow` is not that of this curve: at t = {curve.times[n]:.6g} it has the loss {theirs[n]:.6g} instead"
                f" of {ours[n]:.6g}."
            )
    found: Curve = flow.integrate(times=times, progress=progress, **how)
    return found
