"""`quadflow study`: the companion systems on data, compared fairly and with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import click

from dynamics.errors import ComputationError, ProblemError
from dynamics.words import counted
from quadflow import groups
from quadflow import options as opt
from quadflow.examples import Command
from quadflow.options import option
from quadflow.output import echo_result, validate_folder, validate_output, write_figure
from quadflow.reports import report_option, validate_report, write_report

if TYPE_CHECKING:
    from empirical.studies.findings import Findings
    from empirical.studies.study import Study

FORMATS = ("png", "pdf", "svg")


@dataclass(frozen=True)
class StudyOptions:
    """What may be chosen about a study; None is what it takes by itself."""

    data: str | None = option(
        metavar="SPEC",
        help="Samples: digits, mnist1d, breast_cancer, iris, wine, diabetes, friedman1, friedman2, friedman3; "
        "FILE.csv or .parquet with --target; FILE.npz with X, y; a FOLDER with one folder of PNG or JPEG images for "
        "each class, or with the binary files of CIFAR-10 [default: digits; of hannet: diabetes].",
    )
    target: str | None = option(metavar="COLUMN", help="Column of a table with the labels.")
    network: str | None = option(
        type=opt.OneOf(("mlp", "cnn")), help="Fully connected or convolutional networks [default: mlp]."
    )
    image_size: int | None = option(
        type=int,
        help="Height and width that images of a folder are brought to [default: they have one size].",
    )
    epochs: int | None = option(type=int, help="Passes through the samples [default: 30].")
    batch: int | None = option(type=int, help="Samples per step [default: 32].")
    seeds: int | None = option(type=int, help="Replicates, each with its own split and start [default: 10].")
    seed: int | None = option(type=int, help="Seed of all replicates [default: 0].")


@dataclass(frozen=True)
class EngineOptions:
    """How the trainings are carried out."""

    GROUP: ClassVar[str] = groups.ENGINE

    scheduler: str | None = option(
        metavar="ADDRESS", help="An existing Dask cluster [default: this machine]."
    )
    workers: int | None = option(
        type=int, help="Processes on this machine [default: one per core]; 0: this process, no Dask."
    )
    resume: bool = option(is_flag=True, help="Continue an interrupted study into the same file.")
    overwrite: bool = option(is_flag=True, help="Replace a finished study, or begin an interrupted one anew.")


@click.command(
    cls=Command, epilog="Example: quadflow study gsgd --data digits --quick --output gsgd.nc --overwrite"
)
@click.argument("name", metavar="relinear|gsgd|hannet")
@opt.take(StudyOptions, "chosen")
@click.option("--quick", is_flag=True, help="Few contenders, rates, seeds and epochs: whether it runs.")
@opt.take(EngineOptions, "engine")
@click.option(
    "--output",
    cls=groups.Option,
    group=groups.OUTPUT,
    metavar="PATH",
    help="Labelled file of all trainings, .nc or .zarr [default: study-NAME.nc].",
)
@click.option(
    "--figure",
    cls=groups.Option,
    group=groups.OUTPUT,
    metavar="PATH",
    help="Draw what was found (.png, .pdf, .svg).",
)
@report_option
@opt.json_option
def command(
    name: str,
    chosen: StudyOptions,
    quick: bool,
    engine: EngineOptions,
    output: str | None,
    figure: str | None,
    report: str | None,
    as_json: bool,
) -> None:
    """Check what is claimed of quadratic neurons, of G-SGD and of Han layers, on data.

    Every contender is trained with every learning rate of a grid from the same seeds, split and batches; its rate is
    the best on the samples to choose by, its result that on the samples to test on. Finished trainings are on disk at
    once: --resume continues after whatever interrupted the study.
    """
    from empirical.studies.findings import run_study
    from empirical.studies.table import find_study, settings_of

    path = output or f"study-{name}.nc"
    validate_folder(path)
    validate_report(report)
    validate_output(figure, FORMATS, "--figure")
    check_engine(engine)
    study = find_study(name, settings_of(name, **vars(chosen), quick=quick))
    try:
        found = run_study(study, path, **vars(engine), progress=True)
    except (KeyboardInterrupt, ComputationError):
        click.echo(f"quadflow: {unfinished(study, path)}; continue with --resume.", err=True)
        raise
    result = found.to_dict() | {"output": path}
    if figure is not None:
        draw(found, figure)
    if report is not None:
        write_report(report, {"study": result})
    echo_result(result, lambda: f"{found.summary()}\nwritten: {path}", as_json)


def check_engine(engine: EngineOptions) -> None:
    """Refuse two places at once, and fewer processes than none."""
    if engine.scheduler is not None and engine.workers is not None:
        raise ProblemError(
            "`--workers` is for this machine, `--scheduler` for another cluster: give one of them."
        )
    if engine.workers is not None and engine.workers < 0:
        raise ProblemError(f"`workers` is {engine.workers}, but must be at least 0.")


def unfinished(study: Study, path: str) -> str:
    """How far a study came."""
    from empirical.sweep.sweeping import finished_runs, pieces_path

    plan = study.plan()
    return f"{finished_runs(plan, path)} of {counted(len(plan), 'training')} are in {pieces_path(path)}"


def draw(found: Findings, path: str) -> Any:
    """Draw the findings into a file."""
    from figures.study import study_figure

    write_figure(study_figure(found), path, path.rsplit(".", 1)[-1].lower())
