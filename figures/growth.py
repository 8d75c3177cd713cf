"""Growth for ever: loss and norm of networks on labels that can be separated, beside their laws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from dynamics.aliases import Array
from empirical.experiments.growth import Growth
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, LINES, MARKERS, PALETTE, TIME

NEAR = 1.0  # s from which a law is drawn


def growth_figure(curves: Sequence[Growth], *, axes: GivenAxes = None) -> Drawn:
    """Two double logarithmic panels: the logistic loss falls as a power of time, norms of W grow as another.

    Parameters
    ----------
    curves : sequence of Growth
    axes : Axes or sequence of Axes, optional
        To draw into instead, two; see `figures.canvas`.
    """
    with canvas(axes, (COLUMN_WIDTH, 4.4), 2, sharex=True) as drawing:
        above, below = drawing.axes
        for curve, colour, line, marker in zip(curves, PALETTE, LINES, MARKERS, strict=False):
            t = curve.times[1:]
            shown = t[curve.law.scale(t) > NEAR]
            p, q = curve.law.scale_exponent, curve.law.norm_exponent
            above.plot(t, curve.loss[1:], color=colour, linestyle=line, label=curve.name)
            below.plot(t, curve.norm[1:], color=colour, linestyle=line)
            _law(above, shown, curve.law.loss(shown), f"$t^{{-{p:.3g}}}$", colour)
            _law(below, shown, curve.law.weight_norm(shown), f"$t^{{{q:.3g}}}$", colour)
            for panel, values in ((above, curve.trained_loss), (below, curve.trained_norm)):
                panel.plot(
                    curve.trained_times[1:],
                    np.median(values, axis=0)[1:],
                    marker,
                    color=colour,
                    markerfacecolor="white",
                    zorder=4,
                )
        number = len(curves[0].trained_loss)
        above.plot([], [], "o", color="0.3", markerfacecolor="white", label=f"median of {number} networks")
        above.plot([], [], color="0.3", linewidth=0.6, label="law for late times, derived")
        for panel in (above, below):
            panel.set_xscale("log")
            panel.set_yscale("log")
            panel.xaxis.set_major_locator(LogLocator(numticks=8))
            panel.xaxis.set_minor_formatter(NullFormatter())
        below.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        below.yaxis.set_major_formatter("{x:g}")
        below.yaxis.set_minor_formatter(NullFormatter())
        above.set_ylabel("logistic loss $L$")
        below.set_ylabel(r"norm $\Vert W\Vert$ of the first layer")
        below.set_xlabel(TIME)
        drawing.legend(ncols=2, columnspacing=1.2)
    return drawing.result


def _law(panel: Axes, times: Array, values: Array, power: str, colour: str) -> None:
    """The law, thin, with its power at the end."""
    panel.plot(times, values, color=colour, linewidth=0.6, zorder=1)
    panel.annotate(
        power,
        (times[-1], values[-1]),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        color=colour,
        annotation_clip=False,
    )
