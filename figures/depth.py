"""Plateau length against the size of the start, for networks of different depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.ticker import LogLocator, NullFormatter

from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, PALETTE

if TYPE_CHECKING:
    from empirical.experiments.depth import DepthCurve

SOLID, DASHED = "-", (0, (4, 1.5))
NETWORKS, DESCENT = "o", "s"


def depth_figure(curves: Sequence[DepthCurve], *, axes: GivenAxes = None) -> Drawn:
    """Double logarithmic: closed forms as lines, solid for quadratic and dashed for linear layers, practice as markers.

    Parameters
    ----------
    curves : sequence of DepthCurve
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    with canvas(axes, (COLUMN_WIDTH, 4.2)) as drawing:
        axes = drawing.axes[0]
        for curve, colour in zip(curves, PALETTE, strict=False):
            law = rf"$\varepsilon^{{{curve.exponent}}}$" if curve.exponent else r"$\ln 1/\varepsilon$"
            axes.plot(
                curve.sizes,
                curve.times,
                color=colour,
                linestyle=SOLID if curve.quadratic else DASHED,
                label=f"{curve.name}: {law}",
            )
            axes.plot(
                curve.trained_sizes,
                curve.trained_times,
                NETWORKS if curve.sampled else DESCENT,
                color=colour,
                markerfacecolor="white",
                zorder=4,
            )
        for marker, name in ((NETWORKS, "trained networks"), (DESCENT, "noiseless descent")):
            if any(curve.sampled == (marker == NETWORKS) for curve in curves):
                axes.plot([], [], marker, color="0.3", markerfacecolor="white", label=name)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(numticks=8))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(r"size $\varepsilon$ of the initial weights")
        axes.set_ylabel("time until half is learned")
        drawing.legend(ncols=2, columnspacing=1.0)
    return drawing.result
