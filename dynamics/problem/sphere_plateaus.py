"""Levels on the sphere of a problem, and the plateaus that a learning curve may come by."""

from __future__ import annotations

import numpy as np

from dynamics.errors import ProblemError
from dynamics.problem.aligned_loss import aligned_loss
from dynamics.problem.levels import Level
from dynamics.problem.mode_numbers import mode_numbers
from dynamics.problem.problem import Problem
from dynamics.problem.scope import THEORIES
from dynamics.problem.sphere_levels import SphereLevel, SphereProblem, sphere_level


def levels_on_sphere(problem: Problem) -> tuple[list[SphereLevel], SphereProblem, float]:
    """All levels by ascending loss, the eigenvalues and weights that they are of, and the sign of the second layer.

    Of a problem that "catalogue on the sphere" of the scope covers.

    Raises
    ------
    ProblemError
        If there are too many.
    """
    aligned = aligned_loss(problem.activation, problem.law)
    assert aligned is not None  # the scope says so
    sign = float(np.sign(problem.student.a[0]))
    lam = problem.teacher.eigen[0][0]
    eigenvalues = np.append(lam, np.zeros(problem.inputs - len(lam)))
    sphere = SphereProblem(sign * eigenvalues, np.abs(problem.student.a))
    levels = [
        sphere_level(sphere, groups, aligned.scale, aligned.coupling, sign) for groups in sphere.points()
    ]
    return sorted(levels, key=lambda level: (level.loss, level.learned)), sphere, sign


def sphere_plateaus(problem: Problem) -> tuple[Level, ...]:
    """The levels with modes by their places among those of the teacher; none where they are not known, or too many."""
    if THEORIES["catalogue on the sphere"].gap(problem):
        return ()
    try:
        levels = levels_on_sphere(problem)[0]
    except ProblemError:
        return ()
    numbers = mode_numbers(problem.mode_targets, problem.inputs, problem.teacher.outputs).tolist()
    places = {number: place for place, number in enumerate(numbers)}
    found = []
    for level in levels:
        pairs = zip(level.learned, level.values, strict=True)
        held = [(places[i], value) for i, value in pairs if i in places]
        at, values = [place for place, _ in held], np.array([value for _, value in held])
        found.append(Level(tuple(at), values, level.residual_trace, level.loss))
    return tuple(found)
