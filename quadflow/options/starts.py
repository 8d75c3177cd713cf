"""Where a network starts, if its weights are not drawn: a file of them, order parameters, a form, or their limit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dynamics.errors import ProblemError
from dynamics.files.archives import Archive, open_archive
from dynamics.matrices import EPS
from dynamics.problem import Problem, Student, Teacher
from dynamics.problem.given_form import form_factor
from dynamics.problem.realisation import CLIPPED, realise, realise_beside
from dynamics.problem.scope import require
from dynamics.validation import validate_count, validate_real
from dynamics.words import counted
from quadflow.notes import note
from quadflow.options.ignored import DRAWN, given, note_without_effect
from quadflow.options.reading_data import option_name

if TYPE_CHECKING:
    from empirical.optimizers.base import Optimizer
    from quadflow.options.problem import ProblemOptions

Array = NDArray[np.float64]
ON_SPHERE = 1e-6  # of norms: what files in single precision leave
SAME_OVERLAPS = 1e-8  # of the lengths: what P of a file may differ by from that of the teacher


@dataclass(frozen=True)
class Kind:
    """A way to start that takes the place of a draw.

    Parameters
    ----------
    option : str
        Name of its option.
    theory : str or None
        What a problem has to be like, of `dynamics.problem.scope`.
    useless : tuple of str
        Options that have no effect beside it.
    up_to_rotation : bool
        Whether it leaves a rotation of the weights open.
    """

    option: str
    theory: str | None = None
    useless: tuple[str, ...] = DRAWN
    up_to_rotation: bool = False


KINDS = (
    Kind("init_file"),
    Kind("init_order", "start by order parameters", up_to_rotation=True),
    Kind("init_form", "start by a form", up_to_rotation=True),
    Kind("mean_field", "mean-field limit", ()),
)


def kind_of_start(options: ProblemOptions) -> Kind | None:
    """What takes the place of a draw; None if nothing does.

    Raises
    ------
    ProblemError
        If several do.
    """
    chosen = [kind for kind in KINDS if getattr(options, kind.option)]
    if len(chosen) > 1:
        one, other = (f"`{option_name(kind.option)}`" for kind in chosen[:2])
        raise ProblemError(f"{one} and {other} both say where the network starts: give one of them.")
    return chosen[0] if chosen else None


def note_what_is_not_drawn(kind: Kind, seeds_more: bool) -> None:
    """Say which options of a draw have no effect."""
    useless = [*kind.useless, *([] if seeds_more else ["seed"])]
    note_without_effect(useless, f"beside `{option_name(kind.option)}`")


def note_chosen_axes(options: ProblemOptions, optimizer: Optimizer) -> None:
    """Say where a start leaves open what an optimiser looks at: single weights, which a rotation changes."""
    kind = kind_of_start(options)
    if kind is not None and kind.up_to_rotation and optimizer.entrywise:
        who = f"`--optimizer` {optimizer.name} looks at single weights"
        how = f"`{option_name(kind.option)}` leaves open up to a rotation"
        note([f"{who}, which {how}: units are laid along the first axes that are free"])


def check_start(kind: Kind | None, problem: Problem) -> None:
    """Refuse a problem in which such a start means nothing."""
    if kind is not None and kind.theory is not None:
        require(kind.theory, problem)


def start_by_form(options: ProblemOptions, M: Array, teacher: Teacher) -> Student:
    """Units with the form in `--init-form`."""
    if options.second_layer != "fixed":
        raise ProblemError(
            "`--init-form` is the form Σ a w wᵀ, which a network starts from that has one fixed a: add `--second-layer "
            "fixed`."
        )
    a = options.second_layer_value
    W, notes = form_factor(M, a, options.hidden, options.symmetrize)
    note(notes)
    return Student(W, np.full((teacher.outputs, len(W)), a), trainable=False)


def start_of_the_limit(options: ProblemOptions, teacher: Teacher) -> Student:
    """The limit of infinitely many units, drawn as `--init gaussian` draws them."""
    if options.second_layer != "fixed" and given(["second_layer"]):
        raise ProblemError(
            "`--second-layer` is trainable, but `--mean-field` is a limit of networks in which it is fixed."
        )
    if options.hidden is not None:
        raise ProblemError(
            f"`--hidden` is {options.hidden}, but `--mean-field` is the limit of infinitely many: give one of both."
        )
    if options.init != "gaussian":
        raise ProblemError(
            f"`--init` is {options.init!r}, but `--mean-field` has weights N(0, ε²/d): leave it out, or say gaussian."
        )
    return Student.mean_field(teacher.inputs, options.init_scale, options.second_layer_value, teacher.outputs)


def read_student(path: str, options: ProblemOptions, outputs: int) -> Student:
    """Initial weights from `--init-file`, for so many outputs where the file holds the first layer alone."""
    from empirical.checkpoints import read_student as read_checkpoint

    fixed, value = options.second_layer == "fixed", options.second_layer_value
    first, second = parse_tensors(options.init_tensors)
    student = read_checkpoint(
        path,
        trainable=not fixed,
        first=first,
        second=second,
        fixed=np.full((outputs, 1), validate_real("second_layer_value", value)) if fixed else None,
        missing="`--second-layer fixed` would read it as a network with every a_k = `--second-layer-value`",
    )
    if fixed and np.not_equal(student.A, value).any():
        note_without_effect(["second_layer_value"], f"beside the second layer in {path!r}")
    if options.hidden not in (None, student.hidden):
        raise ProblemError(f"`--hidden` is {options.hidden}, but {path!r} has {student.hidden} hidden units.")
    return student


def parse_tensors(text: str | None) -> tuple[str | None, str | None]:
    """Names of W and A in the value of `--init-tensors`; of A none where W stands alone."""
    if text is None:
        return None, None
    names = [name.strip() for name in text.split(",")]
    if len(names) > 2 or not all(names):
        raise ProblemError(f"`--init-tensors` is {text!r}, but must be W_NAME,A_NAME or W_NAME alone.")
    return names[0], names[1] if len(names) == 2 else None


def padding(short: str, has: int, other: str, inputs: int) -> str:
    """That the file of one option has fewer inputs than something else, and what is done about it."""
    return f"`{short}` has {counted(has, 'input')} and {other} {inputs}: it is padded with zeros"


def note_put_on_sphere(name: str, start: Student) -> None:
    """Say that weights of other norms than 1 are put on the sphere."""
    if np.abs(np.linalg.norm(start.W, axis=1) - 1).max() > ON_SPHERE:
        note([f"`{name}` has units of other norms than 1: they are put on the sphere"])


@dataclass(frozen=True, eq=False)
class Order:
    """Order parameters in a file, with the second layers where it has them.

    Parameters
    ----------
    what : str
        Names the file in errors.
    Q, R : (K, K), (K, M) arrays
    P : (M, M) array or None
    a : (K,) or (O, K) array or None
    b : (M,) or (O, M) array or None
    tolerance : float
        What the precision of the numbers hides.
    """

    what: str
    Q: Array
    R: Array
    P: Array | None
    a: Array | None
    b: Array | None
    tolerance: float

    @classmethod
    def read(cls, path: str) -> Order:
        """From an `.npz` file."""
        what = f"`--init-order` {path!r}"
        with open_archive(path, what) as archive:
            Q, R = archive.numbers("Q", ("unit", "unit")), archive.numbers("R", ("unit", "teacher direction"))
            P = archive.numbers("P", ("teacher direction", "teacher direction")) if "P" in archive else None
            a, b = (archive.numbers(name) if name in archive else None for name in "ab")
            precision = max(_precision(archive, name) for name in ("Q", "R", "P") if name in archive)
        return cls(what, Q, R, P, a, b, max(CLIPPED, 10 * np.sqrt(len(Q) + R.shape[1]) * precision))

    def second_layer(self, options: ProblemOptions, outputs: int) -> Array:
        """That of the file, or one fixed value."""
        if self.a is None:
            if options.second_layer != "fixed":
                raise ProblemError(
                    f"{self.what} has no second layer `a`, which order parameters leave open: add it, or give "
                    "`--second-layer fixed`."
                )
            return np.full((outputs, len(self.Q)), options.second_layer_value)
        if options.second_layer == "fixed" and np.not_equal(self.a, options.second_layer_value).any():
            note_without_effect(["second_layer_value"], f"beside the second layer in {self.what}")
        return self.a

    def check_teacher(self, teacher: Teacher) -> None:
        """Refuse what contradicts a teacher that is given."""
        if self.b is not None:
            raise ProblemError(
                f"{self.what} has the second layer `b` of a teacher, but `--teacher` is given: leave one of both out."
            )
        if self.P is None:
            return
        V = teacher.V
        length = np.linalg.norm(V, axis=1)
        fits = self.P.shape == (len(V), len(V))
        if not fits or (np.abs(self.P - V @ V.T) > SAME_OVERLAPS * np.outer(length, length)).any():
            raise ProblemError(
                f"{self.what} has overlaps `P` of teacher directions that are not those of `--teacher`: leave one of "
                "both out."
            )


def _precision(archive: Archive, name: str) -> float:
    """Relative precision of the numbers in an array."""
    dtype = archive.array(name).dtype
    return float(np.finfo(dtype).eps) if dtype.kind == "f" else EPS


def start_by_order(
    options: ProblemOptions, teacher: Teacher | None
) -> tuple[Teacher, Student, tuple[str, ...]]:
    """Teacher and student in as few inputs as they need, from `--init-order`, and what was taken for rounding.

    Directions of a teacher are its rows v_m; of one that is given as a matrix, the eigenvectors of its modes.
    """
    assert options.init_order is not None
    order = Order.read(options.init_order)
    if options.hidden not in (None, len(order.Q)):
        raise ProblemError(
            f"`--hidden` is {options.hidden}, but {order.what} has {len(order.Q)} hidden units."
        )
    d = None if options.inputs is None else validate_count("inputs", options.inputs)
    try:
        if teacher is None:
            if order.P is None or order.b is None:
                raise ProblemError(
                    f"`--teacher` is missing, and {order.what} has no `P` and `b` in its place: they set the loss."
                )
            found = realise(order.Q, order.R, order.P, inputs=d, tolerance=order.tolerance)
            teacher = Teacher(found.V, order.b)
        else:
            order.check_teacher(teacher)
            teacher = _by_modes(teacher, options)
            found = realise_beside(order.Q, order.R, teacher.V, inputs=d, tolerance=order.tolerance)
            teacher = replace(teacher, V=found.V)
        a = order.second_layer(options, teacher.outputs)
        return teacher, Student(found.W, a, trainable=options.second_layer != "fixed"), found.notes
    except ProblemError as error:
        text = str(error)
        raise error if order.what in text else ProblemError(f"{order.what}: {text}") from None


def _by_modes(teacher: Teacher, options: ProblemOptions) -> Teacher:
    """The teacher with eigenvectors for directions, largest eigenvalue first, if a matrix was given."""
    if Path(options.teacher or "").suffix.lower() not in (".npy", ".csv"):
        return teacher
    values, vectors = teacher.eigen[0]
    if len(np.unique(teacher.B, axis=0)) > 1:
        raise ProblemError(
            f"`--teacher` {options.teacher!r} has several matrices, which have no directions in common: give a network "
            "V, b."
        )
    return Teacher(vectors, values, teacher.notes).repeated(teacher.outputs)
