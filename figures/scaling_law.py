"""Scaling laws of power-law teachers: exact loss, asymptotic law, and trained networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from dynamics.words import counted
from empirical.experiments.power_law import ScalingLaw
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, LINES, MARKERS, PALETTE, TIME


def scaling_law_figure(laws: Sequence[ScalingLaw], *, axes: GivenAxes = None) -> Drawn:
    """Loss against time in double logarithmic axes, one exponent α per line; the law is the thin straight line.

    Parameters
    ----------
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    with canvas(axes, (COLUMN_WIDTH, 3.2)) as drawing:
        axes = drawing.axes[0]
        for law, colour, line, marker in zip(laws, PALETTE, LINES, MARKERS, strict=False):
            t = law.times
            axes.plot(
                t,
                law.loss,
                color=colour,
                linestyle=line,
                label=f"α = {law.exponent:g}, $N$ = {count(law.count)}",
            )
            tail = law.prefactor * t**-law.tail_exponent
            late = tail < 3 * law.loss[0]
            axes.plot(t[late], tail[late], color=colour, linewidth=0.6, zorder=1)
            axes.plot(
                law.trained_times,
                law.trained_loss,
                marker,
                color=colour,
                markerfacecolor="white",
                zorder=4,
            )
            n = len(t) * 3 // 4
            axes.annotate(
                f"${law.prefactor:.3g}\\,t^{{-{law.tail_exponent:.3g}}}$",
                (t[n], law.loss[n]),
                xytext=(4, 4),
                textcoords="offset points",
                color=colour,
            )
        modes = laws[0].trained_modes
        axes.plot(
            [],
            [],
            "o",
            color="0.3",
            markerfacecolor="white",
            label=f"trained network, {counted(modes, 'mode')}",
        )
        axes.plot([], [], color="0.3", linewidth=0.6, label="asymptotic law, derived")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.xaxis.set_major_locator(LogLocator(numticks=8))
        axes.yaxis.set_major_locator(LogLocator(numticks=8))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(TIME)
        axes.set_ylabel("loss $L$ (squared output units)")
        drawing.legend(ncols=2, columnspacing=1.2)
    return drawing.result


def count(n: int) -> str:
    """Powers of ten as such."""
    power = round(float(np.log10(n)))
    return f"$10^{{{power}}}$" if n == 10**power else f"{n}"
