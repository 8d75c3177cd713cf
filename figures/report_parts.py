"""What a section of a report consists of beside its tables: charts and texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Chart:
    """A chart as plotly's JSON object; `timed` if its time axis can be logarithmic."""

    title: str
    figure: Mapping[str, Any]
    timed: bool = False
    note: str = ""


@dataclass(frozen=True)
class Text:
    """A text of several lines, or a formula."""

    title: str
    text: str


def figure_json(figure: Any) -> Mapping[str, Any]:
    """Data and layout of a plotly figure as plain objects."""
    plain = json.loads(figure.to_json())
    return {"data": plain["data"], "layout": plain["layout"]}
