"""Teacher, student, activation and inputs: the problem they form, validated and frozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.activations import Activation
from dynamics.activations.quadratic import QUADRATIC
from dynamics.aliases import Array
from dynamics.covariance import clean_covariance
from dynamics.errors import ProblemError
from dynamics.inputs.data_set import DataSet
from dynamics.inputs.laws import GAUSSIAN, InputLaw, parse_law
from dynamics.population.base import Population
from dynamics.population.decayed import DecayedLoss
from dynamics.problem.constraint import NONE, Constraint
from dynamics.problem.student import Student
from dynamics.problem.teacher import NoTeacher, Teacher
from dynamics.problem.weight_decay import NO_DECAY, WeightDecay
from dynamics.validation import validate_count
from dynamics.words import listed


@dataclass(frozen=True, eq=False)
class Problem:
    """A student that learns a teacher, or labels, under the loss L = ½ E‖f* − f‖² and weight decay.

    Parameters
    ----------
    teacher : Teacher or None
        None where the labels of `data` are learned.
    student : Student
        Its weights are the initial state.
    activation : Activation or str
        Or its name in `dynamics.activations.ACTIVATIONS`; stored as an `Activation`.
    covariance : (d, d) array, optional
        Input covariance Σ; None means the identity. If it is singular, by construction or up to rounding, inputs live
        in its range: weights have no effect outside it, and stay there what they are (or decay). Inputs that are not
        Gaussian are x = Σ^{1/2} z with the symmetric root.
    weight_decay : float, (ρ_w, ρ_a) or WeightDecay
        Rates of the L2 penalty ½ρ_w‖W‖² + ½ρ_a‖A‖²; one number holds for all that is trained. Stored as a
        `dynamics.problem.weight_decay.WeightDecay`.
    teacher_activation : Activation or str, optional
        ψ of the teacher f*_o = Σ_m B_om ψ(v_m·x); by default that of the student. Stored as an `Activation`, so
        that `dataclasses.replace(problem, activation=…)` keeps the teacher as it is: None makes it follow.
    distribution : InputLaw or str
        Law of the inputs, or its name in `dynamics.inputs.laws`; by default Gaussian. Stored as an `InputLaw`.
    data : DataSet or (X, y), optional
        Samples instead of a law, whose means then are all expectations: X (n, d) and y (n,) or (n, O). Where there is
        a teacher its labels take the place of y. Stored as a `DataSet`.
    dimension : int, optional
        Input dimension d where weights and teacher are stored in fewer inputs, being zero on the others (Gaussian
        inputs of covariance I). None: they are stored in all of them.
    constraint : Constraint or str
        "none", or "sphere": the weights of every unit are kept at norm 1 (also at the start), and the second layer is
        fixed. Stored as a `dynamics.problem.constraint.Constraint`.
    notes : tuple of str
        What was changed in the teacher's matrix and in the covariance: a sentence each.

    Raises
    ------
    ProblemError
        If teacher, student, covariance and data do not fit together, a fixed second layer should decay, there is
        neither a teacher nor data, or a covariance or a law beside data; if inputs are left out that are not like those
        that are stored; on the sphere, if the second layer is trained or weights decay.

    Examples
    --------
    >>> import numpy as np
    >>> from dynamics import GradientFlow, Problem, Student
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-1, 1, (200, 3))
    >>> problem = Problem(None, Student.initialise(2, 3), data=(X, X[:, 0] ** 2))
    >>> bool(GradientFlow(problem).integrate(t_end=300.0).loss[-1] < 1e-3)
    True
    """

    teacher: Teacher
    student: Student
    activation: Activation = QUADRATIC
    covariance: NDArray[np.float64] | None = None
    weight_decay: WeightDecay = NO_DECAY
    teacher_activation: Activation = None  # type: ignore[assignment]  # that of the student
    distribution: InputLaw = GAUSSIAN
    data: DataSet | None = None
    dimension: int | None = None
    constraint: Constraint = NONE
    notes: tuple[str, ...] = field(default=(), init=False)

    if TYPE_CHECKING:  # the constructor takes names and anything like an array

        def __init__(
            self,
            teacher: Teacher | None,
            student: Student,
            activation: Activation | str = QUADRATIC,
            covariance: ArrayLike | None = None,
            weight_decay: WeightDecay | float | Sequence[float] = 0.0,
            teacher_activation: Activation | str | None = None,
            distribution: InputLaw | str = GAUSSIAN,
            data: DataSet | tuple[ArrayLike, ArrayLike] | None = None,
            dimension: int | None = None,
            constraint: Constraint | str = NONE,
        ) -> None: ...

    def __post_init__(self) -> None:
        phi = Activation.parse(self.activation)
        object.__setattr__(self, "activation", phi)
        object.__setattr__(self, "distribution", parse_law(self.distribution))
        self._set_teacher(phi)
        for side in ("inputs", "outputs"):
            theirs, ours = getattr(self.teacher, side), getattr(self.student, side)
            if theirs != ours:
                source = "teacher has" if self.teacher.given else "data have"
                raise ProblemError(f"The {source} {theirs} {side}, but the student has {ours}.")
        object.__setattr__(self, "notes", self.teacher.notes + self._set_inputs())
        decay = WeightDecay.of(self.weight_decay, self.student.trainable)
        object.__setattr__(self, "weight_decay", decay)
        self._set_dimension()
        self._set_constraint()

    def _set_constraint(self) -> None:
        """The constraint, and the start that fulfils it."""
        constraint = Constraint.of(self.constraint)
        if constraint and self.student.infinite:
            raise ProblemError(
                f"`constraint` is {constraint.name!r}, but the limit of infinitely many units is of units of any norm."
            )
        if constraint and self.weight_decay:
            raise ProblemError(
                f"`weight_decay` is {self.weight_decay}, but `constraint` {constraint.name!r} keeps the norms of all"
                " units, which it could not change: leave it out."
            )
        object.__setattr__(self, "constraint", constraint)
        object.__setattr__(self, "student", constraint.start(self.student))

    def _set_teacher(self, phi: Activation) -> None:
        """Teacher and its activation, and the data with the labels that are learned."""
        if self.data is not None:
            object.__setattr__(self, "data", DataSet.of(self.data))
        if self.teacher is None:
            if self.data is None:
                raise ProblemError("`teacher` is missing: without one the labels of `data` are learned.")
            object.__setattr__(self, "teacher", NoTeacher.of(self.data.inputs, self.data.outputs))
        psi = phi
        if self.teacher.given and self.teacher_activation is not None:
            psi = Activation.parse(self.teacher_activation, "teacher_activation")
        object.__setattr__(self, "teacher_activation", psi)

    def _set_inputs(self) -> tuple[str, ...]:
        """Law, data and covariance; sentences about what was changed."""
        law = self.law.bound(self.inputs)
        if self.data is None:
            object.__setattr__(self, "distribution", law)
        else:
            if not self.distribution.gaussian:
                raise ProblemError(
                    f"`distribution` is {self.distribution.name!r}, but `data` brings the inputs: give one of them."
                )
            if self.teacher.given:
                object.__setattr__(self, "data", self.data.labelled_by(self.teacher, self.teacher_activation))
        if self.covariance is None:
            return ()
        if not law.standard:
            raise ProblemError(f"`covariance` is given, but {law.name!r} brings its own: leave it out.")
        Sigma, notes = clean_covariance(self.covariance, self.teacher.inputs)
        object.__setattr__(self, "covariance", Sigma)
        return notes

    def _set_dimension(self) -> None:
        """The number of inputs, where some of them are left out."""
        if self.dimension is None:
            return
        d = validate_count("dimension", self.dimension)
        if d < self.inputs:
            raise ProblemError(
                f"`dimension` is {d}, but weights and teacher have {self.inputs} inputs already."
            )
        if not self.law.gaussian or self.covariance is not None:
            given = "`covariance`" if self.law.gaussian else f"`{self.law.option}` {self.law.name!r}"
            raise ProblemError(
                f"`dimension` is {d} beside {given}, but inputs may be left out of Gaussian ones of covariance I only: "
                "pad teacher and student with zeros."
            )
        object.__setattr__(self, "dimension", d if d > self.inputs else None)

    @property
    def law(self) -> InputLaw:
        """What the inputs obey: the data, if there are any, or a distribution."""
        return self.distribution if self.data is None else self.data

    @cached_property
    def population(self) -> Population:
        """The population loss; on data the loss of the samples to train on.

        Raises
        ------
        ProblemError
            If it has no closed form.
        """
        if not self.law.knows(self):
            raise ProblemError(
                f"`{self.law.option}` is {self.law.name!r} and `activation` is {self.activation.name!r}, but the loss"
                f" is known only for {self.law.known}."
            )
        return self.law.loss(self)

    @cached_property
    def test_population(self) -> Population | None:
        """The loss of samples that were held out; None if there are none."""
        return self.law.test_loss(self)

    @property
    def second_moment(self) -> NDArray[np.float64] | None:
        """Σ = E xxᵀ, (d, d), of the variance q = wᵀΣw of a pre-activation; None is the identity."""
        return self.law.second_moment(self.covariance)

    @property
    def variance(self) -> NDArray[np.float64] | None:
        """Σ as a matrix where φ depends on the variance q = wᵀΣw; None where it does not."""
        if not self.activation.uses_variance:
            return None
        return np.eye(self.inputs) if self.second_moment is None else self.second_moment

    @property
    def realisable(self) -> bool:
        """Whether student and teacher have the same activation."""
        return self.teacher_activation == self.activation

    @property
    def has_modes(self) -> bool:
        """Whether parts of the teacher can be read off the weights: φ is homogeneous, and the teacher's own."""
        return self.teacher.given and self.realisable and self.activation.degree is not None

    def modes(self, W: Array, A: Array) -> Array:
        """Learned part of each teacher mode, see `dynamics.problem.modes`: (…, modes) of W (…, K, d) and A (…, O, K).

        None, (…, 0), where `has_modes` is false.
        """
        from dynamics.problem.modes import teacher_modes

        if not self.has_modes:
            return np.empty((*W.shape[:-2], 0))
        return teacher_modes(self.teacher, W, A, self.activation)

    @property
    def mode_targets(self) -> Array:
        """What the modes are when student and teacher are the same function, (modes,); empty if there are none."""
        from dynamics.problem.modes import mode_targets

        return mode_targets(self.teacher, self.activation) if self.has_modes else np.empty(0)

    @property
    def trace_coupling(self) -> float | None:
        """κ of quadratic and centred networks, see `Activation.trace_coupling`; None if the teacher is another one.

        Or if inputs are not Gaussian.
        """
        return self.activation.trace_coupling if self.realisable and self.law.gaussian else None

    @cached_property
    def objective(self) -> Population:
        """What is minimised: the population loss, with the penalty of the weight decay if there is any.

        Under a constraint the loss of weights that keep it.
        """
        return self.with_decay(self.population)

    def with_decay(self, loss: Population) -> Population:
        """A loss with the penalty of the weight decay, of weights that keep the constraint; itself where neither is."""
        decay = self.weight_decay
        return self.constraint.objective(DecayedLoss(loss, decay.first, decay.second) if decay else loss)

    @property
    def inputs(self) -> int:
        """Inputs that weights and teacher have: all d, or fewer of a problem with a `dimension` of its own."""
        return self.teacher.inputs

    @property
    def all_inputs(self) -> int:
        """Input dimension d."""
        return self.inputs if self.dimension is None else self.dimension

    @property
    def whole(self) -> Problem:
        """The same problem with weights and teacher in all d inputs."""
        if self.dimension is None:
            return self
        d = self.dimension
        return replace(self, teacher=self.teacher.padded(d), student=self.student.padded(d), dimension=None)

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
        parts = f"{self.teacher}, {self.student}, {units}{inputs}, covariance={sigma}{decay}{notes}"
        more = "" if self.dimension is None else f", dimension={self.dimension}"
        return f"Problem({parts}{more})"

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
                r"L &= \tfrac12 \mathbb{E} \lVert "
                + learned
                + r" - f \rVert^2, \quad "
                + self._inputs_latex(),
                *([rf"R &= L{penalty}"] if penalty else []),
                *([r"\lVert w_k \rVert &= 1"] if self.constraint else []),
            ]
        )

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
