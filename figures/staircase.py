"""The staircase: predicted jumps against the integrated flow and trained networks."""

from __future__ import annotations

import numpy as np

from dynamics.words import counted
from empirical.experiments.staircase import StaircaseCurves
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, PALETTE, TIME, show_decades, show_span


def staircase_figure(curves: StaircaseCurves, *, axes: GivenAxes = None) -> Drawn:
    """Loss against time: plateaus and jumps predicted without integration, flow, and networks.

    Parameters
    ----------
    curves : StaircaseCurves
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    prediction, trajectory, run = curves.prediction, curves.trajectory, curves.run
    t = trajectory.times
    with canvas(axes, (COLUMN_WIDTH, 3.0)) as drawing:
        axes = drawing.axes[0]
        axes.plot(t, trajectory.loss, color=PALETTE[0], linewidth=1.4, zorder=3, label="integrated flow")
        edges = np.concatenate([[t[0]], [jump.time for jump in prediction.jumps], [t[-1]]])
        heights = np.array([level.loss for level in prediction.levels])
        bottom = heights[heights > 1e-9].min(initial=1.0) / 30
        drawn = np.maximum(heights, bottom / 2)
        axes.stairs(
            drawn, edges, baseline=None, color="black", linestyle="--", zorder=4, label="predicted staircase"
        )
        if run is not None:
            times = run.times
            low, median, high = np.quantile(run.loss, [0.1, 0.5, 0.9], axis=0)
            axes.fill_between(times, low, high, color=PALETTE[5], alpha=0.4, linewidth=0, zorder=1)
            every = max(1, len(times) // 40)
            axes.plot(
                times[::every],
                median[::every],
                "o",
                color=PALETTE[1],
                markerfacecolor="white",
                zorder=5,
                label=f"median of {counted(len(run.loss), 'network')}",
            )
        for jump in prediction.jumps:
            shared = f" ({len(jump.units)} units)" if len(jump.units) > 1 else ""
            axes.annotate(
                f"mode {jump.mode + 1}{shared}",
                (jump.time, max(np.sqrt(jump.loss_before * max(jump.loss_after, bottom)), bottom)),
                xytext=(3, 0),
                textcoords="offset points",
                fontsize=6.5,
            )
        if prediction.missing is not None:
            axes.annotate(
                "stopped by weight decay",
                (t[-1], drawn[-1]),
                xytext=(0, 4),
                textcoords="offset points",
                fontsize=6.5,
                ha="right",
            )
        show_decades(axes, bottom, 2 * float(heights.max()))
        show_span(axes, t[0], t[-1])
        axes.set_xlabel(TIME)
        axes.set_ylabel(f"loss $L$ ({prediction.unit})")
        drawing.legend(ncols=2, columnspacing=1.0)
    return drawing.result
