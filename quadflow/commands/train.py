"""`quadflow train`: train real networks."""

from __future__ import annotations

import click

from dynamics.errors import ProblemError
from quadflow import options as opt
from quadflow.examples import Command
from quadflow.output import echo_result, to_json, validate_output, write_run, write_text
from quadflow.provenance import problem_json
from quadflow.results import run_json


@click.command(
    cls=Command,
    epilog="Example: quadflow train --teacher 4,2,1 --inputs 6 --hidden 8 --steps 5000 --step 1e-3 --seeds 8",
)
@opt.problem_options
@opt.training_options
@opt.output_option("Write the run (.npz: with the recorded weights; .json).")
@opt.json_option
@opt.takes_networks("train")
def command(
    problem: opt.ProblemOptions, training: opt.TrainingOptions, output: str | None, as_json: bool
) -> None:
    """Train real PyTorch networks, all seeds in one computation."""
    from empirical.trainer import TrainingDiverged
    from empirical.training import train
    from quadflow.options.reading import build_problem
    from quadflow.options.starts import note_chosen_axes

    validate_output(output, ("npz", "json"))
    if training.steps is None:
        raise ProblemError("`--steps` is missing: say how many training steps.")
    start = build_problem(problem)
    note_chosen_axes(problem, training.entry)
    failure = None
    try:
        run = train(start, seed=problem.seed, progress=True, **training.arguments())
    except TrainingDiverged as error:
        failure, run = error, error.run  # what was recorded is kept
    result = run_json(run) | {"problem": problem_json(start)}
    if output is not None and output.lower().endswith(".npz"):
        write_run(output, run.save, result)
    elif output is not None:
        write_text(output, to_json(result) + "\n")
    if failure is not None:
        raise failure
    echo_result(result, run.summary, as_json)
