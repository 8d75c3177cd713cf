"""How results leave the program: JSON on standard output, files written whole or not at all."""

from __future__ import annotations

import json
import math
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from dynamics.errors import ProblemError
from quadflow.notes import notes
from quadflow.provenance import provenance

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def echo_result(result: dict[str, Any], text: Callable[[], str], as_json: bool) -> None:
    """Print a result as one JSON object, or as text for people."""
    click.echo(to_json(result) if as_json else text())


def to_json(result: dict[str, Any], origin: bool = True) -> str:
    """One JSON object with full-precision numbers; NaN and infinity become null, with a warning.

    Where the result itself does not say so, ``command`` and ``versions`` tell what made it, unless without `origin`.
    """
    lost: list[str] = []
    clean = _clean(result, "", lost)
    if "warnings" in clean and notes():
        clean["warnings"] = [*clean["warnings"], *notes()]
    if lost:
        clean["warnings"] = [*clean.get("warnings", []), f"not finite, given as null: {', '.join(lost)}"]
    if origin:
        clean |= {key: value for key, value in provenance().items() if key not in clean}
    return json.dumps(clean, allow_nan=False, ensure_ascii=False)


def _clean(value: Any, where: str, lost: list[str]) -> Any:
    if hasattr(value, "tolist"):  # NumPy arrays and scalars
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(k): _clean(v, f"{where}.{k}" if where else str(k), lost) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(v, where, lost) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        if where not in lost:
            lost.append(where)
        return None
    return value


def validate_output(path: str | None, allowed: tuple[str, ...], option: str = "--output") -> str | None:
    """Check suffix and folder of an output file before any work is done; returns the suffix."""
    if path is None:
        return None
    suffix = Path(path).suffix.lower().lstrip(".")
    if suffix not in allowed:
        raise ProblemError(f"`{option}` is {path!r}, but its name must end in: {', '.join(allowed)}.")
    folder = Path(path).resolve().parent
    if not folder.is_dir():
        raise ProblemError(f"`{option}` is {path!r}, but the folder {str(folder)!r} does not exist.")
    if Path(path).is_dir() or not os.access(folder, os.W_OK):
        raise ProblemError(f"`{option}` is {path!r}, but it cannot be written.")
    return suffix


def write_file(path: str, write: Callable[[IO[bytes]], object]) -> None:
    """Write under a temporary name, then rename: an interrupted run neither leaves nor destroys a file."""
    target = Path(path)
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            try:
                write(file)
                file.close()
                mask = os.umask(0)
                os.umask(mask)
                os.chmod(file.name, 0o666 & ~mask)  # temporary files are private, results are not
                os.replace(file.name, target)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise ProblemError(f"`--output` {path!r} cannot be written: {error.strerror}.") from None


def write_text(path: str, text: str) -> None:
    """Write a text file, whole or not at all."""
    write_file(path, lambda file: file.write(text.encode()))


def write_run(path: str, save: Callable[[IO[bytes]], object], result: dict[str, Any]) -> None:
    """Write an `.npz` file with the function `save`, and add the JSON of the result as its array ``result``."""

    def write(file: IO[bytes]) -> None:
        import numpy as np

        save(file)
        with zipfile.ZipFile(file, "a") as archive, archive.open("result.npy", "w") as member:
            np.lib.format.write_array(member, np.array(to_json(result)))

    write_file(path, write)


def write_figure(figure: Figure, path: str, format: str) -> None:
    """Write a figure in its format, whole or not at all."""
    from figures import save_figure

    write_file(path, lambda file: save_figure(figure, file, format))
