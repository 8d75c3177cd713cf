"""Test error against the number of samples: state evolution as lines, networks at their minimum as markers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from dynamics.aliases import Array
from dynamics.sample_size.prediction import SampleSize
from empirical.experiments.sample_size import SampleSizeCurves, TrainedSizes
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, LINES, MARKERS, PALETTE, show_decades, show_span

ALPHA = r"samples over $d^2$, $\alpha$"
MSE = r"MSE $\Vert\hat S - S_*\Vert^2/d$"
HEIGHTS = 3.1, 5.8  # of one panel and of two
# colour and marker of what recovers: raw units, centred ones from large weights, and from small ones
RAW, LARGE, SMALL = (4, "s"), (6, "^"), (3, "o")
ROOM = 1.4  # above and below all errors
CLEAN_ROOM = 1e3  # below them where they are zero from some α on


def error_curves(found: SampleSize, *, axes: GivenAxes = None) -> Drawn:
    """One state evolution over α, with the Bayes-optimal error and that of the best decay where they are known.

    Parameters
    ----------
    found : SampleSize
    axes : Axes, optional
        To draw into instead; see `figures.canvas`.
    """
    order = np.argsort(found.alpha)
    alone = "o" if len(order) == 1 else ""
    drawn = [(found.mse, PALETTE[0], "-", rf"$\ell = {found.weight_decay_order:g}$")]
    if found.best_mse is not None:
        drawn.append((found.best_mse, PALETTE[1], "--", r"best $\ell$"))
    if found.bayes is not None:
        drawn.append((found.bayes, PALETTE[6], "-", "Bayes"))
    with canvas(axes, (COLUMN_WIDTH, HEIGHTS[0])) as drawing:
        panel = drawing.axes[0]
        for mse, colour, line, label in drawn:
            y = np.where(mse > 0, mse, np.nan)[order]
            panel.plot(found.alpha[order], y, color=colour, linestyle=line, marker=alone, label=label)
        _finish(panel, [mse for mse, *_ in drawn], found.alpha)
        _mark(panel, found.thresholds.interpolation, "all labels fitted", "right")
        panel.set_xlabel(ALPHA)
        drawing.legend(ncols=3)
    return drawing.result


def sample_size_figure(curves: SampleSizeCurves, *, axes: GivenAxes = None) -> Drawn:
    """Above, with label noise, a colour for each decay; below, without, raw and centred units.

    Markers are means over the networks, bars two standard errors; dotted lines the theory corrected for their
    dimension, heuristically: with weight decay that is about a third to a half of the way to the networks.

    Parameters
    ----------
    curves : SampleSizeCurves
    axes : Axes or sequence of Axes, optional
        To draw into instead, one, and another one where there is a part without noise; see `figures.canvas`.
    """
    panels = 2 if curves.clean else 1
    with canvas(axes, (COLUMN_WIDTH, HEIGHTS[panels - 1]), panels) as drawing:
        above, below = drawing.axes[0], drawing.axes[-1]
        _with_noise(above, curves)
        if curves.clean:
            _without_noise(below, curves)
            drawing.align([above, below])
        below.set_xlabel(ALPHA)
        drawing.legend(*above.get_legend_handles_labels(), ncols=3, columnspacing=1.2)
    return drawing.result


def _with_noise(axes: Axes, curves: SampleSizeCurves) -> None:
    first, d = curves.noisy[0], curves.trained[0].inputs
    for i, (theory, finite, networks) in enumerate(
        zip(curves.noisy, curves.corrected, curves.trained, strict=True)
    ):
        colour = PALETTE[i % len(PALETTE)]
        label = rf"$\ell = {theory.weight_decay_order:g}$"
        axes.plot(theory.alpha, theory.mse, color=colour, linestyle=LINES[i % len(LINES)], label=label)
        axes.plot(finite.alpha, finite.mse, color=colour, linewidth=0.7, linestyle=":", zorder=1)
        _networks(axes, networks, colour, MARKERS[i % len(MARKERS)])
    if first.bayes is not None:
        axes.plot(first.alpha, first.bayes, color=PALETTE[6], linewidth=0.9, label="Bayes")
    axes.plot([], [], color="0.3", linewidth=0.7, linestyle=":", label=f"heuristic, $d = {d}$")
    axes.errorbar([], [], [], fmt="o", color="0.3", markerfacecolor="white", label=f"networks, $d = {d}$")
    shown = [*(theory.mse for theory in curves.noisy), *(networks.mean for networks in curves.trained)]
    _finish(axes, [*shown, *([] if first.bayes is None else [first.bayes])], first.alpha)
    _mark(axes, first.thresholds.interpolation, "all labels fitted", "right")


def _without_noise(axes: Axes, curves: SampleSizeCurves) -> None:
    """Raw and centred units, and where theory has them recover the teacher."""
    centred, raw = curves.clean
    raw_networks, large, small = curves.recovered
    for theory, (colour, _), line in ((raw, RAW, "--"), (centred, SMALL, "-")):
        axes.plot(
            theory.alpha, np.where(theory.mse > 0, theory.mse, np.nan), color=PALETTE[colour], linestyle=line
        )
    named = (
        (raw_networks, RAW, "raw"),
        (large, LARGE, "centred, $w\\sim N(0, 1)$"),
        (small, SMALL, "centred, small $w$"),
    )
    for networks, (colour, marker), label in named:
        _networks(axes, networks, PALETTE[colour], marker, label)
    means = np.concatenate([networks.mean for networks in curves.recovered])
    tops = [theory.mse.max() for theory in curves.clean]
    low, high = float(means[means > 0].min()) / 3, ROOM * float(max(means.max(), *tops))
    axes.set_yscale("log")
    axes.set_ylim(min(low, high / CLEAN_ROOM), 3 * high)
    axes.yaxis.set_major_locator(LogLocator(numticks=7))
    axes.yaxis.set_minor_formatter(NullFormatter())
    last = max(float(networks.alpha.max()) for networks in curves.recovered)
    show_span(axes, float(raw.alpha.min()), 1.1 * last)
    axes.set_ylabel(MSE)
    axes.legend(
        loc="lower left", fontsize=7, frameon=True, framealpha=1, edgecolor="none"
    )  # over a bar that ends at 0
    _mark(axes, centred.thresholds.recovery, "least trace,\nraw")
    _mark(axes, centred.thresholds.interpolation, r"any $S \succeq 0$")


def _networks(axes: Axes, networks: TrainedSizes, colour: str, marker: str, label: str = "") -> None:
    """Means over the networks, and two standard errors."""
    axes.errorbar(
        networks.alpha,
        networks.mean,
        yerr=2 * np.nan_to_num(networks.standard_error),
        fmt=marker,
        color=colour,
        markerfacecolor="white",
        markersize=4.0,
        elinewidth=0.8,
        zorder=3,
        label=label or None,
    )


def _mark(axes: Axes, alpha: float | None, text: str, side: str = "left") -> None:
    """A threshold: a line from bottom to top, its name beside it."""
    if alpha is None or not axes.get_xlim()[0] < alpha < axes.get_xlim()[1]:
        return
    axes.axvline(alpha, color="0.5", linewidth=0.7, linestyle=":", zorder=0)
    axes.annotate(
        text,
        (alpha, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(2 if side == "left" else -3, -2),
        textcoords="offset points",
        va="top",
        ha=side,
        fontsize=7,
    )


def _finish(axes: Axes, errors: Sequence[Array], alpha: Array) -> None:
    drawn = np.concatenate(errors)
    positive = drawn[drawn > 0]
    low = float(positive.min()) if positive.size else 0.0
    show_decades(axes, low / ROOM, ROOM * float(drawn.max()))
    show_span(axes, float(alpha.min()), float(alpha.max()))
    axes.set_ylabel(MSE)
