"""Collapse under weight decay: boundaries of what is learned in the plane of decay and initial scale, and networks."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from dynamics.words import counted
from empirical.experiments.collapse import CollapseDiagram
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, FAILS, LINES, MARKERS, PALETTE

MARGIN = 1.15  # factor by which the axis of rates goes beyond them


def collapse_figure(diagram: CollapseDiagram, *, axes: GivenAxes = None) -> Drawn:
    """Initial scale against weight decay: predicted boundaries, and every trained network as a marker.

    Parameters
    ----------
    diagram : CollapseDiagram
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    rates = diagram.rates * diagram.problem.weight_decay.first
    grid_rates, grid_scales = np.meshgrid(rates, diagram.scales, indexing="ij")
    with canvas(axes, (COLUMN_WIDTH, 3.2)) as drawing:
        axes = drawing.axes[0]
        axes.set_xscale("log")
        axes.set_yscale("log")
        low, high = diagram.scales[[0, -1]] * [0.8, 1.25]
        edge = np.array([rates.min() / MARGIN, rates.max() * MARGIN])
        # with more than the rate of decay nothing changes: critical scales are proportional to it
        boundary = diagram.critical[0, [rates.argmin(), rates.argmax()]] * edge / [rates.min(), rates.max()]
        axes.fill_between(edge, low, boundary, color=FAILS, linewidth=0, zorder=0)
        for j, critical in enumerate(diagram.critical):
            label = r"theory: $\varepsilon^* = \rho T_1$" if j == 0 else f"theory: {j + 1} modes"
            axes.plot(
                rates,
                critical,
                color="black",
                linestyle=LINES[j % len(LINES)],
                linewidth=1.2,
                zorder=1,
                label=label,
            )
        for count in np.unique(diagram.learned):
            here = diagram.learned == count
            kind = "x" if count == 0 else MARKERS[(int(count) - 1) % len(MARKERS)]
            axes.plot(
                grid_rates[here],
                grid_scales[here],
                kind,
                color=PALETTE[(1, 0, 2, 3, 4, 5)[min(int(count), 5)]],
                markerfacecolor="white",
                markersize=3.2,
                markeredgewidth=0.8,
                zorder=2,
                label="trained: nothing" if count == 0 else f"trained: {counted(int(count), 'mode')}",
            )
        for axis, subs in ((axes.xaxis, (1, 2, 5)), (axes.yaxis, (1,))):
            axis.set_major_locator(LogLocator(subs=subs, numticks=6))
            axis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axes.set_xlim(*edge)
        axes.set_ylim(low, high)
        axes.set_xlabel(r"weight decay $\rho$ (1/time)")
        axes.set_ylabel(r"initial scale $\varepsilon$, in units of the start")
        drawing.legend(ncols=2, columnspacing=1.0)
    return drawing.result
