"""A problem as people see it: one line, a table, formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dynamics.aliases import Array
from dynamics.words import listed

if TYPE_CHECKING:
    from dynamics.activations import Activation
    from dynamics.inputs.data_set import DataSet
    from dynamics.inputs.laws import InputLaw
    from dynamics.labels import Labels
    from dynamics.losses import Loss
    from dynamics.problem.bias import Bias
    from dynamics.problem.constraint import Constraint
    from dynamics.problem.student import Student
    from dynamics.problem.teacher import Teacher
    from dynamics.problem.weight_decay import WeightDecay


class ShownProblem:
    """What `dynamics.problem.problem.Problem` says of itself."""

    if TYPE_CHECKING:
        teacher: Teacher
        student: Student
        activation: Activation
        teacher_activation: Activation
        covariance: Array | None
        weight_decay: WeightDecay
        data: DataSet | None
        loss: Loss
        labels: Labels
        flip: float
        bias: Bias
        dimension: int | None
        constraint: Constraint
        notes: tuple[str, ...]

        @property
        def law(self) -> InputLaw:
            """What the inputs obey."""

        @property
        def inputs(self) -> int:
            """d."""

        @property
        def all_inputs(self) -> int:
            """d, those without weights too."""

        @property
        def realisable(self) -> bool:
            """Whether φ = ψ."""

        @property
        def mode_targets(self) -> Array:
            """Eigenvalues of the modes."""

    def __repr__(self) -> str:
        sigma = "identity" if self.covariance is None else "given"
        notes = "".join(f"; {note}" for note in self.notes[len(self.teacher.notes) :])
        decay = f", weight_decay={self.weight_decay}" if self.weight_decay else ""
        taught = "" if self.realisable else f", teacher_activation={self.teacher_activation}"
        units = f"activation={self.activation}{taught}"
        inputs = "" if self.law.gaussian else f", {self.law.option}={self.law.name}"
        if self.data is not None:
            inputs += f" ({len(self.data.X)} × {self.data.inputs})"
        decay += f", constraint={self.constraint}" if self.constraint else ""
        learned = self._learned()
        parts = f"{self.teacher}, {self.student}, {units}{inputs}, covariance={sigma}{decay}{learned}{notes}"
        more = "" if self.dimension is None else f", dimension={self.dimension}"
        return f"Problem({parts}{more})"

    def _learned(self) -> str:
        """Loss, labels and bias, of another loss than the square."""
        if self.loss.is_square:
            return ""
        flips = f", flip={self.flip:g}" if self.flip else ""
        return f", loss={self.loss}, labels={self.labels}{flips}" + (
            f", bias={self.bias}" if self.bias else ""
        )

    def _repr_html_(self) -> str:
        """Table of what learns what."""
        from dynamics.notebook import heading_html, table

        return heading_html("Problem") + table((), self._rows())

    def _rows(self) -> list[tuple[str, str]]:
        student = self.student
        sigma = "I" if self.covariance is None else "Σ"
        rows = [
            ("student", f"f(x) = Σ_k a_k φ(w_k·x), {self.activation.formula}"),
            ("hidden units K", "∞" if student.infinite else str(student.hidden)),
            ("inputs d", f"{self.all_inputs}, {self._inputs_text(sigma)}"),
            ("outputs", str(student.outputs)),
            ("second layer", "trained" if student.trainable else "fixed"),
            (
                "teacher",
                "eigenvalues " + self._eigenvalues() if self.teacher.given else "none: labels are given",
            ),
            ("initial size", f"‖W‖ = {np.linalg.norm(student.W):.4g}, ‖a‖ = {np.linalg.norm(student.A):.4g}"),
        ]
        if not self.realisable:
            rows.insert(6, ("teacher's activation", self.teacher_activation.formula))
        if self.covariance is not None:
            low, high = np.linalg.eigvalsh(self.covariance)[[0, -1]]
            rows.insert(3, ("eigenvalues of Σ", f"{low:.4g} … {high:.4g}"))
        if not self.loss.is_square:
            labels = (
                f"{self.labels.formula}, flipped with probability {self.flip:g}"
                if self.flip
                else self.labels.formula
            )
            rows += [("loss", self.loss.formula), ("labels", labels)]
        if self.bias:
            rows.append(("output bias β", str(self.bias)))
        if self.weight_decay:
            rows.append(
                ("weight decay ρ_w, ρ_a", f"{self.weight_decay.first:g}, {self.weight_decay.second:g}")
            )
        if self.constraint:
            rows.append(("constraint", f"{self.constraint}: every ‖w_k‖ = 1"))
        return rows

    def _inputs_text(self, sigma: str) -> str:
        """The law of the inputs in words."""
        if self.data is not None:
            held_out = 0 if self.data.X_test is None else len(self.data.X_test)
            more = f", {held_out} held out" if held_out else ""
            return f"{len(self.data.X)} samples of {self.law.name}{more}"
        return f"x ~ N(0, {sigma})" if self.law.gaussian else f"{self.law.name}, covariance {sigma}"

    def _repr_latex_(self) -> str:
        """Student, teacher, inputs and loss as formulas."""
        from dynamics.notebook import equations_latex, formula_latex

        units = rf"\sum_{{k=1}}^{{{self.student.hidden}}}"
        if self.student.infinite:
            units = r"\lim_{K \to \infty} \tfrac1K \sum_{k=1}^K"
        index, output = ("_o", "o") if self.student.outputs > 1 else ("", "")
        phi = formula_latex(self.activation.formula)
        psi, taught = r"\varphi", ""
        if not self.realisable:
            formula = formula_latex(self.teacher_activation.formula.replace("φ", "ψ").replace("w·x", "v·x"))
            psi, taught = r"\psi", rf" \quad {formula},"
        target = (
            rf"f^*{index}(x) &= \sum_m b_{{{output}m}}\, {psi}(v_m \cdot x),{taught}"
            rf" \quad \lambda = {self._eigenvalues()}"
        )
        learned = "f^*" if self.teacher.given else "y"
        decay = self.weight_decay
        rates = [(decay.first, "W"), (decay.second, "a")]
        penalty = "".join(rf" + \tfrac12 \cdot {rho:g} \lVert {name} \rVert^2" for rho, name in rates if rho)
        return equations_latex(
            [
                rf"f{index}(x) &= {units} a_{{{output}k}}\, \varphi(w_k \cdot x),"
                rf" \quad {phi}",
                *([target] if self.teacher.given else []),
                rf"L &= {self._loss_latex(learned)}, \quad {self._inputs_latex()}",
                *([rf"R &= L{penalty}"] if penalty else []),
                *([r"\lVert w_k \rVert &= 1"] if self.constraint else []),
            ]
        )

    def _loss_latex(self, learned: str) -> str:
        """The loss as a formula."""
        if self.loss.is_square:
            return rf"\tfrac12 \mathbb{{E}} \lVert {learned} - f \rVert^2"
        from dynamics.notebook import formula_latex

        return r"\mathbb{E}\, \ell(f, y), \quad " + formula_latex(self.loss.formula)

    def _inputs_latex(self) -> str:
        """The law of the inputs as a formula."""
        sigma = f"I_{{{self.all_inputs}}}" if self.covariance is None else r"\Sigma"
        if self.law.gaussian:
            return rf"x \sim \mathcal{{N}}(0, {sigma})"
        if self.data is not None:
            return rf"\mathbb{{E}} = \tfrac1{{{len(self.data.X)}}} \textstyle\sum_i"
        return rf"x \sim \text{{{self.law.name}}}, \ \mathbb{{E}}\, xx^\top = " + (
            sigma if self.law.standard else r"\Sigma"
        )

    def _eigenvalues(self) -> str:
        """Eigenvalues of the teacher, one output after the other, as text."""
        targets = self.mode_targets
        return listed(targets if targets.size else self.teacher.B.ravel())
