"""Sets of modes that a curve passes through as it learns, and plateaus that its samples are too far apart to show."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from dynamics.aliases import Array
from dynamics.curves.stages import Stage
from dynamics.problem import Problem
from dynamics.problem.plateaus import as_found, plateaus

FEW = 10  # samples of a curve that nobody takes to look for plateaus
SHOWN = 3  # samples that a plateau has at least, see `dynamics.curves.stages`
AT = 0.02  # relative distance of the loss from a level below which a sample lies on it
OFF = 0.2  # and beyond which the next one has left it behind: if it had not, the curve would be seen not to wait


class Learning(Protocol):
    """What is needed of a curve: that of the flow, or of SGD."""

    @property
    def problem(self) -> Problem: ...
    @property
    def times(self) -> Array: ...
    @property
    def loss(self) -> Array: ...
    @property
    def modes(self) -> Array: ...
    @property
    def stages(self) -> tuple[Stage, ...]: ...


def visited_sets(trajectory: Learning) -> list[tuple[int, ...]]:
    """Sets of columns of modes that are more than half learned, in the order in which the trajectory passes them."""
    targets = trajectory.problem.teacher.eigen[0][0]
    sets: list[tuple[int, ...]] = []
    for row in trajectory.modes / targets > 0.5:
        learned = tuple(int(i) for i in np.flatnonzero(row))
        if learned not in sets:
            sets.append(learned)
    return sets


def passed_unseen(trajectory: Learning) -> str | None:
    """Warning about levels that are no plateau of the curve because only one or two samples lie on them; or None.

    A plateau has three samples at least. One that lies between two neighbouring samples cannot be told of.
    """
    problem = trajectory.problem
    if len(trajectory.times) < FEW or not problem.has_modes or problem.teacher.outputs > 1:
        return None
    level_of = plateaus(problem)
    if level_of is None:
        return None
    level_of = as_found(level_of, [])
    told = [stage.level.loss for stage in trajectory.stages if stage.level is not None]
    lam, missed = problem.teacher.eigen[0][0], []
    for learned in visited_sets(trajectory):
        level = level_of(lam, learned)
        if level is None or level.loss <= 0 or np.isclose(told, level.loss).any():
            continue
        ratio = trajectory.loss / level.loss
        on = np.flatnonzero(np.abs(ratio - 1) <= AT)
        if (
            0 < len(on) < SHOWN
            and on[-1] + 1 < len(ratio)
            and ratio[on[-1] + 1 :].max(initial=-1.0) < 1 - OFF
        ):
            missed.append(f"at the loss {level.loss:.6g} at t = {trajectory.times[on[0]]:.4g}")
    if not missed:
        return None
    return (
        f"the samples are too far apart to tell whether the curve waits {' and '.join(missed)}: a plateau "
        f"has {SHOWN} samples or more, take more of them"
    )
