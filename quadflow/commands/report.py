"""`quadflow report`: one web page about one or several results."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from dynamics.errors import ProblemError
from quadflow import options as opt
from quadflow.output import echo_result, to_json, validate_output, write_text

LARGEST_ATLAS = 200  # stationary points that a report lists of a run, the lowest ones

LARGEST_INPUTS = 1000  # of problems whose stationary points a report looks for
OF_ATLAS = {"inputs", "hidden", "outputs", "activation", "covariance", "second_layer", "eigenvalues"}
SWEEPS = (".nc", ".zarr")

report_option = click.option("--report", metavar="PATH", help="Write a self-contained web page (.html).")


@click.command(epilog="Example: quadflow report run.json saddles.json --output report.html")
@click.argument("runs", nargs=-1, metavar="RUN…")
@click.option(
    "--output", default="report.html", show_default=True, metavar="PATH", help="Write the page (.html)."
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
        lambda: (
            f"{output}: {len(runs)} result{'s' * (len(runs) > 1)}, {size / 1e6:.1f} MB, opens in any browser"
        ),
        as_json,
    )


def validate_report(path: str | None) -> None:
    """Check the name of a report and that its libraries are there, before any work is done."""
    if path is not None:
        from figures.web_page import require_report_extra

        validate_output(path, ("html",), "--report")
        require_report_extra()


def write_report(path: str, results: Mapping[str, Mapping[str, Any]]) -> int:
    """Write the report of results as their JSON has them, and return its size in bytes."""
    from figures.web_page import require_report_extra

    require_report_extra()
    from figures.report_page import report_page

    page = report_page({source: plain(with_atlas(plain(result))) for source, result in results.items()})
    write_text(path, page)
    return len(page.encode())


def plain(result: Mapping[str, Any]) -> dict[str, Any]:
    """The result as its JSON has it: lists and numbers, null for what is not finite, and its origin."""
    return dict(json.loads(to_json(dict(result))))


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

        result = read_json(path, f"The run {path!r}")
    else:
        try:
            result = read_npz(path)
        except ProblemError:
            raise
        except OSError as error:
            raise ProblemError(f"The run {path!r} cannot be read: {error.strerror or error}.") from None
        except ValueError:
            raise ProblemError(f"The run {path!r} is not a JSON object that quadflow printed.") from None
    if not result:
        raise ProblemError(f"The run {path!r} is not a JSON object that quadflow printed.")
    from figures.report_input import validate_result

    validate_result(result, path)
    return {"command": "", "versions": {}} | result  # what made the file is not the command that reads it


def read_sweep(path: str) -> dict[str, Any]:
    """Summary of the file of a sweep."""
    from empirical.sweep.dataset import read_dataset
    from quadflow.commands.sweep import report_json

    dataset = read_dataset(Path(path))
    versions = json.loads(dataset.attrs["versions"])
    return report_json(dataset, path) | {"command": "", "versions": versions[0] if versions else {}}


def read_npz(path: str) -> dict[str, Any]:
    """Result in a file of `quadflow simulate` or `quadflow train`, or of the `save` behind them."""
    from dynamics.files.archives import open_archive

    with open_archive(path, f"The run {path!r}") as file:
        if "result" in file:
            return file.document("result")
        about = file.document("about") if "about" in file else {}
    kind = str(about.get("format", ""))
    if kind.startswith("quadflow trajectory"):
        from dynamics.trajectory import Trajectory
        from quadflow.commands.simulate import trajectory_json

        result = trajectory_json(Trajectory.load(path))
    elif kind.startswith("quadflow training run"):
        from empirical.recorder import TrainingRun
        from quadflow.commands.train import run_json

        result = run_json(TrainingRun.load(path))
    else:
        raise ProblemError(f"The run {path!r} was not written by simulate or train.")
    # Saved from Python: no command line made it, and its versions are not those of this process.
    return plain(result | {"command": "", "versions": about.get("versions", {})})


def with_atlas(result: Mapping[str, Any]) -> dict[str, Any]:
    """The result with the stationary points of its problem, where it has one and their catalogue exists."""
    sides = [result, result.get("theory", {}), result.get("training", {})]
    problem = next(
        (side["problem"] for side in sides if isinstance(side, Mapping) and side.get("problem")), None
    )
    if problem is None or "fixed_points" in result:
        return dict(result)
    atlas = atlas_of(problem)
    return dict(result) if atlas is None else {**result, "problem": problem, **atlas}


def atlas_of(problem: Mapping[str, Any]) -> dict[str, Any] | None:
    """Stationary points of a problem in JSON, the lowest ones if they are many; None where there is no catalogue."""
    from dynamics.atlas import fixed_points
    from dynamics.problem import Teacher

    if not problem.keys() >= OF_ATLAS or not problem["eigenvalues"] or problem["inputs"] > LARGEST_INPUTS:
        return None
    layer = problem.get("second_layer_values") or [[]]
    values = sorted({value for row in layer for value in row})
    known = problem["activation"] in ("quadratic", "centred") and problem["covariance"] == "identity"
    if not known or problem["outputs"] != 1 or len(values) > 1:
        return None
    eigenvalues, d = problem["eigenvalues"], problem["inputs"]
    copies = Counter(eigenvalues + [0.0] * (d - len(eigenvalues)))
    few = math.prod(count + 1 for count in copies.values()) <= LARGEST_ATLAS
    catalogue = fixed_points(
        Teacher.from_eigenvalues(eigenvalues, d),
        problem["hidden"],
        second_layer=problem["second_layer"],
        second_layer_value=values[0] if values else 1.0,
        activation=problem["activation"],
        lowest=None if few else LARGEST_ATLAS,
    )
    return {"fixed_points": catalogue.to_dict()["fixed_points"]}
