"""Published numbers and ours on one curve, and how far they are apart."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from empirical.published.entry import Ours, Series
from empirical.published.reproduction import Reproduction
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, LINES, MARKERS, PALETTE

HEIGHT = 1.9  # inches of a panel
LOWER = 0.5  # height of the panel of deviations, over that of the others
BAND = 0.18  # how much of the ground the band of our errors covers
SYMBOLS = {
    "κ*": r"\kappa^{*}",
    "²": "^{2}",
    "α": r"\alpha",
    "λ": r"\lambda",
    "κ": r"\kappa",
    "Δ": r"\Delta",
    "ℓ": r"\ell",
}


def published_figure(found: Reproduction, *, axes: GivenAxes = None) -> Drawn:
    """A panel for each quantity of a published result, their numbers markers, ours a line; below, what is between them.

    Markers carry the published standard errors, lines a band of ours. Deviations are in units of the tolerance: between
    −1 and 1 they agree. What lies on no curve is left out.

    Parameters
    ----------
    found : Reproduction
    axes : Axes or sequence of Axes, optional
        To draw into instead, one for each quantity and one for the deviations; see `figures.canvas`.
    """
    pairs = [(s, o) for s, o in zip(found.series, found.ours, strict=True) if s.at]
    quantities = list(dict.fromkeys(s.quantity for s, _ in pairs))
    size = COLUMN_WIDTH, 1.5 + HEIGHT * len(quantities)
    ratios = [*(1.0,) * len(quantities), LOWER]
    with canvas(axes, size, len(ratios), height_ratios=ratios) as drawing:
        *panels, lower = drawing.axes
        for panel, quantity in zip(panels, quantities, strict=True):
            chosen = [pair for pair in pairs if pair[0].quantity == quantity]
            for (series, ours), colour, line, marker in zip(chosen, PALETTE, LINES, MARKERS, strict=False):
                face = "white" if quantity == quantities[0] else colour
                draw_series(panel, series, ours, colour, line, marker, face)
            panel.set_xscale(found.entry.scales[0])
            panel.set_yscale(found.entry.scales[1])
            panel.set_ylabel(formula(quantity))
        draw_deviations(lower, found)
        lower.set_xscale(found.entry.scales[0])
        lower.set_xlabel(formula(pairs[0][0].along))
        lower.set_xlim(panels[0].get_xlim())
        handles, labels = key(pairs)
        drawing.legend(handles, labels, ncols=2)
    return drawing.result


def draw_series(
    axes: Axes, series: Series, ours: Ours, colour: str, line: Any, marker: str, face: str
) -> None:
    """One curve of ours, and the published points, which are filled from the second quantity on."""
    x, y = (series.at, ours.values) if ours.curve is None else ours.curve
    axes.plot(x, y, color=colour, linestyle=line)
    shown = ours.errors > 0
    if shown.any():
        low, high = (ours.values - ours.errors)[shown], (ours.values + ours.errors)[shown]
        axes.fill_between(np.array(series.at)[shown], low, high, color=colour, alpha=BAND, linewidth=0)
    bars = np.array(series.errors) if series.errors else None
    axes.errorbar(
        series.at,
        series.values,
        bars,
        fmt=marker,
        color=colour,
        markerfacecolor=face,
        markersize=4.0,
        elinewidth=0.8,
        zorder=3,
    )


def draw_deviations(axes: Axes, found: Reproduction) -> None:
    """How far published numbers are from ours, in units of what is allowed."""
    for edge in (-1.0, 0.0, 1.0):
        axes.axhline(edge, color="0.5", linewidth=0.7, linestyle="-" if edge == 0 else ":")
    place: dict[str, int] = {}  # of the next series in its panel
    first = 0
    for series in found.series:
        last = first + len(series.values)
        if series.at:
            i = place.setdefault(series.quantity, 0)
            place[series.quantity] += 1
            deviation = (found.published - found.values)[first:last] / found.allowed[first:last]
            filled = list(place).index(series.quantity) > 0
            axes.plot(
                series.at,
                deviation,
                MARKERS[i % len(MARKERS)],
                color=PALETTE[i % len(PALETTE)],
                markersize=4.0,
                markerfacecolor=PALETTE[i % len(PALETTE)] if filled else "white",
            )
        first = last
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -1.3), max(high, 1.3))
    axes.set_ylabel("difference /\ntolerance")


def key(pairs: list[tuple[Series, Ours]]) -> tuple[list[Line2D | tuple[Line2D, Line2D]], list[str]]:
    """What lines and markers are, and which case is which."""
    grey = "0.3"
    handles: list[Line2D | tuple[Line2D, Line2D]] = [
        Line2D([], [], color=grey),
        Line2D([], [], color=grey, linestyle="", marker="o", markersize=4.0, markerfacecolor="white"),
    ]
    labels = ["ours", "published"]
    cases = list(dict.fromkeys(s.case for s, _ in pairs if s.case))
    for case, colour, line, marker in zip(cases, PALETTE, LINES, MARKERS, strict=False):
        look: Any = {"color": colour, "linestyle": line, "marker": marker}
        handles.append(Line2D([], [], markersize=4.0, markerfacecolor="white", **look))
        labels.append(formula(case))
    return handles, labels


def formula(text: str) -> str:
    """Words as they are, and what is a formula in them in the type of formulas: single letters, with their numbers."""
    symbol = r"(?<!\w)(?:[a-z]/[a-z]²|κ\*|[b-zA-ZαλκΔℓ])(?!\w)(?: = -?[\d.]+(?:e-?\d+)?)?"
    return re.sub(symbol, lambda found: "$" + _typeset(found[0]) + "$", text)


def _typeset(text: str) -> str:
    for letter, command in SYMBOLS.items():
        text = text.replace(letter, command + " ")
    return text
