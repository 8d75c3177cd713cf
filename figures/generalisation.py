"""Train and test loss on finite data, theory against trained networks."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from dynamics.aliases import Array
from dynamics.words import counted
from empirical.experiments.generalisation import Generalisation
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, PALETTE, TIME, show_span

FAR_BELOW = 1e-6  # of the test loss: half the label noise down there would leave the curves no room


def generalisation_figure(curves: Generalisation, *, axes: GivenAxes = None) -> Drawn:
    """Means over networks and ranges of train and test loss; theory on the same data sets as lines.

    Parameters
    ----------
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    with canvas(axes, (COLUMN_WIDTH, 2.8)) as drawing:
        axes = drawing.axes[0]
        _draw(axes, curves.times, curves.theory_test, curves.test, "test", PALETTE[0], "-", "o")
        _draw(axes, curves.times, curves.theory_train, curves.train, "train", PALETTE[1], "--", "s")
        half = curves.label_noise / 2
        if half > FAR_BELOW * curves.theory_test.min():
            axes.axhline(half, color="0.6", linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=0)
            axes.annotate(
                "half the label noise",
                (0.01, half),
                xycoords=("axes fraction", "data"),
                xytext=(0, 2),
                textcoords="offset points",
                color="0.35",
                fontsize=6.5,
            )
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(numticks=7))
        axes.yaxis.set_minor_formatter(NullFormatter())
        show_span(axes, curves.times[0], curves.times[-1])
        axes.set_xlabel(TIME)
        axes.set_ylabel("loss (squared output units)")
        drawing.legend(ncols=2, columnspacing=1.2)
    return drawing.result


def _draw(
    axes: Axes, t: Array, theory: Array, measured: Array, name: str, colour: str, line: str, marker: str
) -> None:
    marked = slice(None, None, max(1, len(t) // 25))
    S = len(measured)
    axes.fill_between(t, measured.min(axis=0), measured.max(axis=0), color=colour, alpha=0.15, linewidth=0)
    axes.plot(t, theory.mean(axis=0), color=colour, linestyle=line, label=f"{name} loss, theory")
    axes.plot(
        t[marked],
        np.mean(measured, axis=0)[marked],
        marker,
        color=colour,
        markerfacecolor="white",
        clip_on=False,
        label=f"{name} loss, {counted(S, 'network')}",
    )
