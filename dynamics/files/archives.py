"""Archives of arrays (`.npz`): each array is read when it is asked for, and checked against what it should be."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.errors import ProblemError
from dynamics.files.arrays import Array, Unusable, read_array, real_numbers
from dynamics.files.opening import Source, open_binary

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
FOLDER = 0x10  # among the attributes of MS-DOS
# Real numbers compress by a factor below 10, zeros by 1000: what is both larger and denser than this is a bomb.
LARGE, DENSE = 2**28, 200


@contextmanager
def open_archive(source: Source, what: str) -> Iterator[Archive]:
    """Open an `.npz` file.

    Parameters
    ----------
    source : path or binary stream
    what : str
        Names it in errors, for example "`--init-file` 'start.npz'".

    Raises
    ------
    ProblemError
        If it cannot be read or is no archive.
    """
    with open_binary(source, what) as file:
        try:
            members = zipfile.ZipFile(file)
        except (
            Exception
        ):  # damage ends in BadZipFile, struct.error, ValueError, NotImplementedError and others
            raise ProblemError(
                f"{what} is not an .npz file of numeric arrays: it is no zip archive."
            ) from None
        with members:
            yield Archive(members, what)


class Archive:
    """The arrays of an open `.npz` file; made by `open_archive`.

    Attributes
    ----------
    names : tuple of str
        Of its arrays, in the order of the file.
    what : str
        How errors name it.
    """

    def __init__(self, members: zipfile.ZipFile, what: str, prefix: str = "") -> None:
        self.what = what
        self._zip = members
        try:
            found = unique_members(members, ".npy").items()
            self._members = {
                name.removeprefix(prefix): info for name, info in found if name.startswith(prefix)
            }
        except Unusable as cause:
            raise ProblemError(f"{what} is not an .npz file of numeric arrays: {cause}.") from None
        self.names = tuple(self._members)
        self._sizes: dict[str, int] = {}  # of the axes that had a name so far

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def array(self, name: str) -> NDArray[Any]:
        """An array of numbers or text, as it was saved."""
        if name not in self._members:
            there = ", ".join(map(repr, self.names[:20])) or "nothing"
            raise ProblemError(f"{self.what} lacks the array {name!r}; it holds {there}.")
        member = self._members[name]
        try:
            check_member(member)
            with self._zip.open(member) as file:
                return read_array(file, member.file_size)
        except Unusable as cause:
            raise self._refusal(name, str(cause)) from None
        except MemoryError:
            raise
        except Exception:  # the decompressors raise zlib.error, LZMAError, EOFError, BadZipFile, OSError, …
            raise self._refusal(name, "it is damaged") from None

    def numbers(self, name: str, axes: Sequence[str] | None = None) -> Array:
        """An array of real numbers as 64-bit floats.

        Parameters
        ----------
        name : str
        axes : sequence of str, optional
            A name for each axis, for example ("time", "unit") or the letters "TKd"; an axis must be as long as all
            others of the same name.
        """
        array = self.array(name)
        try:
            numbers = real_numbers(array)
        except Unusable as cause:
            raise self._refusal(name, str(cause)) from None
        if axes is not None:
            self._check_shape(name, numbers.shape, axes)
        return numbers

    def whole_numbers(self, name: str, axes: Sequence[str] | None = None) -> NDArray[np.int64]:
        """An array of whole numbers below 2⁶³."""
        numbers = self.numbers(name, axes)
        if not (np.abs(numbers) < 2**63).all() or (numbers != np.floor(numbers)).any():
            raise ProblemError(f"{self.what} is damaged: its array {name!r} holds other than whole numbers.")
        return numbers.astype(np.int64)

    def texts(self, name: str, axes: Sequence[str]) -> tuple[str, ...]:
        """A list of texts, saved as an array with one axis."""
        array = self.array(name)
        if array.dtype.kind != "U":
            raise ProblemError(f"{self.what} is damaged: its array {name!r} holds no texts.")
        self._check_shape(name, array.shape, axes)
        return tuple(map(str, array))

    def folder(self, name: str) -> Archive:
        """The arrays whose names begin with that of a folder, "name/…", without it."""
        return Archive(self._zip, self.what, f"{name}/")

    def text(self, name: str) -> str:
        """A single text, saved as an array without axes."""
        array = self.array(name)
        if array.dtype.kind == "U" and array.ndim == 0:
            return str(array[()])
        raise ProblemError(f"{self.what} is damaged: its array {name!r} is no text.")

    def document(self, name: str) -> dict[str, Any]:
        """A JSON object, saved as text."""
        text = self.text(name)
        try:
            found = json.loads(text)
            json.dumps(
                found, ensure_ascii=False
            ).encode()  # lone surrogates are no text that could be written
        except (RecursionError, ValueError):
            found = None
        if not isinstance(found, dict):
            raise ProblemError(f"{self.what} is damaged: its array {name!r} is no JSON object.")
        return found

    def part(self, document: Mapping[str, Any], key: str, kind: type | tuple[type, ...]) -> Any:
        """An entry of a JSON object in this file, which must be there and of a kind."""
        value = document.get(key)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ProblemError(
                f"{self.what} is damaged: {key!r} is {shortened(value)} in what it says of itself."
            )
        return value

    def _check_shape(self, name: str, shape: tuple[int, ...], axes: Sequence[str]) -> None:
        sizes, fits = dict(self._sizes), len(shape) == len(axes)
        for axis, n in zip(axes, shape, strict=False):
            fits &= sizes.setdefault(axis, n) == n
        if not fits:
            where = ", ".join(f"{axis} = {self._sizes[axis]}" for axis in axes if axis in self._sizes)
            raise ProblemError(
                f"{self.what} holds {name!r} of shape {shape}, but it must be ({', '.join(axes)})"
                f"{' with ' + where if where else ''}."
            )
        self._sizes = sizes

    def _refusal(self, name: str, cause: str) -> ProblemError:
        return ProblemError(f"{self.what} cannot be used, because of its array {name!r}: {cause}.")


def unique_members(archive: zipfile.ZipFile, suffix: str = "") -> dict[str, zipfile.ZipInfo]:
    """Members by their names without a suffix; refused if a name stands for two."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = info.filename.removesuffix(suffix)
        if name in members:
            raise Unusable(f"it holds {name!r} twice")
        members[name] = info
    return members


def check_member(member: zipfile.ZipInfo) -> None:
    """Refuse what cannot be unpacked, before it is tried."""
    if member.flag_bits & 1:
        raise Unusable("it is encrypted")
    if member.is_dir() or member.external_attr & FOLDER:  # some programs read no data there, and invent them
        raise Unusable("it is marked as a folder")
    if member.compress_type not in METHODS:
        raise Unusable(f"it is compressed by an unknown method ({member.compress_type})")
    if member.compress_type == zipfile.ZIP_STORED and member.file_size != member.compress_size:
        raise Unusable(f"it is stored in {member.compress_size} bytes, but claims {member.file_size}")
    if member.file_size > max(LARGE, DENSE * member.compress_size):
        raise Unusable(f"it would unpack from {member.compress_size} to {member.file_size} bytes")


def check_members(members: Iterable[zipfile.ZipInfo]) -> None:
    """The same for all members of an archive that somebody else unpacks."""
    for member in members:
        check_member(member)


def shortened(value: object) -> str:
    """A value in an error, not longer than a line."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
