"""Exit times: how much networks scatter that differ in nothing but their random start and their data."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from empirical.experiments.exit_times import Exits, ExitTimes
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, LINES, MARKERS, PALETTE

SHOWN = 20  # markers of each ensemble
TAIL = 2e-3  # part of the law beyond the right edge
BINS = np.linspace(-2.0, 8.0, 21)  # of the scaled times
ASIDE = 0.12  # by which markers of one ensemble stand aside from those of the next


def exit_times_figure(times: ExitTimes, *, axes: GivenAxes = None) -> Drawn:
    """Part of the networks that are there against time above; below, the scaled times of all dimensions together.

    Lines are the law, markers trained networks: above some of their sorted times, below the density in bins, with the
    standard deviation of a count as bars. Below all dimensions have one law, that of −ln χ²₁, the spread of which does
    not shrink.

    Parameters
    ----------
    times : ExitTimes
    axes : sequence of two Axes, optional
        To draw into instead; see `figures.canvas`.
    """
    with canvas(axes, (COLUMN_WIDTH, 4.4), 2) as drawing:
        above, below = drawing.axes
        styles = zip(times.exits, PALETTE * 9, LINES * 9, MARKERS * 9, strict=False)
        handles: list[Any] = []
        labels: list[str] = []
        for i, (part, colour, line, marker) in enumerate(styles):
            handles.append(_cumulative(above, part, colour, line, marker))
            labels.append(f"$d = {part.run.inputs}$")
            _scaled(below, part, colour, marker, ASIDE * (i - (len(times.exits) - 1) / 2))
        _log_chi_square(below)
        above.set_xlabel("time $t$ of the flow")
        above.set_ylabel("part of the networks there")
        above.set_ylim(0, 1.02)
        longest = max(part.law.quantile(1 - TAIL) for part in times.exits)
        above.set_xlim(0, longest)
        above.annotate(
            _about(times), (0.97, 0.06), xycoords="axes fraction", ha="right", va="bottom", fontsize=8
        )
        below.set_xlabel(r"scaled time $2\mu T - \ln(d \rho^2 / v)$")
        below.set_ylabel("density")
        below.set_xlim(BINS[0], BINS[-1])
        below.set_ylim(bottom=0)
        grey = [
            Line2D([], [], color="0.3"),
            Line2D([], [], color="0.3", linestyle="", marker="o", markerfacecolor="white"),
        ]
        drawing.legend([*handles, *grey], [*labels, r"law: $-\ln\chi^2_1$", "trained"], ncols=2)
    return drawing.result


def _about(times: ExitTimes) -> str:
    noise = rf", $\Delta = {times.label_noise:g}$" if times.label_noise else ""
    return rf"$\eta d / B = {times.rate:g}${noise}, $m = {times.overlap:.3g}$"


def _cumulative(axes: Axes, part: Exits, colour: str, line: Any, marker: str) -> tuple[Line2D, Line2D]:
    """The law, and some of the sorted times at their ranks."""
    t = np.linspace(0, part.law.quantile(1 - TAIL), 400)
    (law,) = axes.plot(t, part.law.distribution(t), color=colour, linestyle=line)
    S = len(part.run.times)
    rank = np.unique(((np.arange(SHOWN) + 0.5) / SHOWN * S).astype(int))
    at = np.sort(part.run.times)[rank]
    known = np.isfinite(at)
    (networks,) = axes.plot(
        at[known], (rank[known] + 0.5) / S, marker, color=colour, markerfacecolor="white", markersize=4.0
    )
    return law, networks


def _scaled(axes: Axes, part: Exits, colour: str, marker: str, aside: float) -> None:
    """Density of the scaled times in bins, of all networks."""
    counts, _ = np.histogram(part.scaled, BINS)
    size = len(part.run.times) * np.diff(BINS)
    axes.errorbar(
        (BINS[1:] + BINS[:-1]) / 2 + aside,
        counts / size,
        yerr=np.sqrt(counts) / size,
        fmt=marker,
        color=colour,
        markerfacecolor="white",
        markersize=4.0,
        elinewidth=0.8,
        zorder=3,
    )


def _log_chi_square(axes: Axes) -> None:
    """Density of y = −ln χ²₁: e^{−y/2 − e^{−y}/2}/√(2π)."""
    y = np.linspace(BINS[0], BINS[-1], 300)
    axes.plot(y, np.exp(-y / 2 - np.exp(-y) / 2) / np.sqrt(2 * np.pi), color="0.3")
