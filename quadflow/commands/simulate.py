"""`quadflow simulate`: integrate the theory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import click

from dynamics.errors import IntegrationError, ProblemError
from quadflow import options as opt
from quadflow.examples import Command
from quadflow.output import echo_result, to_json, validate_output, write_figure, write_run, write_text
from quadflow.results import spectrum_json, trajectory_json
from quadflow.simulation import (
    SimulationOptions,
    TheoryDetails,
    integrate,
    spectrum_along,
    theory_title,
    with_length,
)

if TYPE_CHECKING:
    from dynamics.curves.trajectory import Trajectory
    from dynamics.sgd.trajectory import SGDTrajectory

OUTPUTS = ("npz", "json", "csv", "png", "pdf", "svg")


@click.command(
    cls=Command,
    epilog="Example: quadflow simulate --teacher 4,2,1 --inputs 6 --hidden 8 --init-scale 0.01 --t-end 20",
)
@opt.problem_options
@opt.take(SimulationOptions, "simulation")
@opt.theory_options
@opt.take(TheoryDetails, "details")
@opt.solver_options
@click.option(
    "--hessian",
    is_flag=True,
    help="Also sharpness, index and nullity of the Hessian of the loss along the curve.",
)
@opt.output_option(
    "Write the trajectory (.npz: with W(t) and a(t); .json, .csv) or its figure (.png, .pdf, .svg)."
)
@opt.json_option
@opt.takes_networks("simulate")
def command(
    problem: opt.ProblemOptions,
    simulation: SimulationOptions,
    theory: opt.TheoryOptions,
    details: TheoryDetails,
    solver: opt.SolverOptions,
    hessian: bool,
    output: str | None,
    as_json: bool,
) -> None:
    """Integrate the gradient flow of the population loss, corrected for a finite step, or the mean of SGD."""
    from dynamics.closed_forms import growth_note
    from dynamics.outcome import reached_minimum
    from dynamics.validation import validate_count
    from quadflow.options.reading import build_problem
    from quadflow.options.starts import note_chosen_axes

    validate_output(output, OUTPUTS)
    validate_count("records", simulation.records, minimum=2)
    if hessian and theory.name == "sgd":
        raise ProblemError(
            "`--hessian` looks at weights, which the mean of `--sgd` has none of: leave out one of both."
        )
    start = build_problem(problem, more_is_drawn=False, apart=True)
    note_chosen_axes(problem, details.entry)
    failure: IntegrationError | None = None
    try:
        trajectory = integrate(start, simulation, theory, details, solver, progress=True)
    except IntegrationError as error:
        failure, trajectory = error, error.trajectory  # what was computed is kept
    result = trajectory_json(trajectory)
    result |= {"optimizer": details.entry.name, "survives": details.entry.survives}
    minimum = None if theory.name == "sgd" else reached_minimum(cast("Trajectory", trajectory))
    result |= {"minimum": None if minimum is None else minimum.to_dict()}
    looked_at = hessian and failure is None
    spectrum = spectrum_along(cast("Trajectory", trajectory)) if looked_at else None
    result |= {"hessian": None if spectrum is None else spectrum_json(spectrum)}
    modified = theory.name == "modified"
    if theory.name != "flow" and trajectory.conserved is not None:
        result["warnings"].append("real descent does not conserve c_k: its drift is predicted, no error")
    unstable = None
    if modified:
        from dynamics.stability import beyond_second_order, instability

        details, _ = with_length(details, simulation.t_end)
        assert details.step is not None  # or there is no such flow
        of = (cast("Trajectory", trajectory), details.step, details.settings.momentum)
        rates: dict[str, Any] = {"schedule": details.schedule, "steps": details.steps}
        form = details.entry.form
        unstable = instability(*of, **rates, form=form.name) or beyond_second_order(*of, **rates, form=form)
        result["warnings"] += [] if unstable is None else [unstable]
    if output is not None:
        write_trajectory(trajectory, output, result, theory_title(theory, details))
    if failure is not None:
        raise failure
    said = "" if minimum is None or trajectory.solver.message else minimum.summary()
    lines = [said] if said else []
    lines += filter(None, (growth_note(start),))
    lines += [f"warning: {why}" for why in (getattr(trajectory, "levels_missing", ""),) if why]
    lines += [] if spectrum is None else ["Hessian of the loss at " + spectrum.summary()]
    lines += [] if unstable is None else [f"warning: {unstable}"]
    echo_result(result, lambda: "\n".join([describe(trajectory), *lines]), as_json)


def describe(trajectory: Trajectory | SGDTrajectory) -> str:
    """Summary and plateaus."""
    from dynamics.curves.passing import passed_unseen
    from dynamics.problem.mode_numbers import mode_set

    lines = [trajectory.summary()]
    for p in trajectory.stages:
        learned = f"  learned modes {mode_set(p.learned_modes)}" if trajectory.problem.has_modes else ""
        predicted = "" if p.level is None else f"  (predicted {p.level.loss:.6g})"
        lines.append(f"plateau  t = {p.start:.4g} … {p.end:.4g}  loss {p.loss:.6g}{predicted}{learned}")
    unseen = passed_unseen(trajectory)
    lines += [] if unseen is None else [f"warning: {unseen}"]
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
    """Times, loss and modes as a table; where there are no modes, norms of the units and their overlaps.

    The loss of samples held out, and the accuracy of classifiers, stand beside the loss.
    """
    from numpy import ndindex

    from dynamics.curves.variables import printed

    found = printed(trajectory.variables())
    head, columns = ["time", "loss"], [trajectory.times, trajectory.loss]
    for name in ("test_loss", "accuracy", "calibration", "test_accuracy", "test_calibration"):
        if name in found:
            head, columns = [*head, name], [*columns, found[name].array]
    for name, title in (("modes", "mode"), ("norms", "norm"), ("overlaps", "overlap"), ("bias", "bias")):
        if name in found:
            array = found[name].array
            head += ["_".join([title, *(str(i + 1) for i in at)]) for at in ndindex(array.shape[1:])]
            columns += [array[:, *at] for at in ndindex(array.shape[1:])]
    rows = zip(*columns, strict=True)
    return "\n".join([",".join(head), *(",".join(repr(float(x)) for x in row) for row in rows)]) + "\n"
