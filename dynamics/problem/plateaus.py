"""The height of a plateau of a problem, whatever its inputs and its decay: one answer for curves and figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from dynamics.aliases import Array
from dynamics.problem.aligned_loss import aligned_loss, along_axes
from dynamics.problem.decayed_levels import level_under_decay
from dynamics.problem.levels import Level
from dynamics.problem.problem import Problem

Levels = Callable[[Array, Sequence[int]], Level | None]


def plateaus(problem: Problem) -> Levels | None:
    """From the eigenvalues of the teacher and the learned ones among them to the level of that plateau.

    None where plateaus have no closed form: it needs the square loss, quadratic or centred units, one output,
    uncorrelated inputs, a law of the inputs that keeps states aligned, without decay unless it is Gaussian, and weights
    without a constraint.
    """
    if (
        problem.constraint
        or not problem.has_modes
        or problem.covariance is not None
        or problem.teacher.outputs > 1
    ):
        return None
    if not problem.loss.is_square:
        return None
    coupling = problem.trace_coupling
    if coupling is not None:
        return partial(level_under_decay, problem, trace_coupling=coupling)
    aligned = aligned_loss(problem.activation, problem.law)
    if aligned is None or problem.weight_decay or aligned.scale <= 0 or aligned.coupling < 0:
        return None
    return aligned.level if aligned.isotropic or along_axes(problem) else None
