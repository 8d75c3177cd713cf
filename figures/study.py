"""What a study found: scores, what became of trainings or of gradients, and the differences of pairs."""

from __future__ import annotations

from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from dynamics.aliases import Array
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, MARKERS, PALETTE, plain_text

if TYPE_CHECKING:
    from empirical.studies.findings import Findings
    from empirical.studies.outcomes import Result

NAMES = {"accuracy": "test accuracy, %", "loss": "½ mean square test error"}
WIDE, FAR = (
    5.0,
    20.0,
)  # ratio of the largest to the smallest from which errors, and gradients, have logarithmic axes
FACTORS = {"accuracy": 100.0, "loss": 1.0}


def study_figure(found: Findings, *, axes: GivenAxes = None) -> Drawn:
    """Scores with standard errors, collapsed trainings or gradients through depth, differences with 95 % intervals.

    Parameters
    ----------
    found : Findings
    axes : Axes or sequence of Axes, optional
        To draw into instead, two, for scores and collapses or gradients, and another one where models are compared;
        see `figures.canvas`.
    """
    lower, compared = 0.16 * len(found.differences) + 0.6, bool(found.differences)
    size = 2 * COLUMN_WIDTH, 3.0 + lower
    with canvas(
        axes, size, 2 + compared, arrange=partial(_two_rows, lower=lower, compared=compared)
    ) as drawing:
        scores, second, *differences = drawing.axes
        if found.study.along == "rate":
            _scores_against_rate(scores, found)
        else:
            _scores_against_parameters(scores, found)
        scores.set_ylabel(NAMES[found.score])
        _label_decades(scores.xaxis)
        if found.score == "loss" and _ratio(scores) > WIDE:
            _label_decades(scores.yaxis)
        if any(result.gradients is not None for result in found.results):
            _gradients(second, found)
        else:
            _collapsed(second, found)
        drawing.legend(*scores.get_legend_handles_labels(), of=scores, ncols=3, fontsize=7)
        for panel in differences:
            _differences(panel, found)
    return drawing.result


def _two_rows(figure: Figure, lower: float, compared: bool) -> list[Axes]:
    """Two panels above, and one of a given height below where models are compared."""
    grid = figure.add_gridspec(2, 1, height_ratios=(3.0, lower))
    above, below = (figure.add_subfigure(grid[i]) for i in range(2))
    return [*above.subplots(1, 2), *([below.subplots()] if compared else [])]


def _ratio(axes: Axes) -> float:
    """Largest over smallest of what is drawn upwards; 1 of nothing."""
    drawn = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in axes.lines] or [np.ones(1)])
    known = drawn[np.isfinite(drawn)]
    return float(known.max() / known.min()) if len(known) else 1.0


def _label_decades(axis: XAxis | YAxis) -> None:
    """A logarithmic axis with plain numbers, few enough not to touch."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    low, high = np.log10(axis.get_view_interval())
    subs = (1.0, 2.0, 5.0) if high - low < 1.5 else (1.0, 3.0) if high - low < 2.5 else (1.0,)
    axis.set_major_locator(LogLocator(subs=subs))
    if len(subs) > 1:
        axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(NullFormatter())


def _scores_against_rate(axes: Axes, found: Findings) -> None:
    """Mean and standard error at every rate; hollow where some replicates failed, nothing where all did."""
    from empirical.studies.outcomes import moments

    factor = FACTORS[found.score]
    for result, colour, marker in zip(found.results, cycle(PALETTE), cycle(MARKERS), strict=False):
        mean, error = moments(result.scores)
        _points(axes, result.rates, factor * mean, factor * error, colour, marker, plain_text(result.label))
        partly = result.failed.any(axis=1) & np.isfinite(mean)
        axes.plot(
            result.rates[partly],
            factor * mean[partly],
            marker,
            color=colour,
            markerfacecolor="white",
            markersize=4,
            zorder=3,
        )
    axes.set_xlabel("learning rate η (hollow: some runs failed)")


def _scores_against_parameters(axes: Axes, found: Findings) -> None:
    """Mean and standard error at each contender's best rate, one curve a family."""
    factor = FACTORS[found.score]
    for (family, members), colour, marker in zip(
        _families(found).items(), cycle(PALETTE), cycle(MARKERS), strict=False
    ):
        known = [m for m in members if m.parameters is not None]
        _points(
            axes,
            np.array([m.parameters for m in known], dtype=float),
            factor * np.array([m.mean for m in known]),
            factor * np.array([m.standard_error for m in known]),
            colour,
            marker,
            plain_text(family),
        )
    axes.set_xlabel("trained parameters")


def _points(axes: Axes, x: Array, y: Array, error: Array, colour: str, marker: str, label: str) -> None:
    """Joined markers with bars."""
    axes.errorbar(x, y, error, color=colour, marker=marker, markersize=4, capsize=2, label=label)


def _families(found: Findings) -> dict[str, list[Result]]:
    """Results by their family, in the order of the study."""
    families: dict[str, list[Result]] = {}
    for result in found.results:
        families.setdefault(result.family, []).append(result)
    return families


def _collapsed(axes: Axes, found: Findings) -> None:
    """Share of replicates that collapsed, at every rate."""
    for result, colour, marker in zip(found.results, cycle(PALETTE), cycle(MARKERS), strict=False):
        share = 100 * result.collapsed.mean(axis=1)
        axes.plot(result.rates, share, marker=marker, color=colour, markersize=4, clip_on=False, zorder=3)
    axes.set_ylim(0, 100)
    axes.set_ylabel("collapsed runs, %")
    axes.set_xlabel("learning rate η")
    _label_decades(axes.xaxis)


def _gradients(axes: Axes, found: Findings) -> None:
    """Gradients through the depth of the largest network of each family, at its best rate: medians over replicates."""
    for members, colour, marker in zip(
        _families(found).values(), cycle(PALETTE), cycle(MARKERS), strict=False
    ):
        measured = [m for m in members if m.gradients is not None]
        if not measured:
            continue
        largest = measured[-1]
        assert largest.gradients is not None
        here = largest.gradients[largest.best]  # (S, M, L)
        used = np.isfinite(here).any(axis=(0, 1))
        layers = np.arange(1, used.sum() + 1)
        for moment, style in ((0, ":"), (-1, "-")):
            known = here[np.isfinite(here[:, moment]).any(axis=1)][:, moment][:, used]
            if len(known):
                axes.plot(layers, np.median(known, axis=0), style, color=colour, marker=marker, markersize=4)
    if _ratio(axes) > FAR:
        axes.set_yscale("log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("hidden layer (dotted: at the start)")
    axes.set_ylabel("gradient, relative to the last")


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
        [f"{plain_text(d.first)} − {plain_text(d.second)}" for d in found.differences],
        fontsize=7,
    )
    axes.set_ylim(len(found.differences) - 0.5, -0.5)
    axes.set_xlabel("difference in " + NAMES[found.score])
