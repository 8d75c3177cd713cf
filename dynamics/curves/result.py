"""What all results have in common: described once, they are saved, loaded, labelled and shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import IO, TYPE_CHECKING, Any, ClassVar, Self, get_args, get_origin, get_type_hints

import numpy as np

from dynamics.curves.labelled import dataset
from dynamics.curves.variables import Described, Variables, described, field_variables
from dynamics.errors import ProblemError
from dynamics.files.archives import Archive, open_archive
from dynamics.files.formats import format_name, format_number
from dynamics.files.opening import name_of
from dynamics.notebook import result_html

if TYPE_CHECKING:
    import xarray

SCALARS = (bool, int, float, str)


class Result:
    """Base of the frozen dataclasses that hold what was computed or measured.

    Fields whose annotation has a `dynamics.curves.variables.Meaning` are arrays, and the entries of `variables`; single
    numbers and texts, dictionaries, and dataclasses of these are kept as they are. A result that has fields of another
    kind, such as its problem, says how they are stored in `_parts` and `_read_parts`.

    Attributes
    ----------
    KIND : str
        Name of the format of its files, for example "trajectory".
    """

    KIND: ClassVar[str]

    def variables(self) -> Variables:
        """Everything that was computed, name → `dynamics.curves.variables.Variable`; what is not known is absent."""
        return field_variables(self)

    def attributes(self) -> dict[str, Any]:
        """What was computed and how, in single numbers and texts."""
        return {}

    def summary(self) -> str:
        """What happened, in a few lines."""
        raise NotImplementedError

    def plateaus(self) -> list[tuple[str, ...]]:
        """Rows of the table of plateaus that a notebook shows."""
        return []

    def __repr__(self) -> str:
        return f"{type(self).__name__}\n  " + self.summary().replace("\n", "\n  ")

    def _repr_html_(self) -> str:
        return result_html(type(self).__name__, self.summary(), self.plateaus())

    def to_xarray(self) -> xarray.Dataset:
        """Labelled data for xarray; see `dynamics.curves.labelled`. Needs the extra ``sweep``."""
        return dataset(f"quadflow {self.KIND}", self.variables(), self.attributes())

    def save(self, file: str | Path | IO[bytes]) -> None:
        """Write everything to an `.npz` file, which `load` reads again."""
        about, arrays = self.stored()
        about = {"format": format_name(self.KIND)} | about
        np.savez_compressed(file, about=json.dumps(about), **arrays)

    @classmethod
    def load(cls, file: str | Path | IO[bytes]) -> Self:
        """Read a result written by `save`, of this version or an earlier one.

        Raises
        ------
        ProblemError
            If the file cannot be read, is damaged or was written by something else.
        """
        with open_archive(file, name_of(file)) as f:
            about = f.document("about") if "about" in f else {}
            number = format_number(about.pop("format", None), cls.KIND, f.what)
            try:
                return cls.read(f, about, number)
            except ProblemError as error:
                where = "" if str(error).startswith(f.what) else f"{f.what}: "
                raise ProblemError(f"{where}{error}") from None

    def stored(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a file holds: a JSON object about the result, and its arrays."""
        about, arrays = self._parts()
        for name in _plain_fields(type(self)):
            value = getattr(self, name)
            about[name] = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
        return about, arrays | {name: variable.array for name, variable in self.variables().items()}

    @classmethod
    def read(cls, f: Archive, about: Mapping[str, Any], number: int) -> Self:
        """The result in an open archive, every part checked against the others; `number` of its format."""
        values = {name: cls._read_array(f, name, field) for name, field in described(cls).items()}
        values |= {name: read_plain(f, about, name, kind) for name, kind in _plain_fields(cls).items()}
        return cls(**values | cls._read_parts(f, about))

    @classmethod
    def _read_array(cls, f: Archive, name: str, field: Described) -> Any:
        """The value of a field with a meaning."""
        if field.optional and name not in f:
            return None
        meaning = field.meaning
        if meaning.kind is str:
            return f.texts(name, meaning.axes)
        numbers = (
            f.whole_numbers(name, meaning.axes) if meaning.kind is int else f.numbers(name, meaning.axes)
        )
        return numbers if meaning.axes else meaning.kind(numbers)

    def _parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Entries and arrays of fields of other kinds."""
        return {}, {}

    @classmethod
    def _read_parts(cls, f: Archive, about: Mapping[str, Any]) -> dict[str, Any]:
        """Fields of other kinds by name."""
        return {}


def _plain_fields(cls: Any) -> dict[str, Any]:
    """Fields that JSON can hold, with their types: scalars, dictionaries, and dataclasses of scalars."""
    hints = get_type_hints(cls)
    names = [field.name for field in fields(cls) if field.name not in described(cls)]
    return {name: hints[name] for name in names if _is_plain(hints[name])}


def _is_plain(kind: Any) -> bool:
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return all(_is_plain(hints[field.name]) for field in fields(kind))
    return kind in SCALARS or get_origin(kind) is dict or _is_optional_scalar(kind)


def _is_optional_scalar(kind: Any) -> bool:
    return get_origin(kind) is UnionType and set(get_args(kind)) <= {*SCALARS, type(None)}


def read_plain(f: Archive, about: Mapping[str, Any], name: str, kind: Any) -> Any:
    """An entry of the JSON object about a result, of the type of a field."""
    if is_dataclass(kind) and isinstance(kind, type):
        stored, hints = f.part(about, name, dict), get_type_hints(kind)
        parts = {field.name: read_plain(f, stored, field.name, hints[field.name]) for field in fields(kind)}
        return kind(**parts)
    allowed = set(get_args(kind)) if _is_optional_scalar(kind) else {get_origin(kind) or kind}
    return f.part(about, name, tuple(allowed | ({int} if float in allowed else set())))
