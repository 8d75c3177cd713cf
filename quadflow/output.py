"""How results leave the program: JSON on standard output, files written whole or not at all."""

from __future__ import annotations

import io
import json
import math
import os
import re
import stat
import sys
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
    if as_json:
        echo_json(result)
    else:
        click.echo(text())


def echo_json(result: dict[str, Any]) -> None:
    """Print a result as one JSON object; characters that standard output lacks are escaped, not lost."""
    text = to_json(result)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        text = re.sub(r"[^\x00-\x7f]", lambda character: json.dumps(character[0])[1:-1], text)
    click.echo(text)


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
    text = json.dumps(clean, allow_nan=False, ensure_ascii=False)
    return text.encode(errors="replace").decode()  # names of files may hold bytes that are no text


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
    refusal = _refusal(path)
    if refusal:
        raise ProblemError(f"`{option}` is {path!r}, but {refusal}.")
    return suffix


def validate_folder(path: str, option: str = "--output") -> None:
    """Check that an output could be in its folder, be it a file or a folder itself."""
    refusal = _folder_refusal(path)
    if refusal:
        raise ProblemError(f"`{option}` is {path!r}, but {refusal}.")


def _folder_refusal(path: str) -> str:
    """Why there can be no file or folder of a name, or the empty text."""
    try:
        folder = Path(os.path.realpath(path)).parent  # a symbolic link is written through
        return "" if folder.is_dir() else f"the folder {str(folder)!r} does not exist"
    except ValueError:
        return "its name contains NUL or another character that no file name can have"


def _refusal(path: str) -> str:
    """Why nothing can be written under a name, or the empty text."""
    refusal = _folder_refusal(path)
    if refusal:
        return refusal
    try:
        target = Path(os.path.realpath(path))
        if target.is_symlink():
            return "it cannot be written: the symbolic link leads in a circle"
        if target.is_dir():
            return "it cannot be written: it is a folder"
        if target.exists():
            writable = os.access(target, os.W_OK) and (
                not target.is_file() or os.access(target.parent, os.W_OK)
            )
            return "" if writable else "it cannot be written: permission denied"
        return "" if os.access(target.parent, os.W_OK) else "it cannot be written: permission denied"
    except OSError as error:
        return f"it cannot be written: {error.strerror}"


def write_file(path: str, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file whole or not at all: under a temporary name, which then takes the place of an earlier file.

    An earlier file keeps its permissions, and symbolic links are written through. What is no ordinary file, such as a
    pipe, is written into.
    """
    try:
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            buffer = io.BytesIO()
            write(buffer)
            with open(target, "wb") as device:
                device.write(buffer.getvalue())
            return
        _replace_file(target, write)
    except OSError as error:
        raise ProblemError(f"`--output` {path!r} cannot be written: {error.strerror or error}.") from None


def _replace_file(target: Path, write: Callable[[IO[bytes]], object]) -> None:
    try:
        mode = stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask  # temporary files are private, results are not
    handle, name = tempfile.mkstemp(
        dir=target.parent, prefix=".quadflow-"
    )  # as long as the target may be too long
    temporary = Path(name)
    try:
        with open(handle, "w+b") as file:
            write(file)
        temporary.chmod(mode)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: str, text: str) -> None:
    """Write a text file, whole or not at all."""
    write_file(path, lambda file: file.write(text.encode(errors="replace")))


def write_run(path: str, save: Callable[[IO[bytes]], object], result: dict[str, Any]) -> None:
    """Write an `.npz` file with the function `save`, and add the JSON of the result as its array ``result``."""

    def write(file: IO[bytes]) -> None:
        import numpy as np

        save(file)
        with zipfile.ZipFile(file, "a") as archive, archive.open("result.npy", "w") as member:
            np.lib.format.write_array(member, np.array(to_json(result)))

    write_file(path, write)


def write_figure(figure: Figure, path: str, format: str, dpi: float | None = None) -> None:
    """Write a figure in its format, whole or not at all."""
    from figures import save_figure

    write_file(path, lambda file: save_figure(figure, file, format, dpi))
