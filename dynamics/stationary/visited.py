"""Which plateaus a learning curve visits: a path through the saddle-to-saddle graph."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Protocol

import numpy as np

from dynamics.aliases import Array
from dynamics.curves.stages import Stage, find_stages, levels_passed
from dynamics.errors import ProblemError
from dynamics.problem import Problem
from dynamics.problem.landscapes import landscape_of
from dynamics.problem.plateaus import as_found, plateaus
from dynamics.stationary.connections import Modes


class LearningCurve(Protocol):
    """What a trajectory and a training run have in common; loss and modes of a run have a leading axis of seeds."""

    @property
    def times(self) -> Array:
        """(T,)."""

    @property
    def loss(self) -> Array:
        """(T,) or (S, T)."""

    @property
    def modes(self) -> Array:
        """(T, modes) or (S, T, modes)."""


def visited(curve: LearningCurve, problem: Problem, seed: int | None = None) -> tuple[Stage, ...]:
    """Plateaus that a learning curve visits, each matched with a stationary point.

    The sets of learned modes, ``[stage.learned_modes for stage in visited(...)]``, are a path for `SaddleGraph.follow`.

    Parameters
    ----------
    curve : LearningCurve
        A `Trajectory` or a `TrainingRun`.
    problem : Problem
        One output, uncorrelated inputs of equal variance under a law that rotations leave as it is, quadratic or
        centred activation.
    seed : int, optional
        Which network of a training run; None is the median over its networks.

    Returns
    -------
    tuple of Stage
        Modes are numbered as in the catalogue.

    Raises
    ------
    ProblemError
        For other problems.
    """
    if problem.covariance is not None or problem.teacher.outputs > 1:
        raise ProblemError(
            "Plateaus are matched with stationary points only for one output and no `covariance`: use `find_stages`."
        )
    landscape = landscape_of(problem)
    level_of = plateaus(problem)
    if landscape is None or not landscape.isotropic or level_of is None:
        raise ProblemError(
            f"`{problem.law.option}` is {problem.law.name!r} and `activation` is {problem.activation.name!r}, but"
            " plateaus are matched with stationary points only for quadratic and centred units and a law that rotations"
            " leave as it is."
        )
    loss, modes = np.asarray(curve.loss), np.asarray(curve.modes)
    if loss.ndim == 2:
        loss = np.median(loss, axis=0) if seed is None else loss[seed]
        modes = np.median(modes, axis=0) if seed is None else modes[seed]
    lam = problem.teacher.eigen[0][0]
    levels = levels_passed(modes, lam, level=partial(as_found(level_of, []), lam))
    numbers = np.arange(len(lam)) + (problem.inputs - len(lam)) * (lam < 0)

    def named(learned: Modes) -> Modes:
        return tuple(int(numbers[i]) for i in learned)

    return tuple(
        replace(
            stage,
            learned_modes=named(stage.learned_modes),
            level=None if stage.level is None else replace(stage.level, learned=named(stage.level.learned)),
        )
        for stage in find_stages(curve.times, loss, modes, lam, levels=levels)
    )
