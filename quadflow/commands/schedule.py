"""`quadflow schedule`: which learning-rate schedule is the best, and what it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from dynamics.schedules.families import FAMILIES
from quadflow import options as opt
from quadflow.examples import Command
from quadflow.options.click_options import listed
from quadflow.output import echo_result, to_json, validate_output, write_text
from quadflow.provenance import problem_json

if TYPE_CHECKING:
    from empirical.experiments.schedules import TrainedSchedule


@dataclass(frozen=True)
class ScheduleOptions:
    """Runs that are compared."""

    steps: int = opt.option(type=int, default=2000, show_default=True, help="Number of training steps N.")
    batch: int = opt.option(type=int, default=1, show_default=True, help="Fresh samples per step.")
    label_noise: float = opt.option(
        type=float, default=0.0, show_default=True, help="Variance Δ of the label noise."
    )
    start_risk: float = opt.option(
        type=float,
        default=0.012,
        show_default=True,
        metavar="r₀",
        help="Loss from which one unit near its fit starts, all of it of a deviation across the teacher's direction; "
        "other problems start from their weights.",
    )
    schedules: str = opt.option(
        default=",".join(FAMILIES),
        metavar="NAME[:PARAMETER…],…",
        help=f"Schedules that are compared, with parameters after colons [default: {listed(FAMILIES)}].",
    )
    momentum: float = opt.option(
        type=float,
        default=0.9,
        show_default=True,
        help="β of heavy ball and Nesterov, whose stable steps are shown.",
    )
    seeds: int = opt.option(
        type=int, default=0, show_default=True, help="Networks trained under each schedule; 0: none."
    )
    gradients: str | None = opt.gradients_option()
    device: str = opt.option(default="cpu", show_default=True, help="PyTorch device, such as cuda.")


@click.command(
    cls=Command,
    epilog="Example: quadflow schedule --teacher 1 --inputs 30 --hidden 1 --second-layer fixed --label-noise 0.5 "
    "--steps 2000 --seeds 64",
)
@opt.problem_options
@opt.take(ScheduleOptions, "runs")
@opt.output_option("Write the JSON object (.json).")
@opt.json_option
def command(problem: opt.ProblemOptions, runs: ScheduleOptions, output: str | None, as_json: bool) -> None:
    """Best learning rate of every schedule, the risk it leaves, and the optimal annealing of one unit."""
    from dynamics.schedule_choice import choose_schedule
    from quadflow.options.ignored import DRAWN, note_without_effect
    from quadflow.options.reading import build_problem

    validate_output(output, ("json",))
    start = build_problem(problem, more_is_drawn=runs.seeds > 0)
    choice = choose_schedule(
        start,
        runs.steps,
        batch=runs.batch,
        label_noise=runs.label_noise,
        schedules=[name.strip() for name in runs.schedules.split(",")],
        start_risk=runs.start_risk,
        momentum=runs.momentum,
        progress=True,
    )
    if choice.unit is None:
        note_without_effect(["start_risk"], "unless one unit with a fixed second layer learns one mode")
    else:
        note_without_effect(
            [*DRAWN, "init_file", "init_order", "init_form", "mean_field"],
            "on one unit near its fit, which starts at `--start-risk`",
        )
    trained: tuple[TrainedSchedule, ...] = ()
    if runs.seeds:
        from empirical.experiments.schedules import train_schedules

        trained = train_schedules(
            choice,
            runs.seeds,
            seed=problem.seed,
            gradients=runs.gradients,
            device=runs.device,
            progress=True,
        )
    result = with_training(choice.as_dict(), trained) | {"problem": problem_json(choice.problem)}
    if output is not None:
        write_text(output, to_json(result) + "\n")
    echo_result(result, lambda: "\n".join([choice.summary(), *map(describe, trained)]), as_json)


def with_training(result: dict[str, Any], trained: tuple[TrainedSchedule, ...]) -> dict[str, Any]:
    """The result with what networks did under each schedule; null and a warning for those that diverged."""
    entries = {entry["name"]: entry for entry in result["schedules"]} | {"optimal": result["optimal"]}
    for networks in trained:
        diverged = networks.risk is None or networks.standard_error is None
        entries[networks.name] |= {
            "trained_risk": None if diverged else float(networks.risk[-1]),  # type: ignore[index]
            "standard_error": None if diverged else float(networks.standard_error[-1]),  # type: ignore[index]
        }
        if diverged:
            result["warnings"].append(f"under {networks.name} networks diverged")
    return result


def describe(networks: TrainedSchedule) -> str:
    """What networks did under one schedule, in a line."""
    if networks.risk is None or networks.standard_error is None:
        return f"trained: {networks.name:16} diverged"
    return (
        f"trained: {networks.name:16} risk {networks.risk[-1]:.5g} ± {networks.standard_error[-1]:.2g} "
        f"(predicted {networks.predicted[-1]:.5g})"
    )
