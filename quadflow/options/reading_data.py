"""From the options of a data set to the data set, and to the teacher of a problem on it."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from dynamics.errors import ProblemError
from dynamics.inputs.data_set import DataSet
from dynamics.problem.teacher import NoTeacher, Teacher
from quadflow.notes import note
from quadflow.options.data import DataOptions
from quadflow.options.ignored import given

if TYPE_CHECKING:
    from quadflow.options.problem import NetworkOptions, ProblemOptions
    from quadflow.options.training import TrainingOptions

DRAWN_INPUTS = ("samples", "distribution", "covariance")  # options of how inputs are drawn
OF_TEACHERS = ("teacher_activation", "rank", "tolerance", "symmetrize")


def read_data(options: ProblemOptions) -> DataSet | None:
    """The data set of `--data`; None without it.

    Raises
    ------
    ProblemError
        If it cannot be read, or other options contradict it.
    """
    defaults = {f.name: f.default for f in fields(DataOptions) if f.name != "data"}
    chosen = {name: getattr(options, name) for name in defaults}
    if options.data is None:
        for name, value in chosen.items():
            if value != defaults[name]:
                raise ProblemError(f"`{_named(name)}` says how `--data` is read: give that as well.")
        return None
    for name in given(DRAWN_INPUTS):
        raise ProblemError(
            f"`{_named(name)}` says how inputs are drawn, but `--data` brings them: leave out one of the two."
        )
    from empirical.datasets import load

    data = load(options.data, **chosen, seed=options.seed, taught=bool(options.teacher))
    note(data.notes)
    return data


def teacher_on(data: DataSet, options: NetworkOptions) -> Teacher:
    """Who labels the data: the teacher of `--teacher`, or nobody.

    Raises
    ------
    ProblemError
        If inputs or outputs do not fit the data, or something is said of a teacher that is not there.
    """
    from quadflow.options.reading import options_teacher

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
                f"`{_named(name)}` is about a teacher, but the labels of `--data` are learned: give a `--teacher` too."
            )
    if options.outputs not in (None, data.outputs):
        raise ProblemError(
            f"`--outputs` is {options.outputs}, but a sample of `--data` has {data.outputs} labels."
        )
    return NoTeacher.of(data.inputs, data.outputs)


def fitting_batch(training: TrainingOptions, data: DataSet | None) -> TrainingOptions:
    """Training on the whole set where it is smaller than the batch that nobody chose."""
    default = type(training).batch
    if data is None or given(["batch"]) or training.batch != default or default <= len(data.X):
        return training
    return replace(training, batch=0)


def _named(name: str) -> str:
    return f"--{name.replace('_', '-')}"
