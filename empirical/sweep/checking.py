"""Whether a file is what a sweep wrote: looked at before it is read, and once more before anybody computes with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynamics.budget import physical_memory
from dynamics.errors import ProblemError
from dynamics.files.documents import json_object, read_json
from empirical.sweep.grid import KINDS

if TYPE_CHECKING:
    from xarray import DataArray, Dataset

TITLE = "quadflow sweep"
# What Zarr may pass the bytes of a file through: compression and text, nothing that makes objects of them
CODECS = {"blosc", "bytes", "bz2", "crc32c", "gzip", "lz4", "lzma", "shuffle", "vlen-utf8", "zlib", "zstd"}
TEXTS = ("status", "reason", "verdict", "explanation", "end", "method")
INDEX = ("replicate", "run_seed")


class Foreign(ValueError):
    """What a sweep's file has in no case, as the end of a sentence."""


def check_codecs(path: Path, what: str) -> None:
    """Refuse a Zarr folder that asks for a codec, such as pickle, that could do more than decompress."""
    for file in sorted(path.rglob("*")):
        if file.name in (".zarray", ".zmetadata", "zarr.json"):
            pending: list[Any] = [read_json(str(file), what)]
            while pending:
                entry = pending.pop()
                if isinstance(entry, dict):
                    codec = entry.get("id")
                    if isinstance(codec, str) and codec not in CODECS:
                        raise ProblemError(f"{what} is packed with {codec!r:.60}, which no sweep uses.")
                    pending += entry.values()
                elif isinstance(entry, list):
                    pending += entry


def check_size(dataset: Dataset, what: str) -> None:
    """Refuse a file that claims more numbers than this machine can hold."""
    memory = physical_memory()
    if dataset.nbytes > memory:
        raise ProblemError(
            f"{what} needs {dataset.nbytes:.3g} bytes of memory, but this machine has {memory:.3g}."
        )


def check_sweep(dataset: Dataset, what: str) -> None:
    """Refuse what is no sweep, or one whose parts are missing or of another kind than a sweep's.

    Raises
    ------
    ProblemError
        In one sentence that starts with `what`.
    """
    if dataset.attrs.get("title") != TITLE:
        raise ProblemError(f"{what} is not the result of a sweep.")
    try:
        _check_about(dataset.attrs)
        runs = _check_grid(dataset)
        for kind in json.loads(dataset.attrs["definition"])["kinds"]:
            _check_kind(dataset, kind, runs)
    except (Foreign, ProblemError) as cause:
        why = str(cause).rstrip(".")
        raise ProblemError(f"{what} is a damaged sweep: {why}.") from None


def _check_about(attributes: dict[str, Any]) -> None:
    definition, versions = attributes.get("definition"), attributes.get("versions")
    if not isinstance(definition, str) or not isinstance(versions, str):
        raise Foreign("it does not say how it was made")
    if not isinstance(attributes.get("command", ""), str):
        raise Foreign("its command is no text")
    about = json_object(definition, "its definition")
    if not isinstance(about.get("options"), dict):
        raise Foreign("its definition names no options")
    kinds = about.get("kinds")
    if not isinstance(kinds, list) or not kinds or not all(kind in KINDS for kind in kinds):
        raise Foreign(f"its kinds are {kinds!r:.60}")
    found = json_object(f'{{"versions": {versions}}}', "its list of versions")["versions"]
    if not isinstance(found, list) or not all(
        isinstance(entry, dict) and all(isinstance(v, str) for v in entry.values()) for entry in found
    ):
        raise Foreign("its versions are no list of names and numbers")


def _check_grid(dataset: Dataset) -> tuple[Any, ...]:
    """Dimensions of the grid of runs."""
    if any(name not in dataset.variables for name in INDEX):
        raise Foreign("it lacks the seeds of its runs")
    runs = dataset["run_seed"].dims
    if "replicate" not in runs or dataset["run_seed"].dtype.kind not in "iu":
        raise Foreign("its runs have no seeds that are whole numbers")
    for name in runs:
        if name not in dataset.coords or dataset[name].dims != (name,) or not dataset.sizes[name]:
            raise Foreign(f"it lacks the values of {str(name)!r:.60}")
        if not (_is_text(dataset[name]) or dataset[name].dtype.kind in "iuf"):
            raise Foreign(f"the values of {str(name)!r:.60} are neither numbers nor texts")
        if len(set(dataset[name].values.tolist())) < dataset.sizes[name]:
            raise Foreign(f"a value of {str(name)!r:.60} is there twice")
    return runs


def _check_kind(dataset: Dataset, kind: str, runs: tuple[Any, ...]) -> None:
    """Variables of one kind of run: their dimensions, and whether they are numbers or texts."""
    for part in ("status", "reason"):
        if f"{kind}_{part}" not in dataset:
            raise Foreign(f"it lacks {kind}_{part}")
    for label, values in dataset.variables.items():
        name = str(label)
        if not name.startswith(f"{kind}_"):
            continue
        part = name.removeprefix(f"{kind}_")
        shared_times = part == "time" and values.dims == (label,)
        if values.dims[: len(runs)] != runs and not shared_times:
            raise Foreign(f"{name!r:.60} does not belong to its runs")
        if not (_is_text(dataset[label]) if part in TEXTS else values.dtype.kind == "f"):
            raise Foreign(f"{name!r:.60} holds no {'texts' if part in TEXTS else 'numbers'}")
        if part in ("final_loss", "verdict") and set(values.dims) - {*runs, "network"}:
            raise Foreign(f"{name!r:.60} is not one value for each run")
        if part == "loss" and not {f"{kind}_time", f"{kind}_sample"} & {*values.dims}:
            raise Foreign(f"{name!r:.60} does not change in time")
    if f"{kind}_loss" in dataset and f"{kind}_time" not in dataset.variables:
        raise Foreign(f"it lacks {kind}_time")


def _is_text(values: DataArray) -> bool:
    return values.dtype.kind in "UT" or (
        values.dtype.kind == "O" and all(isinstance(entry, str) for entry in values.values.flat)
    )
