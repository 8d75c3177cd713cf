"""Tables of results, as Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Table:
    """One benchmark's result: rows are dictionaries with the same keys, the columns.

    Parameters
    ----------
    name, title, note : str
        Of names that begin with "work" there is no table to read: figures are drawn from them.
    rows : list of dict
    measured : str
        When; filled in when the table is written.
    """

    name: str
    title: str
    note: str
    rows: list[dict[str, Any]]
    measured: str = ""

    @property
    def read(self) -> bool:
        """Whether the table is there to be read."""
        return bool(self.rows) and not self.name.startswith("work")

    def markdown(self) -> str:
        """Heading, note and table."""
        columns = list(self.rows[0])
        body = [[_cell(row[column]) for column in columns] for row in self.rows]
        widths = [max(map(len, column)) for column in zip(columns, *body, strict=True)]
        lines = [_line(columns, widths), _line(["-" * w for w in widths], widths)]
        lines += [_line(row, widths) for row in body]
        note = f"{self.note} Measured on {self.measured}." if self.measured else self.note
        return "\n".join([f"## {self.title}", "", note, "", *lines, ""])


def _line(cells: list[str], widths: list[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
