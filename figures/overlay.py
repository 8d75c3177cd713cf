"""Trained networks on the flows of several activations: losses, and what is left of the difference."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from empirical.experiments.overlay import CHANCE, Overlay
from figures.activations import draw_loss
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, PALETTE, TIME, show_span


def overlay_figure(shown: Sequence[Overlay], *, axes: GivenAxes = None) -> Drawn:
    """One row per activation: loss on the flow (left), mean deviation from it in units of its error bar (right).

    Parameters
    ----------
    shown : sequence of Overlay
    axes : Axes or sequence of Axes, optional
        To draw into instead, two for each activation, for losses and deviations, row by row; see `figures.canvas`.
    """
    with canvas(axes, (COLUMN_WIDTH, 0.55 + 1.3 * len(shown)), len(shown), 2, sharex="row") as drawing:
        lefts, rights = drawing.axes[::2], drawing.axes[1::2]
        for left, right, overlay in zip(lefts, rights, shown, strict=True):
            trajectory = overlay.comparison.trajectory
            draw_loss(left, trajectory, overlay.comparison.run)
            _draw_deviation(right, overlay)
            left.set_title(trajectory.problem.activation.label, loc="left", pad=3)
            for panel in (left, right):
                show_span(panel, trajectory.times[0], trajectory.times[-1])
            left.xaxis.set_major_locator(MaxNLocator(4))
        drawing.xlabel(TIME, drawing.axes[-2:], fontsize=8)
        handles, labels = lefts[0].get_legend_handles_labels()
        more, names = rights[0].get_legend_handles_labels()
        drawing.legend(handles + more, labels + names, ncols=2, columnspacing=1.0)
        drawing.align(lefts, rights)
    return drawing.result


def _draw_deviation(axes: Axes, overlay: Overlay) -> None:
    """Mean loss of the networks minus that of the flow of their step, in units of its error bar."""
    t, bar = overlay.gap.times[1:], overlay.error_bar[1:]  # all start from the same weights
    chance = overlay.simultaneous_bar[1:] / bar
    whole = f"left by ≤ {CHANCE:.0%} of runs"
    axes.fill_between(t, -chance, chance, color="0.92", linewidth=0, zorder=0, label=whole)
    axes.axhspan(-1, 1, color="0.8", linewidth=0, zorder=0, label="2 standard errors")
    axes.axhline(0, color="0.5", linewidth=0.6, zorder=1)
    axes.plot(
        t, overlay.deviation[1:] / bar, color=PALETTE[1], linewidth=1.0, zorder=2, label="mean − theory"
    )
    axes.set_ylabel("deviation/(2 s.e.)")
