"""Tables of numbers as text (`.csv`), as spreadsheets and statistics programs write them."""

from __future__ import annotations

import codecs
import csv
import math

import numpy as np

from dynamics.errors import ProblemError
from dynamics.files.arrays import KINDS, Array, Unusable
from dynamics.files.opening import Source, open_binary
from dynamics.validation import misplaced
from dynamics.words import counted

ENCODINGS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
COMMENT = "#"

Row = tuple[int, list[str]]  # the number of a line, and its entries


def read_csv(source: Source, what: str) -> Array:
    """Numbers of a table, (rows, columns).

    Entries are separated by semicolons, tabs, commas or blanks, whichever of them comes first in this list and stands
    in the first line. Empty lines, comments from # on, a byte-order mark, a first line of names and below an empty one
    of these, or beside others, a first column of names are passed over.

    Parameters
    ----------
    source : path or binary stream
    what : str
        Names it in errors.

    Raises
    ------
    ProblemError
        If the file cannot be read or a line is not what it should be; the line is named.
    """
    with open_binary(source, what) as file:
        data = file.read()
    try:
        return _parse(decode(data))
    except Unusable as cause:
        raise ProblemError(f"{what} does not contain an array of numbers: {cause}.") from None


def decode(data: bytes) -> str:
    """Text of a file by its byte-order mark, else UTF-8.

    Raises
    ------
    Unusable
        If it is none.
    """
    encoding = next((name for mark, name in ENCODINGS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unusable(f"it is no text in {encoding.upper().removesuffix('-SIG')} ({error.reason})") from None
    if "\0" in text:
        raise Unusable("it is no text, or in an encoding without a byte-order mark (save it as UTF-8)")
    return text


def _parse(text: str) -> Array:
    separator, table = _table(text)
    return np.array([[_number(number, cell, separator) for cell in cells] for number, cells in table])


def numbers_of(text: str) -> list[str]:
    """Entries of a table, as they are written, without names of its columns and rows.

    Raises
    ------
    Unusable
        If the text is no table.
    """
    return [cell for _, cells in _table(text)[1] for cell in cells]


def _table(text: str) -> tuple[str | None, list[Row]]:
    """The separator, and the entries of every line with the number of the line; names are left out."""
    lines = [
        (number, line)
        for number, full in enumerate(text.splitlines(), 1)
        if (line := full.partition(COMMENT)[0].strip(" \r"))
    ]
    if not lines:
        raise Unusable("it is empty")
    separator = separator_of(lines[0][1])
    table = [(number, _cells(number, line, separator)) for number, line in lines]
    head = table[0]
    if _is_header(*head) or (_counts(head[1]) and len(table) == len(head[1]) + 1):
        del table[0]
    elif _names_columns(table):
        n = len(head[1])
        raise Unusable(
            f"it seems to be {counted(len(table) - 1, 'row')} of {n} numbers below names of columns 0 … {n - 1}, as"
            f" pandas writes them (delete line {head[0]}, or write 0.0 for its 0 if it is one of numbers)"
        )
    if not table:
        raise Unusable("it holds a line of names and no numbers")
    first, width = table[0][0], len(table[0][1])
    for number, cells in table:
        if len(cells) != width:
            raise Unusable(f"line {number} has {len(cells)} entries, but line {first} has {width}")
    if head is not table[0] and (not head[1][0] or all(_is_labelled(cells) for _, cells in table)):
        wrong = misplaced([cells[0] for _, cells in table], head[1][1:])
        if wrong:
            raise Unusable(f"its rows and columns have {wrong}")
        table = [(number, cells[1:]) for number, cells in table]
    return separator, table


def _is_labelled(cells: list[str]) -> bool:
    """Whether a line begins with a name, and a number follows."""
    return len(cells) > 1 and value_of(cells[0]) is None and value_of(cells[1]) is not None


def separator_of(line: str) -> str | None:
    """The separator in a line; None are blanks."""
    return next((mark for mark in (";", "\t", ",") if mark in line), None)


def _cells(number: int, line: str, separator: str | None) -> list[str]:
    if separator is None:
        return line.split()
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True))]
    except (csv.Error, StopIteration):
        raise Unusable(f"line {number} cannot be split into entries") from None


def _is_header(number: int, cells: list[str]) -> bool:
    """Whether a first line holds names: every entry begins as a name does, and none is a number.

    Above a column of names its first entry may be empty, and the others are names whatever they are.
    """
    if len(cells) > 1 and not cells[0] and all(cells[1:]):
        return True
    return all(
        bool(cell) and (cell[0].isalpha() or cell[0] == "_") and value_of(cell) is None for cell in cells
    )


def _counts(cells: list[str]) -> bool:
    """Whether a line counts columns from 0, as pandas does where they have no names."""
    return len(cells) > 1 and cells == [str(n) for n in range(len(cells))]


def _names_columns(table: list[Row]) -> bool:
    """Whether a first line that counts seems to hold names, above fewer lines than columns.

    Two numbers are no sign of it; nor is a first line whose first column counts too, as that of |i − j|.
    """
    cells = table[0][1]
    first = [line[0] for _, line in table]
    below = len(table) - 1
    return len(cells) > 2 and _counts(cells) and 0 < below < len(cells) and first != cells[: len(first)]


def value_of(text: str) -> float | None:
    """The number that a text is, if it is one."""
    if "_" in text or not text.isascii():  # which `float` would accept
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _number(number: int, cell: str, separator: str | None) -> float:
    value = value_of(cell)
    if value is not None:
        if math.isinf(value) and any(c.isdigit() for c in cell):
            raise Unusable(f"{cell!r} in line {number} is beyond the range of 64-bit numbers")
        return value
    if not cell:
        raise Unusable(f"line {number} has an empty entry")
    if _is_complex(cell):
        raise Unusable(f"{cell!r} in line {number} is complex: {KINDS['c']}")
    if separator in (";", "\t") and value_of(cell.replace(",", ".")) is not None:
        raise Unusable(f"{cell!r} in line {number} has a decimal comma: write a decimal point")
    shown = cell if len(cell) <= 30 else f"{cell[:27]}…"
    raise Unusable(f"{shown!r} in line {number} is no number")


def _is_complex(cell: str) -> bool:
    """Whether a text that is no real number is a complex one, as Python, NumPy or MATLAB write it."""
    try:
        complex(cell.replace("i", "j"))
    except ValueError:
        return False
    return cell.isascii() and "_" not in cell and any(c.isdigit() for c in cell)
