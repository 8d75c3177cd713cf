"""The Hessian along a curve, as a report shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from figures.report_parts import Chart, figure_json
from figures.style import PALETTE
from figures.web_page import DASHES

NOTE = "Largest and smallest eigenvalue of the Hessian of the loss"


def curvature_parts(hessian: Mapping[str, Any] | None) -> list[Chart]:
    """The chart of what `quadflow simulate --hessian` printed; none without that."""
    return (
        []
        if hessian is None
        else [Chart("Hessian", figure_json(_chart(hessian)), timed=True, note=_note(hessian))]
    )


def _chart(hessian: Mapping[str, Any]) -> go.Figure:
    """Extreme eigenvalues, and below them the index where all were computed."""
    counted = hessian["index"] is not None
    figure = make_subplots(1 + counted, 1, shared_xaxes=True, vertical_spacing=0.08)
    rows = [("sharpness", "largest eigenvalue", 1), ("lowest_eigenvalue", "smallest eigenvalue", 1)]
    rows += [("index", "index", 2)] if counted else []
    for n, (key, name, row) in enumerate(rows):
        line = {"color": PALETTE[n], "dash": DASHES[n], "width": 2, "shape": "hvh" if row == 2 else "linear"}
        figure.add_scatter(
            x=hessian["times"], y=hessian[key], mode="lines", line=line, name=name, row=row, col=1
        )
    figure.update_yaxes(title_text="1 / time", row=1, col=1)
    if counted:
        figure.update_yaxes(title_text="index", rangemode="tozero", row=2, col=1)
    figure.update_xaxes(range=[0, max(hessian["times"], default=1)])
    figure.update_xaxes(title_text="time of the flow", row=1 + counted, col=1)
    legend = {"orientation": "h", "yanchor": "bottom", "y": 1.02, "xanchor": "left", "x": 0}
    return figure.update_layout(
        template="none",
        height=440 if counted else 320,
        margin={"l": 68, "r": 16, "t": 48, "b": 62},
        legend=legend,
        showlegend=True,
    )


def _note(hessian: Mapping[str, Any]) -> str:
    """What is drawn, and what counts as zero."""
    if hessian["index"] is None:
        return f"{NOTE}."
    return f"{NOTE}; the index is the number of those below −{hessian['tolerance']:.3g}."
