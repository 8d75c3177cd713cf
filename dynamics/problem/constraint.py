"""Where weights are kept: anywhere, or each unit on the sphere, ‖w_k‖ = 1, as in phase retrieval and single-index work.

A step of training then is w ← (w + η g)/‖w + η g‖, and the flow ẇ = (I − wwᵀ) g (derived here: the step to first order
in η). It is the gradient flow of L(w/‖w‖), which is what a problem on the sphere has for its objective.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from dynamics.errors import ProblemError
from dynamics.population.base import Population
from dynamics.population.on_sphere import OnSphere
from dynamics.problem.student import Student
from dynamics.validation import validate_choice

Array_ = TypeVar("Array_", bound=Any)
Part = TypeVar("Part")
KEPT = 1e-12  # of ‖w‖² − 1: such weights are left to the last bit as they are


def as_it_is(part: Part) -> Part:
    """What no constraint makes of a start, or of a loss; a function with a name, so that curves can be pickled."""
    return part


@dataclass(frozen=True)
class Constraint:
    """What training keeps weights to.

    Parameters
    ----------
    name : str
    start : callable student → student
        The start that fulfils it; refuses one that cannot, and a second layer that is trained.
    objective : callable population → population
        A loss of all weights whose gradient flow is that under the constraint.
    put_back : callable (W) → W, or None
        First-layer weights (…, K, d) after a step, of NumPy or of PyTorch; None: they stay where they are.
    """

    name: str
    start: Callable[[Student], Student] = as_it_is
    objective: Callable[[Population], Population] = as_it_is
    put_back: Callable[[Any], Any] | None = None

    def __bool__(self) -> bool:
        """Whether weights are kept to anything."""
        return self.put_back is not None

    @classmethod
    def of(cls, value: Constraint | str) -> Constraint:
        """A constraint, or that of a name."""
        if isinstance(value, Constraint):
            return value
        return CONSTRAINTS[validate_choice("constraint", value, CONSTRAINTS)]

    def __str__(self) -> str:
        return self.name

    def __reduce__(self) -> Any:
        if CONSTRAINTS.get(self.name) is self:
            return Constraint.of, (self.name,)  # on the other side it has the same functions
        return super().__reduce__()


def normalised(W: Array_) -> Array_:
    """W (…, K, d) with rows of norm 1."""
    return W / ((W * W).sum(-1) ** 0.5)[..., None]


def start_on_sphere(student: Student) -> Student:
    """The student with units of norm 1.

    Raises
    ------
    ProblemError
        If its second layer is trained, or a unit is zero.
    """
    if student.trainable:
        raise ProblemError(
            "`constraint` is 'sphere', where only the directions of units are trained, but the second layer is"
            " trainable: fix it."
        )
    scale = np.abs(student.W).max(axis=1, keepdims=True)
    if not scale.all():
        raise ProblemError(
            f"`W` has zeros alone in row {int(np.argmin(scale))}, but `constraint` 'sphere' needs a direction of"
            " every unit."
        )
    if (np.abs(np.sum(student.W**2, axis=1) - 1) <= KEPT).all():
        return student
    return replace(student, W=normalised(student.W / scale))


NONE = Constraint("none")
SPHERE = Constraint("sphere", start_on_sphere, OnSphere, normalised)
CONSTRAINTS = {constraint.name: constraint for constraint in (NONE, SPHERE)}
"""All of them by name."""
