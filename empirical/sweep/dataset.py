"""From the pieces of a sweep to one labelled data set, and to a file of it (NetCDF or Zarr)."""

from __future__ import annotations

import json
import os
import shutil
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynamics.curves.variables import Variable
from dynamics.errors import ProblemError
from dynamics.files.formats import SWEEP, format_name
from empirical.sweep.checking import TITLE, check_codecs, check_size, check_sweep
from empirical.sweep.grid import SweepPlan
from empirical.sweep.older import converted_sweep
from empirical.sweep.pieces import Piece

if TYPE_CHECKING:
    import xarray

SUFFIXES = (".nc", ".zarr")


def require_xarray(suffix: str) -> None:
    """Refuse, in one sentence, where a library is missing that files of this suffix need."""
    needed = ("xarray", "zarr") if suffix == ".zarr" else ("xarray", "h5netcdf", "h5py")
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise ProblemError(
            f"Sweeps into {suffix} files need {missing[0]}, which is not installed: pip install 'quadflow[sweep]'."
        )


def assemble(plan: SweepPlan, pieces: Iterable[Piece], command: str | None = None) -> xarray.Dataset:
    """All pieces in one data set over the grid of the sweep.

    Parameters
    ----------
    plan : SweepPlan
    pieces : iterable of Piece
        Any of the plan's runs, in any order; what is missing is NaN, or the empty text.
    command : str, optional
        Command line that made them, an attribute of its own; the options are in the attribute "definition" anyway.

    Returns
    -------
    xarray.Dataset
        Dimensions: the varied options and "replicate", then those of the single results. A variable of kind k is
        called k_name. Sample times that all runs of a kind share are the coordinate k_time; otherwise the samples
        are counted along k_sample, and k_time is a variable.
    """
    import xarray

    of_kind: dict[str, dict[tuple[int, ...], Piece]] = {kind: {} for kind in plan.kinds}
    versions: list[dict[str, str]] = []
    for piece in pieces:
        kind, place = plan.place(piece.index)
        of_kind[kind][place] = piece
        if piece.versions and piece.versions not in versions:
            versions.append(piece.versions)
    sizes = _sizes(plan, of_kind)
    variables: dict[str, Any] = {}
    for kind, found in of_kind.items():
        variables |= _status(plan, kind, found)
        names = sorted({name for piece in found.values() for name in piece.values})
        shared = _shared_times(found)
        for name in names:
            values = {place: piece.values[name] for place, piece in found.items() if name in piece.values}
            attributes = next(iter(values.values())).attributes
            if name == "time" and shared is not None:
                variables[f"{kind}_time"] = (f"{kind}_time", shared, attributes)
                continue
            dims, array = _stack(plan, values, sizes, kind)
            time = f"{kind}_sample" if shared is None else f"{kind}_time"
            labels = [time if dim == f"{kind} time" else dim for dim in dims]
            variables[f"{kind}_{name}"] = ((*plan.dimensions, *labels), array, attributes)
    coordinates: dict[str, Any] = {axis.name: list(axis.values) for axis in plan.axes}
    coordinates["replicate"] = np.arange(plan.replicates)
    coordinates["run_seed"] = (plan.dimensions, plan.seeds(), {"long_name": "seed of each run"})
    about = {
        "title": TITLE,
        "format": format_name(SWEEP),
        "definition": plan.definition(),
        "versions": json.dumps(sorted(versions, key=json.dumps)),
    }
    about |= {} if command is None else {"command": command}
    times = [name for name, (dims, *_) in variables.items() if dims == name]
    return xarray.Dataset(variables, coordinates, about).set_coords(times)


def _sizes(plan: SweepPlan, of_kind: dict[str, dict[tuple[int, ...], Piece]]) -> dict[str, int]:
    """Largest length of every dimension of the results; times are counted for each kind."""
    sizes: dict[str, int] = {}
    for kind, found in of_kind.items():
        for piece in found.values():
            for v in piece.values.values():
                for dim, length in zip(_named(v.dims, kind), v.array.shape, strict=True):
                    sizes[dim] = max(sizes.get(dim, 0), length)
    return sizes


def _named(dims: Sequence[str], kind: str) -> list[str]:
    return [f"{kind} time" if dim == "time" else dim for dim in dims]


