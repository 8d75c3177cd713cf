"""Sharpness against 2/η, and what networks do below and beyond the largest stable step."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from empirical.experiments.edge_of_stability import EdgeOfStability
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, MARKERS, PALETTE, TIME, show_decades, show_span


def stability_figure(edge: EdgeOfStability, *, axes: GivenAxes = None) -> Drawn:
    """Sharpness (above) and loss on the data (below): flow as line, networks as markers; dotted: their 2/η.

    Parameters
    ----------
    axes : Axes or sequence of Axes, optional
        To draw into instead, two, for losses and sharpness; see `figures.canvas`.
    """
    with canvas(axes, (COLUMN_WIDTH, 4.2), 2, 1, sharex=True) as drawing:
        above, below = drawing.axes
        above.plot(edge.times, edge.sharpness, color="black", label="gradient flow on the data")
        below.plot(edge.times, edge.loss, color="black")
        for descent, colour, marker in zip(edge.descents, PALETTE, MARKERS, strict=False):
            label = f"network, $η$ = {descent.factor:g} $η_*$"
            if descent.diverged_at is not None:
                label += ", diverges"
            style: dict[str, Any] = {
                "color": colour,
                "marker": marker,
                "markerfacecolor": "white",
                "linestyle": "none",
            }
            above.plot(descent.times, descent.sharpness, label=label, **style)
            below.plot(descent.times, descent.loss, **style)
            above.axhline(2 / descent.step, color=colour, linewidth=0.8, linestyle=(0, (1, 1.5)), zorder=0)
        _finish(above, below, edge)
        drawing.align([above, below])
        drawing.legend(ncols=2, columnspacing=1.2)
    return drawing.result


def _finish(above: Axes, below: Axes, edge: EdgeOfStability) -> None:
    above.set_ylim(0, 1.6 * max(2 / d.step for d in edge.descents))
    above.set_ylabel("sharpness (1 / time)")
    above.annotate(
        "dotted: $2/η$\n$η_* = 2$/largest sharpness of the flow",
        (0.01, 0.98),
        xycoords="axes fraction",
        va="top",
        color="0.35",
        fontsize=6.5,
    )
    top = float(edge.loss.max())
    show_decades(below, max(float(edge.loss.min()), top * 1e-10) / 3, 30 * top)
    show_span(below, edge.times[0], edge.times[-1])
    below.set_ylabel("loss on the data")
    below.set_xlabel(TIME)
