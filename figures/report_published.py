"""What a report says of published results: a table of verdicts, and one of the numbers of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from figures.report_tables import Cell, Table, make_table, number_cell, value_cell


def published_tables(result: Mapping[str, Any]) -> list[Table]:
    """Verdicts, and below them what was published beside ours."""
    return [verdicts(result), *(numbers(one) for one in result["results"])]


def verdicts(result: Mapping[str, Any]) -> Table:
    """One row for each result."""
    rows = [
        (
            value_cell(one["name"]),
            value_cell("yes" if one["agrees"] else "no"),
            number_cell(len(one["published"])),
            number_cell(one["largest_deviation"], "{:.2g}"),
            value_cell(one["read_as"]),
            value_cell(one["source"]),
        )
        for one in result["results"]
    ]
    columns = ("result", "agrees", "numbers", "largest difference over tolerance", "read as", "source")
    return make_table("Published results", columns, rows)


def numbers(one: Mapping[str, Any]) -> Table:
    """All numbers of one result; claim, tolerance and findings are its note."""
    rows = [
        (value_cell(name), valued(theirs, error), valued(ours, spread), number_cell(allowed, "{:.2g}"))
        for name, theirs, error, ours, spread, allowed in zip(
            one["quantities"],
            one["published"],
            one["published_errors"],
            one["ours"],
            one["our_errors"],
            one["tolerance"],
            strict=True,
        )
    ]
    note = " ".join(filter(None, (one["claim"], *one["reasons"], one["found"])))
    return make_table(one["name"], ("number", "published", "ours", "tolerance"), rows, note)


def valued(value: float | None, error: float | None) -> Cell:
    """A number with its standard error, if it has one."""
    cell = number_cell(value)
    return Cell(f"{cell.text} ± {number_cell(error, '{:.1g}').text}", cell.key) if error else cell
