"""What a study found: scores against learning rate or number of parameters, and the differences of pairs."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from dynamics.aliases import Array
from figures.style import COLUMN_WIDTH, MARKERS, PALETTE, paper, plain_text

if TYPE_CHECKING:
    from empirical.studies.findings import Findings, Result

NAMES = {"accuracy": "test accuracy, %", "loss": "½ mean square test error"}
FACTORS = {"accuracy": 100.0, "loss": 1.0}


def study_figure(found: Findings) -> Figure:
    """Left: scores of all contenders. Right: differences of pairs with their 95 % intervals.

    Parameters
    ----------
    found : Findings

    Returns
    -------
    matplotlib.figure.Figure
    """
    with paper():
        height = max(2.6, 0.32 * len(found.differences) + 1.0)
        figure = Figure(figsize=(2 * COLUMN_WIDTH, height))
        scores, gaps = figure.subplots(1, 2, width_ratios=(1, 0.9))
        if found.study.along == "rate":
            _against_rate(scores, found)
        else:
            _against_parameters(scores, found)
        scores.set_ylabel(NAMES[found.score])
        _label_decades(scores)
        scores.legend(fontsize=6)
        _differences(gaps, found)
    return figure


def _label_decades(axes: Axes) -> None:
    """A logarithmic horizontal axis with plain numbers, few enough not to touch."""
    axes.set_xscale("log")
    low, high = np.log10(axes.get_xlim())
    subs = (1.0, 2.0, 5.0) if high - low < 1.5 else (1.0, 3.0) if high - low < 3 else (1.0,)
    axes.xaxis.set_major_locator(LogLocator(subs=subs))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def _against_rate(axes: Axes, found: Findings) -> None:
    """Mean and standard error at every rate; hollow where some replicates failed, nothing where all did."""
    factor = FACTORS[found.score]
    for result, colour, marker in zip(found.results, cycle(PALETTE), cycle(MARKERS), strict=False):
        mean, error = _moments(result.curve)
        partly = (result.failed > 0) & np.isfinite(mean)
        axes.errorbar(
            result.rates,
            factor * mean,
            factor * error,
            color=colour,
            marker=marker,
            markersize=4,
            capsize=2,
            label=plain_text(result.label),
        )
        axes.plot(
            result.rates[partly],
            factor * mean[partly],
            marker,
            color=colour,
            markerfacecolor="white",
            markersize=4,
        )
    axes.set_xlabel("learning rate η (hollow: some runs failed)")


def _against_parameters(axes: Axes, found: Findings) -> None:
    """Mean and standard error at each contender's best rate, one curve a family."""
    factor = FACTORS[found.score]
    families: dict[str, list[Result]] = {}
    for result in found.results:
        families.setdefault(result.family, []).append(result)
    for (family, members), colour, marker in zip(
        families.items(), cycle(PALETTE), cycle(MARKERS), strict=False
    ):
        axes.errorbar(
            [m.parameters for m in members],
            [factor * m.mean for m in members],
            [factor * m.standard_error for m in members],
            color=colour,
            marker=marker,
            markersize=4,
            capsize=2,
            label=plain_text(family),
        )
    axes.set_xlabel("trained parameters")


def _moments(curve: Array) -> tuple[Array, Array]:
    """Mean and standard error over the replicates that did not fail, (E,) each; NaN where there are none."""
    counts = np.isfinite(curve).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(np.isfinite(curve), curve, 0).sum(axis=1) / counts
        squares = np.where(np.isfinite(curve), (curve - mean[:, None]) ** 2, 0).sum(axis=1)
        error = np.sqrt(squares / (counts - 1) / counts)
    return mean, np.where(counts > 1, error, np.nan)


def _differences(axes: Axes, found: Findings) -> None:
    """Mean differences with intervals, the first pair on top; filled where the interval leaves 0 out."""
    factor = FACTORS[found.score]
    for row, difference in enumerate(found.differences):
        colour = PALETTE[0] if difference.decided else "0.5"
        axes.errorbar(
            factor * difference.mean,
            row,
            xerr=factor * difference.half_width,
            color=colour,
            marker="o",
            markersize=4,
            markerfacecolor=colour if difference.decided else "white",
            capsize=2,
        )
    axes.axvline(0, color="0.6", linewidth=0.8, zorder=0)
    axes.set_yticks(
        range(len(found.differences)),
        [f"{plain_text(d.first)}\n− {plain_text(d.second)}" for d in found.differences],
        fontsize=6,
    )
    axes.set_ylim(len(found.differences) - 0.5, -0.5)
    axes.set_xlabel("difference in " + NAMES[found.score])
