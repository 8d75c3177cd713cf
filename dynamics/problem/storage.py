"""A problem as a part of a saved result: arrays, and entries of the JSON object about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.files.archives import Archive
from dynamics.inputs.data_set import DataSet
from dynamics.inputs.laws import FAMILIES, GAUSSIAN, InputLaw, parse_law
from dynamics.problem.bias import Bias
from dynamics.problem.problem import Problem
from dynamics.problem.student import Student
from dynamics.problem.teacher import Teacher

LARGEST_STORED = 1e50  # of a trajectory; losses beyond its square are refused before they are integrated


def problem_parts(problem: Problem) -> tuple[dict[str, Any], dict[str, Array]]:
    """What a file says of a problem, and its arrays."""
    arrays = {
        "teacher_V": problem.teacher.V,
        "teacher_B": problem.teacher.B,
        "initial_W": problem.student.W,
        "initial_A": problem.student.A,
    }
    if problem.covariance is not None:
        arrays["covariance"] = problem.covariance
    about = {"activation": problem.activation.name, "trainable": problem.student.trainable}
    if not problem.realisable:
        about["teacher_activation"] = problem.teacher_activation.name
    if problem.dimension is not None:
        about["dimension"] = problem.dimension
    if problem.student.infinite:
        about["infinite"] = True
    said, held = law_parts(problem.law)
    decay = problem.weight_decay
    if problem.constraint:
        about["constraint"] = problem.constraint.name
    penalty = {"weight_decay": [decay.first, decay.second]} if decay else {}
    return about | said | penalty | learned_parts(problem), arrays | held


def learned_parts(problem: Problem) -> dict[str, Any]:
    """What a file says of loss, labels and bias: nothing of the square loss."""
    if problem.loss.is_square:
        return {}
    bias = problem.bias
    about: dict[str, Any] = {"loss": problem.loss.name, "labels": problem.labels.name, "flip": problem.flip}
    return about | {"bias": [bias.teacher, bias.start, float(bias.trainable)]}


def read_learned(f: Archive, about: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a `Problem` that `learned_parts` stored.

    Raises
    ------
    ProblemError
        If the bias is none.
    """
    if "loss" not in about:
        return {}
    bias = f.part(about, "bias", list)
    if len(bias) != 3 or not all(isinstance(x, int | float) for x in bias):
        raise ProblemError(f"`bias` is {bias!r}, but must be two numbers and whether it is trained.")
    return {
        "loss": f.part(about, "loss", str),
        "labels": f.part(about, "labels", str),
        "flip": f.part(about, "flip", float),
        "bias": Bias(bias[0], bias[1], bool(bias[2])),
    }


def law_parts(law: InputLaw) -> tuple[dict[str, Any], dict[str, Array]]:
    """What a file says of the inputs, and its arrays: nothing of Gaussian ones."""
    if law.gaussian:
        return {}, {}
    return {law.option: law.name}, {f"inputs_{name}": value for name, value in law.arrays().items()}


def read_problem(f: Archive, about: Mapping[str, Any]) -> Problem:
    """The problem that `problem_parts` stored."""
    distribution, data = read_inputs(f, about)
    V = read_bounded(f, "teacher_V", ("teacher_direction", "input"))
    B = read_bounded(f, "teacher_B", ("output", "teacher_direction"))
    return Problem(
        Teacher(V, B) if data is None or len(V) else None,
        Student(
            read_bounded(f, "initial_W", ("unit", "input")),
            read_bounded(f, "initial_A", ("output", "unit")),
            f.part(about, "trainable", bool),
            "infinite" in about,
        ),
        f.part(about, "activation", str),
        read_bounded(f, "covariance", ("input", "input")) if "covariance" in f else None,
        f.part(about, "weight_decay", list) if "weight_decay" in about else 0.0,
        f.part(about, "teacher_activation", str) if "teacher_activation" in about else None,
        distribution,
        data,
        f.part(about, "dimension", int) if "dimension" in about else None,
        f.part(about, "constraint", str) if "constraint" in about else "none",
        **read_learned(f, about),
    )


def read_inputs(f: Archive, about: Mapping[str, Any]) -> tuple[InputLaw, DataSet | None]:
    """The law of the inputs, and the data set if there is one, that `law_parts` stored."""
    return (
        read_law(f, f.part(about, "distribution", str)) if "distribution" in about else GAUSSIAN,
        read_data(f, f.part(about, "data", str)) if "data" in about else None,
    )


def read_law(f: Archive, name: str) -> InputLaw:
    """The law of a stored name, with its arrays where the name does not say it all."""
    restored = FAMILIES[name].restored if name in FAMILIES else None
    if restored is None:
        return parse_law(name)
    return restored({part: f.numbers(f"inputs_{part}") for part in restored.parts})


def read_data(f: Archive, label: str) -> DataSet:
    """The data set that was stored."""
    X, Y = (
        read_bounded(f, "inputs_X", ("sample", "input")),
        read_bounded(f, "inputs_Y", ("sample", "output")),
    )
    if "inputs_X_test" not in f:
        return DataSet(X, Y, label=label)
    X_test = read_bounded(f, "inputs_X_test", ("test_sample", "input"))
    return DataSet(X, Y, X_test, read_bounded(f, "inputs_Y_test", ("test_sample", "output")), label)


def read_bounded(f: Archive, name: str, axes: tuple[str, ...]) -> Array:
    """Finite numbers whose products do not overflow."""
    array = f.numbers(name, axes)
    if not (np.abs(array) <= LARGEST_STORED).all():
        raise ProblemError(f"`{name}` contains NaN, infinity or numbers beyond {LARGEST_STORED:.0e}.")
    return array


def problem_attributes(problem: Problem) -> dict[str, Any]:
    """Sizes and kind of the network in single numbers and texts."""
    return {
        "activation": problem.activation.name,
        "teacher_activation": problem.teacher_activation.name,
        "second_layer": "trainable" if problem.student.trainable else "fixed",
        "covariance": "identity" if problem.covariance is None else "given",
        "weight_decay": str(problem.weight_decay),
        "constraint": problem.constraint.name,
        "loss": problem.loss.name,
        "labels": problem.labels.name,
        "flip": problem.flip,
        "bias": str(problem.bias),
        "distribution": problem.distribution.name,
        "data": "none" if problem.data is None else problem.data.name,
        "inputs": problem.all_inputs,
        "hidden": "infinite" if problem.student.infinite else problem.student.hidden,
        "outputs": problem.student.outputs,
    }
