"""The results on disk: `results.json`, which figures are drawn from, and `results.md`, which is read."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.headline import headline
from benchmarks.report import Table

PUBLISHED = """## What could not be measured

[MLPGradientFlow.jl](https://github.com/jbrea/MLPGradientFlow.jl) integrates the gradient flow of multi-layer
perceptrons in Julia, which was not at hand. Published, not measured here: "For small networks and data sets, gradients
are usually computed faster than in pytorch and Hessian are computed at least 5× faster" (Brea, Martinelli, Şimşek and
Gerstner, [arXiv:2301.10638](https://arxiv.org/abs/2301.10638), abstract; its script `scripts/efficiency.py` compares
networks of softplus units with 2 inputs on 10 to 100 000 samples). No published time of a whole trajectory was found
that could stand beside those above.
"""


def write_results(tables: Sequence[Table], about: dict[str, str], folder: Path) -> list[Table]:
    """Write `results.json` and `results.md`; of benchmarks that were not run this time, earlier results stay.

    Returns
    -------
    list of Table
        All that were written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    earlier = {table.name: table for table in read_results(folder)}
    new = {table.name: replace(table, measured=table.measured or about["date"]) for table in tables}
    kept = {name: table for name, table in earlier.items() if name not in new}
    merged = sorted((new | kept).values(), key=lambda table: table.title.split(" ")[0])  # by their number
    data = {"machine": about, "tables": [asdict(table) for table in merged]}
    (folder / "results.json").write_text(json.dumps(_finite(data), indent=1, ensure_ascii=False) + "\n")
    head = "\n".join(f"* {key}: {value}" for key, value in about.items())
    first = headline(merged)
    shown = ([] if first is None else [first]) + [table for table in merged if table.read]
    parts = ["# Benchmarks", "", head, "", *(table.markdown() for table in shown), PUBLISHED]
    (folder / "results.md").write_text("\n".join(parts))
    return merged


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
