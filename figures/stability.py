"""Sharpness against 2/η, and what networks do below and beyond the largest stable step."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from empirical.experiments.edge_of_stability import EdgeOfStability, TrainedBeside
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, MARKERS, PALETTE, TIME, show_decades, show_span

MARKED = 30  # records of a network that have a marker
LARGEST_STEP = r"$\eta_{\max}$"


def stability_figure(edge: EdgeOfStability, *, axes: GivenAxes = None) -> Drawn:
    """Sharpness (above) and loss on the data (below): flow as line, networks as markers; dotted: their 2/η.

    A thin line joins the records of a network. Where it oscillates with every step, from one side of its valley to the
    other, it fills the space between them.

    Parameters
    ----------
    axes : Axes or sequence of Axes, optional
        To draw into instead, two, for sharpness and losses; see `figures.canvas`.
    """
    with canvas(axes, (COLUMN_WIDTH, 4.4), 2, 1, sharex=True) as drawing:
        above, below = drawing.axes
        for panel, values in ((above, edge.sharpness), (below, edge.loss)):
            panel.plot(edge.times, values, color="black", zorder=5, label="gradient flow on the data")
        for n, descent in enumerate(edge.descents):
            style = _style(n, descent)
            above.plot(descent.times, descent.sharpness, label=_name(descent), **style)
            below.plot(descent.times, descent.loss, **style)
            threshold = {"color": style["color"], "linewidth": 1.0, "linestyle": (0, (1, 1.5)), "zorder": 6}
            above.axhline(2 / descent.step, **threshold)
        _finish(above, below, edge)
        drawing.align([above, below])
        drawing.legend(
            *above.get_legend_handles_labels(),
            ncols=2,
            columnspacing=1.2,
            title=f"{LARGEST_STEP} = 2/(largest sharpness of the flow); dotted: 2/$\\eta$",
            title_fontsize=7,
        )
    return drawing.result


def _style(n: int, descent: TrainedBeside) -> dict[str, Any]:
    return {
        "color": PALETTE[n % len(PALETTE)],
        "marker": MARKERS[n % len(MARKERS)],
        "markerfacecolor": "white",
        "markersize": 2.6,
        "markeredgewidth": 0.8,
        # an odd number, so that an oscillation of two steps shows both its sides
        "markevery": len(descent.times) // MARKED | 1,
        "linewidth": 0.5,
        "zorder": 3 - 0.1 * n,  # larger steps swing wider, and lie below
    }


def _name(descent: TrainedBeside) -> str:
    diverges = "" if descent.diverged_at is None else ", diverges"
    return f"network, $\\eta$ = {descent.factor:g} {LARGEST_STEP}{diverges}"


def _finish(above: Axes, below: Axes, edge: EdgeOfStability) -> None:
    above.set_ylim(0, 1.6 * max(2 / d.step for d in edge.descents))
    above.set_ylabel("sharpness (1/time)")
    top = float(edge.loss.max())
    show_decades(below, max(float(edge.loss.min()), top * 1e-10) / 3, 30 * top)
    show_span(below, edge.times[0], edge.times[-1])
    below.set_ylabel("loss $L$ on the data\n(squared output units)")
    below.set_xlabel(TIME)