def _shared_times(found: dict[tuple[int, ...], Piece]) -> NDArray[np.float64] | None:
    """The sample times, if all runs have the same."""
    times = [piece.values["time"].array for piece in found.values() if "time" in piece.values]
    if times and all(np.array_equal(t, times[0]) for t in times):
        return times[0]
    return None


def _stack(
    plan: SweepPlan, values: dict[tuple[int, ...], Variable], sizes: dict[str, int], kind: str
) -> tuple[list[str], NDArray[Any]]:
    """One variable over the grid; shorter arrays are padded with NaN."""
    example = next(iter(values.values()))
    labels = _named(example.dims, kind)
    shape = (*plan.shape, *(sizes[label] for label in labels))
    text = example.array.dtype.kind == "U"
    whole = np.full(shape, "" if text else np.nan, dtype=object if text else float)
    for place, variable in values.items():
        where: tuple[Any, ...] = (*place, *(slice(n) for n in variable.array.shape))
        whole[where] = variable.array.astype(whole.dtype)[()]
    return labels, whole


def _status(plan: SweepPlan, kind: str, found: dict[tuple[int, ...], Piece]) -> dict[str, Any]:
    """Whether each run is done, and why not."""
    status, reason = (np.full(plan.shape, "", dtype=object) for _ in range(2))
    for place, piece in found.items():
        status[place] = "failed" if piece.reason else "done"
        reason[place] = piece.reason
    return {
        f"{kind}_status": (plan.dimensions, status, {"long_name": "done or failed"}),
        f"{kind}_reason": (plan.dimensions, reason, {"long_name": "why the run failed; empty if it did not"}),
    }


def write_dataset(dataset: xarray.Dataset, path: Path) -> None:
    """Write under a temporary name, then rename: an earlier file is there until the new one is complete."""
    new, old = (path.with_name(f".{path.name}.{age}") for age in ("new", "old"))
    _remove(new)
    try:
        if path.suffix.lower() == ".zarr":
            # Version 2 of the format: version 3 has no agreed way yet to store text.
            dataset.to_zarr(new, mode="w", zarr_format=2, consolidated=True)
        else:
            dataset.to_netcdf(new, engine="h5netcdf")
        if path.is_dir():  # a folder cannot be replaced in one step
            _remove(old)
            os.replace(path, old)
        os.replace(new, path)
        _remove(old)  # also what an earlier program left, if it was killed here
    except OSError as error:
        raise ProblemError(f"{str(path)!r} cannot be written: {error.strerror or error}.") from None
    finally:
        _remove(new)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def read_dataset(path: str | Path) -> xarray.Dataset:
    """Read the file of a sweep into memory.

    Raises
    ------
    ProblemError
        If it cannot be read or is no sweep.
    """
    file, what = Path(path), repr(str(path))
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise ProblemError(f"{what} must end in: {', '.join(SUFFIXES)}.")
    require_xarray(suffix)
    try:  # says what is wrong more plainly than the libraries do
        if suffix == ".nc":
            open(file, "rb").close()
        else:
            os.listdir(file)
    except FileNotFoundError:
        raise ProblemError(f"{what} cannot be read: there is no such file.") from None
    except OSError as error:
        raise ProblemError(f"{what} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise ProblemError(
            f"{what} cannot be read: its name contains NUL or another character that no file name can have."
        ) from None
    if suffix == ".zarr":
        check_codecs(file, what)
    dataset = _load(file, suffix, what)
    check_sweep(dataset, what)
    return converted_sweep(dataset, what)


def _load(file: Path, suffix: str, what: str) -> xarray.Dataset:
    import xarray

    with _silent_libraries():
        try:
            engine: Any = {"chunks": None, "engine": "zarr" if suffix == ".zarr" else "h5netcdf"}
            with xarray.open_dataset(file, **engine) as opened:
                check_size(opened, what)
                return opened.load()
        except ProblemError:
            raise
        except MemoryError:
            failure = "it claims more numbers than fit into memory"
        except Exception:  # damaged bytes reach h5py, zarr and their codecs, which raise what they please
            failure = "it is damaged, or of another format"
    raise ProblemError(f"{what} cannot be read: {failure}.")


@contextmanager
def _silent_libraries() -> Iterator[None]:
    """Foreign files make libraries warn, and complain while they clean up, of what a refusal says better."""
    hook = sys.unraisablehook
    sys.unraisablehook = lambda _: None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.unraisablehook = hook
