"""`quadflow scope`: what each theory can do for a problem."""

from __future__ import annotations

from dataclasses import asdict

import click

from quadflow import options as opt
from quadflow.coverage import table
from quadflow.examples import Command
from quadflow.output import echo_result, to_json, validate_output, write_text
from quadflow.provenance import problem_json


@click.command(cls=Command, epilog="Example: quadflow scope --teacher 4,2,1 --activation relu")
@opt.problem_options
@opt.output_option("Write the JSON object (.json).")
@opt.json_option
@opt.takes_networks("scope")
def command(problem: opt.ProblemOptions, output: str | None, as_json: bool) -> None:
    """What each command can do for a problem: exact, to second order in the step, numerically, by training, or not."""
    from dynamics.problem.verbs import scope
    from quadflow.options.reading import build_problem

    validate_output(output, ("json",))
    start = build_problem(problem, more_is_drawn=False)
    rows = scope(start)
    result = {"scope": [asdict(row) for row in rows], "problem": problem_json(start)}
    if output is not None:
        write_text(output, to_json(result) + "\n")
    echo_result(result, lambda: table(rows), as_json)
