"""Which minimum a flow has converged to: the global one, or a spurious one at a higher loss.

The global minimum is the least loss over all weights that are trained, as in the catalogue of stationary points: with
a trained second layer that of any student with as many units, with a fixed one that of any first layer
(`dynamics.outcome.resting_level`), under weight decay the lowest of the minima in closed form (`dynamics.flows.traps`).
With a fixed second layer all minima have the same loss: a state at rest above it is at a saddle, which it reached on an
invariant manifold.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dynamics.curves.trajectory import Trajectory
from dynamics.errors import ComputationError
from dynamics.flows.endings import CONVERGED
from dynamics.flows.traps import minima, minimum_at
from dynamics.outcome.initial_state import InitialState
from dynamics.problem import Problem
from dynamics.problem.reduction import in_range
from dynamics.problem.sphere_plateaus import sphere_plateaus

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
        Of the global minimum: the least over the weights that are trained.
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
    """The minimum at which a trajectory ends; None if it has not converged, or its minima are not known or found.

    Known are those of quadratic and centred units with one output, the problems that `diagnose` decides. None as
    well at a saddle under a fixed second layer.

    Parameters
    ----------
    trajectory : Trajectory
        Of the gradient flow, or of another that rests at the same points.
    """
    if trajectory.solver.status != CONVERGED:
        return None
    problem, loss = trajectory.problem, float(trajectory.loss[-1])
    if problem.constraint:
        return _on_sphere(problem, loss)
    if problem.weight_decay:
        known = minima(problem)
        here = minimum_at(problem, trajectory.modes[-1], loss, known) if known else None
        if here is None:
            return None
        return _reached(loss, known[0].level.loss, here is known[0])
    start = InitialState(in_range(problem))
    if start.unknown or problem.teacher.outputs > 1:
        return None
    try:
        least = start.least if problem.student.trainable else _least_fixed(start)
    except ComputationError:
        return None
    at_least = not loss > least + SETTLED * start.weakest
    return _reached(loss, least, at_least) if at_least or problem.student.trainable else None


def _on_sphere(problem: Problem, loss: float) -> ReachedMinimum | None:
    """On the sphere: the lowest of all stationary points is the global minimum; None where these are not known."""
    levels = sphere_plateaus(problem)
    if not levels:
        return None
    least, size = levels[0].loss, float(np.sum(problem.mode_targets**2))
    return _reached(loss, least, not loss > least + SETTLED * size)


def _least_fixed(start: InitialState) -> float:
    """Least loss over all first layers; directions that the teacher ignores are never learned at it."""
    a = start.problem.student.A[0]
    positive, negative = int(np.sum(a > 0)), int(np.sum(a < 0))
    return start.level((positive, negative)).loss


def _reached(loss: float, least: float, is_global: bool) -> ReachedMinimum:
    return ReachedMinimum("global" if is_global else "spurious", loss, least)
