"""A chart of a report with a panel for each of several quantities over the same times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike
from plotly.subplots import make_subplots

from figures.web_page import INK

PANEL, AXIS = 130, 62  # pixels of a panel, and below the last one
DIGITS = 7  # of a coordinate; the file keeps the full precision


def panels_chart(times: Sequence[float], curves: Mapping[str, ArrayLike]) -> go.Figure:
    """One panel below the other, each with an axis of its own.

    Parameters
    ----------
    times : (T,) sequence
    curves : mapping str → (T,) array
        Names, which become the titles of the panels, and values, with null where there is none.
    """
    figure = make_subplots(
        len(curves), 1, shared_xaxes=True, subplot_titles=list(curves), vertical_spacing=0.3 / len(curves)
    )
    x = _rounded(times)
    for row, values in enumerate(curves.values(), start=1):
        line = {"color": INK, "width": 2}
        figure.add_scatter(x=x, y=_rounded(values), mode="lines", line=line, showlegend=False, row=row, col=1)
    figure.update_xaxes(range=[0, x[-1]])
    figure.update_xaxes(title_text="time of the flow", row=len(curves), col=1)
    height = PANEL * len(curves) + AXIS
    return figure.update_layout(template="none", height=height, margin={"l": 68, "r": 16, "t": 34, "b": AXIS})


def _rounded(values: ArrayLike) -> list[float | None]:
    numbers = np.asarray(values, dtype=float)
    return [float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None for value in numbers]
