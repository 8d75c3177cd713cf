"""Tables of results, as Markdown and JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Table:
    """One benchmark's result: rows are dictionaries with the same keys, the columns."""

    name: str
    title: str
    note: str
    rows: list[dict[str, Any]]

    def markdown(self) -> str:
        """Heading, note and table."""
        columns = list(self.rows[0])
        body = [[_cell(row[column]) for column in columns] for row in self.rows]
        widths = [max(map(len, column)) for column in zip(columns, *body, strict=True)]
        lines = [_line(columns, widths), _line(["-" * w for w in widths], widths)]
        lines += [_line(row, widths) for row in body]
        return "\n".join([f"## {self.title}", "", self.note, "", *lines, ""])


def _line(cells: list[str], widths: list[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def write_results(tables: list[Table], about: dict[str, str], folder: Path) -> None:
    """Write `results.json` and, without tables named "work…", `results.md`.

    Of benchmarks that were not run this time, earlier results stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    earlier = {table.name: table for table in read_results(folder)}
    merged = list((earlier | {table.name: table for table in tables}).values())
    data = {"machine": about, "tables": [asdict(table) for table in merged]}
    (folder / "results.json").write_text(json.dumps(_finite(data), indent=1, ensure_ascii=False) + "\n")
    head = "\n".join(f"* {key}: {value}" for key, value in about.items())
    text = "\n".join(
        ["# Benchmarks", "", head, "", *(table.markdown() for table in merged if table.name[:4] != "work")]
    )
    (folder / "results.md").write_text(text)


def read_results(folder: Path) -> list[Table]:
    """Tables that were written before, or none."""
    file = folder / "results.json"
    if not file.exists():
        return []
    return [Table(**table) for table in json.loads(file.read_text())["tables"]]


def _finite(value: Any) -> Any:
    """The same with null for NaN and infinity."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
