"""What a solver did, in words and numbers."""

from __future__ import annotations

from dataclasses import dataclass

from dynamics.integration.contract import FAILED, FINISHED


@dataclass(frozen=True)
class SolverReport:
    """What the solver did.

    Parameters
    ----------
    method : str
        Name of the method that was used; see `dynamics.integration.methods`.
    rtol, atol : float
        Tolerances per step.
    evaluations, jacobian_evaluations : int
        Of the right-hand side (those for samples within a step included; of Taylor's method the number of
        expansions) and of its Jacobian.
    seconds : float
        Wall-clock time of the integration, with that of what was built and compiled for it; of a flow, with its
        reduction too.
    status : str
        "finished" (end time reached), the name of the `Stop` that ended it, or "failed".
    time_reached : float
    message : str
        Empty, or why the solver failed and what to do about it.
    """

    method: str
    rtol: float
    atol: float
    evaluations: int
    jacobian_evaluations: int
    seconds: float
    status: str
    time_reached: float
    message: str = ""

    @property
    def ending(self) -> str:
        """How it ended, in words: "finished" says no more than that the end time was reached."""
        return "end time reached" if self.status == FINISHED else self.status

    @property
    def failed(self) -> bool:
        """Whether the solver gave up."""
        return self.status == FAILED
