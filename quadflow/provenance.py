"""What a result says about its origin: the command that made it, versions, and the problem."""

from __future__ import annotations

import platform
import shlex
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

import click

from dynamics.files.formats import RESULT, format_name

if TYPE_CHECKING:
    from dynamics.problem import Problem
    from dynamics.stationary import Catalogue

LIBRARIES = ("numpy", "scipy", "sympy", "torch")  # named where they took part


def provenance() -> dict[str, Any]:
    """Command line, versions and format; empty outside the command line, where nobody knows what is going on."""
    command = command_line()
    return (
        {}
        if command is None
        else {
            "command": command,
            "versions": versions(),
            "format": format_name(RESULT),
        }
    )


def command_line() -> str | None:
    """The command that is running, as one types it into a shell; None outside the command line."""
    context = click.get_current_context(silent=True)
    arguments = None if context is None else context.find_root().obj
    return None if arguments is None else shlex.join(["quadflow", *arguments])


def versions() -> dict[str, str]:
    """Versions of quadflow, Python and the libraries that have been loaded."""
    loaded = [name for name in LIBRARIES if name in sys.modules]
    return {"quadflow": version_of("quadflow"), "python": platform.python_version()} | {
        name: version_of(name) for name in loaded
    }


def version_of(name: str) -> str:
    """Version of an installed distribution, without importing it."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def problem_json(problem: Problem | Catalogue) -> dict[str, Any]:
    """Sizes and teacher of a problem, for readers of its result.

    ``eigenvalues`` are those of the teacher modes, in their order, one output after the other; ``weight_decay`` are ρ_w
    and ρ_a.
    """
    from dynamics.problem import Problem

    if not isinstance(problem, Problem):
        problem = problem.problem
    student, decay, law = problem.student, problem.weight_decay, problem.law
    values: Any = None if student.trainable else student.A
    taught = problem.teacher_activation
    return {
        "inputs": problem.all_inputs,
        "hidden": None if student.infinite else student.hidden,
        "outputs": problem.teacher.outputs,
        "activation": str(problem.activation),
        "teacher_activation": str(taught),
        "second_layer": "trainable" if values is None else "fixed",
        **({} if values is None else {"second_layer_values": values}),
        law.option: law.name,
        "loss": problem.loss.name,
        "labels": problem.labels.name,
        "flip": problem.flip,
        "bias": str(problem.bias),
        "covariance": "identity" if problem.covariance is None else "given",
        "weight_decay": [decay.first, decay.second],
        "constraint": problem.constraint.name,
        "eigenvalues": problem.mode_targets,
    }
