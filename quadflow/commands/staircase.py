"""`quadflow staircase`: predicted jumps from an initial state."""

from __future__ import annotations

import click

from quadflow import options as opt
from quadflow.examples import Command
from quadflow.output import echo_result, to_json, validate_output, write_text
from quadflow.provenance import problem_json


@click.command(
    cls=Command, epilog="Example: quadflow staircase --teacher 4,2,1 --hidden 6 --init-scale 1e-4 --seed 1"
)
@opt.problem_options
@opt.output_option("Write the JSON object (.json).")
@opt.json_option
def command(problem: opt.ProblemOptions, output: str | None, as_json: bool) -> None:
    """Plateaus and jump times from small initial weights, without integrating the flow."""
    from dynamics.saddle_to_saddle.staircase import staircase
    from quadflow.options.reading import build_problem

    validate_output(output, ("json",))
    start = build_problem(problem, more_is_drawn=False)
    prediction = staircase(start)
    result = prediction.as_dict() | {"problem": problem_json(start)}
    if output is not None:
        write_text(output, to_json(result) + "\n")
    echo_result(result, prediction.summary, as_json)
