"""`quadflow simulate`: integrate the theory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dynamics.errors import ProblemError
from quadflow import options as opt
from quadflow.output import echo_result, to_json, validate_output, write_figure, write_run, write_text
from quadflow.provenance import problem_json

if TYPE_CHECKING:
    from dynamics.flow import GradientFlow
    from dynamics.problem import Problem
    from dynamics.sgd.mean_sgd import MeanSGD
    from dynamics.sgd.trajectory import SGDTrajectory
    from dynamics.stages import Stage
    from dynamics.trajectory import Trajectory

OUTPUTS = ("npz", "json", "csv", "png", "pdf", "svg")


@click.command(
    epilog="Example: quadflow simulate --teacher 4,2,1 --inputs 6 --hidden 8 --init-scale 0.01 --t-end 20"
)
@opt.problem_options
@click.option("--t-end", type=float, help="End time (learning rate × steps) [default: until convergence].")
@click.option("--times", metavar="T1,T2,…", help="Sample times.")
@click.option("--records", type=int, default=201, show_default=True, help="Number of evenly spaced times.")
@click.option("--log-times", is_flag=True, help="Space them evenly in log time.")
@click.option("--until-loss", type=float, help="Stop where the loss falls to this value.")
@opt.theory_options
@click.option("--step", type=float, metavar="η", help="Learning rate of the correction, or of SGD.")
@click.option(
    "--momentum", type=float, default=0.0, show_default=True, help="Heavy-ball β of the correction."
)
@click.option("--batch", type=int, help="Batch size of SGD [default: 1].")
@click.option("--label-noise", type=float, help="Variance of the label noise of SGD [default: 0].")
@click.option("--fluctuations", is_flag=True, help="With --sgd: also the spread over seeds (small networks).")
@opt.solver_options
@opt.output_option(
    "Write the trajectory (.npz: with W(t) and a(t); .json, .csv) or its figure (.png, .pdf, .svg)."
)
@opt.json_option
def command(
    t_end: float | None,
    times: str | None,
    records: int,
    log_times: bool,
    until_loss: float | None,
    output: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Integrate the gradient flow of the population loss, corrected for a finite step, or the mean of SGD."""
    from dynamics.sgd.mean_sgd import SGDError
    from dynamics.trajectory import IntegrationError
    from dynamics.validation import validate_count
    from quadflow.problem_input import build_problem

    validate_output(output, OUTPUTS)
    validate_count("records", records, minimum=2)
    failure: SGDError | IntegrationError | None = None
    solver = opt.solver_arguments(options)
    try:
        trajectory = choose_theory(build_problem(options), options).integrate(
            t_end,
            times=None if times is None else opt.parse_numbers("--times", times),
            samples=records,
            log_times=log_times,
            until_loss=until_loss,
            progress=True,
            **solver,
        )
    except (IntegrationError, SGDError) as error:
        failure, trajectory = error, error.trajectory  # what was computed is kept
    result = trajectory_json(trajectory)
    if options["sgd"] or options["correction"] == "modified":
        result["warnings"].append("real descent does not conserve c_k: its drift is predicted, no error")
    unstable = None
    if options["correction"] == "modified":
        from dynamics.stability import instability
        from dynamics.trajectory import Trajectory

        assert isinstance(trajectory, Trajectory)
        unstable = instability(trajectory, options["step"], options["momentum"])
        result["warnings"] += [] if unstable is None else [unstable]
    if output is not None:
        modified = options["correction"] == "modified"
        write_trajectory(trajectory, output, result, "modified flow" if modified else None)
    if failure is not None:
        raise failure
    text = "" if unstable is None else f"\nwarning: {unstable}"
    echo_result(result, lambda: describe(trajectory) + text, as_json)


def theory_name(correction: str, sgd: bool) -> str:
    """Which theory is meant, "flow", "modified" or "sgd", from the values of `theory_options`."""
    from dynamics.validation import validate_choice

    validate_choice("correction", correction, ("none", "modified"))
    if sgd and correction == "modified":
        raise ProblemError("`--sgd` contains the correction for the step: give it without `--correction`.")
    return "sgd" if sgd else "modified" if correction == "modified" else "flow"


