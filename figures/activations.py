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
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from dynamics.aliases import Array
from dynamics.curves.trajectory import Trajectory
from dynamics.curves.units import best_overlaps
from dynamics.problem import Problem
from dynamics.sgd.trajectory import SGDTrajectory
from dynamics.words import counted
from empirical.experiments.activations import ActivationCurves
from empirical.training_run import TrainingRun
from figures.canvas import Drawn, GivenAxes, canvas
from figures.markers import markers_along
from figures.style import COLUMN_WIDTH, LINES, MARKERS, PALETTE, TIME, show_span

SHOWN_DECADES = 4  # of the loss, relative to its initial value
SHOWN_MODES = 4
MARKERS_PER_CURVE = 12


def activations_figure(curves: Sequence[ActivationCurves], *, axes: GivenAxes = None) -> Drawn:
    """One row per activation: loss with its plateaus (left), modes relative to their eigenvalues (right).

    Where there are no modes, the largest overlap of any unit with each direction of the teacher takes their place.

    Parameters
    ----------
    curves : sequence of ActivationCurves
    axes : Axes or sequence of Axes, optional
        To draw into instead, two for each activation, for losses and modes, row by row; see `figures.canvas`.
    """
    with canvas(axes, (COLUMN_WIDTH, 0.5 + 1.35 * len(curves)), len(curves), 2, sharey="col") as drawing:
        lefts, rights = drawing.axes[::2], drawing.axes[1::2]
        for left, right, shown in zip(lefts, rights, curves, strict=True):
            trajectory, run = shown.trajectory, shown.run
            draw_loss(left, trajectory, run)
            PARTS[trajectory.problem.has_modes](right, trajectory, run)
            left.set_title(_title(trajectory.problem), loc="left", pad=3)
            for panel in (left, right):
                show_span(panel, trajectory.times[0], trajectory.times[-1])
                panel.xaxis.set_major_locator(MaxNLocator(4))
        drawing.xlabel(TIME, drawing.axes[-2:], fontsize=8)
        entries = _legend_entries([lefts[0], *rights])
        drawing.legend(
            list(entries.values()),
            list(entries),
            ncols=3,
            columnspacing=1.0,
            handlelength=2.0,
        )
        drawing.align(lefts, rights)
    return drawing.result


def _legend_entries(panels: Sequence[Axes]) -> dict[str, Artist]:
    """What the panels show, by its name, each once."""
    entries: dict[str, Artist] = {}
    for axes in panels:
        handles, labels = axes.get_legend_handles_labels()
        entries |= dict(zip(labels, handles, strict=True)) | entries
    return entries


def draw_loss(axes: Axes, trajectory: Trajectory | SGDTrajectory, run: TrainingRun | None) -> None:
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


def _title(problem: Problem) -> str:
    """The activation; both where the teacher has another one."""
    label = problem.activation.label
    return label if problem.realisable else f"{label}, teacher {problem.teacher_activation.label}"


def _draw_modes(axes: Axes, trajectory: Trajectory, run: TrainingRun | None) -> None:
    targets = trajectory.problem.mode_targets
    axes.axhline(1.0, color="0.8", linewidth=0.6, zorder=0)
    for i in range(min(len(targets), SHOWN_MODES)):
        measured = None if run is None else run.modes[..., i] / targets[i]
        name = rf"mode $\lambda_{i + 1} = {targets[i]:.3g}$"
        _draw_part(axes, i, trajectory, trajectory.modes[:, i] / targets[i], run, measured, name)
    axes.set_ylabel(r"mode / $\lambda_i$")


def _draw_overlaps(axes: Axes, trajectory: Trajectory, run: TrainingRun | None) -> None:
    """Where there are no modes: the largest overlap of any unit with each direction of the teacher."""
    theory = best_overlaps(trajectory.overlaps)
    measured = None if run is None or run.overlaps is None else best_overlaps(run.overlaps)
    axes.axhline(1.0, color="0.8", linewidth=0.6, zorder=0)
    for m in range(min(theory.shape[1], SHOWN_MODES)):
        networks = None if measured is None else measured[..., m]
        _draw_part(axes, m, trajectory, theory[:, m], run, networks, f"overlap with $v_{m + 1}$")
    axes.set_ylabel("largest overlap")


def _draw_part(
    axes: Axes,
    n: int,
    trajectory: Trajectory,
    theory: Array,
    run: TrainingRun | None,
    measured: Array | None,
    name: str,
) -> None:
    """What is learned of the n-th part of the teacher: theory (T,) as a line, the median network as markers."""
    colour, line, marker = PALETTE[n], LINES[n], MARKERS[n]
    axes.plot(trajectory.times, theory, color=colour, linestyle=line, zorder=2)
    # a line without data carries line and marker into the legend
    axes.plot([], [], color=colour, linestyle=line, marker=marker, markerfacecolor="white", label=name)
    if run is None or measured is None:
        return
    median = np.median(measured, axis=0)
    shown = markers_along(run.times, median, MARKERS_PER_CURVE)
    marked: dict[str, Any] = {"color": colour, "markerfacecolor": "white", "zorder": 3, "clip_on": False}
    axes.plot(run.times[shown], median[shown], marker, **marked)


PARTS = {True: _draw_modes, False: _draw_overlaps}  # whether there are modes
