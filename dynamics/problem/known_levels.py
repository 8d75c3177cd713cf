"""Levels of the plateaus of a problem, under its weight decay and its law of the inputs, where they are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from dynamics.problem.aligned_loss import aligned_loss, along_axes
from dynamics.problem.decayed_levels import level_under_decay
from dynamics.problem.levels import Level
from dynamics.problem.problem import Problem


def known_levels(problem: Problem) -> Callable[[Sequence[int]], Level | None] | None:
    """Level by the places of the learned modes, None if there is no such plateau; None where no level is known.

    Known are those of quadratic and centred networks of one output under uncorrelated inputs: Gaussian ones, with
    weight decay too; without it those of rotation-invariant laws, and of independent coordinates where the teacher is
    diagonal.
    """
    if not problem.has_modes or problem.covariance is not None or problem.teacher.outputs > 1:
        return None
    targets, coupling = problem.mode_targets, problem.trace_coupling
    if coupling is not None:
        return partial(level_under_decay, problem, targets, trace_coupling=coupling)
    aligned = aligned_loss(problem.activation, problem.law)
    if aligned is None or problem.weight_decay or not aligned.scale > 0:
        return None
    return partial(aligned.level, targets) if aligned.isotropic or along_axes(problem) else None
