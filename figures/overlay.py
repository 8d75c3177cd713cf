"""Trained networks on the flows of several activations: losses, and what is left of the difference."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from empirical.experiments.overlay import CHANCE, Overlay
from figures.activations import draw_loss
from figures.style import COLUMN_WIDTH, PALETTE, TIME, paper, show_span


def overlay_figure(shown: Sequence[Overlay]) -> Figure:
    """One row per activation: loss on the flow (left), mean deviation from it in units of its error bar (right).

    Parameters
    ----------
    shown : sequence of Overlay
    """
    with paper():
        figure = Figure(figsize=(COLUMN_WIDTH, 0.55 + 1.3 * len(shown)))
        rows = figure.subplots(len(shown), 2, sharex="row", squeeze=False)
        for (left, right), overlay in zip(rows, shown, strict=True):
            trajectory = overlay.comparison.trajectory
            draw_loss(left, trajectory, overlay.comparison.run)
            _draw_deviation(right, overlay)
            left.set_title(trajectory.problem.activation.label, loc="left", pad=3)
            show_span(left, trajectory.times[0], trajectory.times[-1])
            left.xaxis.set_major_locator(MaxNLocator(4))
        figure.supxlabel(TIME, fontsize=8)
        handles, labels = rows[0, 0].get_legend_handles_labels()
        more, names = rows[0, 1].get_legend_handles_labels()
        figure.legend(handles + more, labels + names, loc="outside upper center", ncols=2, columnspacing=1.0)
        figure.align_ylabels(rows[:, 0])
        figure.align_ylabels(rows[:, 1])
    return figure


def _draw_deviation(axes: Axes, overlay: Overlay) -> None:
    """Mean loss of the networks minus that of the flow of their step, in units of its error bar."""
    t, bar = overlay.gap.times[1:], overlay.error_bar[1:]  # all start from the same weights
    chance = overlay.simultaneous_bar[1:] / bar
    whole = f"{CHANCE:.0%} of runs leave this"
    axes.fill_between(t, -chance, chance, color="0.92", linewidth=0, zorder=0, label=whole)
    axes.axhspan(-1, 1, color="0.8", linewidth=0, zorder=0, label="2 standard errors")
    axes.axhline(0, color="0.5", linewidth=0.6, zorder=1)
    axes.plot(
        t, overlay.deviation[1:] / bar, color=PALETTE[1], linewidth=1.0, zorder=2, label="mean − theory"
    )
    axes.set_ylabel("deviation/(2 s.e.)")
