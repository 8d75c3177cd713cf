"""Which minimum a flow has converged to: the global one, or a spurious one at a higher loss.

The global minimum is the least loss of any student with as many units (`dynamics.outcome.resting_level`), under weight
decay the lowest of the minima in closed form (`dynamics.flows.traps`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dynamics.curves.trajectory import Trajectory
from dynamics.flows.endings import CONVERGED
from dynamics.flows.traps import minima, minimum_at
from dynamics.outcome.initial_state import InitialState
from dynamics.problem.reduction import in_range

SETTLED = 1e-3  # of the loss that the weakest mode is worth: what convergence leaves is far below


@dataclass(frozen=True)
class ReachedMinimum:
    """The minimum at which a flow rests.

    Parameters
    ----------
    kind : str
        "global" or "spurious".
    loss : float
        Of the state that was reached.
    global_loss : float
        Of the global minimum.
    """

    kind: str
    loss: float
    global_loss: float

    def to_dict(self) -> dict[str, Any]:
        """JSON object."""
        return asdict(self)

    def summary(self) -> str:
        """One sentence where there is something to say: at a spurious minimum."""
        if self.kind == "global":
            return ""
        return (
            f"converged, to a spurious minimum at loss {self.loss:.6g}: the global minimum has loss"
            f" {self.global_loss:.6g}, and `quadflow diagnose` says why it is not reached"
        )


def reached_minimum(trajectory: Trajectory) -> ReachedMinimum | None:
    """The minimum at which a trajectory ends; None if it has not converged, or its minima are not known.

    Known are those of quadratic and centred units with one output, the problems that `diagnose` decides.

    Parameters
    ----------
    trajectory : Trajectory
        Of the gradient flow, or of another that rests at the same points.
    """
    if trajectory.solver.status != CONVERGED:
        return None
    problem, loss = trajectory.problem, float(trajectory.loss[-1])
    if problem.weight_decay:
        known = minima(problem)
        here = minimum_at(problem, trajectory.modes[-1], loss, known) if known else None
        if here is None:
            return None
        return _reached(loss, known[0].level.loss, here is known[0])
    start = InitialState(in_range(problem))
    if start.unknown or problem.teacher.outputs > 1:
        return None
    nonzero = start.eigenvalues[start.eigenvalues != 0]
    weakest = start.aligned.scale * float(np.min(nonzero**2, initial=np.inf))
    return _reached(loss, start.least, not loss > start.least + SETTLED * weakest)


def _reached(loss: float, least: float, is_global: bool) -> ReachedMinimum:
    return ReachedMinimum("global" if is_global else "spurious", loss, least)
