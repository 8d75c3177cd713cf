"""One description per result: what each of its numbers is. Files, labelled data, JSON and sweeps follow from it.

A result is a frozen dataclass (`dynamics.curves.result`). A field that holds numbers says in its annotation what they
are,

    loss: Annotated[Array, Meaning("time", "population loss", LOSS_UNIT)]

and with that line is written to files and read again, labelled for xarray, printed by the commands and kept by sweeps.
What a result computes from its fields is added by its method `variables`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import numpy as np

LOSS_UNIT, TIME_UNIT = "squared output units", "time of the flow"
OBJECTIVE = "loss with the penalty of the weight decay"
LOSS = "population loss, or that of the samples to train on"
TEST_LOSS = "loss of the samples held out"


@dataclass(frozen=True, eq=False)
class Variable:
    """Numbers or texts of a result, and what they are.

    Parameters
    ----------
    dims : tuple of str
        Names of the axes: time, mode (teacher eigenvectors), unit, output, input; member (of an ensemble) and network
        (trained together) come first.
    array : array
        One axis for each of them.
    meaning : str
        For people who meet it in a file.
    unit : str
        Empty for pure numbers.
    label : bool
        Whether it labels the points of an axis, as times do, and is no measurement itself.
    detail : bool
        Whether it is of the inside of a network, as weights are: files and labelled data hold it, commands do not
        print it, and sweeps do not keep it.
    """

    dims: tuple[str, ...]
    array: Any
    meaning: str = ""
    unit: str = ""
    label: bool = False
    detail: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "array", np.asarray(self.array))
        if self.array.ndim != len(self.dims):
            raise ValueError(f"{self.meaning or 'a variable'}: {self.array.shape} has no axes {self.dims}")

    @property
    def attributes(self) -> dict[str, str]:
        """Meaning and unit under the names that NetCDF has for them."""
        named = {"long_name": self.meaning, "units": self.unit}
        return {name: text for name, text in named.items() if text}


Variables = dict[str, Variable]


def measured_in(unit: str, found: Variables) -> Variables:
    """The same with losses in the unit of another loss than the square."""
    return {name: replace(v, unit=unit) if v.unit == LOSS_UNIT else v for name, v in found.items()}


@dataclass(frozen=True)
class Meaning:
    """What a field of a result is; see `Variable`.

    Parameters
    ----------
    dims : str
        Names of the axes with spaces between; empty for a single number.
    text : str
    unit : str
    label, detail : bool
    kind : {float, int, str}
        Real numbers, whole numbers or texts.
    """

    dims: str
    text: str
    unit: str = ""
    label: bool = False
    detail: bool = False
    kind: type = float

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the axes."""
        return tuple(self.dims.split())

    def of(self, array: Any) -> Variable:
        """The variable with this meaning."""
        return Variable(self.axes, array, self.text, self.unit, self.label, self.detail)


@dataclass(frozen=True)
class Described:
    """A field of a result: its meaning, and whether it may be None."""

    meaning: Meaning
    optional: bool


def described(kind: Any) -> dict[str, Described]:
    """Fields of a dataclass that have a meaning, in their order."""
    return _described(kind)


@cache
def _described(kind: Any) -> dict[str, Described]:
    hints = get_type_hints(kind, include_extras=True)
    found = {}
    for field in fields(kind):
        if get_origin(hints[field.name]) is Annotated:
            value, meaning = get_args(hints[field.name])
            found[field.name] = Described(meaning, type(None) in get_args(value))
    return found


def field_variables(result: Any) -> Variables:
    """Variables of the fields of a result; what is None is left out."""
    values = {name: (field.meaning, getattr(result, name)) for name, field in described(type(result)).items()}
    return {name: meaning.of(value) for name, (meaning, value) in values.items() if value is not None}


def printed(variables: Mapping[str, Variable]) -> Variables:
    """What commands print and sweeps keep: everything but the inside of the networks."""
    return {name: variable for name, variable in variables.items() if not variable.detail}


def prefixed(prefix: str, variables: Mapping[str, Variable], whose: str) -> Variables:
    """The same variables with longer names and meanings, as parts of another result."""
    return {
        f"{prefix}_{name}": replace(variable, meaning=f"{variable.meaning}, {whose}")
        for name, variable in variables.items()
    }


def label_name(name: str, variable: Variable) -> str:
    """Name in labelled data: what labels single points is called in the singular there, such as "time"."""
    return name.removesuffix("s") if variable.label else name
