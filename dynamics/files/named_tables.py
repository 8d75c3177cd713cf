"""Tables of columns with names (`.csv`), as people keep their data: cells are text, and rows come one by one."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from dynamics.budget import check_memory, format_bytes
from dynamics.files.arrays import Unusable
from dynamics.files.opening import Source, open_binary
from dynamics.files.tables import COMMENT, decode, separator_of, value_of

Row = tuple[int, list[str]]  # its line in the file, and its cells
COPIES = 3  # of the bytes of a file, while they become text and numbers
QUOTED = re.compile('"[^"]*"')


@dataclass(frozen=True)
class NamedTable:
    """Cells of a table without its line of names.

    Attributes
    ----------
    names : tuple of str
        Of the columns; of a file without names their numbers, from 0.
    named : bool
        Whether the file has names.
    rows : iterator of (int, list of str)
        Line and cells of every row, once.
    separator : str or None
        None are blanks.
    """

    names: tuple[str, ...]
    named: bool
    rows: Iterator[Row]
    separator: str | None


def read_table(source: Source, what: str) -> NamedTable:
    """Open a table of columns with names.

    Entries are separated by semicolons, tabs, commas or blanks, whichever of them comes first in this list and stands
    in the first line outside quotes. Quoted entries may hold separators and line ends. Empty lines, lines that begin
    with # and a byte-order mark are passed over. The first line holds names if none of its entries is a number.

    Parameters
    ----------
    source : path or binary stream
    what : str
        Names it where the file cannot be opened.

    Raises
    ------
    ProblemError
        If the file cannot be read.
    Unusable
        If it holds no such table, now or while the rows are read.
    """
    with open_binary(source, what) as file:
        size = file.seek(0, os.SEEK_END)
        check_memory(f"The text of {what}, {format_bytes(size)},", COPIES * size, "take fewer rows")
        file.seek(0)
        text = decode(file.read())
    separator = separator_of(QUOTED.sub("", _first_line(text)))
    rows = _rows(text, separator)
    first = next(rows, None)
    if first is None:
        raise Unusable("it is empty")
    line, cells = first
    named = all(value_of(cell) is None for cell in cells)
    if named:
        if not all(cells):
            raise Unusable(
                f"line {line} has an empty name, as above a column of row names: save without them"
            )
        return NamedTable(tuple(cells), True, _even(rows, first), separator)
    numbers = tuple(map(str, range(len(cells))))
    return NamedTable(numbers, False, _even(chain([first], rows), first), separator)


def _first_line(text: str) -> str:
    return next((line for line in _lines(text) if line.strip() and not line.startswith(COMMENT)), "")


def _rows(text: str, separator: str | None) -> Iterator[Row]:
    """Cells of every line that holds some."""
    for line, cells in _split(text, separator):
        if any(cells) and not cells[0].startswith(COMMENT):
            yield line, cells


def _split(text: str, separator: str | None) -> Iterator[Row]:
    lines = _lines(text)
    if separator is None:
        yield from ((number, line.split()) for number, line in enumerate(lines, 1))
        return
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise Unusable(f"line {reader.line_num} cannot be split into entries") from None
        yield reader.line_num, [cell.strip() for cell in cells]


def _lines(text: str) -> Iterator[str]:
    """Lines with their ends, one at a time: a buffer of text would take four bytes for each letter."""
    if "\n" not in text:
        text = text.replace("\r", "\n")  # as old spreadsheets end lines
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _even(rows: Iterator[Row], first: Row) -> Iterator[Row]:
    """Rows, refused where they are not as long as the first line."""
    number, cells = first
    for line, entries in rows:
        if len(entries) != len(cells):
            raise Unusable(f"line {line} has {len(entries)} entries, but line {number} has {len(cells)}")
        yield line, entries
