"""Arrays in NumPy's format: real numbers in full, never pickled objects, never more than the file holds."""

from __future__ import annotations

import math
import os
import warnings
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.budget import physical_memory
from dynamics.errors import ProblemError
from dynamics.files.opening import Source, open_binary

# What the letters of a dtype mean in an error
KINDS = {
    "c": "it holds complex numbers, and quadflow computes with real ones (if the imaginary part means nothing, "
    "save `.real`)",
    "O": "it holds Python objects, which could run code",
    "U": "it holds text",
    "S": "it holds text",
    "T": "it holds text",
    "M": "it holds dates",
    "m": "it holds durations",
    "V": "it holds structured records",
}
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
CHUNK = 2**24  # bytes read at a time


class Unusable(Exception):
    """Why bytes are no usable array; readers put it into a sentence that names the file."""


def read_npy(source: Source, what: str) -> Array:
    """Real numbers in a `.npy` file, as 64-bit floats.

    Parameters
    ----------
    source : path or binary stream
    what : str
        Names it in errors.

    Raises
    ------
    ProblemError
        If the file cannot be read, is damaged, or holds anything else than real numbers.
    """
    with open_binary(source, what) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        try:
            return real_numbers(read_array(file, size))
        except Unusable as cause:
            raise ProblemError(f"{what} does not contain an array of numbers: {cause}.") from None


def read_array(file: IO[bytes], size: int) -> NDArray[Any]:
    """One array in NumPy's format that must fill exactly the `size` bytes of a stream.

    Raises
    ------
    Unusable
        If it does not, or would need a pickle.
    """
    shape, fortran, dtype, start = _header(file)
    if dtype.hasobject:
        raise Unusable(KINDS["O"])
    claimed = math.prod(shape) * dtype.itemsize  # in whole numbers of Python, which cannot overflow
    if claimed != size - start:
        raise Unusable(f"its header claims {claimed} bytes of numbers, but {size - start} are there")
    if claimed > physical_memory():
        raise Unusable(f"it needs {claimed / 1e9:.1f} GB, more than the memory of this machine")
    data = np.empty(claimed, dtype=np.uint8)
    filled = 0
    while filled < claimed:
        part = file.read(min(CHUNK, claimed - filled))
        if not part:
            raise Unusable("it is cut off")
        data[filled : filled + len(part)] = np.frombuffer(part, np.uint8)
        filled += len(part)
    file.read(1)  # an archive compares its checksum at the end
    if dtype.kind == "U" and not _is_unicode(data.view(np.dtype(np.uint32).newbyteorder(dtype.byteorder))):
        raise Unusable("it holds text that is no Unicode")
    try:
        array = data.view(dtype) if claimed else np.empty(0, dtype)
        return array.reshape(shape, order="F" if fortran else "C")
    except (ValueError, TypeError, OverflowError):
        raise Unusable(f"its header claims the shape {shape}") from None


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, order, type and position of the first number."""
    try:
        with warnings.catch_warnings():  # about headers of Python 2, which are read all the same
            warnings.simplefilter("ignore")
            version = np.lib.format.read_magic(file)
            if version not in HEADERS:
                raise Unusable(KINDS["V"])  # the only ones that NumPy writes in version 3
            shape, fortran, dtype = HEADERS[version](file)
    except Unusable:
        raise
    except Exception:
        # NumPy evaluates the header as a Python literal: damage ends in ValueError, SyntaxError, TypeError,
        # TokenError, RecursionError, MemoryError of the parser and others.
        raise Unusable("it has no header of NumPy, or a damaged one") from None
    return shape, fortran, dtype, file.tell()


def _is_unicode(codes: NDArray[np.uint32]) -> bool:
    """Whether all are code points of characters; NumPy makes text of any, which crashes where it is written."""
    return not ((codes > 0x10FFFF) | ((codes >= 0xD800) & (codes < 0xE000))).any()


def real_numbers(array: NDArray[Any]) -> Array:
    """Any array of real numbers as 64-bit floats.

    Raises
    ------
    Unusable
        If it holds something else, or numbers beyond their range.
    """
    if array.dtype.kind in KINDS:
        raise Unusable(KINDS[array.dtype.kind])
    with np.errstate(all="ignore"):  # a longer type overflows, a signalling NaN is "invalid"
        numbers = np.asarray(array, dtype=np.float64, order="C")
        lost = np.isinf(numbers) & np.isfinite(array)
    if lost.any():
        raise Unusable(f"it holds {array[lost][0]}, beyond the range of 64-bit numbers")
    return numbers
