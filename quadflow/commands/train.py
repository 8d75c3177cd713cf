"""`quadflow train`: train real networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dynamics.errors import ProblemError
from quadflow import options as opt
from quadflow.output import echo_result, to_json, validate_output, write_run, write_text
from quadflow.provenance import problem_json

if TYPE_CHECKING:
    from empirical.recorder import TrainingRun

# read by `build_problem`; everything else goes to `empirical.train`
PROBLEM_OPTIONS = {
    *("teacher", "inputs", "hidden", "outputs", "activation", "second_layer", "second_layer_value"),
    *("covariance", "rank", "tolerance", "symmetrize", "init_scale", "init", "init_file", "init_tensors"),
}


@click.command(
    epilog="Example: quadflow train --teacher 4,2,1 --inputs 6 --hidden 8 --steps 5000 --step 1e-3 --seeds 8"
)
@opt.problem_options
@opt.training_options
@opt.output_option("Write the run (.npz: with the recorded weights; .json).")
@opt.json_option
def command(output: str | None, as_json: bool, **options: Any) -> None:
    """Train real PyTorch networks, all seeds in one computation."""
    from empirical.training import TrainingDiverged, train
    from quadflow.problem_input import build_problem

    validate_output(output, ("npz", "json"))
    if options["steps"] is None:
        raise ProblemError("`--steps` is missing: say how many training steps.")
    problem = build_problem(options)
    failure = None
    try:
        run = train(problem, **training_arguments(options), progress=True)
    except TrainingDiverged as error:
        failure, run = error, error.run  # what was recorded is kept
    result = run_json(run) | {"problem": problem_json(problem)}
    if output is not None and output.lower().endswith(".npz"):
        write_run(output, run.save, result)
    elif output is not None:
        write_text(output, to_json(result) + "\n")
    if failure is not None:
        raise failure
    echo_result(result, run.summary, as_json)


def training_arguments(options: dict[str, Any]) -> dict[str, Any]:
    """The options that `empirical.train` takes, out of all."""
    return {k: v for k, v in options.items() if k not in PROBLEM_OPTIONS}


def run_json(run: TrainingRun) -> dict[str, Any]:
    """The keys that interface and README promise."""
    from dynamics.unit_drift import unit_drift

    return {
        "times": run.times,
        "steps": run.steps,
        "loss": run.loss,
        "loss_measured": run.loss_measured,
        "modes": run.modes,
        "conserved_drift": run.conserved_drift,
        "conserved": unit_drift(run.conserved),
        "steps_per_second": run.about.get("steps_per_second"),  # unknown of loops that are not ours
        "warnings": list(run.notes),
    }
