"""Where the Gaussian theory is right for inputs that are not Gaussian: its error against the input dimension."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator, StrMethodFormatter

from dynamics.gaussian_theory.universality import Universality, standard_error
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, MARKERS, PALETTE


def universality_figure(found: Universality, *, axes: GivenAxes = None) -> Drawn:
    """Mean and standard error over teachers, double logarithmic, with what a mean over rotations begins with.

    Parameters
    ----------
    found : Universality
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    d = found.dimensions
    kinds = (
        (found.parallel, PALETTE[1], MARKERS[0], "teacher along the axes"),
        (found.dense, PALETTE[0], MARKERS[1], "teacher in random directions"),
    )
    with canvas(axes, (COLUMN_WIDTH, 3.0)) as drawing:
        axes = drawing.axes[0]
        for values, colour, marker, label in kinds:
            axes.errorbar(
                d,
                values.mean(axis=1),
                np.nan_to_num(standard_error(values)),
                color=colour,
                fmt=marker,
                linestyle="-",
                linewidth=0.8,
                markerfacecolor="white",
                capsize=2,
                label=label,
            )
        axes.plot(
            d,
            found.at_start,
            color="0.4",
            linestyle=(0, (1, 1.5)),
            label=r"$|1 - 1/\gamma|$: at $t = 0$, mean over rotations",
        )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(d, [str(n) for n in d])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("input dimension $d$")
        axes.set_ylabel(r"largest $|L - L_{\mathrm{G}}|\,/\,L_0$")
        axes.set_title(f"inputs: {found.distribution.name}", loc="left", pad=3)
        drawing.legend(ncols=1)
    return drawing.result
