"""Quadratic units beside units of degree 1: same teacher directions and initial weights, learning curves and stages.

What was measured with the default problem (f* = 4φ(x₁) + 2φ(x₂) + φ(x₃), 6 inputs, 8 units, initial scale ε = 0.01)
from the initial weights of the seeds 0 to 15. Alike is the order: the strongest mode is the first to be half learned in
15 (quadratic), 16 (ReLU) and 14 (|·|) of 16 starts, and all three modes follow by descending eigenvalue in 15, 16, 10.
Not alike are the plateaus: quadratic units show three in every start, one before each mode; ReLU units two in 11 starts
and one in 5; |·| units only the first. The reason is the clock. The waiting times of quadratic units grow as 1/ε, those
of units of degree 1 as log(1/ε): from seed 0 each decade of ε delays the modes of ReLU units by 0.9, 1.9 and about 5,
those of |·| units by 0.4, 0.5–0.6 and 1.6–1.8 (ε from 1e-2 to 1e-4), so that their plateaus too come out as ε → 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dynamics.curves.trajectory import Trajectory
from dynamics.words import counted
from empirical.experiments.activations import ActivationCurves
from empirical.recorder import TrainingRun
from figures.markers import markers_along
from figures.style import COLUMN_WIDTH, LINES, MARKERS, PALETTE, TIME, paper, show_span

SHOWN_DECADES = 4  # of the loss, relative to its initial value
SHOWN_MODES = 4
MARKERS_PER_CURVE = 12


def activations_figure(curves: Sequence[ActivationCurves]) -> Figure:
    """One row per activation: loss with its plateaus (left), modes relative to their eigenvalues (right).

    Parameters
    ----------
    curves : sequence of ActivationCurves
    """
    with paper():
        figure = Figure(figsize=(COLUMN_WIDTH, 0.5 + 1.35 * len(curves)))
        rows = figure.subplots(len(curves), 2, sharey="col", squeeze=False)
        for (left, right), shown in zip(rows, curves, strict=True):
            trajectory, run = shown.trajectory, shown.run
            draw_loss(left, trajectory, run)
            _draw_modes(right, trajectory, run)
            left.set_title(trajectory.problem.activation.label, loc="left", pad=3)
            for axes in (left, right):
                show_span(axes, trajectory.times[0], trajectory.times[-1])
                axes.xaxis.set_major_locator(MaxNLocator(4))
        figure.supxlabel(TIME, fontsize=8)
        handles, labels = rows[0, 0].get_legend_handles_labels()
        mode_handles, mode_labels = rows[0, 1].get_legend_handles_labels()
        figure.legend(
            handles + mode_handles,
            labels + mode_labels,
            loc="outside upper center",
            ncols=3,
            columnspacing=1.0,
            handlelength=2.0,
        )
        figure.align_ylabels(rows[:, 0])
        figure.align_ylabels(rows[:, 1])
    return figure


def draw_loss(axes: Axes, trajectory: Trajectory, run: TrainingRun | None) -> None:
    """Loss of a flow relative to its start, with its plateaus, and of networks as markers over their 10–90 % band."""
    t, scale = trajectory.times, trajectory.loss[0]
    bottom = 10.0**-SHOWN_DECADES
    for stage in trajectory.stages:
        if stage.loss > bottom * scale:
            height = stage.loss / scale
            label = "plateau" if stage is trajectory.stages[0] else "_"
            axes.hlines(height, stage.start, stage.end, color="0.8", linewidth=6, zorder=0, label=label)
    axes.plot(t, trajectory.loss / scale, color="black", zorder=2, label="gradient flow")
    if run is not None:
        low, median, high = np.quantile(run.loss / scale, [0.1, 0.5, 0.9], axis=0)
        axes.fill_between(run.times, low, high, color=PALETTE[5], alpha=0.5, linewidth=0, zorder=1)
        shown = markers_along(run.times, np.log10(np.maximum(median, bottom)), MARKERS_PER_CURVE)
        shown = shown[median[shown] > bottom]
        axes.plot(
            run.times[shown],
            median[shown],
            "o",
            color=PALETTE[1],
            markerfacecolor="white",
            zorder=3,
            clip_on=False,
            label=counted(len(run.loss), "network"),
        )
    axes.set_yscale("log")
    axes.set_ylim(bottom, 2)
    axes.set_ylabel("loss $L/L(0)$")


def _draw_modes(axes: Axes, trajectory: Trajectory, run: TrainingRun | None) -> None:
    targets = trajectory.problem.mode_targets
    axes.axhline(1.0, color="0.8", linewidth=0.6, zorder=0)
    for i in range(min(len(targets), SHOWN_MODES)):
        colour, line, marker = PALETTE[i], LINES[i], MARKERS[i]
        axes.plot(
            trajectory.times, trajectory.modes[:, i] / targets[i], color=colour, linestyle=line, zorder=2
        )
        # a line without data carries line and marker into the legend
        axes.plot(
            [],
            [],
            color=colour,
            linestyle=line,
            marker=marker,
            markerfacecolor="white",
            label=rf"mode $\lambda_{i + 1} = {targets[i]:.3g}$",
        )
        if run is not None:
            median = np.median(run.modes[..., i], axis=0) / targets[i]
            shown = markers_along(run.times, median, MARKERS_PER_CURVE)
            axes.plot(
                run.times[shown],
                median[shown],
                marker,
                color=colour,
                markerfacecolor="white",
                zorder=3,
                clip_on=False,
            )
    axes.set_ylabel(r"mode / $\lambda_i$")
