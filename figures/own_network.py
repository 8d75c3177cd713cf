"""Learning curves of networks of one's own: theory as lines, trained networks as markers of the same colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes

from dynamics.aliases import Array
from figures.canvas import Drawn, GivenAxes, canvas
from figures.curve_names import name_at_the_right, part_names
from figures.learning_curve import FLAT
from figures.markers import markers_along
from figures.style import (
    COLUMN_WIDTH,
    LINES,
    MARKERS,
    PALETTE,
    TIME,
    TINY,
    show_between,
    show_decades,
    show_span,
)

if TYPE_CHECKING:
    from dynamics.networks import NetworkTrajectory
    from empirical.polynomial import NetworkComparison, NetworkRun

SHOWN_DECADES = 6  # of the loss
MOST_PARAMETERS = 6  # lines of which can be told apart; of larger networks the loss alone is shown
MARKERS_PER_CURVE = 16
TITLES = {"flow": "gradient flow", "modified": "finite step"}
NETWORKS = PALETTE[1]  # colour of the losses of networks, as in all figures


def network_curves(result: NetworkTrajectory | NetworkComparison, *, axes: GivenAxes = None) -> Drawn:
    """Loss (above, logarithmic), and of networks of few parameters these (below), against time.

    Parameters
    ----------
    result : NetworkTrajectory or NetworkComparison
        The theory alone, or with trained networks: their median, and the range of 10–90 % where there are several.
    axes : Axes or sequence of Axes, optional
        To draw into instead, one for the loss, or two; see `figures.canvas`.
    """
    both: Any = result
    run: NetworkRun | None = getattr(both, "run", None)
    trajectory: NetworkTrajectory = getattr(both, "trajectory", both)
    below = trajectory.problem.network.size <= MOST_PARAMETERS
    size, heights = ((COLUMN_WIDTH, 4.4), [3, 2]) if below else ((COLUMN_WIDTH, 2.9), [1])
    with canvas(axes, size, len(heights), sharex=True, height_ratios=heights) as drawing:
        above = drawing.axes[0]
        _draw_loss(above, trajectory, run)
        if below:
            _draw_parameters(drawing.axes[1], trajectory, run)
        drawing.axes[-1].set_xlabel(TIME)
        show_span(drawing.axes[-1], trajectory.times[0], trajectory.times[-1])
        drawing.align(drawing.axes)
        drawing.legend(ncols=2, columnspacing=1.2, of=above)
        drawing.settle()
        if below:
            part_names(drawing.axes[1])
    return drawing.result


def _draw_loss(axes: Axes, trajectory: NetworkTrajectory, run: NetworkRun | None) -> None:
    """The loss of the theory, with its error bar over draws if it has one, and those of networks."""
    t, loss = trajectory.times, trajectory.loss
    top = float(loss.max())
    bottom = max(float(loss.min()), top * 10.0**-SHOWN_DECADES)
    shown_values = [loss]
    axes.plot(t, loss, color="black", zorder=3, label=f"theory: {TITLES[trajectory.theory]}")
    if trajectory.loss_error is not None:
        low, high = loss - 2 * trajectory.loss_error, loss + 2 * trajectory.loss_error
        shown_values += [low, high]
        axes.fill_between(t, np.maximum(low, TINY), high, color="0.8", zorder=0, label="± 2 standard errors")
    if run is not None:
        low, median, high = np.quantile(run.loss, [0.1, 0.5, 0.9], axis=0)
        bottom = max(min(bottom, float(median.min())), top * 10.0**-SHOWN_DECADES)
        several = len(run.loss) > 1
        shown_values += [low, high]
        if several:
            axes.fill_between(
                run.times,
                low,
                high,
                color=NETWORKS,
                alpha=0.3,
                linewidth=0.6,
                zorder=1,
                label="networks: 10–90 %",
            )
        shown = markers_along(run.times, np.log10(np.maximum(median, TINY)), MARKERS_PER_CURVE)
        shown = shown[median[shown] >= bottom]
        axes.plot(
            run.times[shown],
            median[shown],
            MARKERS[0],
            color=NETWORKS,
            markerfacecolor="white",
            zorder=4,
            clip_on=False,
            label=f"networks: median of {len(run.loss)}" if several else "networks: one seed",
        )
    low, high = min(map(np.min, shown_values)), max(map(np.max, shown_values))
    if low > 0 and high < FLAT * low:  # what lies between would be lost in a decade
        show_between(axes, float(low), float(high))
    else:
        show_decades(axes, bottom / 1.5, top * 2)
    axes.set_ylabel("loss $L$ (squared output units)")


def _draw_parameters(axes: Axes, trajectory: NetworkTrajectory, run: NetworkRun | None) -> None:
    """Every parameter of the theory, and its median over networks."""
    lifted: Array = trajectory.problem.lifted(trajectory.parameters)
    names = [str(s) for p in trajectory.problem.network.parameters for s in np.ravel(p.symbols)]
    for i, name in enumerate(names):
        colour = PALETTE[i % len(PALETTE)]
        axes.plot(trajectory.times, lifted[:, i], color=colour, linestyle=LINES[i % len(LINES)], zorder=3)
        if run is not None:
            median = np.median(run.theta[..., i], axis=0)
            shown = markers_along(run.times, median, MARKERS_PER_CURVE)
            axes.plot(
                run.times[shown],
                median[shown],
                MARKERS[i % len(MARKERS)],
                color=colour,
                markerfacecolor="white",
                zorder=4,
                clip_on=False,
            )
        letter, _, index = name.partition("_")
        name_at_the_right(axes, lifted[-1, i], f"${letter}_{{{index}}}$" if index else f"${letter}$", colour)
    axes.set_ylabel("parameters")
