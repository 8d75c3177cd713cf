"""Teacher, student, activation and inputs: the problem they form, validated and frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.activations import Activation
from dynamics.activations.quadratic import QUADRATIC
from dynamics.errors import ProblemError
from dynamics.inputs.covariance import clean_covariance
from dynamics.population.base import Population
from dynamics.problem.student import Student
from dynamics.problem.teacher import Teacher


@dataclass(frozen=True, eq=False)
class Problem:
    """A student that learns a teacher from inputs x ~ N(0, Σ) under the loss L = ½ E‖f* − f‖².

    Parameters
    ----------
    teacher : Teacher
    student : Student
        Its weights are the initial state.
    activation : Activation or str
        Or its name in `dynamics.activations.ACTIVATIONS`; stored as an `Activation`.
    covariance : (d, d) array, optional
        Input covariance Σ; None means the identity. If it is singular, by construction or up to rounding, inputs live
        in its range: weights have no effect outside it, and stay there what they are.
    notes : tuple of str
        What was changed in the teacher's matrix and in the covariance: a sentence each.

    Raises
    ------
    ProblemError
        If teacher, student and covariance do not fit together.
    """

    teacher: Teacher
    student: Student
    activation: Activation = QUADRATIC
    covariance: NDArray[np.float64] | None = None
    notes: tuple[str, ...] = field(default=(), init=False)

    if TYPE_CHECKING:  # the constructor takes names and anything like an array

        def __init__(
            self,
            teacher: Teacher,
            student: Student,
            activation: Activation | str = QUADRATIC,
            covariance: ArrayLike | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "activation", Activation.parse(self.activation))
        for side in ("inputs", "outputs"):
            theirs, ours = getattr(self.teacher, side), getattr(self.student, side)
            if theirs != ours:
                raise ProblemError(f"The teacher has {theirs} {side}, but the student has {ours}.")
        notes: tuple[str, ...] = ()
        if self.covariance is not None:
            Sigma, notes = clean_covariance(self.covariance, self.teacher.inputs)
            object.__setattr__(self, "covariance", Sigma)
        object.__setattr__(self, "notes", self.teacher.notes + notes)

    @cached_property
    def population(self) -> Population:
        """The population loss."""
        return self.activation.loss(self.teacher.V, self.teacher.B, self.covariance)

    @property
    def inputs(self) -> int:
        """Input dimension d."""
        return self.teacher.inputs

    def __repr__(self) -> str:
        sigma = "identity" if self.covariance is None else "given"
        notes = "".join(f"; {note}" for note in self.notes[len(self.teacher.notes) :])
        return f"Problem({self.teacher}, {self.student}, activation={self.activation}, covariance={sigma}{notes})"

    def _repr_html_(self) -> str:
        from dynamics.notebook import problem_html

        return problem_html(self)

    def _repr_latex_(self) -> str:
        from dynamics.notebook import problem_latex

        return problem_latex(self)
