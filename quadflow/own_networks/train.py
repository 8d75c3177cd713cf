"""`quadflow train --network`: train PyTorch networks of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynamics.errors import ProblemError
from quadflow.options.own_network import PROBLEM
from quadflow.output import echo_result, to_json, validate_output, write_run, write_text
from quadflow.own_networks.building import build_network_problem
from quadflow.own_networks.results import run_json

if TYPE_CHECKING:
    from empirical.polynomial import NetworkRun
    from quadflow import options as opt
    from quadflow.options.own_network import OwnNetworkOptions

TRAINING = (
    *("steps", "step", "batch", "samples", "label_noise", "seeds", "schedule", "device", "dtype"),
    *("records", "log_times", "optimizer", "momentum", "betas", "epsilon", "decoupled"),
)
HONOURS = (*PROBLEM, *TRAINING)


def arguments(training: opt.TrainingOptions) -> dict[str, Any]:
    """Arguments of `empirical.polynomial.train_network`."""
    found = training.arguments()
    return {name: found[name] for name in TRAINING}


def trained(
    own: OwnNetworkOptions, problem: opt.ProblemOptions, training: opt.TrainingOptions, **more: Any
) -> NetworkRun:
    """Train what the options say."""
    from empirical.polynomial import train_network

    start = build_network_problem(own, problem, problem.init_scale, problem.init_file, problem.seed)
    return train_network(start, seed=problem.seed, **arguments(training), **more)


def run(
    own: OwnNetworkOptions,
    problem: opt.ProblemOptions,
    training: opt.TrainingOptions,
    output: str | None,
    as_json: bool,
) -> None:
    """Train, print and write."""
    from empirical.trainer import TrainingDiverged

    validate_output(output, ("npz", "json"))
    if training.steps is None:
        raise ProblemError("`--steps` is missing: say how many training steps.")
    failure = None
    try:
        networks = trained(own, problem, training, progress=True)
    except TrainingDiverged as error:
        failure, networks = error, error.run  # what was recorded is kept
    result = run_json(networks)
    if output is not None and output.lower().endswith(".npz"):
        write_run(output, networks.save, result)
    elif output is not None:
        write_text(output, to_json(result) + "\n")
    if failure is not None:
        raise failure
    echo_result(result, networks.summary, as_json)
