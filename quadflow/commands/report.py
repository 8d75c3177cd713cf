"""`quadflow report`: one web page about one or several results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from dynamics.errors import ProblemError
from dynamics.words import counted
from quadflow import options as opt
from quadflow.examples import Command
from quadflow.groups import OUTPUT, Option
from quadflow.output import echo_result, validate_output
from quadflow.reports import plain, write_report

SWEEPS = (".nc", ".zarr")


@click.command(cls=Command, epilog="Example: quadflow report run.json saddles.json --output report.html")
@click.argument("runs", nargs=-1, metavar="RUN…")
@click.option(
    "--output",
    cls=Option,
    group=OUTPUT,
    default="report.html",
    show_default=True,
    metavar="PATH",
    help="Write the page (.html).",
)
@opt.json_option
def command(runs: tuple[str, ...], output: str, as_json: bool) -> None:
    """Write a self-contained web page: problem, curves, stationary points, conserved quantities, gap, origin.

    A RUN is what a command printed with --json, saved to a file, or the .npz file of simulate or train.
    """
    validate_output(output, ("html",))
    if not runs:
        raise ProblemError(
            "No run is given: name one or more .json, .npz, .nc or .zarr files that quadflow wrote."
        )
    results = {name: read_result(path) for name, path in zip(short_names(runs), runs, strict=True)}
    size = write_report(output, results)
    echo_result(
        {"output": output, "bytes": size, "runs": list(runs), "warnings": []},
        lambda: f"{output}: {counted(len(runs), 'result')}, {size / 1e6:.1f} MB, opens in any browser",
        as_json,
    )


def short_names(paths: tuple[str, ...]) -> list[str]:
    """File names, with their folders where two are alike; numbered if a file is named twice."""
    names = [Path(path).name for path in paths]
    if len(set(names)) < len(names):
        names = list(paths)
    return [name if names.count(name) == 1 else f"{name} ({n + 1})" for n, name in enumerate(names)]


def read_result(path: str) -> dict[str, Any]:
    """Result in a file of ours, as its JSON has it."""
    suffix = Path(path).suffix.lower()
    if suffix not in (".json", ".npz", *SWEEPS):
        raise ProblemError(
            f"The run is {path!r}, but must end in .json (what --json prints), .npz, or .nc or .zarr (a sweep)."
        )
    if suffix in SWEEPS:
        return read_sweep(path)
    if suffix == ".json":
        from dynamics.files.documents import read_json

        momentum = None
        result = read_json(path, f"The run {path!r}")
    else:
        try:
            result, momentum = read_npz(path)
        except ProblemError:
            raise
        except OSError as error:
            raise ProblemError(f"The run {path!r} cannot be read: {error.strerror or error}.") from None
        except ValueError:
            raise ProblemError(f"The run {path!r} is not a JSON object that quadflow printed.") from None
    if not result:
        raise ProblemError(f"The run {path!r} is not a JSON object that quadflow printed.")
    from dynamics.curves.older_results import converted_result
    from figures.report_input import validate_result

    validate_result(result, path)
    result = converted_result(result, f"The run {path!r}", momentum)
    return {"command": "", "versions": {}} | result  # what made the file is not the command that reads it


def read_sweep(path: str) -> dict[str, Any]:
    """Summary of the file of a sweep."""
    from empirical.sweep.dataset import read_dataset
    from quadflow.results import sweep_report_json

    dataset = read_dataset(Path(path))
    versions = json.loads(dataset.attrs["versions"])
    return sweep_report_json(dataset, path) | {
        "command": dataset.attrs.get("command", ""),
        "versions": versions[0] if versions else {},
    }


def read_npz(path: str) -> tuple[dict[str, Any], float | None]:
    """Result in a file of `quadflow simulate` or `quadflow train`, or of the `save` behind them; and its momentum."""
    from dynamics.files.archives import open_archive
    from dynamics.files.formats import RESULT, format_name, kind_of, options_momentum

    with open_archive(path, f"The run {path!r}") as file:
        about = file.document("about") if "about" in file else {}
        if "result" in file:
            return file.document("result"), options_momentum(about)
    kind = kind_of(about.get("format"))
    if kind == "trajectory":
        from dynamics.curves.trajectory import Trajectory
        from quadflow.results import trajectory_json

        result = trajectory_json(Trajectory.load(path))
    elif kind == "SGD trajectory":
        from dynamics.sgd.trajectory import SGDTrajectory
        from quadflow.results import trajectory_json

        result = trajectory_json(SGDTrajectory.load(path))
    elif kind == "training run":
        from empirical.training_run import TrainingRun
        from quadflow.results import run_json

        result = run_json(TrainingRun.load(path))
    elif kind == "comparison":
        from empirical.comparison import Comparison
        from quadflow.results import comparison_json

        result = comparison_json(Comparison.load(path))
    else:
        raise ProblemError(f"The run {path!r} was not written by simulate or train.")
    # Saved from Python: no command line made it, and its versions are not those of this process.
    origin = {"command": "", "versions": about.get("versions", {}), "format": format_name(RESULT)}
    return plain(result | origin), None
