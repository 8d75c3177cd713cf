"""What a report says of stationary points: a table and a chart, what a search found, and how flows connect them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dynamics.words import counted, listed
from figures import report_charts as charts
from figures.mode_names import set_label
from figures.report_facts import facts_and_parts, text_of
from figures.report_parts import Chart, Text, figure_json
from figures.report_tables import Cell, Table, make_table, number_cell

Result = Mapping[str, Any]

KEYS = ("fixed_points", "origin", "search", "connections")  # that stand together
SAME_HEIGHT = 6  # digits of a loss, relative to the largest, to which roots that are alike agree
ROUNDING = 1e-9  # of the largest learned value


def atlas_parts(atlas: Result) -> list[Table | Chart | Text]:
    """Stationary points, what a search found of them, and how flows connect them."""
    if not atlas:
        return []
    search = _search(atlas["search"]) if atlas.get("search") else []
    connections = facts_and_parts({key: atlas[key] for key in ("connections",) if key in atlas})[1]
    return [*_points(atlas["fixed_points"]), *search, *connections]


def _points(points: Sequence[Result]) -> list[Table | Chart]:
    """The catalogue of stationary points; sets that differ by modes of the learned value 0 are the same point."""
    every = len(points)
    points = _distinct(points)
    decays = any("objective" in p for p in points)
    certified = any(p.get("certified") for p in points)
    rows = [
        (
            Cell(set_label(p["learned_modes"]), len(p["learned_modes"])),
            *([number_cell(p.get("objective"))] if decays else []),
            number_cell(p["loss"]),
            Cell(listed(p["learned_values"], ".5g"), len(p["learned_values"])),
            number_cell(p.get("index")),
            number_cell(p.get("nullity")),
            number_cell(p.get("positive")),
            *([Cell(text_of(p.get("units")), text_of(p.get("units")))] if decays else []),
            Cell(p.get("kind") or "not feasible", p.get("kind") or "~"),
            *([number_cell(p.get("radius") if p.get("certified") else None, "{:.2g}")] if certified else []),
        )
        for p in points
    ]
    levels = ("objective", "loss") if decays else ("loss",)
    columns = ("learned modes", *levels, "learned values μ", "index", "nullity", "positive")
    columns += (
        *(("units of each mode",) if decays else ()),
        "kind",
        *(("proved within",) if certified else ()),
    )
    left_out = every - len(points)
    note = f"Left out: {counted(left_out, 'set')} with further modes of the learned value 0, the same points."
    parts: list[Table | Chart] = [make_table("Stationary points", columns, rows, note if left_out else "")]
    if sum(p.get("index") is not None for p in points) > 1:
        parts.append(Chart("Loss against Morse index", figure_json(charts.atlas_chart(points))))
    return parts


def _distinct(points: Sequence[Result]) -> list[Result]:
    """Points but for those whose set has further modes, of the learned value 0, than another with its values."""
    least: dict[Any, int] = {}
    for point in points:
        held = _held(point)
        least[held] = min(len(point["learned_values"]), least.get(held, len(point["learned_values"])))
    return [point for point in points if len(point["learned_values"]) == least[_held(point)]]


def _held(point: Result) -> tuple[tuple[int, str], ...]:
    """Modes with learned values that are not zero, to rounding."""
    values = point["learned_values"]
    size = max(map(abs, values), default=0.0)
    pairs = zip(point["learned_modes"], values, strict=False)
    return tuple((mode, f"{mu:.9g}") for mode, mu in pairs if abs(mu) > ROUNDING * size)


def _search(search: Result) -> list[Table | Chart | Text]:
    """What a search for roots found: roots that are alike are one row, with the times that they were found."""
    alike: dict[Any, dict[str, Any]] = {}
    roots = search.get("roots", ())
    size = max((abs(root["loss"] or 0.0) for root in roots), default=0.0) or 1.0
    for root in roots:
        height = round(abs(root["loss"] or 0.0) / size, SAME_HEIGHT)
        key = json.dumps({**root, "loss": height, "hits": 0}, sort_keys=True)
        kept = alike.setdefault(key, {**root, "hits": 0})
        kept["hits"] += root.get("hits", 1)
    facts, parts = facts_and_parts({**search, "roots": list(alike.values())})
    row = tuple(Cell(text, text) for text in facts.values())
    return [make_table("Search", tuple(facts), [row]), *parts]
