"""Variables as labelled data: xarray data sets and pandas tables (extra ``sweep``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamics.curves.variables import Variable, label_name
from dynamics.errors import ProblemError

if TYPE_CHECKING:
    import pandas
    import xarray

COUNTED = ("member", "network", "mode", "unit", "output")  # dimensions numbered from 0


def dataset(title: str, variables: Mapping[str, Variable], about: Mapping[str, Any]) -> xarray.Dataset:
    """Data set of variables with what they mean, and attributes that say where they come from.

    Labels become coordinates, named in the singular; members, networks, modes, units and outputs are counted from 0.
    """
    xarray = require("xarray")
    named: dict[str, Any] = {}
    labels: dict[str, Any] = {}
    sizes: dict[str, int] = {}
    for name, variable in variables.items():
        entry = variable.dims, _storable(variable.array), variable.attributes
        (labels if variable.label else named)[label_name(name, variable)] = entry
        sizes |= dict(zip(variable.dims, variable.array.shape, strict=True))
    counted = {dim: np.arange(sizes[dim]) for dim in COUNTED if dim in sizes}
    return xarray.Dataset(named, counted | labels, clean_attributes({"title": title} | dict(about)))


def frame(
    title: str, variables: Mapping[str, Variable], about: Mapping[str, Any], types: Mapping[str, str]
) -> pandas.DataFrame:
    """Table with a column for each variable, which all have one and the same axis.

    ``types`` names those of pandas for columns in which something may be missing (None, then ``<NA>``), such as
    "Int64" for counts that stay whole numbers.
    """
    pandas = require("pandas")
    table = pandas.DataFrame({name: variable.array.tolist() for name, variable in variables.items()})
    table = table.astype({name: kind for name, kind in types.items() if name in table})
    table.attrs = clean_attributes({"title": title} | dict(about))
    return table


def _storable(array: Any) -> Any:
    """Texts as objects, which every file format takes at any length."""
    return array.astype(object) if array.dtype.kind == "U" else array


def clean_attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes that any file format can hold: numbers and text; what is unknown is left out."""
    clean: dict[str, Any] = {}
    for name, value in values.items():
        if value is None:
            continue
        clean[name] = value if isinstance(value, str | int | float) else json.dumps(value, default=str)
        if isinstance(value, bool):
            clean[name] = str(value).lower()
    return clean


def require(library: str) -> Any:
    """Import an optional library, or say which extra brings it."""
    try:
        return import_module(library)
    except ModuleNotFoundError:
        raise ProblemError(
            f"Labelled data needs {library}, which is not installed: pip install 'quadflow[sweep]'."
        ) from None
