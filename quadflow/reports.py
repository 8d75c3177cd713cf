"""Reports: results as one self-contained web page, with the stationary points of their problem."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import click

from dynamics.errors import ProblemError
from quadflow.groups import OUTPUT, Option
from quadflow.output import to_json, validate_output, write_text

LARGEST_ATLAS = 200  # stationary points that a report lists of a run, the lowest ones

LARGEST_DECAYED = 8  # hidden units of problems with weight decay whose minima a report looks for
LARGEST_INPUTS = 1000  # of problems whose stationary points a report looks for
OF_ATLAS = {"inputs", "hidden", "outputs", "activation", "covariance", "second_layer", "eigenvalues"}
LEARNED = ("loss", "labels", "flip", "bias")  # of a problem in JSON, arguments of the catalogue

report_option = click.option(
    "--report", cls=Option, group=OUTPUT, metavar="PATH", help="Write a self-contained web page (.html)."
)


def validate_report(path: str | None) -> None:
    """Check the name of a report and that its libraries are there, before any work is done."""
    if path is not None:
        from figures.web_page import require_report_extra

        validate_output(path, ("html",), "--report")
        require_report_extra()


def write_report(path: str, results: Mapping[str, Mapping[str, Any]]) -> int:
    """Write the report of results as their JSON has them, and return its size in bytes."""
    from figures.web_page import require_report_extra

    require_report_extra()
    from figures.report_page import report_page

    page = report_page({source: plain(with_atlas(plain(result))) for source, result in results.items()})
    write_text(path, page)
    return len(page.encode())


def plain(result: Mapping[str, Any]) -> dict[str, Any]:
    """The result as its JSON has it: lists and numbers, null for what is not finite, and its origin."""
    return dict(json.loads(to_json(dict(result))))


def with_atlas(result: Mapping[str, Any]) -> dict[str, Any]:
    """The result with the stationary points of its problem, where it has one and their catalogue exists."""
    sides = [result, result.get("theory", {}), result.get("training", {})]
    problem = next(
        (side["problem"] for side in sides if isinstance(side, Mapping) and side.get("problem")), None
    )
    if problem is None or "fixed_points" in result:
        return dict(result)
    atlas = atlas_of(problem)
    return dict(result) if atlas is None else {**result, "problem": problem, **atlas}


def atlas_of(problem: Mapping[str, Any]) -> dict[str, Any] | None:
    """Stationary points of a problem in JSON, the lowest ones if they are many; None where there is no catalogue.

    None too where weights are under a constraint.
    With weight decay of both layers its minima alone: the other points are very many. Of losses other than the square
    only where they are few.
    """
    from dynamics.activations import ACTIVATIONS
    from dynamics.problem import Teacher
    from dynamics.stationary import fixed_points

    if not problem.keys() >= OF_ATLAS or not problem["eigenvalues"] or problem["inputs"] > LARGEST_INPUTS:
        return None
    if problem.get("distribution", "gaussian") != "gaussian" or "data" in problem:
        return None
    if problem.get("constraint", "none") != "none":
        return None
    layer = problem.get("second_layer_values") or [[]]
    values = sorted({value for row in layer for value in row})
    activation = ACTIVATIONS.get(problem["activation"])
    if problem.get("teacher_activation", problem["activation"]) != problem["activation"]:
        return None
    trained = problem["second_layer"] == "trainable"
    quadratic = activation is not None and activation.trace_coupling is not None
    known = quadratic and problem["covariance"] == "identity"
    if not known or problem["outputs"] != 1 or len(values) > 1 or problem["hidden"] is None:
        return None
    eigenvalues, d = problem["eigenvalues"], problem["inputs"]
    copies = Counter(eigenvalues + [0.0] * (d - len(eigenvalues)))
    few = math.prod(count + 1 for count in copies.values()) <= LARGEST_ATLAS
    shown: dict[str, Any] = {"lowest": None if few else LARGEST_ATLAS}
    decay = problem.get("weight_decay", [0.0, 0.0])
    if problem.get("loss", "square") != "square":
        if not few or any(decay):
            return None
        shown |= {name: problem[name] for name in LEARNED if name in problem}
    elif any(decay):
        if not (problem["hidden"] <= LARGEST_DECAYED and all(decay) if trained else few):
            return None
        shown = {"weight_decay": decay, "minima": trained}
    try:
        catalogue = fixed_points(
            Teacher.from_eigenvalues(eigenvalues, d),
            problem["hidden"],
            second_layer=problem["second_layer"],
            second_layer_value=values[0] if values else 1.0,
            activation=problem["activation"],
            **shown,
        )
    except ProblemError:
        if "loss" not in shown:
            raise
        return None  # of losses, labels and biases without a catalogue
    return {"fixed_points": catalogue.to_dict()["fixed_points"]}
