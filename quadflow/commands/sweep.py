"""`quadflow sweep`: many runs over a grid of options, on all cores or on a Dask cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dynamics.errors import ComputationError, ProblemError
from dynamics.words import counted
from quadflow import options as opt
from quadflow.examples import Command
from quadflow.groups import ENGINE, OUTPUT, Option
from quadflow.notes import note
from quadflow.output import echo_result, validate_folder
from quadflow.provenance import command_line
from quadflow.reports import report_option, validate_report, write_report
from quadflow.results import sweep_json, sweep_report_json

if TYPE_CHECKING:
    pass

SHOWN_FAILURES = 5


@click.command(
    cls=Command,
    epilog="Example: quadflow sweep simulate diagnose --teacher 4,2,1 --vary init-scale=1e-3:1e-1:20:log "
    "--vary hidden=2,4,6 --replicates 10 --t-end 20 --output sweep.zarr",
)
@click.argument("kinds", nargs=-1, metavar="[KIND…]")
@click.option(
    "--vary",
    multiple=True,
    metavar="NAME=VALUES",
    help="Vary an option: NAME=START:STOP:COUNT (so many values, both ends among them), the same with :log, or "
    "NAME=V1,V2,… (teachers: separated by ;). Repeat for a grid.",
)
@click.option("--replicates", type=int, default=1, show_default=True, help="Random starts per point.")
@click.option("--same-seeds", is_flag=True, help="Replicate r has the same seed at every point of the grid.")
@click.option(
    "--scheduler",
    cls=Option,
    group=ENGINE,
    metavar="ADDRESS",
    help="An existing Dask cluster [default: this machine].",
)
@click.option(
    "--workers",
    cls=Option,
    group=ENGINE,
    type=int,
    help="Processes on this machine [default: one per core]; 0: this process, no Dask.",
)
@click.option(
    "--resume",
    cls=Option,
    group=ENGINE,
    is_flag=True,
    help="Continue an interrupted sweep into the same file.",
)
@click.option(
    "--overwrite",
    cls=Option,
    group=ENGINE,
    is_flag=True,
    help="Replace a finished sweep, or begin an interrupted one anew.",
)
@opt.compare_declarations
@opt.network_declarations
@click.option("--until-loss", type=float, help="simulate: stop where the loss falls to this value.")
@click.option("--fluctuations", is_flag=True, help="simulate --sgd: also the spread over seeds.")
@click.option("--no-follow", is_flag=True, help="diagnose: never integrate the flow.")
@click.option(
    "--output",
    cls=Option,
    group=OUTPUT,
    metavar="PATH",
    default="sweep.nc",
    show_default=True,
    help=".nc or .zarr.",
)
@report_option
@opt.json_option
@click.pass_context
def command(
    ctx: click.Context,
    kinds: tuple[str, ...],
    vary: tuple[str, ...],
    replicates: int,
    same_seeds: bool,
    scheduler: str | None,
    workers: int | None,
    resume: bool,
    overwrite: bool,
    output: str,
    report: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Run simulate, train, compare, diagnose, any of them (simulate if none is named), at every point of a grid.

    The result is one labelled file for xarray. Options are those of the commands; where networks are trained,
    --samples is the size of the training set and --records the number of sample times of all curves. Finished runs
    are on disk at once: --resume continues after whatever interrupted the sweep.
    """
    from empirical.sweep.chunks import Chunking
    from empirical.sweep.sweeping import finished_runs, pieces_path, run_sweep
    from quadflow.sweeps.plan import build_plan
    from quadflow.sweeps.run import ALIKE, TOGETHER, evaluate

    validate_folder(output)
    validate_report(report)
    if scheduler is not None and workers is not None:
        raise ProblemError(
            "`--workers` is for this machine, `--scheduler` for another cluster: give one of them."
        )
    if workers is not None and workers < 0:
        raise ProblemError(f"`workers` is {workers}, but must be at least 0.")
    kinds = kinds or ("simulate",)
    plan = build_plan(ctx.command, kinds, vary, replicates, same_seeds, options)
    try:
        dataset = run_sweep(
            plan,
            evaluate,
            output,
            chunking=Chunking(TOGETHER, ALIKE),
            resume=resume,
            overwrite=overwrite,
            scheduler=scheduler,
            workers=workers,
            progress=True,
            command=command_line(),
        )
    except (KeyboardInterrupt, ComputationError):
        done = finished_runs(plan, output)
        click.echo(
            f"quadflow: {done} of {counted(len(plan), 'run')} are in {pieces_path(output)}; continue with --resume.",
            err=True,
        )
        raise
    result = sweep_json(dataset, kinds, output)
    if report is not None:
        write_report(report, {"sweep": sweep_report_json(dataset, output)})
    if result["done"] and result["failed"]:
        note([f"{result['failed']} of {counted(len(plan), 'run')} failed"])
    echo_result(result, lambda: describe(result), as_json)
    if not result["done"]:
        raise ComputationError(
            f"All {len(plan)} runs failed, the first because: {result['failures'][0]['reason']}"
        )


def describe(result: dict[str, Any]) -> str:
    """Counts, dimensions, and why runs failed."""
    sizes = ", ".join(f"{name} {size}" for name, size in result["dimensions"].items())
    lines = [
        f"{result['done']} of {counted(result['runs'], 'run')} done, {result['failed']} failed",
        f"dimensions: {sizes}",
    ]
    for failure in result["failures"][:SHOWN_FAILURES]:
        place = ", ".join(
            f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}"
            for k, v in failure.items()
            if k != "reason"
        )
        lines.append(f"failed: {place}: {failure['reason']}")
    if result["failed"] > SHOWN_FAILURES:
        lines.append(f"… and {result['failed'] - SHOWN_FAILURES} more: see the variables *_reason")
    return "\n".join([*lines, f"written: {result['output']}"])
