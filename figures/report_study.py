"""What a report says of a study: a table of its contenders and one of the differences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from figures.report_tables import Cell, Table, make_table, number_cell, value_cell


def study_tables(result: Mapping[str, Any]) -> list[Table]:
    """Contenders at their best rates, and differences of pairs with their intervals."""
    percent = result["score"] == "accuracy"
    factor, name = (100.0, "test accuracy, %") if percent else (1.0, "½ mean square test error")

    def scaled(value: float | None) -> Cell:
        return number_cell(None if value is None else factor * value, "{:.4g}")

    contenders = [
        (
            value_cell(r["model"]),
            *(number_cell(r[key]) for key in ("parameters", "steps", "rate")),
            *(scaled(r[key]) for key in ("mean", "standard_error")),
            *(number_cell(r[key]) for key in ("collapsed", "seeds", "rebases")),
        )
        for r in result["results"]
    ]
    columns = ("model", "parameters", "steps", "best rate", name, "standard error")
    pairs = [
        (
            value_cell(f"{d['first']} − {d['second']}"),
            scaled(d["mean"]),
            *(scaled(end) for end in d["interval"]),
            number_cell(d["pairs"]),
            value_cell("yes" if d["decided"] else "no"),
        )
        for d in result["differences"]
    ]
    note = "Rates are the best on the samples to choose by; collapsed: share of the runs at this rate."
    return [
        make_table("Contenders", (*columns, "collapsed", "seeds", "changes of basis"), contenders, note),
        make_table(
            "Differences",
            ("pair", f"difference in {name}", "from", "to", "pairs", "decided"),
            pairs,
            "From, to: 95 % interval of the mean of paired differences (Student's law).",
        ),
    ]
