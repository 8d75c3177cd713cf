"""The height of a plateau of a problem, whatever its inputs and its decay: one answer for curves and figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ComputationError
from dynamics.problem.aligned_loss import aligned_loss, along_axes
from dynamics.problem.balance import Landscape
from dynamics.problem.decayed_levels import level_under_decay
from dynamics.problem.landscapes import landscape_of
from dynamics.problem.levels import Level
from dynamics.problem.problem import Problem

Levels = Callable[[Array, Sequence[int]], Level | None]


def plateaus(problem: Problem) -> Levels | None:
    """From the eigenvalues of the teacher and the learned ones among them to the level of that plateau.

    None where plateaus are not known: that needs quadratic or centred units, one output, uncorrelated inputs, a law of
    the inputs that keeps states aligned, without decay unless it is Gaussian, and weights without a constraint; of
    losses other than the square Gaussian inputs, and no decay.
    """
    if (
        problem.constraint
        or not problem.has_modes
        or problem.covariance is not None
        or problem.teacher.outputs > 1
    ):
        return None
    if not problem.loss.is_square:
        landscape = None if problem.weight_decay else landscape_of(problem)
        return None if landscape is None else partial(_balanced_level, landscape)
    coupling = problem.trace_coupling
    if coupling is not None:
        return partial(level_under_decay, problem, trace_coupling=coupling)
    aligned = aligned_loss(problem.activation, problem.law)
    if aligned is None or problem.weight_decay or aligned.scale <= 0 or aligned.coupling < 0:
        return None
    return aligned.level if aligned.isotropic or along_axes(problem) else None


def as_found(level: Levels, missing: list[str]) -> Levels:
    """The same, None of a plateau whose height is not found; why it is not is added to `missing`."""

    def found(eigenvalues: Array, learned: Sequence[int]) -> Level | None:
        try:
            return level(eigenvalues, learned)
        except ComputationError as why:
            missing.append(str(why))
            return None

    return found


def _balanced_level(landscape: Landscape, eigenvalues: Array, learned: Sequence[int]) -> Level | None:
    """Level of a plateau by the balance of its modes; None where weights grow for ever."""
    S = tuple(sorted(int(i) for i in learned))
    ones = np.ones(len(eigenvalues), dtype=np.int64)
    counts = np.isin(np.arange(len(ones)), S).astype(np.int64)
    found = landscape.balance(eigenvalues, ones, counts)
    return None if found is None else Level(S, found.values[list(S)], found.residual_trace, found.loss)
