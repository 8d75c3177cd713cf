"""Late-time laws: loss against time, its power laws, and trained networks."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.ticker import LogLocator, NullFormatter

from empirical.experiments.late_time import LateTime
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, LINES, MARKERS, PALETTE, TIME


def late_time_figure(curves: Sequence[LateTime], *, axes: GivenAxes = None) -> Drawn:
    """Double logarithmic; the law of each curve is the thin straight line with its formula.

    Parameters
    ----------
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    with canvas(axes, (COLUMN_WIDTH, 3.2)) as drawing:
        axes = drawing.axes[0]
        for curve, colour, line, marker in zip(curves, PALETTE, LINES, MARKERS, strict=False):
            t = curve.times[1:]
            axes.plot(t, curve.loss[1:], color=colour, linestyle=line, label=curve.name)
            law = curve.tail(t)
            shown = law < 3 * curve.loss[0]
            axes.plot(t[shown], law[shown], color=colour, linewidth=0.6, zorder=1)
            axes.plot(
                curve.trained_times[1:],
                curve.trained_loss[1:],
                marker,
                color=colour,
                markerfacecolor="white",
                zorder=4,
            )
            axes.annotate(
                f"${curve.tail.prefactor:.3g}\\,t^{{-{curve.tail.exponent:.3g}}}$",
                (t[-1], curve.loss[-1]),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                color=colour,
                annotation_clip=False,
            )
        axes.plot([], [], "o", color="0.3", markerfacecolor="white", label="one trained network each")
        axes.plot([], [], color="0.3", linewidth=0.6, label="late-time law, derived")
        axes.set_xscale("log")
        axes.set_yscale("log")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(numticks=8))
            axis.set_minor_formatter(NullFormatter())
        axes.set_xlim(right=curves[0].times[-1])
        axes.set_xlabel(TIME)
        axes.set_ylabel("loss $L$ (squared output units)")
        drawing.legend(ncols=2, columnspacing=1.2)
    return drawing.result
