"""Escape times: how long one unit takes to learn anything, against the input dimension and the step of SGD."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from dynamics.aliases import Array
from empirical.experiments.escape import EscapeCurve, EscapeTimes, NoiseCurve
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, LINES, MARKERS, PALETTE

LAWS = {
    1: "constant",
    2: r"$\propto \ln d$",
    3: r"$\propto \sqrt{d}$",
    4: r"$\propto d$",
}  # by information exponent
HIGHEST = 7.0  # ratio shown


def escape_times_figure(times: EscapeTimes, *, axes: GivenAxes = None) -> Drawn:
    """Time to an overlap against d above; below, that of one-pass SGD over that of the flow against step times d.

    Lines are theory, dotted their leading law in d, markers medians of trained networks with their quartiles. A bar
    whose upper end is not known, because too few networks got there, is an arrow; where not even half did, an arrow at
    the upper edge says how many.

    Parameters
    ----------
    times : EscapeTimes
    axes : Axes or sequence of Axes, optional
        To draw into instead, one, and another one where one-pass SGD is shown; see `figures.canvas`.
    """
    panels = 1 if times.noise is None else 2
    size = COLUMN_WIDTH, 3.0 if panels == 1 else 5.0
    with canvas(axes, size, panels, height_ratios=[1.4, 1.0][:panels]) as drawing:
        rows = drawing.axes
        handles, labels = _against_inputs(rows[0], times)
        if times.noise is not None:
            _against_step(rows[1], times.noise)
        drawing.legend(handles, labels, ncols=2, columnspacing=1.5)
    return drawing.result


def _against_inputs(axes: Axes, times: EscapeTimes) -> tuple[list[Any], list[str]]:
    """The upper panel; returns handles and labels of the legend, a column for each pair."""
    kinds = [
        Line2D([], [], color="0.3"),
        Line2D([], [], color="0.3", linewidth=0.7, linestyle=":"),
        Line2D([], [], color="0.3", linestyle="", marker="o", markerfacecolor="white"),
    ]
    curves: list[Any] = []
    for curve, colour, line, marker in zip(times.curves, PALETTE * 9, LINES * 9, MARKERS * 9, strict=False):
        (theory,) = axes.plot(curve.inputs, curve.flow, color=colour, linestyle=line)
        if curve.leading is not None:
            axes.plot(curve.inputs, curve.leading, color=colour, linewidth=0.7, linestyle=":", zorder=1)
        _name_law(axes, curve, colour)
        curves.append(theory)
        if curve.runs:
            quartiles = np.array([run.quartiles for run in curve.runs])
            networks = _medians(axes, [run.inputs for run in curve.runs], quartiles, colour, marker)
            curves[-1] = (theory, networks)
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(numticks=8))
        axis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("input dimension $d$")
    axes.set_ylabel(rf"time $t$ of the flow to $m = {times.overlap:g}$")
    named = [(handle, curve.activation.label) for handle, curve in zip(curves, times.curves, strict=True)]
    entries = [*named, *zip(kinds, ("flow", "leading term", "trained"), strict=True)]
    return [handle for handle, _ in entries], [label for _, label in entries]


def _against_step(axes: Axes, noise: NoiseCurve) -> None:
    axes.plot(noise.rates, noise.ratio, color=PALETTE[0])
    axes.axvline(noise.largest, color="0.5", linewidth=0.7, linestyle=":")
    axes.annotate(
        "no learning",
        (noise.largest, 1.0),
        xytext=(3, 2),
        textcoords="offset points",
        fontsize=7,
        va="bottom",
    )
    rates = [run.step * run.inputs for run in noise.runs]
    quartiles = np.array([run.quartiles / noise.flow_time for run in noise.runs]).reshape(-1, 3)
    _medians(axes, rates, quartiles, PALETTE[0], MARKERS[0])
    for run, rate, median in zip(noise.runs, rates, quartiles[:, 1], strict=True):
        if np.isinf(median):
            axes.annotate(
                f"{len(run.times) - run.unfinished} of {len(run.times)}",
                (rate, HIGHEST),
                xytext=(0, -16),
                textcoords="offset points",
                ha="center",
                va="top",
                fontsize=7,
                arrowprops={"arrowstyle": "->", "color": PALETTE[0], "relpos": (0.5, 1.0)},
            )
    axes.set_ylim(0.0, HIGHEST)
    axes.set_xlim(0.0, max([1.1 * noise.largest, *(1.05 * rate for rate in rates)]))
    axes.set_xlabel(r"step times dimension $\eta d$")
    about = f"one-pass SGD, {noise.activation.label}"
    axes.annotate(about, (0.03, 0.96), xycoords="axes fraction", va="top", fontsize=8)
    axes.set_ylabel(r"$T_\mathrm{SGD} / T_\mathrm{flow}$")


def _medians(axes: Axes, x: Sequence[float], quartiles: Array, colour: str, marker: str) -> ErrorbarContainer:
    """Medians, with bars from quartile to quartile; arrows where the upper one is not known."""
    known = np.isfinite(quartiles[:, 1])
    at = np.asarray(x, dtype=float)[known]
    low, middle, high = quartiles[known].T
    open_ended = np.isinf(high)
    for point, y in zip(at[open_ended], middle[open_ended], strict=True):
        axes.errorbar(point, y, yerr=y, lolims=True, fmt="none", ecolor=colour, elinewidth=0.8)
    return axes.errorbar(
        at,
        middle,
        yerr=np.stack([middle - low, np.where(open_ended, 0.0, high - middle)]),
        fmt=marker,
        color=colour,
        markerfacecolor="white",
        markersize=4.0,
        elinewidth=0.8,
        zorder=3,
    )


def _name_law(axes: Axes, curve: EscapeCurve, colour: str) -> None:
    """How the time grows, at the end of the line."""
    axes.annotate(
        LAWS.get(curve.exponent, rf"$\propto d^{{{curve.exponent / 2 - 1:g}}}$"),
        (float(curve.inputs[-1]), float(curve.flow[-1])),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        color=colour,
        annotation_clip=False,
    )
