"""Teacher, student, activation and inputs: the problem they form, validated and frozen."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dynamics.activations import ACTIVATIONS
from dynamics.errors import ProblemError
from dynamics.inputs.covariance import clean_covariance
from dynamics.problem.student import Student
from dynamics.problem.teacher import Teacher
from dynamics.validation import validate_choice


@dataclass(frozen=True, eq=False)
class Problem:
    """A student that learns a teacher from inputs x ~ N(0, Σ) under the loss L = ½ E‖f* − f‖².

    Parameters
    ----------
    teacher : Teacher
    student : Student
        Its weights are the initial state.
    activation : str
        Name in `dynamics.activations.ACTIVATIONS`.
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
    activation: str = "quadratic"
    covariance: NDArray[np.float64] | None = None
    notes: tuple[str, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        validate_choice("activation", self.activation, ACTIVATIONS)
        for side in ("inputs", "outputs"):
            theirs, ours = getattr(self.teacher, side), getattr(self.student, side)
            if theirs != ours:
                raise ProblemError(f"The teacher has {theirs} {side}, but the student has {ours}.")
        notes: tuple[str, ...] = ()
        if self.covariance is not None:
            Sigma, notes = clean_covariance(self.covariance, self.teacher.inputs)
            object.__setattr__(self, "covariance", Sigma)
        object.__setattr__(self, "notes", self.teacher.notes + notes)

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
