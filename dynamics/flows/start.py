"""From what flows start: the problem that was given, and a loss that can be computed with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from dynamics.activations import Activation
from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.problem import Problem, Student, Teacher

LARGEST_LOSS = 1e100  # well before squares and products overflow


def given_problem(
    problem: Problem | Teacher,
    student: Student | None,
    activation: Activation | str,
    covariance: ArrayLike | None,
) -> Problem:
    """The problem itself, or that of a teacher and a student.

    Raises
    ------
    ProblemError
        If there is no student, or more than one.
    """
    if isinstance(problem, Teacher):
        if student is None:
            raise ProblemError("A teacher alone is no problem: give a student as well.")
        return Problem(problem, student, activation, covariance)
    if student is not None:
        raise ProblemError("The problem already contains a student: give a teacher, or no second student.")
    return problem


def check_loss(loss: Callable[[Array], float], theta0: Array, goal: str) -> None:
    """Refuse a start whose loss, or what is computed from it, would overflow; `goal` is what is learned.

    Raises
    ------
    ProblemError
        If the loss is beyond 1e100.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        start = loss(theta0)
    if not start < LARGEST_LOSS:
        raise ProblemError(
            f"The initial loss is {start:.3g}, beyond {LARGEST_LOSS:.0e}: scale {goal} and weights down."
        )
