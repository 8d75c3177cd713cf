"""The symmetric plateau: loss and overlaps of units that are alike for long, and then specialise."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from dynamics.aliases import Array
from dynamics.words import counted
from empirical.experiments.symmetric_plateau import PlateauCurves
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, PALETTE, TIME, show_decades, show_span

DOTS = 28  # of networks on each curve
DEPTH = 1e-3  # of the plateau: how far down the loss is shown


def symmetric_plateau_figure(curves: PlateauCurves, *, axes: GivenAxes = None) -> Drawn:
    """Loss, and cosines of the units with teacher directions, against time: saddle, flow and networks.

    Parameters
    ----------
    curves : PlateauCurves
    axes : Axes or sequence of Axes, optional
        To draw into instead, two, for losses and overlaps; see `figures.canvas`.
    """
    t = curves.trajectory.times
    with canvas(axes, (COLUMN_WIDTH, 4.2), 2, sharex=True) as drawing:
        upper, lower = drawing.axes
        _draw_loss(upper, curves)
        _draw_overlaps(lower, curves)
        show_span(lower, t[0], t[-1])
        lower.set_xlabel(TIME)
        drawing.legend(*upper.get_legend_handles_labels(), ncols=2, columnspacing=1.0)
    return drawing.result


def _draw_loss(axes: Axes, curves: PlateauCurves) -> None:
    """The level of the saddle, the flow, median and middle 80 % of the networks."""
    root, trajectory, run = curves.plateau, curves.trajectory, curves.run
    low, median, high = np.quantile(run.loss, [0.1, 0.5, 0.9], axis=0)
    axes.fill_between(run.times, low, high, color=PALETTE[5], alpha=0.4, linewidth=0, zorder=1)
    axes.plot(trajectory.times, trajectory.loss, color=PALETTE[0], linewidth=1.4, zorder=3, label="flow")
    axes.axhline(
        root.loss, color="black", linestyle="--", linewidth=0.8, zorder=2, label="saddle found by search"
    )
    every = _every(run.times)
    axes.plot(
        run.times[::every],
        median[::every],
        "o",
        color=PALETTE[1],
        markerfacecolor="white",
        zorder=4,
        label=f"median of {counted(len(run.loss), 'network')}",
    )
    axes.annotate(
        f"$L$ = {root.loss:.4g}, {counted(root.index, 'direction')} down",
        (trajectory.times[-1], root.loss),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=6.5,
    )
    show_decades(axes, DEPTH * root.loss, 2 * float(trajectory.loss.max()))
    axes.set_ylabel("loss $L$ (squared output units)")


def _draw_overlaps(axes: Axes, curves: PlateauCurves) -> None:
    """Of each unit and teacher direction; at the end it belongs to the one of the largest overlap."""
    trajectory, run = curves.trajectory, curves.run
    assert run.overlaps is not None
    medians = np.median(run.overlaps, axis=0)  # (T, K, R)
    final = np.abs(trajectory.overlaps[-1])
    every = _every(run.times)
    for k, m in np.ndindex(final.shape):
        own = final[k, m] == final[k].max()
        axes.plot(
            trajectory.times,
            trajectory.overlaps[:, k, m],
            color=PALETTE[0] if own else PALETTE[2],
            linestyle="-" if own else "-.",
            zorder=3,
        )
        axes.plot(
            run.times[::every],
            medians[::every, k, m],
            "o" if own else "s",
            markersize=2.5,
            color=PALETTE[1],
            markerfacecolor="white",
            zorder=4,
        )
    for value in np.unique(curves.overlaps.round(9)):
        axes.axhline(value, color="black", linestyle="--", linewidth=0.8, zorder=2)
    for name, height in (("own teacher unit", 0.88), ("other teacher units", -0.14)):
        axes.annotate(name, (trajectory.times[-1], height), ha="right", va="center", fontsize=6.5)
    axes.set_ylabel(r"cosine of $w_k$ and $v_m$")


def _every(times: Array) -> int:
    """How many records apart the dots are."""
    return max(1, len(times) // DOTS)
