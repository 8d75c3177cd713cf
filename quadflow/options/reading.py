"""From the problem options to a `Problem`; reads the files they name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dynamics.activations import Activation
from dynamics.covariance import clean_covariance
from dynamics.errors import ProblemError
from dynamics.files.archives import open_archive
from dynamics.files.arrays import read_npy
from dynamics.files.rounding import rounding_unit
from dynamics.files.tables import read_csv
from dynamics.inputs.laws import parse_law
from dynamics.problem import Problem, Student, Teacher
from dynamics.problem.teacher import NoTeacher
from quadflow.notes import note
from quadflow.options.click_options import parse_numbers
from quadflow.options.ignored import given, note_without_effect
from quadflow.options.loss import refuse_losses
from quadflow.options.reading_data import option_name, read_data
from quadflow.options.starts import (
    check_start,
    kind_of_start,
    note_put_on_sphere,
    note_what_is_not_drawn,
    padding,
    read_student,
    start_by_form,
    start_by_order,
    start_of_the_limit,
)

if TYPE_CHECKING:
    from dynamics.inputs.data_set import DataSet
    from dynamics.stationary import Catalogue
    from quadflow.options.problem import MatrixOptions, NetworkOptions, ProblemOptions

MATRIX_FILES = (".npy", ".csv")
Options = TypeVar("Options", bound="NetworkOptions")
OF_TEACHERS = ("teacher_activation", "rank", "tolerance", "symmetrize")


def build_problem(options: ProblemOptions, *, more_is_drawn: bool = True, apart: bool = False) -> Problem:
    """The problem that the options describe; a note says which of those given have no effect.

    `more_is_drawn` is false where nothing but the initial weights is drawn at random: a file of them then leaves the
    seed without effect. With `apart` weights from order parameters are left in as few inputs as they need, however many
    there are; otherwise they are padded.
    """
    options = with_fixed_layer(options)
    kind = kind_of_start(options)
    if options.init_file is None and options.init_tensors is not None:
        raise ProblemError("`--init-tensors` names tensors in `--init-file`: give that as well.")
    if options.second_layer != "fixed" and not options.mean_field:
        note_without_effect(["second_layer_value"], "unless `--second-layer` is fixed")
    if kind is not None:
        note_what_is_not_drawn(kind, more_is_drawn or options.split > 0)
    problem = _with_weights(options) if options.init_order is None else _by_order(options, apart)
    check_start(kind, problem)
    return problem


def _by_order(options: ProblemOptions, apart: bool) -> Problem:
    """The problem of a start by order parameters; Gaussian inputs beyond those of the weights are left out of it."""
    refuse_data(options)
    narrow = replace(options, inputs=None)
    teacher = options_teacher(narrow) if options.teacher else None
    if teacher is not None and options.inputs is not None and options.inputs < teacher.inputs:
        options_teacher(options)  # says what does not fit
    teacher, start, notes = start_by_order(options, teacher)
    note(notes)
    if options.constraint != "none":
        note_put_on_sphere("--init-order", start)
    d = start.inputs if options.inputs is None else max(options.inputs, start.inputs)
    law = parse_law(options.distribution)
    if not law.gaussian or options.covariance is not None:
        teacher, start = teacher.padded(d), start.padded(d)
    problem = Problem(
        teacher,
        start,
        options.activation,
        read_covariance(options, d),
        read_decay(options.weight_decay),
        options.teacher_activation,
        law,
        dimension=d if d > start.inputs else None,
        constraint=options.constraint,
        **options.learned(),
    )
    return problem if apart else problem.whole


def _with_weights(options: ProblemOptions) -> Problem:
    """The problem of a start that says every weight."""
    activation = Activation.parse(options.activation)
    data = read_data(options)
    teacher = options_teacher(options) if data is None else teacher_on(data, options)
    start = None if options.init_file is None else read_student(options.init_file, options, teacher.outputs)
    name = "--init-file"
    if options.init_form is not None:
        name = "--init-form"
        M = read_matrix(name, options.init_form)
        with named_by_file("init_form", name, options.init_form):
            start = start_by_form(options, M, teacher)
    if start is not None:
        if options.inputs is None and data is None:
            # Eigenvalues leave the number of inputs to the weights; a file has one.
            from_file = Path(options.teacher or "").suffix.lower() in (*MATRIX_FILES, ".npz")
            if from_file and start.inputs > teacher.inputs:
                note([padding("--teacher", teacher.inputs, f"`{name}`", start.inputs)])
            teacher = teacher.padded(max(teacher.inputs, start.inputs))
        if start.inputs < teacher.inputs:
            note([padding(name, start.inputs, "the problem", teacher.inputs)])
    if options.mean_field:
        start = start_of_the_limit(options, teacher)
    if start is None:
        hidden = teacher.inputs if options.hidden is None else options.hidden
        start = Student.initialise(
            hidden,
            teacher.inputs,
            init=options.init,
            scale=options.init_scale,
            seed=options.seed,
            outputs=teacher.outputs,
            second_layer=options.second_layer,
            second_layer_value=options.second_layer_value,
            degree=activation.degree,
        )
    elif options.constraint != "none":
        note_put_on_sphere(name, start)
    Sigma = read_covariance(options, teacher.inputs)
    return Problem(
        teacher,
        start.padded(teacher.inputs),
        activation,
        Sigma,
        read_decay(options.weight_decay),
        options.teacher_activation,
        options.distribution,
        data,
        constraint=options.constraint,
        **options.learned(),
    )


def with_fixed_layer(options: Options) -> Options:
    """The options with the second layer fixed where a constraint fixes it, and nobody asks for another one."""
    if options.constraint == "none" or given(["second_layer"]):
        return options
    note_without_effect(["init_scale"], "beside `--constraint`, which says the norm of every unit")
    return replace(options, second_layer="fixed")


def parse_activations(text: str) -> list[str]:
    """Names of activations with commas between; numbers after one are parameters of it: erf,polynomial:0,1,0.5,tanh."""
    names: list[str] = []
    for part in text.split(","):
        parameter = names and ":" in names[-1] and not part.strip()[:1].isalpha()
        names[-1:] = [f"{names[-1]},{part}"] if parameter else [*names[-1:], part.strip()]
    return names


def read_decay(given: str | float) -> float | list[float]:
    """One rate of `--weight-decay`, or two; as a number where a sweep varies it."""
    if isinstance(given, int | float):
        return given
    rates = parse_numbers("--weight-decay", given)
    return rates[0] if len(rates) == 1 else rates


def options_teacher(options: NetworkOptions) -> Teacher:
    """The teacher that the options describe."""
    if not options.teacher:
        raise ProblemError(
            "`--teacher` is missing: give eigenvalues such as 4,2,1, or a file; or `--data` with labels."
        )
    how = matrix_arguments(options.teacher, options, covariance=options.covariance)
    psi = options.teacher_activation or options.activation
    return read_teacher(options.teacher, options.inputs, options.outputs, psi, **how)


def teacher_on(data: DataSet, options: NetworkOptions) -> Teacher:
    """Who labels the data: the teacher of `--teacher`, or nobody.

    Raises
    ------
    ProblemError
        If inputs or outputs do not fit the data, or something is said of a teacher that is not there.
    """
    if options.inputs not in (None, data.inputs):
        raise ProblemError(f"`--inputs` is {options.inputs}, but `--data` has {data.inputs} inputs.")
    if options.teacher:
        teacher = options_teacher(replace(options, inputs=None))
        if teacher.inputs > data.inputs:
            raise ProblemError(
                f"`--teacher` {options.teacher!r} has {teacher.inputs} inputs, but `--data` has {data.inputs}."
            )
        return teacher.padded(data.inputs)
    for name in OF_TEACHERS:
        value = getattr(options, name)
        if value is not None and value is not False:  # 0 is a value, although 0 == False
            raise ProblemError(
                f"`{option_name(name)}` is about a teacher, but `--data` has labels of its own: give a `--teacher` too."
            )
    if options.outputs not in (None, data.outputs):
        raise ProblemError(
            f"`--outputs` is {options.outputs}, but a sample of `--data` has {data.outputs} labels."
        )
    return NoTeacher.of(data.inputs, data.outputs)


def matrix_arguments(teacher: str, options: MatrixOptions, covariance: str | None = None) -> dict[str, Any]:
    """How a teacher matrix is read; what only a matrix in a file can use is refused where no file is named."""
    how = {name: getattr(options, name) for name in ("rank", "tolerance", "symmetrize")}
    is_matrix = Path(teacher).suffix.lower() in MATRIX_FILES
    given = [name for name, value in how.items() if value is not None and value is not False]
    useless = [name for name in given if name == "rank" or covariance is None]
    if useless and not is_matrix:
        raise ProblemError(
            f"`--{useless[0]}` says how a matrix in a file is read, but `--teacher` is {teacher!r}."
        )
    return how if is_matrix else {}


def read_covariance(options: NetworkOptions, inputs: int) -> NDArray[np.float64] | None:
    """Matrix of `--covariance`, projected to its range if it is singular; None if it is not given."""
    path = options.covariance
    if path is None:
        return None
    value = read_matrix("--covariance", path)
    with named_by_file("covariance", "--covariance", path):
        Sigma, said = clean_covariance(
            value,
            inputs,
            tolerance=options.tolerance,
            rounding=rounding_unit(path),
            symmetrize=options.symmetrize,
        )
    note(said)
    return Sigma


def read_teacher(
    spec: str,
    inputs: int | None,
    outputs: int | None,
    activation: Activation | str = "quadratic",
    *,
    rank: int | None = None,
    tolerance: float | None = None,
    symmetrize: bool = False,
) -> Teacher:
    """Teacher from the text of `--teacher`: eigenvalues λ_m mean the network Σ λ_m φ(x_m), a matrix needs φ(z) = z².

    The last three say how a matrix is read, see `dynamics.matrices.decompose`.
    """
    O = 1 if outputs is None else outputs
    suffix = Path(spec).suffix.lower()
    if spec.startswith("power-law:"):
        alpha, _, count = spec.removeprefix("power-law:").partition(":")
        try:
            return Teacher.power_law(float(alpha), int(count), inputs, O)
        except ProblemError:
            raise
        except ValueError:
            raise ProblemError(f"`--teacher` is {spec!r}, but must be power-law:ALPHA:COUNT.") from None
    if suffix in MATRIX_FILES:
        if Activation.parse(activation).trace_coupling is None:
            raise ProblemError(
                f"`--teacher` is the matrix {spec!r}, which means nothing to {activation} units: give eigenvalues λ_m "
                "for Σ λ_m φ(x_m), or an .npz file with a teacher network V, b."
            )
        M = read_matrix("--teacher", spec)
        how = {"rank": rank, "tolerance": tolerance, "symmetrize": symmetrize}
        with named_by_file("teacher", "--teacher", spec):
            teacher = Teacher.from_matrix(M, inputs, O, rounding=rounding_unit(spec), **how)  # type: ignore[arg-type]
        note(teacher.notes)
    elif suffix == ".npz":
        arrays = read_arrays("--teacher", spec, ("V", "b"))
        teacher = Teacher(arrays["V"], arrays["b"])
        if teacher.outputs == 1:
            teacher = teacher.repeated(O)
        teacher = teacher if inputs is None else teacher.padded(inputs)
    else:
        try:
            eigenvalues = [float(part) for part in spec.split(",")]
        except ValueError:
            raise ProblemError(
                f"`--teacher` is {spec!r}, but must be eigenvalues such as 4,2,1, power-law:ALPHA:COUNT, "
                "or a file ending in .npy, .csv or .npz."
            ) from None
        teacher = Teacher.from_eigenvalues(eigenvalues, inputs, O)
    if outputs is not None and teacher.outputs != outputs:
        raise ProblemError(f"`--outputs` is {outputs}, but the teacher of {spec!r} has {teacher.outputs}.")
    return teacher


def read_network(options: NetworkOptions) -> tuple[Teacher, int, NDArray[np.float64] | None]:
    """Teacher, number of hidden units and covariance, for theories of student and teacher of one activation."""
    refuse_losses(options)
    return _read_network(options)


def _read_network(options: NetworkOptions) -> tuple[Teacher, int, NDArray[np.float64] | None]:
    """The same for any loss."""
    if options.teacher_activation not in (None, options.activation):
        raise ProblemError(
            f"`--teacher-activation` is {options.teacher_activation!r}, but this is known only for a teacher of the "
            f"student's activation, {options.activation!r}."
        )
    refuse_data(options)
    refuse_constraint(options)
    teacher = options_teacher(options)
    hidden = teacher.inputs if options.hidden is None else options.hidden
    return teacher, hidden, read_covariance(options, teacher.inputs)


def check_gaussian(options: NetworkOptions) -> None:
    """Refuse other laws of the inputs and data, where only the Gaussian law is known."""
    refuse_data(options)
    if not parse_law(options.distribution).gaussian:
        raise ProblemError(
            f"`--distribution` is {options.distribution!r}, but this is known only for Gaussian inputs."
        )


def refuse_data(options: NetworkOptions) -> None:
    """Refuse a data set, where laws of the inputs alone are known."""
    if options.data is not None:
        raise ProblemError(
            f"`--data` is {options.data!r}, but this is known only for laws of the inputs, not for data."
        )


def refuse_constraint(options: NetworkOptions) -> None:
    """Refuse weights that are kept somewhere, where free ones alone are known."""
    if options.constraint != "none":
        raise ProblemError(
            f"`--constraint` is {options.constraint!r}, but this is known only for weights without a constraint."
        )


def read_catalogue(
    options: NetworkOptions, signs: str | None = None, lowest: int | None = None, minima: bool = False
) -> Catalogue:
    """Stationary points of the network, with signs and lowest where they are given, or its minima alone."""
    from dynamics.stationary import fixed_points

    teacher, hidden, Sigma = _read_network(options)
    return fixed_points(
        teacher,
        hidden,
        second_layer=options.second_layer,
        second_layer_value=options.second_layer_value,
        activation=options.activation,
        covariance=Sigma,
        weight_decay=read_decay(options.weight_decay),
        distribution=options.distribution,
        **options.learned(),
        signs=signs,
        lowest=lowest,
        minima=minima,
    )


def read_matrix(option: str, path: str) -> NDArray[np.float64]:
    """Array in a `.npy` or `.csv` file."""
    suffix = Path(path).suffix.lower()
    if suffix not in MATRIX_FILES:
        raise ProblemError(f"`{option}` is {path!r}, but a matrix file must end in .npy or .csv.")
    return (read_npy if suffix == ".npy" else read_csv)(path, f"`{option}` {path!r}")


@contextmanager
def named_by_file(name: str, option: str, path: str | None) -> Iterator[None]:
    """Let refusals of the array `name` say of which option and file it is; without a file they stay."""
    try:
        yield
    except ProblemError as error:
        if path is None:
            raise
        raise ProblemError(str(error).replace(f"`{name}`", f"`{option}` {path!r}", 1)) from None


def read_arrays(option: str, path: str, names: tuple[str, ...]) -> dict[str, NDArray[np.float64]]:
    """Arrays of these names in an `.npz` file."""
    with open_archive(path, f"`{option}` {path!r}") as archive:
        return {name: archive.numbers(name) for name in names}
