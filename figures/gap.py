"""The gap between trained networks and the gradient flow, closed by one correction after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from dynamics.aliases import Array
from empirical.gap import Gap
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, LINES, PALETTE, TIME, show_decades, show_span

SHOWN_DECADES = 5  # of the loss, and of the distances
CURVES = ("gradient flow", "+ finite step", "+ finite data", "+ sampling noise")
COLOURS = ("black", PALETTE[0], PALETTE[2], PALETTE[3])  # of them: PALETTE[1] is that of trained networks
NEGLIGIBLE = 1e-12  # change of the curve, relative to the initial loss, below which a correction is not drawn


def gap_figure(gap: Gap, *, axes: GivenAxes = None) -> Drawn:
    """Loss (above) and distance of each theory curve from the measured mean (below), against time.

    A correction that changes nothing, such as finite data where all samples are fresh, is not drawn. The grey band is
    the error bar of the last distance (`empirical.gap.Gap.error_bar`): two standard errors of the measured mean, and
    what the theory of a finite step leaves out. Theories within it are not told apart from the networks.

    Parameters
    ----------
    axes : Axes or sequence of Axes, optional
        To draw into instead, two, for losses and distances; see `figures.canvas`.
    """
    curves = shown_curves(gap)
    with canvas(axes, (COLUMN_WIDTH, 4.4), 2, 1, sharex=True) as drawing:
        above, below = drawing.axes
        _draw_losses(above, gap, curves)
        _draw_distances(below, gap, curves)
        below.set_xlabel(TIME)
        show_span(below, gap.times[0], gap.times[-1])
        drawing.align([above, below])
        handles, labels = above.get_legend_handles_labels()
        more, names = below.get_legend_handles_labels()
        drawing.legend(handles + more, labels + names, ncols=2, columnspacing=1.2)
    return drawing.result


def shown_curves(gap: Gap) -> dict[str, Array]:
    """The theory curves that differ from the one before, by their names in the legend."""
    shown: dict[str, Array] = {}
    before = np.full_like(gap.flow, np.inf)
    for name, curve in zip(CURVES, (gap.flow, gap.discretised, gap.on_data, gap.with_noise), strict=True):
        if np.abs(curve - before).max() > NEGLIGIBLE * gap.flow[0]:
            shown[name] = curve
        before = curve
    return shown


def _style(name: str) -> dict[str, Any]:
    """Colour and dashes of a theory curve, the same in every figure."""
    n = CURVES.index(name)
    return {"color": COLOURS[n], "linestyle": LINES[n]}


def _draw_losses(axes: Axes, gap: Gap, curves: dict[str, Array]) -> None:
    every = np.array([*curves.values(), gap.measured])
    top = float(every.max())
    bottom = max(float(every[every > 0].min()), top * 10.0**-SHOWN_DECADES)
    for name, curve in curves.items():
        shown = gap.sources.get("flow", name) if name == CURVES[0] else name
        axes.plot(gap.times, np.maximum(curve, bottom / 10), label=shown, **_style(name))
    marked = slice(None, None, max(1, len(gap.times) // 30))
    axes.errorbar(
        gap.times[marked],
        gap.measured[marked],
        yerr=2 * np.nan_to_num(gap.standard_error[marked]),
        fmt="o",
        color=PALETTE[1],
        markerfacecolor="white",
        elinewidth=0.8,
        clip_on=False,
        zorder=4,
        label="trained networks, mean ± 2 s.e.",
    )
    show_decades(axes, bottom / 1.5, top * 1.5)
    axes.set_ylabel(f"loss $L$ ({gap.unit})")


def _name_of_bar(gap: Gap) -> str:
    """What the error bar consists of: a part that is zero or unknown is not named."""
    known = "2 s.e." if np.isfinite(gap.standard_error).any() else ""
    left_out = "$O(\\eta^2)$" if gap.truncation.any() else ""
    return "error bar: " + (" + ".join(filter(None, (known, left_out))) or "unknown")


def _draw_distances(axes: Axes, gap: Gap, curves: dict[str, Array]) -> None:
    scale = gap.flow[0]
    distances = {name: np.abs(gap.measured - curve)[1:] / scale for name, curve in curves.items()}
    top = max(float(d.max(initial=0.0)) for d in distances.values())
    bottom = top * 10.0**-SHOWN_DECADES
    bar = np.nan_to_num(gap.error_bar)[1:] / scale
    t = gap.times[1:]  # all curves start from the same weights
    axes.fill_between(t, bottom / 10, bar, color="0.85", linewidth=0, zorder=0, label=_name_of_bar(gap))
    for name, distance in distances.items():
        axes.plot(t, np.maximum(distance, bottom / 10), **_style(name))
    show_decades(axes, bottom, top * 2)
    axes.set_ylabel("|measured − theory| / $L(0)$")
