"""From the options of a data set to the data set."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from dynamics.errors import ProblemError
from dynamics.inputs.data_set import DataSet
from quadflow.notes import note
from quadflow.options.data import DataOptions
from quadflow.options.ignored import given

if TYPE_CHECKING:
    from quadflow.options.problem import ProblemOptions

DRAWN_INPUTS = ("samples", "distribution", "covariance")  # options of how inputs are drawn


def read_data(options: ProblemOptions) -> DataSet | None:
    """The data set of `--data`; None without it.

    Raises
    ------
    ProblemError
        If it cannot be read, or other options contradict it.
    """
    defaults = {f.name: f.default for f in fields(DataOptions) if f.name != "data"}
    chosen = {name: getattr(options, name) for name in defaults}
    if options.data is None:
        for name, value in chosen.items():
            if value != defaults[name]:
                raise ProblemError(f"`{option_name(name)}` says how `--data` is read: give that as well.")
        return None
    for name in given(DRAWN_INPUTS):
        raise ProblemError(
            f"`{option_name(name)}` says how inputs are drawn, but `--data` brings them: leave out one of the two."
        )
    from dynamics.losses import Loss
    from empirical.datasets import load

    data = load(
        options.data,
        **chosen,
        seed=options.seed,
        taught=bool(options.teacher),
        classify=Loss.parse(options.loss).classifies,
    )
    note(data.notes)
    return data


def option_name(name: str) -> str:
    """The option that fills a field: `--init-scale` of `init_scale`."""
    return f"--{name.replace('_', '-')}"
