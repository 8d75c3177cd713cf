"""Tables of a report: cells that are shown as texts and sorted by what they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LARGEST_TABLE = 2000  # rows


@dataclass(frozen=True)
class Cell:
    """Text of a table cell and what it is sorted by."""

    text: str
    key: float | str


@dataclass(frozen=True)
class Table:
    """A table that the reader sorts by its columns."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


def make_table(
    title: str, columns: tuple[str, ...], rows: Sequence[tuple[Cell, ...]], note: str = ""
) -> Table:
    """A table of no more than `LARGEST_TABLE` rows, which says so if there are more."""
    if len(rows) > LARGEST_TABLE:
        note = f"{note} The first {LARGEST_TABLE} of {len(rows)} rows.".strip()
    return Table(title, columns, tuple(rows[:LARGEST_TABLE]), note)


def number_cell(value: float | None, form: str = "{:.6g}") -> Cell:
    """A number in some form; a dash for none."""
    if value is None or not math.isfinite(value):
        return Cell("–", math.inf)
    return Cell(form.format(value).replace("-", "−"), value)


def value_cell(value: Any) -> Cell:
    """Number, or text."""
    return Cell(value, value) if isinstance(value, str) else number_cell(value)
