"""One teacher and one start under several losses: curves and plateaus, theory and networks, a panel for each loss."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from dynamics.errors import ProblemError
from empirical.comparison import Comparison
from figures.canvas import Drawn, GivenAxes, canvas
from figures.curve_names import clear_levels
from figures.learning_curve import draw_losses
from figures.style import COLUMN_WIDTH, TIME, show_span

PANEL = 1.45  # height of a row, inches
HEAD = 0.75  # of legend and label
SHOWN_DECADES = 3  # of the losses: those that fall to zero do so as soon as all is learned


def losses_figure(comparisons: Sequence[Comparison], *, axes: GivenAxes = None) -> Drawn:
    """Loss against time under each loss, both with axes of their own: heights and times of losses are no common units.

    Parameters
    ----------
    comparisons : sequence of Comparison
        Of `empirical.experiments.losses.loss_curves`.
    axes : Axes or sequence of Axes, optional
        To draw into instead, one for each; see `figures.canvas`.

    Raises
    ------
    ProblemError
        If there is nothing to draw.
    """
    if not comparisons:
        raise ProblemError("`comparisons` is empty: there is nothing to draw.")
    columns = min(2, len(comparisons))
    rows = -(-len(comparisons) // columns)
    size = COLUMN_WIDTH, rows * PANEL + HEAD
    with canvas(axes, size, rows, columns) as drawing:
        for n, (panel, comparison) in enumerate(zip(drawing.axes, comparisons, strict=False)):
            trajectory = comparison.trajectory
            draw_losses(panel, trajectory, comparison.run, "gradient flow", SHOWN_DECADES)
            show_span(panel, trajectory.times[0], trajectory.times[-1])
            panel.set_title(trajectory.problem.loss.label, loc="left", pad=3)
            panel.set_ylabel("" if n % columns else "loss $L$")
        for panel in drawing.axes[len(comparisons) :]:
            panel.set_axis_off()
        drawing.xlabel(TIME, drawing.axes[-columns:], fontsize=8)
        handles, labels = drawing.axes[0].get_legend_handles_labels()
        drawing.legend(handles, labels, ncols=2, columnspacing=1.2)
        drawing.settle()
        for panel, comparison in zip(drawing.axes, comparisons, strict=False):
            clear_levels(panel, comparison.trajectory)
            keep_inside(panel)
    return drawing.result


def keep_inside(axes: Axes) -> None:
    """Let the names of times that would be cut off at the edge of the figure, which is laid out, end at their ticks."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    first, last = axes.get_xlim()
    for tick in axes.xaxis.get_major_ticks():
        shown = first <= tick.get_loc() <= last
        if shown and tick.label1.get_window_extent().x1 > figure.bbox.x1:
            tick.label1.set_horizontalalignment("right")
