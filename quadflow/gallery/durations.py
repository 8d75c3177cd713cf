"""How long the figures take with their defaults, as measured: in a few steps, for machines differ."""

from __future__ import annotations

import json
from pathlib import Path

FILE = Path(__file__).with_name("durations.json")  # written by `python -m benchmarks.durations`
STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)  # seconds


def durations() -> dict[str, float]:
    """Seconds by the name of the figure."""
    found: dict[str, float] = json.loads(FILE.read_text(encoding="utf-8"))["seconds"]
    return found


def in_steps(seconds: float) -> str:
    """The next step that is not shorter: "10 s", "5 min"."""
    step = next((step for step in STEPS if seconds <= step), STEPS[-1])
    return f"{step} s" if step < 60 else f"{step // 60} min"
