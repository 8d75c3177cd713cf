"""Eigenvalues of the Hessian along a path from saddle to saddle, and how many of them are negative."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import LogLocator, MaxNLocator

from dynamics.curvature import SaddleSpectrum
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, PALETTE, TIME, show_decades, show_span

VISIBLE = 1e-2  # of the axis: what counts as zero is shown where the half of it is wider
FLOOR = 1e-6  # of the largest loss: below it the axis of the losses ends
MANY = 1e3  # from so far apart losses on, fewer powers of ten are named
HEIGHTS = (1.0, 2.2, 0.9)  # of the panels


def spectrum_figure(curves: SaddleSpectrum, *, axes: GivenAxes = None) -> Drawn:
    """Loss (above), eigenvalues of the Hessian (middle) and their negative number (below), against time.

    On the plateaus black bars are the stationary points of the catalogue: loss, eigenvalues where every student at
    the point has the same, and index.

    Parameters
    ----------
    curves : SaddleSpectrum
    axes : Axes or sequence of Axes, optional
        To draw into instead, three; see `figures.canvas`.
    """
    spectrum = curves.spectrum
    with canvas(
        axes, (COLUMN_WIDTH, 4.4), 3, 1, sharex=True, gridspec_kw={"height_ratios": HEIGHTS}
    ) as drawing:
        above, middle, below = drawing.axes
        _losses(above, curves)
        _eigenvalues(middle, curves)
        below.plot(spectrum.times, spectrum.index, color=PALETTE[1], drawstyle="steps-mid")
        _bars(
            below,
            curves,
            [() if p.predicted_index is None else (p.predicted_index,) for p in curves.plateaus],
        )
        top = max([int(spectrum.index.max()), *(p.predicted_index or 0 for p in curves.plateaus), 1])
        below.set_ylim(-0.08 * top, 1.12 * top)
        below.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        below.set_ylabel("index")
        for panel in drawing.axes:
            show_span(panel, spectrum.times[0], spectrum.times[-1])
        drawing.align(drawing.axes)
        below.set_xlabel(TIME)
        drawing.legend(ncols=2, columnspacing=1.0)
    return drawing.result


def _losses(axes: Axes, curves: SaddleSpectrum) -> None:
    """The loss of the flow, and those of the stationary points."""
    trajectory = curves.trajectory
    axes.plot(trajectory.times, trajectory.loss, color=PALETTE[0], label="gradient flow")
    levels = [p.stage.level for p in curves.plateaus]
    _bars(axes, curves, [() if level is None else (level.loss,) for level in levels], "stationary point")
    top = float(trajectory.loss.max())
    lowest = max(float(trajectory.loss.min()), FLOOR * top)
    show_decades(axes, lowest / 2, 3 * top)
    if top > MANY * lowest:  # a low panel
        axes.yaxis.set_major_locator(LogLocator(numticks=5))
    axes.set_ylabel("loss $L$")


def _eigenvalues(axes: Axes, curves: SaddleSpectrum) -> None:
    """Every eigenvalue as a line, negative parts in another colour, the sharpness as a thicker one."""
    spectrum = curves.spectrum
    t, values, zero = spectrum.times, spectrum.eigenvalues, spectrum.tolerance
    axes.add_collection(
        LineCollection([np.column_stack([t, v]) for v in values.T], colors="0.55", linewidths=0.7)
    )
    axes.plot(t, np.where(values < -zero, values, np.nan), color=PALETTE[1], linewidth=0.9)
    axes.lines[-1].set_label("negative eigenvalues")
    axes.plot(t, spectrum.sharpness, color=PALETTE[0], linewidth=1.4, linestyle="--", label="sharpness")
    _bars(axes, curves, [() if p.predicted is None else p.predicted.tolist() for p in curves.plateaus])
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    room = 0.06 * (high - low or 1.0)
    if zero > VISIBLE * (high - low):
        axes.axhspan(-zero, zero, color="0.85", linewidth=0, zorder=0, label="counts as zero")
    axes.set_ylim(low - room, high + room)
    axes.set_ylabel("Hessian eigenvalues (1 / time)")


def _bars(axes: Axes, curves: SaddleSpectrum, heights: Sequence[Sequence[float]], label: str = "") -> None:
    """Bars over the plateaus at the heights of each; where there are any, under a name."""
    segments = [
        [(p.stage.start, y), (p.stage.end, y)]
        for p, many in zip(curves.plateaus, heights, strict=True)
        for y in many
    ]
    if segments:
        axes.add_collection(LineCollection(segments, colors="black", linewidths=1.0, zorder=4, label=label))
