"""The student in its initial state: drawn, validated and frozen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.activations import Activation
from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.errors import ProblemError
from dynamics.problem.given_form import form_factor
from dynamics.problem.outputs import network_outputs
from dynamics.problem.realisation import CLIPPED, realise_beside
from dynamics.problem.teacher import Teacher
from dynamics.validation import validate_array, validate_choice, validate_count, validate_real

SMALLEST_WEIGHT = 1e-100  # of initial weights that are given by a number: their squares must not vanish
LARGEST_WEIGHT = 1e50  # products of four and more such numbers must not overflow
INITIALISATIONS = ("gaussian", "balanced", "aligned")
SECOND_LAYERS = ("trainable", "fixed")


@dataclass(frozen=True, eq=False)
class Student:
    """Initial state of the student f_o(x) = Σ_k A_ok φ(w_k·x).

    Parameters
    ----------
    W : (K, d) array
        First-layer weights, one hidden unit w_k per row.
    A : (K,) or (O, K) array
        Second-layer weights; stored with shape (O, K).
    trainable : bool
        Whether the second layer is trained too.
    infinite : bool
        Whether the units stand for infinitely many, see `mean_field`.

    Raises
    ------
    ProblemError
        If the arrays are not finite or too large, or do not fit together.
    """

    W: NDArray[np.float64]
    A: NDArray[np.float64]
    trainable: bool = True
    infinite: bool = False

    def __post_init__(self) -> None:
        W = validate_array("W", self.W, 2)
        A = validate_array("a", np.atleast_2d(np.asarray(self.A)), 2)
        if 0 in W.shape:
            raise ProblemError(f"`W` has shape {W.shape}, but needs at least one hidden unit and one input.")
        if A.shape[1] != W.shape[0] or A.shape[0] == 0:
            raise ProblemError(
                f"`a` has shape {A.shape}, but {W.shape[0]} hidden units need (O, {W.shape[0]})."
            )
        for name, weights in (("W", W), ("a", A)):
            largest = max(weights.max(), -weights.min())
            if largest > LARGEST_WEIGHT:
                raise ProblemError(
                    f"`{name}` has entries up to {largest:.3g}, but at most {LARGEST_WEIGHT:.0e} are allowed: scale"
                    " the weights down."
                )
        object.__setattr__(self, "W", W)
        object.__setattr__(self, "A", A)

    @classmethod
    def initialise(
        cls,
        hidden: int,
        inputs: int,
        *,
        init: str = "gaussian",
        scale: float = 0.1,
        seed: int = 0,
        outputs: int = 1,
        second_layer: str = "trainable",
        second_layer_value: float = 1.0,
        degree: int | None = 2,
    ) -> Student:
        """Draw initial weights.

        Parameters
        ----------
        hidden, inputs, outputs : int
            K, d and O.
        init : {"gaussian", "balanced", "aligned"}
            ``gaussian``: w entries N(0, scale²/d), a entries N(0, scale²). ``balanced``: the same w, and a of
            random sign (direction, if O > 1) with ‖A_k‖ = ‖w_k‖/√h, so that c_k = 0. ``aligned``:
            w_k = scale·e_k (units beyond d start again at e_1), every a = scale.
        scale : float
            Size ε of the initial weights.
        seed : int
            Seed of NumPy's default generator.
        second_layer : {"trainable", "fixed"}
            With ``fixed`` every a equals `second_layer_value`.
        degree : int
            Degree h of the activation, which ``balanced`` needs to know; None if it is not homogeneous.
        """
        K, d, O = (
            validate_count(n, v) for n, v in (("hidden", hidden), ("inputs", inputs), ("outputs", outputs))
        )
        eps = validate_size("init_scale", scale, nonnegative=True)
        validate_choice("init", init, INITIALISATIONS)
        validate_choice("second_layer", second_layer, SECOND_LAYERS)
        rng = np.random.default_rng(validate_count("seed", seed, minimum=0))
        _check_student(K, d, O)
        if init == "aligned":
            W = np.zeros((K, d))
            W[np.arange(K), np.arange(K) % d] = eps
            A = np.full((O, K), eps)
        else:
            W = rng.standard_normal((K, d))
            W *= eps / np.sqrt(d)
            A = eps * rng.standard_normal((O, K))
        if init == "balanced":
            size = np.linalg.norm(A, axis=0)
            if degree is None:
                raise ProblemError(
                    "`init` is 'balanced', which needs a homogeneous activation: use 'gaussian'."
                )
            h = validate_count("degree", degree)
            A = A / np.where(size > 0, size, 1.0) * np.linalg.norm(W, axis=1) / np.sqrt(h)
        if second_layer == "fixed":
            A = np.full((O, K), validate_size("second_layer_value", second_layer_value))
        return cls(W, A, trainable=second_layer == "trainable")

    @classmethod
    def from_order_parameters(
        cls,
        Q: ArrayLike,
        R: ArrayLike,
        teacher: Teacher,
        a: ArrayLike,
        *,
        trainable: bool = True,
        inputs: int | None = None,
        tolerance: float = CLIPPED,
    ) -> Student:
        """Weights with given overlaps among themselves and with the directions of a teacher.

        They are unique up to rotations that leave the teacher as it is: what is learned depends on Q and R alone, and
        single weights mean nothing. Without a teacher, see `dynamics.problem.realisation.realise`.

        Parameters
        ----------
        Q, R : (K, K), (K, M) arrays
            w_k·w_l and w_k·v_m.
        teacher : Teacher
            With M directions.
        a : (K,) or (O, K) array
            Second layer.
        trainable : bool
        inputs : int, optional
            Input dimension d. The student has as few inputs as it needs beside the teacher, d at most: `padded`, or the
            `dimension` of a problem, says how many there are.
        tolerance : float
            See `dynamics.problem.realisation.realise_beside`.

        Raises
        ------
        ProblemError
            If no weights have these overlaps, or none in d dimensions.

        Examples
        --------
        >>> from dynamics import GradientFlow, Problem, Student, Teacher
        >>> teacher = Teacher.from_eigenvalues([2, 1])
        >>> student = Student.from_order_parameters([[0.01]], [[0.02, 0.01]], teacher, [0.5])
        >>> problem = Problem(teacher.padded(student.inputs), student, dimension=1000)
        """
        found = realise_beside(Q, R, teacher.V, inputs=inputs, tolerance=tolerance)
        return cls(found.W, np.asarray(a), trainable)

    @classmethod
    def from_form(
        cls, M: ArrayLike, second_layer_value: float = 1.0, *, hidden: int | None = None, outputs: int = 1
    ) -> Student:
        """Units with the form M = Σ_k a w_kw_kᵀ, and a fixed second layer a; see `dynamics.problem.given_form`.

        Parameters
        ----------
        M : (d, d) array
        second_layer_value : float
            a.
        hidden : int, optional
            Units, by default as many as the rank of M.
        outputs : int
            All with the same M.
        """
        a = validate_size("second_layer_value", second_layer_value)
        W, _ = form_factor(M, a, hidden)
        return cls(W, np.full((validate_count("outputs", outputs), len(W)), a), trainable=False)

    @classmethod
    def mean_field(
        cls, inputs: int, scale: float = 0.1, second_layer_value: float = 1.0, outputs: int = 1
    ) -> Student:
        """The limit K → ∞ of f = (1/K) Σ_k a φ(w_k·x) with w entries N(0, scale²/d), for quadratic units.

        Time is that of the flow over K, and a rate ρ of weight decay the penalty ½(ρ/K)‖W‖². In this limit the flow is
        that of `inputs` units with M = (a·scale²/d) I at the start (`dynamics.problem.given_form`), which the student
        holds; single ones mean nothing.
        """
        d = validate_count("inputs", inputs)
        eps = validate_size("init_scale", scale, nonnegative=True)
        a = validate_size("second_layer_value", second_layer_value)
        check_memory(
            f"The limit of infinitely many units in {d} inputs, a matrix of {d} × {d} numbers,",
            32 * d * (d + validate_count("outputs", outputs)),
            "lower `inputs` or `outputs`",
        )
        return cls(eps / np.sqrt(d) * np.eye(d), np.full((outputs, d), a), trainable=False, infinite=True)

    def __call__(
        self, X: ArrayLike, activation: Activation | str = "quadratic", covariance: ArrayLike | None = None
    ) -> Array:
        """Outputs (n, O) for inputs (n, d), see `dynamics.problem.outputs.network_outputs`."""
        return network_outputs(self.W, self.A, X, activation, covariance)

    @property
    def hidden(self) -> int:
        """Number of hidden units K."""
        return self.W.shape[0]

    @property
    def inputs(self) -> int:
        """Input dimension d."""
        return self.W.shape[1]

    @property
    def outputs(self) -> int:
        """Number of outputs O."""
        return self.A.shape[0]

    @property
    def a(self) -> NDArray[np.float64]:
        """Second layer (K,) of a student with one output."""
        if self.outputs != 1:
            raise ProblemError(f"This student has {self.outputs} outputs: use `A`, of shape (O, K).")
        return self.A[0]

    def padded(self, inputs: int) -> Student:
        """The same student in a larger input space, with zero weights on the new inputs."""
        d = validate_count("inputs", inputs)
        if d < self.inputs:
            raise ProblemError(f"`inputs` is {d}, but the student already has dimension {self.inputs}.")
        _check_student(self.hidden, d, self.outputs)
        return self if d == self.inputs else replace(self, W=np.pad(self.W, ((0, 0), (0, d - self.inputs))))

    def __repr__(self) -> str:
        layer, hidden = "trainable" if self.trainable else "fixed", "∞" if self.infinite else self.hidden
        return f"Student(hidden={hidden}, inputs={self.inputs}, outputs={self.outputs}, second_layer={layer})"


def _check_student(hidden: int, inputs: int, outputs: int) -> None:
    """Weights, and the copies that every computation makes of them."""
    check_memory(
        f"A student of {hidden} hidden units with {inputs} inputs and {outputs} outputs",
        32 * hidden * (inputs + outputs),
        "lower `hidden`, `inputs` or `outputs`",
    )


def validate_size(name: str, value: Any, *, nonnegative: bool = False) -> float:
    """Size of initial weights: 0, or between 1e-100 and 1e50."""
    size = validate_real(name, value, nonnegative=nonnegative)
    return size and validate_real(name, value, size=(SMALLEST_WEIGHT, LARGEST_WEIGHT))
