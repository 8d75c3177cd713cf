"""Results as labelled data: xarray data sets, and a pandas table of stationary points (extra ``sweep``).

Dimensions: time, mode (teacher eigenvectors, with their eigenvalues as a second coordinate), unit, output, input;
member (of an ensemble) and network (trained together) come first. Only xarray and pandas know more about them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamics.curves.trajectory import LARGEST_STORED_W
from dynamics.errors import ProblemError
from dynamics.problem.modes import mode_targets

if TYPE_CHECKING:
    import pandas
    import xarray

    from dynamics.curves.trajectory import Trajectory
    from dynamics.ensemble.trajectory import EnsembleTrajectory
    from dynamics.problem import Problem
    from dynamics.sgd.trajectory import SGDTrajectory
    from dynamics.stationary.catalogue import Catalogue

Variables = Mapping[str, tuple[tuple[str, ...], Any]]

LOSS_UNIT, TIME_UNIT = "squared output units", "learning rate × steps"

COUNTED = ("member", "network", "mode", "unit", "output")  # dimensions numbered from 0

# what each variable is, for those who meet it in a file; the same names as in the files of `quadflow sweep`
ATTRIBUTES: dict[str, dict[str, str]] = {
    "time": {"long_name": "time", "units": TIME_UNIT},
    "step": {"long_name": "number of training steps"},
    "eigenvalue": {"long_name": "teacher eigenvalue, which a learned mode reaches"},
    "loss": {"long_name": "population loss", "units": LOSS_UNIT},
    "loss_std": {"long_name": "standard deviation of the loss over seeds", "units": LOSS_UNIT},
    "mean_field_loss": {"long_name": "loss of the mean-field solution", "units": LOSS_UNIT},
    "modes": {"long_name": "learned part vᵀMv of each teacher eigenvector"},
    "modes_std": {"long_name": "standard deviation of the modes over seeds"},
    "conserved": {"long_name": "c_k = ‖w_k‖² − h Σ_o A_ok² of each unit"},
    "W": {"long_name": "first-layer weights"},
    "A": {"long_name": "second-layer weights"},
    "Q": {"long_name": "overlaps w_k·w_l"},
    "R": {"long_name": "overlaps w_k·v_m with the teacher directions"},
    "status": {"long_name": "finished or failed"},
    "message": {"long_name": "why the member failed; empty if it did not"},
    "evaluations": {"long_name": "evaluations of the right-hand side"},
    "time_reached": {"long_name": "time at which the integration ended", "units": TIME_UNIT},
}


def trajectory_dataset(trajectory: Trajectory) -> xarray.Dataset:
    """`Trajectory` over time; W is left out where a file would leave it out as well."""
    t = trajectory
    variables: dict[str, tuple[tuple[str, ...], Any]] = {
        "loss": (("time",), t.loss),
        "modes": (("time", "mode"), t.modes),
        "conserved": (("time", "unit"), t.conserved),
        "A": (("time", "output", "unit"), t.A),
    }
    if len(t.times) * t.problem.student.W.size <= LARGEST_STORED_W:
        variables["W"] = ("time", "unit", "input"), t.W
    about = network_attributes(t.problem) | asdict(t.solver) | {"versions": t.versions}
    coordinates = {"time": (("time",), t.times), "eigenvalue": eigenvalues(t.problem)}
    return dataset("quadflow trajectory", variables, coordinates, about)


def sgd_dataset(trajectory: SGDTrajectory) -> xarray.Dataset:
    """`SGDTrajectory` over time; the spread over seeds where it was computed."""
    t = trajectory
    variables: dict[str, tuple[tuple[str, ...], Any]] = {
        "loss": (("time",), t.loss),
        "modes": (("time", "mode"), t.modes),
        "conserved": (("time", "unit"), t.conserved),
        "mean_field_loss": (("time",), t.mean_field_loss),
        "Q": (("time", "unit", "other_unit"), t.Q),
        "R": (("time", "unit", "teacher_direction"), t.R),
        "A": (("time", "output", "unit"), t.A),
    }
    if t.loss_std is not None:
        variables["loss_std"] = ("time",), t.loss_std
    if t.modes_std is not None:
        variables["modes_std"] = ("time", "mode"), t.modes_std
    training = {"step_size": t.step, "batch": t.batch, "label_noise": t.label_noise}
    about = network_attributes(t.problem) | training | asdict(t.solver) | {"versions": t.versions}
    coordinates = {
        "time": (("time",), t.times),
        "step": (("time",), t.steps),
        "eigenvalue": eigenvalues(t.problem),
    }
    return dataset("quadflow mean dynamics of SGD", variables, coordinates, about)


def ensemble_dataset(trajectory: EnsembleTrajectory) -> xarray.Dataset:
    """`EnsembleTrajectory` over members and time; eigenvalues where all members have one teacher."""
    t = trajectory
    variables: dict[str, tuple[tuple[str, ...], Any]] = {
        "loss": (("member", "time"), t.loss),
        "modes": (("member", "time", "mode"), t.modes),
        "conserved": (("member", "time", "unit"), t.conserved),
        "A": (("member", "time", "output", "unit"), t.A),
        "status": (("member",), np.array(t.status, dtype=object)),
        "message": (("member",), np.array(t.messages, dtype=object)),
        "evaluations": (("member",), t.evaluations),
        "time_reached": (("member",), t.time_reached),
    }
    inputs = t.coordinates.shape[-1] if t.basis is None else t.basis.shape[1]
    if t.coordinates[..., 0].size * inputs <= LARGEST_STORED_W:
        variables["W"] = ("member", "time", "unit", "input"), t.W
    coordinates: dict[str, tuple[tuple[str, ...], Any]] = {"time": (("time",), t.times)}
    if len(t.members.V) == 1:
        coordinates["eigenvalue"] = eigenvalues(t.members.problem(0))
    about = network_attributes(t.members.problem(0)) | {"inputs": inputs}
    return dataset(
        "quadflow ensemble", variables, coordinates, about | asdict(t.solver) | {"versions": t.versions}
    )


def catalogue_frame(catalogue: Catalogue) -> pandas.DataFrame:
    """`Catalogue` as a table, one stationary point per row, columns as in the JSON of `quadflow fixed-points`.

    Pairs such as "needed" become two columns, needed_positive and needed_negative. What a point that is not feasible
    does not have is missing (``<NA>``), so that counts stay whole numbers.
    """
    pandas = require("pandas")
    rows = []
    for point in catalogue.points:
        row = point.to_dict()
        for name in ("needed", "trapping"):
            pair = row.pop(name) or {}
            row |= {f"{name}_{sign}": pair.get(sign) for sign in ("positive", "negative")}
        row = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
        rows.append(row)
    frame = pandas.DataFrame(rows)
    counts = ("index", "nullity", "positive", "manifold_dimension", "trapping_positive", "trapping_negative")
    types = {name: "Int64" for name in counts} | {"degenerate": "boolean"}
    frame = frame.astype({name: kind for name, kind in types.items() if name in frame})
    frame.attrs = clean_attributes(
        {
            "title": "quadflow stationary points",
            "activation": str(catalogue.activation),
            "hidden": catalogue.hidden,
            "inputs": catalogue.spectrum.inputs,
            "second_layer": "trainable" if catalogue.trainable else "fixed",
            "complete": catalogue.complete,
        }
    )
    return frame


def dataset(
    title: str, variables: Variables, coordinates: Variables, about: Mapping[str, Any]
) -> xarray.Dataset:
    """Data set of variables and coordinates, name → (dimensions, array), with their attributes."""
    xarray = require("xarray")
    named: dict[str, Any] = {
        name: (dims, array, ATTRIBUTES.get(name, {})) for name, (dims, array) in variables.items()
    }
    sizes = {
        dim: length
        for dims, array in variables.values()
        for dim, length in zip(dims, np.shape(array), strict=True)
    }
    labels: dict[str, Any] = {dim: np.arange(sizes[dim]) for dim in COUNTED if dim in sizes}
    labels |= {name: (dims, array, ATTRIBUTES.get(name, {})) for name, (dims, array) in coordinates.items()}
    return xarray.Dataset(named, labels, clean_attributes({"title": title} | dict(about)))


def eigenvalues(problem: Problem) -> tuple[tuple[str, ...], Any]:
    """What each teacher mode is when it is learned."""
    return ("mode",), mode_targets(problem.teacher, problem.activation)


def network_attributes(problem: Problem) -> dict[str, Any]:
    """Sizes and kind of the network."""
    return {
        "activation": problem.activation.name,
        "second_layer": "trainable" if problem.student.trainable else "fixed",
        "covariance": "identity" if problem.covariance is None else "given",
        "inputs": problem.inputs,
        "hidden": problem.student.hidden,
        "outputs": problem.student.outputs,
    }


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
