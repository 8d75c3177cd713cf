"""A data set as the law of the inputs: expectations are means over its samples, and theory holds on it exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.inputs.base import InputLaw, Source
from dynamics.inputs.setting import Network, Setting
from dynamics.inputs.subspaces import basis_of
from dynamics.population.fourth_moment import FourthMoment, SampleMoment
from dynamics.population.on_samples import any_sample_loss, sample_loss
from dynamics.population.samples import batches
from dynamics.validation import axis_names, misplaced, validate_array

if TYPE_CHECKING:
    from dynamics.activations import Activation
    from dynamics.population.base import Population


LARGEST_INPUT = (
    1e30  # the loss of quadratic networks holds its fourth power, its Hessian's spectrum the eighth
)
LARGEST_LABEL = 1e50


@dataclass(frozen=True, eq=False)
class DataSet(InputLaw):
    """Samples with labels to train on, and others to test on.

    Parameters
    ----------
    X : (n, d) array
        Inputs.
    Y : (n,) or (n, O) array
        Labels; stored with shape (n, O). A problem with a teacher puts the teacher's in their place.
    X_test, Y_test : (m, d) and (m, O) arrays, optional
        Held out.
    label : str
        What messages and files call it.
    notes : tuple of str
        What was changed when it was read: a sentence each.

    Raises
    ------
    ProblemError
        If the arrays are not finite or do not fit together.
    """

    standard: ClassVar[bool] = False
    labelled: ClassVar[bool] = True
    option: ClassVar[str] = "data"
    known: ClassVar[str] = "activations with derivatives in closed form"

    X: Array
    Y: Array
    X_test: Array | None = None
    Y_test: Array | None = None
    label: str = "data"
    notes: tuple[str, ...] = ()

    if TYPE_CHECKING:  # the constructor takes anything like an array

        def __init__(
            self,
            X: ArrayLike,
            Y: ArrayLike,
            X_test: ArrayLike | None = None,
            Y_test: ArrayLike | None = None,
            label: str = "data",
            notes: tuple[str, ...] = (),
        ) -> None: ...

    def __post_init__(self) -> None:
        X, Y = _samples("X", self.X, "y", self.Y)
        if not X.any():
            raise ProblemError("`X` is zero in all samples, but inputs that are all zero teach nothing.")
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "Y", Y)
        if (self.X_test is None) != (self.Y_test is None):
            raise ProblemError("`X_test` and `y_test` belong together: give both, or neither.")
        if self.X_test is None or self.Y_test is None:
            return
        X_test, Y_test = _samples("X_test", self.X_test, "y_test", self.Y_test)
        if (X_test.shape[1], Y_test.shape[1]) != (X.shape[1], Y.shape[1]):
            raise ProblemError(
                f"`X_test` and `y_test` have {X_test.shape[1]} inputs and {Y_test.shape[1]} outputs, but those to train"
                f" on {X.shape[1]} and {Y.shape[1]}."
            )
        object.__setattr__(self, "X_test", X_test)
        object.__setattr__(self, "Y_test", Y_test)

    @classmethod
    def of(cls, data: DataSet | tuple[ArrayLike, ArrayLike]) -> DataSet:
        """The data set itself, or that of a pair (X, y).

        Raises
        ------
        ProblemError
            If it is neither.
        """
        if isinstance(data, cls):
            return data
        if not isinstance(data, tuple | list) or len(data) != 2:
            raise ProblemError("`data` must be a pair (X, y) of inputs (n, d) and labels (n,) or (n, O).")
        return cls(*data)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.label

    @property
    def inputs(self) -> int:
        """Input dimension d."""
        return self.X.shape[1]

    @property
    def outputs(self) -> int:
        """Number O of labels of a sample."""
        return self.Y.shape[1]

    def bound(self, inputs: int) -> DataSet:
        """The data set itself.

        Raises
        ------
        ProblemError
            If its inputs are not so many.
        """
        if self.inputs != inputs:
            raise ProblemError(f"`data` has {self.inputs} inputs, but the student has {inputs}.")
        return self

    def relabelled(self, change: Callable[[Array], Array]) -> DataSet:
        """The same inputs with a function of their labels (m, O)."""
        held_out = None if self.Y_test is None else change(self.Y_test)
        return replace(self, Y=change(self.Y), Y_test=held_out)

    def labelled_by(self, teacher: Network, activation: Activation) -> DataSet:
        """The same inputs with the labels f*(x) of a teacher."""
        second = self.second_moment(None)

        def labels(X: Array) -> Array:
            q = np.einsum("md,de,me->m", teacher.V, second, teacher.V)
            return np.vstack([activation.phi(x @ teacher.V.T, q) @ teacher.B.T for (x,) in batches(X)])

        held_out = None if self.X_test is None else labels(self.X_test)
        return replace(self, Y=labels(self.X), Y_test=held_out)

    def second_moment(self, covariance: Array | None) -> Array:
        """(1/n) Σ xxᵀ over the samples to train on."""
        return self.X.T @ self.X / len(self.X)

    def knows(self, problem: Setting) -> bool:
        """Where the activation has derivatives."""
        return problem.activation.trace_coupling is not None or problem.activation.is_differentiable

    def fourth_moment(self, covariance: Array | None, inputs: int) -> FourthMoment:
        """C."""
        return SampleMoment(self.X)

    def loss(self, problem: Setting) -> Population:
        """Loss on the samples to train on."""
        return sample_loss(
            self.X, self.Y, problem.activation, self._variance(problem), problem.student.hidden
        )

    def any_loss(self, problem: Setting) -> Population | None:
        """Loss on the samples to train on, where the activation has derivatives."""
        return self._any_loss(problem, self.X, self.Y) if self.knows(problem) else None

    def test_loss(self, problem: Setting) -> Population | None:
        """Loss on those held out; None if there are none."""
        if self.X_test is None or self.Y_test is None:
            return None
        if not problem.loss.is_square:
            return self._any_loss(problem, self.X_test, self.Y_test)
        variance, hidden = self._variance(problem), problem.student.hidden
        return sample_loss(self.X_test, self.Y_test, problem.activation, variance, hidden)

    def _any_loss(self, problem: Setting, X: Array, Y: Array) -> Population:
        return any_sample_loss(X, Y, problem.loss, problem.activation, self._variance(problem), problem.bias)

    def metric(self, problem: Setting, W: Array, A: Array) -> Array:
        """Mean of JᵀJ over the samples to train on."""
        phi, variance = problem.activation, self._variance(problem)
        q = None if variance is None else np.einsum("kd,de,ke->k", W, variance, W)
        own = np.vstack([phi.phi(x @ W.T, q) @ A.T for (x,) in batches(self.X)])
        return sample_loss(self.X, own, phi, variance, len(W), "samples").hessian(W, A)

    def _variance(self, problem: Setting) -> Array | None:
        """Σ of q = wᵀΣw, where the activation depends on q."""
        return self.second_moment(None) if problem.activation.uses_variance else None

    def closure(self, problem: Setting, rows: Array) -> Array | None:
        """The span with all samples in it, where they are few."""
        if len(rows) + len(self.X) >= self.inputs:
            return None
        return basis_of(np.vstack([rows, self.X]))

    def within(self, Q: Array) -> DataSet:
        """The data set in the coordinates Qᵀx."""
        held_out = None if self.X_test is None else self.X_test @ Q
        return replace(self, X=self.X @ Q, X_test=held_out)

    def draw(self, source: Source, count: int, inputs: int) -> Any:
        """Samples to train on, with replacement."""
        rows = (np.asarray(source.uniform(count)) * len(self.X)).astype(int)
        return source.array(self.X[rows])

    def arrays(self) -> Mapping[str, Array]:
        """All of it."""
        held_out = {"X_test": self.X_test, "Y_test": self.Y_test}
        return {"X": self.X, "Y": self.Y} | {k: v for k, v in held_out.items() if v is not None}


def _samples(name: str, X: ArrayLike, label: str, Y: ArrayLike) -> tuple[Array, Array]:
    """Inputs (n, d) and labels (n, O) of one or more samples."""
    names = [*axis_names(X)[:1], *axis_names(Y)[:1]]
    if len(names) == 2 and (wrong := misplaced(*names)):
        raise ProblemError(f"`{name}` and `{label}` have rows with {wrong}.")
    inputs = validate_array(name, X, 2)
    labels = validate_array(label, np.asarray(Y)[:, None] if np.ndim(Y) == 1 else Y, 2)
    if 0 in inputs.shape:
        raise ProblemError(f"`{name}` has shape {inputs.shape}, but must have shape (n, d), n ≥ 1 and d ≥ 1.")
    if len(labels) != len(inputs) or not labels.shape[1]:
        raise ProblemError(
            f"`{label}` has shape {labels.shape}, but {len(inputs)} samples need ({len(inputs)}, O), O ≥ 1."
        )
    check_size(name, inputs, LARGEST_INPUT)
    check_size(label, labels, LARGEST_LABEL)
    return inputs, labels


def check_size(name: str, array: Array, largest: float) -> None:
    """Refuse numbers whose products overflow, or vanish altogether.

    Raises
    ------
    ProblemError
    """
    size = float(np.abs(array).max())
    if size and not 1 / largest <= size <= largest:
        raise ProblemError(
            f"`{name}` has the size {size:.3g} (largest entry), but losses, which hold powers of it, need a size"
            f" between {1 / largest:.0e} and {largest:.0e}: scale it."
        )
