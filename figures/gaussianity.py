"""Would the Gaussian theory have done: learning curves of exact, Gaussian and rescaled theory, and of networks."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from dynamics.aliases import Array
from dynamics.gaussian_theory.comparison import GaussianComparison
from empirical.training_run import TrainingRun
from figures.canvas import Drawn, GivenAxes, canvas
from figures.markers import markers_along
from figures.style import COLUMN_WIDTH, PALETTE, TIME, show_span

MARKERS_SHOWN = 24


def gaussianity_figure(
    comparison: GaussianComparison, run: TrainingRun | None = None, *, axes: GivenAxes = None
) -> Drawn:
    """Loss against time (above), and what separates it from that of the exact flow, over the initial loss (below).

    Parameters
    ----------
    comparison : GaussianComparison
    run : TrainingRun, optional
        Networks on the same inputs, recorded at the times of the comparison.
    axes : Axes or sequence of Axes, optional
        To draw into instead, two, for losses and differences; see `figures.canvas`.
    """
    t, exact, gamma = comparison.times, comparison.loss, comparison.gaussianity.gamma
    start = exact[0] if exact[0] > 0 else 1.0  # of a student that is the teacher nothing differs
    theories = (
        (comparison.gaussian, PALETTE[0], "--", "Gaussian theory"),
        (comparison.rescaled, PALETTE[2], "-.", rf"its clock times $\gamma = {gamma:.3f}$"),
    )
    with canvas(axes, (COLUMN_WIDTH, 3.7), 2, 1, sharex=True, height_ratios=[3, 2]) as drawing:
        above, below = drawing.axes
        above.plot(t, exact, color="black", zorder=3, label="exact theory")
        below.axhline(0.0, color="black", zorder=3)
        for curve, colour, line, label in theories:
            above.plot(t, curve, color=colour, linestyle=line, zorder=2, label=label)
            below.plot(t, (curve - exact) / start, color=colour, linestyle=line, zorder=2)
        if run is not None:
            _draw_networks(above, run, np.zeros_like(exact), 1.0)
            _draw_networks(below, run, exact, start)
        above.set_ylim(bottom=min(0.0, float(comparison.gaussian.min()), float(comparison.rescaled.min())))
        above.set_ylabel("loss $L$ (squared output units)")
        below.set_ylabel(r"$(L - L_{\mathrm{exact}})\,/\,L_0$")
        below.set_xlabel(TIME)
        show_span(below, t[0], t[-1])
        drawing.align([above, below])
        handles, labels = above.get_legend_handles_labels()
        drawing.legend(handles, labels, ncols=2, columnspacing=1.2)
    return drawing.result


def _draw_networks(axes: Axes, run: TrainingRun, origin: Array, unit: float) -> None:
    """Median of networks with the band of 10–90 %, from an origin (T,), in a unit."""
    low, median, high = (np.quantile(run.loss, [0.1, 0.5, 0.9], axis=0) - origin) / unit
    shown = markers_along(run.times, median, MARKERS_SHOWN)
    axes.fill_between(
        run.times, low, high, color=PALETTE[5], alpha=0.5, linewidth=0, zorder=1, label="networks: 10–90 %"
    )
    axes.plot(
        run.times[shown],
        median[shown],
        "o",
        color=PALETTE[1],
        markerfacecolor="white",
        zorder=4,
        clip_on=False,
        label=f"networks: median of {len(run.loss)}",
    )
