"""Teacher, student, activation and inputs: the problem they form, validated and frozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.activations import Activation
from dynamics.activations.quadratic import QUADRATIC
from dynamics.aliases import Array
from dynamics.covariance import clean_covariance
from dynamics.errors import ProblemError
from dynamics.inputs.data_set import DataSet
from dynamics.inputs.laws import GAUSSIAN, InputLaw, parse_law
from dynamics.labels import Labels
from dynamics.losses import SQUARE, Loss
from dynamics.population.base import Population
from dynamics.population.decayed import DecayedLoss
from dynamics.problem.bias import NO_BIAS, Bias
from dynamics.problem.constraint import NONE, Constraint
from dynamics.problem.labelling import check_outputs, labels_for, two_classes
from dynamics.problem.shown import ShownProblem
from dynamics.problem.student import Student
from dynamics.problem.teacher import NoTeacher, Teacher
from dynamics.problem.weight_decay import NO_DECAY, WeightDecay
from dynamics.validation import validate_count

ANY_LOSS = (
    "quadratic and centred students of such teachers under Gaussian inputs, quadratic ones under Student's law with NU "
    "above 3, and any activation with derivatives in closed form on data"
)


@dataclass(frozen=True, eq=False, repr=False)
class Problem(ShownProblem):
    """A student that learns a teacher, or labels, under a loss, by default L = ½ E‖f* − f‖², and weight decay.

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
    loss : Loss or str
        ℓ(f, y), or its name in `dynamics.losses.LOSSES`; by default the square. Stored as a `Loss`.
    labels : Labels or str, optional
        How labels come from the teacher's output f*, or a name in `dynamics.labels.LABELS`. By default y = f*, of the
        logistic loss y ~ Bernoulli(σ(f*)), without a teacher those of the data. Stored as `Labels`. On data they are
        E[y | f*], so that the loss is its mean over labels that are drawn.
    flip : float
        Probability that a class is turned into the other one.
    bias : float, "trainable", "trainable:β*" or Bias
        β of the output f = Σ_k a_k φ(w_k·x) − β: the number that the teacher's is too, or trained from 0, and then that
        of the teacher. Stored as a `dynamics.problem.bias.Bias`.
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
    loss: Loss = SQUARE
    labels: Labels = None  # type: ignore[assignment]  # those that go with the loss
    flip: float = 0.0
    bias: Bias = NO_BIAS
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
            loss: Loss | str = SQUARE,
            labels: Labels | str | None = None,
            flip: float = 0.0,
            bias: Bias | float | str = NO_BIAS,
        ) -> None: ...

    def __post_init__(self) -> None:
        phi = Activation.parse(self.activation)
        object.__setattr__(self, "activation", phi)
        object.__setattr__(self, "distribution", parse_law(self.distribution))
        self._set_teacher(phi)
        self._set_loss()
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

    def _set_loss(self) -> None:
        """Loss, labels and bias."""
        object.__setattr__(self, "loss", Loss.parse(self.loss))
        object.__setattr__(self, "bias", Bias.of(self.bias))
        labels = labels_for(self.labels, self.flip, self.loss, self.teacher)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "flip", labels.flip)
        check_outputs(self.loss, self.student, self.bias)

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
            object.__setattr__(self, "data", self._labelled(self.data))
        if self.covariance is None:
            return ()
        if not law.standard:
            raise ProblemError(f"`covariance` is given, but {law.name!r} brings its own: leave it out.")
        Sigma, notes = clean_covariance(self.covariance, self.teacher.inputs)
        object.__setattr__(self, "covariance", Sigma)
        return notes

    def _labelled(self, data: DataSet) -> DataSet:
        """The data with the labels that are learned: those of the teacher, if there is one, or its own."""
        if not self.teacher.given:
            return two_classes(data) if self.loss.classifies else data
        taught = data.labelled_by(self.teacher, self.teacher_activation)
        if not self.labels.classes and not self.bias:
            return taught
        return taught.relabelled(lambda f: self.labels.expected(f - self.bias.teacher))

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

    @property
    def loss_is_known(self) -> bool:
        """Whether `population` has a closed form."""
        return self.law.knows(self) if self.loss.is_square else self.law.any_loss(self) is not None

    @cached_property
    def population(self) -> Population:
        """The population loss; on data the loss of the samples to train on.

        Raises
        ------
        ProblemError
            If it has no closed form.
        """
        if not self.loss.is_square:
            found = self.law.any_loss(self)
            if found is None:
                raise ProblemError(
                    f"`loss` is {self.loss.name!r}, `{self.law.option}` is {self.law.name!r} and `activation` is"
                    f" {self.activation.name!r}, but the loss is known only for {ANY_LOSS}."
                )
            return found
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

        Or if inputs are not Gaussian, or the loss is not the square.
        """
        known = self.realisable and self.law.gaussian and self.loss.is_square
        return self.activation.trace_coupling if known else None

    @property
    def learned(self) -> dict[str, Any]:
        """Loss, labels, flips and bias, by the names of the arguments; empty for the square loss."""
        if self.loss.is_square:
            return {}
        return {"loss": self.loss, "labels": self.labels, "flip": self.flip, "bias": self.bias}

    @property
    def second_layer(self) -> Array:
        """What of the second layer flows begin with, (O, K), and (O, K + 1) with a bias that is trained."""
        A = self.student.A
        return np.column_stack([A, np.full(len(A), self.bias.start)]) if self.bias.trainable else A

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
