"""`quadflow simulate`: integrate the theory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dynamics.errors import ProblemError
from quadflow import options as opt
from quadflow.output import echo_result, to_json, validate_output, write_figure, write_file, write_text

if TYPE_CHECKING:
    from dynamics.flow import GradientFlow
    from dynamics.problem import Problem
    from dynamics.stages import Stage
    from dynamics.trajectory import Trajectory

OUTPUTS = ("npz", "json", "csv", "png", "pdf", "svg")


@click.command(
    epilog="Example: quadflow simulate --teacher 4,2,1 --inputs 6 --hidden 8 --init-scale 0.01 --t-end 20"
)
@opt.problem_options
@click.option("--t-end", type=float, help="End time (learning rate × steps) [default: until convergence].")
@click.option("--times", metavar="T1,T2,…", help="Sample times.")
@click.option(
    "--samples", type=int, default=201, show_default=True, help="Number of evenly spaced sample times."
)
@click.option("--log-times", is_flag=True, help="Space them evenly in log time.")
@click.option("--until-loss", type=float, help="Stop where the loss falls to this value.")
@click.option(
    "--correction",
    default="none",
    show_default=True,
    help="none, or modified: the flow that gradient descent with a finite --step follows to second order.",
)
@click.option("--step", type=float, metavar="η", help="Learning rate of the correction.")
@click.option("--momentum", type=float, default=0.0, show_default=True, help="Its heavy-ball β.")
@opt.solver_options
@opt.output_option(
    "Write the trajectory (.npz: with W(t) and a(t); .json, .csv) or its figure (.png, .pdf, .svg)."
)
@opt.json_option
def command(
    t_end: float | None,
    times: str | None,
    samples: int,
    log_times: bool,
    until_loss: float | None,
    correction: str,
    step: float | None,
    momentum: float,
    method: str,
    rtol: float,
    atol: float | None,
    output: str | None,
    as_json: bool,
    **problem: Any,
) -> int:
    """Integrate the gradient flow of the population loss."""
    from dynamics.trajectory import IntegrationError
    from quadflow.problem_input import build_problem

    validate_output(output, OUTPUTS)
    failure = None
    try:
        trajectory = choose_flow(build_problem(problem), correction, step, momentum).integrate(
            t_end,
            times=None if times is None else opt.parse_numbers("--times", times),
            samples=samples,
            log_times=log_times,
            until_loss=until_loss,
            method=method,
            rtol=rtol,
            atol=atol,
            progress=True,
        )
    except IntegrationError as error:
        failure, trajectory = error, error.trajectory  # what was computed is kept
    result = trajectory_json(trajectory)
    if correction == "modified":
        result["warnings"].append("gradient descent does not conserve c_k: its drift is predicted, no error")
    if output is not None:
        write_trajectory(trajectory, output)
    if failure is not None:
        raise failure
    echo_result(result, lambda: describe(trajectory), as_json)
    return 0


def choose_flow(problem: Problem, correction: str, step: float | None, momentum: float) -> GradientFlow:
    """The plain flow, or the one corrected for a finite step."""
    from dynamics.flow import GradientFlow
    from dynamics.modified_flow import ModifiedFlow
    from dynamics.validation import validate_choice

    if validate_choice("correction", correction, ("none", "modified")) == "none":
        if step is not None or momentum:
            raise ProblemError(
                "`--step` and `--momentum` belong to `--correction modified`: give that as well."
            )
        return GradientFlow(problem)
    if step is None:
        raise ProblemError("`--correction modified` needs the learning rate `--step`.")
    return ModifiedFlow(problem, step, momentum)


def trajectory_json(trajectory: Trajectory) -> dict[str, Any]:
    """The keys that interface and README promise."""
    s = trajectory.solver
    return {
        "times": trajectory.times,
        "loss": trajectory.loss,
        "modes": trajectory.modes,
        "conserved_drift": trajectory.conserved_drift,
        "stages": [stage_json(stage) for stage in trajectory.stages],
        "solver": {
            "method": s.method,
            "evaluations": s.evaluations,
            "jacobian_evaluations": s.jacobian_evaluations,
            "seconds": s.seconds,
            "reduced_dimension": trajectory.reduced_dimension,
            "rtol": s.rtol,
            "atol": s.atol,
            "status": s.status,
            "time_reached": s.time_reached,
        },
        "warnings": warnings(trajectory),
    }


def stage_json(stage: Stage) -> dict[str, Any]:
    """A plateau; where a predicted level matches, also its height and the relative deviation from it."""
    found: dict[str, Any] = {
        "start": stage.start,
        "end": stage.end,
        "loss": stage.loss,
        "learned_modes": stage.learned_modes,
    }
    if stage.level is not None:
        found |= {"predicted_loss": stage.level.loss, "deviation": stage.deviation}
    return found


def warnings(trajectory: Trajectory) -> list[str]:
    """What a reader of the numbers should know."""
    found = []
    if trajectory.solver.message:
        found.append(trajectory.solver.message)
    if not trajectory.problem.student.trainable:
        found.append("the second layer is fixed: c_k is no constant of this flow, and its drift no error")
    return found


def describe(trajectory: Trajectory) -> str:
    """Summary and plateaus."""
    lines = [trajectory.summary()]
    for p in trajectory.stages:
        learned = "{" + ", ".join(map(str, p.learned_modes)) + "}"
        predicted = "" if p.level is None else f"  (predicted {p.level.loss:.6g})"
        lines.append(
            f"plateau  t = {p.start:.4g} … {p.end:.4g}  loss {p.loss:.6g}{predicted}  learned modes {learned}"
        )
    return "\n".join(lines)


def write_trajectory(trajectory: Trajectory, path: str) -> None:
    """Write a trajectory in the format of the suffix."""
    suffix = path.rpartition(".")[2].lower()
    if suffix == "json":
        write_text(path, to_json(trajectory_json(trajectory)) + "\n")
    elif suffix == "csv":
        write_text(path, curves_csv(trajectory))
    elif suffix == "npz":
        write_file(path, trajectory.save)
    else:
        from figures import learning_curves

        write_figure(learning_curves(trajectory), path, suffix)


def curves_csv(trajectory: Trajectory) -> str:
    """Times, loss and modes as a table."""
    head = ["time", "loss", *(f"mode_{i + 1}" for i in range(trajectory.modes.shape[1]))]
    rows = zip(trajectory.times, trajectory.loss, *trajectory.modes.T, strict=True)
    return "\n".join([",".join(head), *(",".join(repr(float(x)) for x in row) for row in rows)]) + "\n"