def choose_theory(problem: Problem, options: dict[str, Any]) -> GradientFlow | MeanSGD:
    """The plain flow, the one corrected for a finite step, or the mean dynamics of SGD."""
    from dynamics.flow import GradientFlow
    from dynamics.modified_flow import ModifiedFlow
    from dynamics.sgd.fluctuations import FluctuatingSGD
    from dynamics.sgd.mean_sgd import MeanSGD

    kind = theory_name(options["correction"], options["sgd"])
    sgd, modified, step, momentum = kind == "sgd", kind == "modified", options["step"], options["momentum"]
    if sgd and momentum:
        raise ProblemError(f"`--momentum` is {momentum:g}, but the theory of `--sgd` is of plain SGD.")
    if (sgd or modified) and step is None:
        raise ProblemError(
            f"`{'--sgd' if sgd else '--correction modified'}` needs the learning rate `--step`."
        )
    for name in ("batch", "label_noise", "fluctuations"):
        if options[name] and not sgd:
            raise ProblemError(f"`--{name.replace('_', '-')}` belongs to `--sgd`: give that as well.")
    if sgd:
        theory = FluctuatingSGD if options["fluctuations"] else MeanSGD
        batch = 1 if options["batch"] is None else options["batch"]
        return theory(problem, step, batch, options["label_noise"] or 0.0)
    if not modified and (step is not None or momentum):
        raise ProblemError(
            "`--step` and `--momentum` belong to `--correction modified` or `--sgd`: give that as well."
        )
    return ModifiedFlow(problem, step, momentum) if modified else GradientFlow(problem)


def trajectory_json(trajectory: Trajectory | SGDTrajectory) -> dict[str, Any]:
    """The keys that interface and README promise."""
    from dynamics.sgd.trajectory import SGDTrajectory
    from dynamics.unit_drift import unit_drift

    s = trajectory.solver
    spread: dict[str, Any] = {}
    if isinstance(trajectory, SGDTrajectory) and trajectory.loss_std is not None:
        spread = {"loss_std": trajectory.loss_std, "modes_std": trajectory.modes_std}
    return {
        "times": trajectory.times,
        "loss": trajectory.loss,
        "modes": trajectory.modes,
        **spread,
        "conserved_drift": trajectory.conserved_drift,
        "conserved": unit_drift(trajectory.conserved),
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
        "problem": problem_json(trajectory.problem),
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


def warnings(trajectory: Trajectory | SGDTrajectory) -> list[str]:
    """What a reader of the numbers should know."""
    found = []
    if trajectory.solver.message:
        found.append(trajectory.solver.message)
    if not trajectory.problem.student.trainable:
        found.append("the second layer is fixed: c_k is no constant of this flow, and its drift no error")
    return found


def describe(trajectory: Trajectory | SGDTrajectory) -> str:
    """Summary and plateaus."""
    lines = [trajectory.summary()]
    for p in trajectory.stages:
        learned = "{" + ", ".join(map(str, p.learned_modes)) + "}"
        predicted = "" if p.level is None else f"  (predicted {p.level.loss:.6g})"
        lines.append(
            f"plateau  t = {p.start:.4g} … {p.end:.4g}  loss {p.loss:.6g}{predicted}  learned modes {learned}"
        )
    return "\n".join(lines)


def write_trajectory(
    trajectory: Trajectory | SGDTrajectory, path: str, result: dict[str, Any], theory: str | None
) -> None:
    """Write a trajectory in the format of the suffix; `result` is its JSON, `theory` its name in a figure."""
    suffix = path.rpartition(".")[2].lower()
    if suffix == "json":
        write_text(path, to_json(result) + "\n")
    elif suffix == "csv":
        write_text(path, curves_csv(trajectory))
    elif suffix == "npz":
        write_run(path, trajectory.save, result)
    else:
        from figures import learning_curves

        write_figure(learning_curves(trajectory, theory=theory), path, suffix)


def curves_csv(trajectory: Trajectory | SGDTrajectory) -> str:
    """Times, loss and modes as a table."""
    head = ["time", "loss", *(f"mode_{i + 1}" for i in range(trajectory.modes.shape[1]))]
    rows = zip(trajectory.times, trajectory.loss, *trajectory.modes.T, strict=True)
    return "\n".join([",".join(head), *(",".join(repr(float(x)) for x in row) for row in rows)]) + "\n"
