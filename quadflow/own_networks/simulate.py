"""`quadflow simulate --network`: the gradient flow of a network of one's own, or that of a finite step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynamics.errors import IntegrationError, ProblemError
from quadflow.options.own_network import PROBLEM
from quadflow.output import echo_result, to_json, validate_output, write_figure, write_run, write_text
from quadflow.own_networks.building import build_network_problem
from quadflow.own_networks.results import trajectory_json

if TYPE_CHECKING:
    from dynamics.networks import NetworkFlow, NetworkTrajectory
    from quadflow import options as opt
    from quadflow.options.own_network import OwnNetworkOptions
    from quadflow.simulation import SimulationOptions, TheoryDetails

HONOURS = (
    *PROBLEM,
    *("t_end", "times", "records", "log_times", "until_loss"),
    *("method", "rtol", "atol", "max_evaluations"),
    *("correction", "step", "optimizer", "momentum", "schedule", "steps"),
)
OUTPUTS = ("npz", "json", "csv", "png", "pdf", "svg")


def run(
    own: OwnNetworkOptions,
    problem: opt.ProblemOptions,
    simulation: SimulationOptions,
    theory: opt.TheoryOptions,
    details: TheoryDetails,
    solver: opt.SolverOptions,
    hessian: bool,
    output: str | None,
    as_json: bool,
) -> None:
    """Integrate, print and write."""
    validate_output(output, OUTPUTS)
    failure: IntegrationError | None = None
    try:
        trajectory = integrate(own, problem, simulation, theory.name, details, solver, progress=True)
    except IntegrationError as error:
        failure, trajectory = error, error.trajectory  # what was computed is kept
    result = trajectory_json(trajectory)
    if output is not None:
        _write(trajectory, output, result)
    if failure is not None:
        raise failure
    echo_result(result, lambda: describe(trajectory), as_json)


def integrate(
    own: OwnNetworkOptions,
    problem: opt.ProblemOptions,
    simulation: SimulationOptions,
    theory: str,
    details: TheoryDetails,
    solver: opt.SolverOptions,
    progress: bool = False,
) -> NetworkTrajectory:
    """Integrate what the options say."""
    from quadflow.options import parse_numbers
    from quadflow.simulation import with_length

    start = build_network_problem(own, problem, problem.init_scale, problem.init_file, problem.seed)
    details, t_end = with_length(details, simulation.t_end)
    flow = choose_flow(start, theory, details)
    return flow.integrate(
        t_end=None if flow.last_time is not None else t_end,
        times=None if simulation.times is None else parse_numbers("--times", simulation.times),
        samples=simulation.records,
        log_times=simulation.log_times,
        until_loss=simulation.until_loss,
        progress=progress,
        **solver.arguments(),
    )


def choose_flow(start: Any, theory: str, details: TheoryDetails) -> NetworkFlow:
    """The gradient flow, or that of a finite step."""
    from dynamics.networks import ModifiedNetworkFlow, NetworkFlow

    if "flow" not in details.entry.theories:
        raise ProblemError(
            f"`--optimizer` is {details.optimizer}, whose flow is known only for two-layer networks: `quadflow train`"
            " trains a `--network` by it."
        )
    if theory == "flow":
        if details.momentum or details.step is not None or details.schedule != "constant":
            raise ProblemError(
                "`--step`, `--momentum` and `--schedule` of a `--network` belong to `--correction modified`: give that"
                " as well."
            )
        return NetworkFlow(start)
    if details.step is None:
        raise ProblemError("`--correction modified` needs the learning rate `--step`.")
    beta = details.settings.momentum
    return ModifiedNetworkFlow(
        start, details.step, beta, schedule=details.schedule, steps=details.steps, form=details.entry.form
    )


def describe(trajectory: NetworkTrajectory) -> str:
    """Summary and plateaus."""
    lines = [trajectory.summary()]
    lines += [f"plateau  t = {p.start:.4g} … {p.end:.4g}  loss {p.loss:.6g}" for p in trajectory.stages]
    return "\n".join(lines)


def _write(trajectory: NetworkTrajectory, path: str, result: dict[str, Any]) -> None:
    """A file in the format of its suffix."""
    suffix = path.rpartition(".")[2].lower()
    if suffix == "json":
        write_text(path, to_json(result) + "\n")
    elif suffix == "csv":
        rows = [f"{float(t)!r},{float(L)!r}" for t, L in zip(trajectory.times, trajectory.loss, strict=True)]
        write_text(path, "\n".join(["time,loss", *rows]) + "\n")
    elif suffix == "npz":
        write_run(path, trajectory.save, result)
    else:
        from figures.own_network import network_curves

        write_figure(network_curves(trajectory), path, suffix)
