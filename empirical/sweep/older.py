"""Files of sweeps that earlier versions wrote, as this version writes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamics.curves.variables import TIME_UNIT
from dynamics.files.formats import SWEEP, format_name, format_number, options_momentum, unknown_momentum

if TYPE_CHECKING:
    from xarray import DataArray, Dataset

OF_NETWORKS = ("train", "compare")  # kinds whose times did not count momentum in number 1


def converted_sweep(dataset: Dataset, what: str) -> Dataset:
    """The data of a sweep, checked before, with all times in the time of the flow.

    Raises
    ------
    ProblemError
        If it is of a later version, or of number 1 and does not say the momentum of its networks.
    """
    if "format" in dataset.attrs and format_number(dataset.attrs["format"], SWEEP, what) > 1:
        return dataset
    definition = json.loads(dataset.attrs["definition"])
    for kind in OF_NETWORKS:
        if kind in definition["kinds"] and f"{kind}_time" in dataset.variables:
            dataset = _slowed(dataset, kind, _factor(dataset, definition["options"], what))
    return dataset.assign_attrs(format=format_name(SWEEP))


def _factor(dataset: Dataset, options: dict[str, Any], what: str) -> DataArray:
    """1/(1 − β) over the options it depends on."""
    import xarray

    varied = [name for name in ("momentum", "optimizer") if name in dataset["run_seed"].dims]
    shape = tuple(dataset.sizes[name] for name in varied)
    factor = np.empty(shape)
    for place in np.ndindex(shape):
        here = {name: dataset[name].values[n].item() for name, n in zip(varied, place, strict=True)}
        beta = options_momentum(options | here)
        if beta is None:
            raise unknown_momentum(what)
        factor[place] = 1 / (1 - beta)
    return xarray.DataArray(factor, dims=varied)


def _slowed(dataset: Dataset, kind: str, factor: DataArray) -> Dataset:
    """All times of a kind of run multiplied by a factor that may differ from run to run."""
    time, sample, runs = f"{kind}_time", f"{kind}_sample", dataset["run_seed"].dims
    if factor.ndim and time in dataset.dims:  # runs have shared their times, until now
        values = dataset[time]
        dataset = dataset.drop_vars(time).rename_dims({time: sample})
        dataset[time] = (sample,), values.values, values.attrs
    if factor.ndim:
        factor = factor.broadcast_like(dataset["run_seed"])
    for name in (time, f"{time}_reached"):
        if name in dataset.variables:
            old = dataset[name].variable
            new = old * factor.variable
            order = [dim for dim in (*runs, sample, time) if dim in new.dims]
            changed = {name: (order, new.transpose(*order).values, old.attrs | {"units": TIME_UNIT})}
            is_label = name in dataset.coords
            dataset = dataset.assign_coords(changed) if is_label else dataset.assign(changed)
    return dataset
