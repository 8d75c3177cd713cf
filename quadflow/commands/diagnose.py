"""`quadflow diagnose`: will this initialisation succeed?"""

from __future__ import annotations

import click

from quadflow import options as opt
from quadflow.examples import Command
from quadflow.output import echo_result, to_json, validate_output, write_text
from quadflow.provenance import problem_json


@click.command(cls=Command, epilog="Example: quadflow diagnose --teacher 2,-1.9 --hidden 3 --seed 3")
@opt.problem_options
@click.option("--no-follow", is_flag=True, help="Never integrate the flow: what the start alone decides.")
@opt.output_option("Write the JSON object (.json).")
@opt.json_option
def command(problem: opt.ProblemOptions, no_follow: bool, output: str | None, as_json: bool) -> None:
    """Decide from the initial weights whether gradient flow can reach the global minimum, and where it ends."""
    from dynamics.outcome.diagnosis import diagnose
    from quadflow.options.reading import build_problem

    validate_output(output, ("json",))
    start = build_problem(problem, more_is_drawn=False)
    diagnosis = diagnose(start, follow=not no_follow)
    result = diagnosis.to_dict() | {"problem": problem_json(start)}
    if output is not None:
        write_text(output, to_json(result) + "\n")
    echo_result(result, diagnosis.summary, as_json)
