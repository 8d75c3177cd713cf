"""Learning-rate schedules at their best rates: the rates, and the risk that they leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from empirical.experiments.schedules import TrainedSchedule
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, LINES, MARKERS, PALETTE, show_decades, show_span

SHOWN_DECADES = 2  # of the rates, most of which end at zero
MARKED = 8  # measurements of each schedule that are drawn, so that they tell apart


def schedules_figure(curves: Sequence[TrainedSchedule], *, axes: GivenAxes = None) -> Drawn:
    """Learning rate (above) and risk (below) against the step: theory as line, trained networks as markers.

    Parameters
    ----------
    axes : Axes or sequence of Axes, optional
        To draw into instead, two, for rates and losses; see `figures.canvas`.
    """
    with canvas(axes, (COLUMN_WIDTH, 4.2), 2, 1, sharex=True, height_ratios=(2, 3)) as drawing:
        above, below = drawing.axes
        for i, curve in enumerate(curves):
            style: dict[str, Any] = {"color": PALETTE[i % len(PALETTE)], "linestyle": LINES[i % len(LINES)]}
            above.plot(np.arange(len(curve.rates)), curve.rates, label=curve.name, **style)
            below.plot(curve.steps, curve.predicted, **style)
            _draw_networks(below, curve, i, len(curves))
        below.errorbar(
            [], [], [], fmt="o", color="0.3", markerfacecolor="white", label="trained networks, mean ± 2 s.e."
        )
        _finish(above, below, curves)
        drawing.align([above, below])
        handles, labels = above.get_legend_handles_labels()
        more, names = below.get_legend_handles_labels()
        drawing.legend(handles + more, labels + names, ncols=2, columnspacing=1.2)
    return drawing.result


def _draw_networks(axes: Axes, curve: TrainedSchedule, i: int, of: int) -> None:
    """Some of the measurements, those of different schedules at different steps, and the last one."""
    if curve.risk is None or curve.standard_error is None:
        return
    last = len(curve.steps) - 1
    apart = max(1, last // MARKED)
    shown = np.append(np.arange(1 + i * apart // of, last - apart // 2, apart), last)
    axes.errorbar(
        curve.steps[shown],
        curve.risk[shown],
        yerr=2 * curve.standard_error[shown],
        fmt=MARKERS[i % len(MARKERS)],
        color=PALETTE[i % len(PALETTE)],
        markerfacecolor="white",
        elinewidth=0.8,
        clip_on=False,
        zorder=4,
    )


def _finish(above: Axes, below: Axes, curves: Sequence[TrainedSchedule]) -> None:
    rates = np.concatenate([curve.rates for curve in curves])
    drawn = [curve.predicted for curve in curves]
    drawn += [curve.risk for curve in curves if curve.risk is not None]
    risks = np.concatenate(drawn)
    top = float(rates.max())
    show_decades(above, max(float(rates[rates > 0].min()), top * 10.0**-SHOWN_DECADES) / 1.5, 1.5 * top)
    show_decades(below, float(risks[risks > 0].min()) / 1.2, 1.2 * float(risks.max()))
    above.set_ylabel("learning rate $η_n$")
    below.set_ylabel("mean loss (squared output units)")
    below.set_xlabel("step $n$")
    show_span(below, curves[0].steps[0], curves[0].steps[-1])
