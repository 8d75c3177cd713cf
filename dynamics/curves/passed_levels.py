"""The levels of the plateaus that a learning curve may have come by, as far as they are known and found."""

from __future__ import annotations

from functools import partial

from dynamics.aliases import Array
from dynamics.curves.stages import levels_passed
from dynamics.problem import Problem
from dynamics.problem.levels import Level
from dynamics.problem.plateaus import as_found, plateaus
from dynamics.problem.sphere_plateaus import sphere_plateaus


def levels_come_by(problem: Problem, modes: Array) -> tuple[tuple[Level, ...], str]:
    """Levels of a curve of modes (T, m), and why some are missing: empty where none is.

    A level that is not found leaves the curve as it is: nothing else depends on it.
    """
    level, missing = plateaus(problem), list[str]()
    if level is None:
        return sphere_plateaus(problem), ""
    targets = problem.mode_targets
    found = levels_passed(modes, targets, level=partial(as_found(level, missing), targets))
    return found, f"Some plateaus have no predicted level. {missing[0]}" if missing else ""
