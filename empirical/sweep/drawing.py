"""What a figure of a sweep shows: the file is read, and what was not said about axes and values is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynamics.errors import ProblemError
from empirical.sweep.dataset import read_dataset
from empirical.sweep.reading import SweepCurves, SweepMap, sweep_curves, sweep_map

if TYPE_CHECKING:
    from xarray import Dataset


def sweep_data(
    file: str | Path,
    *,
    x: str | None = None,
    y: str | None = None,
    curves: str | None = None,
    value: str | None = None,
    below: float | None = None,
    chosen: Mapping[str, Any] | None = None,
    fit: bool = False,
) -> SweepMap | SweepCurves:
    """A map over two varied options; curves over one, if `curves` or `fit` is given or no second one was varied.

    Parameters
    ----------
    file : str or Path
        Written by a sweep.
    x, y, curves : str, optional
        Varied options, as `init_scale`; by default the first along x, the next along y.
    value : str, optional
        See `empirical.sweep.reading.quantity`; by default the success of a diagnosis, else the final loss.
    below : float, optional
        Loss that counts as success, or whose time is taken.
    chosen : mapping, optional
        One value of each option that is not drawn.
    fit : bool
        Fit a power law to each curve.

    Raises
    ------
    ProblemError
        If the file is no sweep, or does not hold what is asked for.
    """
    dataset, one = read_dataset(file), dict(chosen or {})
    axes = [str(dim) for dim in dataset["run_seed"].dims if dim != "replicate" and dim not in one]
    if not axes:
        raise ProblemError(
            f"{str(file)!r} holds a sweep of replicates only, with no option varied to draw against."
        )
    free = [name for name in axes if name not in (y, curves)]
    if x is None and not free:
        raise ProblemError(
            f"{axes[0]!r} was varied alone in {str(file)!r}: draw along it, with no `y` or `curves` of that name."
        )
    along = x or free[0]
    shown = value or default_value(dataset)
    others = [name for name in axes if name != along]
    up = y or (others[0] if others and curves is None and not fit else None)
    if up is not None:
        return sweep_map(dataset, along, up, shown, below=below, chosen=one)
    return sweep_curves(dataset, along, shown, curves=curves, below=below, chosen=one, fit=fit)


def default_value(dataset: Dataset) -> str:
    """Whether the diagnosed initialisations succeed, else the final loss of the first kind of run.

    Raises
    ------
    ProblemError
        If no run was done.
    """
    if "diagnose_verdict" in dataset:
        return "diagnose_success"
    found = [str(name) for name in dataset.data_vars if str(name).endswith("_final_loss")]
    if not found:
        raise ProblemError("No run of this sweep was done: there is nothing to draw.")
    return found[0]
