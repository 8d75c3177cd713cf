"""A sweep in plain numbers and text: what became of every grid point, and some of its learning curves."""

from __future__ import annotations

import itertools
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from xarray import Dataset

SHOWN_CURVES = 8  # more cannot be told apart; of more grid points, those of evenly chosen values


def kinds_of(dataset: Dataset) -> tuple[str, ...]:
    """Commands that a sweep ran."""
    return tuple(json.loads(dataset.attrs["definition"])["kinds"])


def grid_summary(dataset: Dataset) -> list[dict[str, Any]]:
    """One row per grid point and kind: the varied options, runs done and failed, median final loss, successes.

    ``final_loss`` is the median over replicates and networks, ``succeed`` the number of runs that were diagnosed to
    succeed; either is absent where the kind does not have it.
    """
    rows: list[dict[str, Any]] = []
    for point, kind in itertools.product(_points(dataset), kinds_of(dataset)):
        here = dataset.sel(point)
        status = here[f"{kind}_status"].values
        row = {
            **point,
            "kind": kind,
            "done": int((status == "done").sum()),
            "failed": int((status == "failed").sum()),
        }
        if f"{kind}_final_loss" in here:
            row["final_loss"] = _median(here[f"{kind}_final_loss"].values.ravel())
        if f"{kind}_verdict" in here:
            row["succeed"] = int((here[f"{kind}_verdict"].values == "succeeds").sum())
        rows.append(row)
    return rows


def median_curves(dataset: Dataset) -> list[dict[str, Any]]:
    """Median learning curves over replicates and networks, of up to `SHOWN_CURVES` grid points.

    Only of kinds whose runs share their sample times. Of a larger grid fewer values of the options are taken, of the
    longest first, evenly and with all combinations: no value of a short option is left out for a long one.
    """
    points = _points(dataset, SHOWN_CURVES)
    curves = []
    for kind in kinds_of(dataset):
        time, loss = f"{kind}_time", f"{kind}_loss"
        if loss not in dataset or time not in dataset.dims:
            continue
        for point in points:
            values = dataset[loss].sel(point).transpose(time, ...).values
            median = [_median(at_once) for at_once in values]
            curves.append({**point, "kind": kind, "times": dataset[time].values, "loss": median})
    return curves


def _points(dataset: Dataset, most: int | None = None) -> list[dict[str, Any]]:
    """Values of the varied options at every grid point, in their order; at the most so many of them."""
    axes = [str(dim) for dim in dataset["run_seed"].dims if dim != "replicate"]
    values = [dataset[axis].values.tolist() for axis in axes]
    sizes = [len(one) for one in values]
    while most is not None and math.prod(sizes) > most:
        sizes[sizes.index(max(sizes))] -= 1
    values = [
        [one[n] for n in np.linspace(0, len(one) - 1, size).round().astype(int)]
        for one, size in zip(values, sizes, strict=True)
    ]
    return [dict(zip(axes, place, strict=True)) for place in itertools.product(*values)]


def _median(values: NDArray[np.float64]) -> float | None:
    """Median of what is there; None if nothing is."""
    there = values[~np.isnan(values)]
    return float(np.median(there)) if there.size else None
