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
        """Table of what learns what."""
        from dynamics.notebook import heading_html, table

        return heading_html("Problem") + table((), self._rows())

    def _rows(self) -> list[tuple[str, str]]:
        student = self.student
        sigma = "I" if self.covariance is None else "Σ"
        rows = [
            ("student", f"f(x) = Σ_k a_k φ(w_k·x), {self.activation.formula}"),
            ("hidden units K", str(student.hidden)),
            ("inputs d", f"{self.inputs}, x ~ N(0, {sigma})"),
            ("outputs", str(student.outputs)),
            ("second layer", "trained" if student.trainable else "fixed"),
            ("teacher", "eigenvalues " + self._eigenvalues()),
            ("initial size", f"‖W‖ = {np.linalg.norm(student.W):.4g}, ‖a‖ = {np.linalg.norm(student.A):.4g}"),
        ]
        if self.covariance is not None:
            low, high = np.linalg.eigvalsh(self.covariance)[[0, -1]]
            rows.insert(3, ("eigenvalues of Σ", f"{low:.4g} … {high:.4g}"))
        return rows

    def _repr_latex_(self) -> str:
        """Student, teacher, inputs and loss as formulas."""
        from dynamics.notebook import equations_latex, formula_latex

        index, output = ("_o", "o") if self.student.outputs > 1 else ("", "")
        sigma = f"I_{{{self.inputs}}}" if self.covariance is None else r"\Sigma"
        phi = formula_latex(self.activation.formula)
        return equations_latex(
            [
                rf"f{index}(x) &= \sum_{{k=1}}^{{{self.student.hidden}}} a_{{{output}k}}\, \varphi(w_k \cdot x),"
                rf" \quad {phi}",
                rf"f^*{index}(x) &= \sum_m b_{{{output}m}}\, \varphi(v_m \cdot x),"
                rf" \quad \lambda = {self._eigenvalues()}",
                r"L &= \tfrac12 \mathbb{E} \lVert f^* - f \rVert^2, \quad x \sim \mathcal{N}(0, "
                + sigma
                + ")",
            ]
        )

    def _eigenvalues(self) -> str:
        """Eigenvalues of the teacher, one output after the other, as text."""
        from dynamics.notebook import shortened
        from dynamics.problem.modes import mode_targets

        return shortened(mode_targets(self.teacher, self.activation).tolist())
