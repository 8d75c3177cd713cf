"""Scaling laws of power-law teachers: exact loss, asymptotic law, and trained networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from empirical.experiments.power_law import ScalingLaw
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, LINES, MARKERS, PALETTE, TIME


def scaling_law_figure(laws: Sequence[ScalingLaw], *, axes: GivenAxes = None) -> Drawn:
    """Loss against time in double logarithmic axes, one exponent α per line; the law is the thin straight line.

    Networks have few modes: the exact loss with as many is dotted, and leaves the law where these run out.

    Parameters
    ----------
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    with canvas(axes, (COLUMN_WIDTH, 3.4)) as drawing:
        axes = drawing.axes[0]
        for law, colour, line, marker in zip(laws, PALETTE, LINES, MARKERS, strict=False):
            t = law.times
            axes.plot(t, law.loss, color=colour, linestyle=line, label=_name(law))
            tail = law.prefactor * t**-law.tail_exponent
            late = tail < 3 * law.loss[0]
            axes.plot(t[late], tail[late], color=colour, linewidth=0.6, zorder=1)
            axes.plot(
                law.trained_times, law.trained_loss, marker, color=colour, markerfacecolor="white", zorder=4
            )
            axes.plot(t, law.few_loss, color=colour, linewidth=0.9, linestyle=":", zorder=2)
        _explain(axes, laws)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_ylim(0.3 * min(law.loss.min() for law in laws), 3 * max(law.loss.max() for law in laws))
        axes.xaxis.set_major_locator(LogLocator(numticks=8))
        axes.yaxis.set_major_locator(LogLocator(numticks=8))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(TIME)
        axes.set_ylabel("loss $L$ (squared output units)")
        drawing.legend(ncols=2, columnspacing=1.2)
    return drawing.result


def _name(law: ScalingLaw) -> str:
    return f"α = {law.exponent:g}: ${law.prefactor:.3g}\\,t^{{-{law.tail_exponent:.3g}}}$"


def _explain(axes: Axes, laws: Sequence[ScalingLaw]) -> None:
    """Entries of the legend that hold for all exponents."""
    most, few = (_numbers(laws, name) for name in ("count", "trained_modes"))
    axes.plot([], [], color="0.3", linewidth=0.6, label="asymptotic law, derived")
    axes.plot([], [], color="0.3", label=f"exact, $N$ = {most}")
    axes.plot([], [], color="0.3", linewidth=0.9, linestyle=":", label=f"exact, $N$ = {few}")
    axes.plot([], [], "o", color="0.3", markerfacecolor="white", label="networks, as many modes")


def _numbers(laws: Sequence[ScalingLaw], name: str) -> str:
    """Numbers of modes: of each law, or one if all have the same."""
    found = [getattr(law, name) for law in laws]
    return ", ".join(map(count, found[:1] if len(set(found)) == 1 else found))


def count(n: int) -> str:
    """Powers of ten from a thousand on as such."""
    power = round(float(np.log10(n)))
    return f"$10^{{{power}}}$" if n >= 1000 and n == 10**power else f"{n}"
