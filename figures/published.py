"""Published numbers and ours on one curve."""

from __future__ import annotations

import re

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from empirical.published.entry import Ours, Series
from empirical.published.reproduction import Reproduction
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, LINES, MARKERS, PALETTE

HEIGHT = 1.9  # inches of a panel
BAND = 0.18  # how much of the ground the band of our errors covers
SYMBOLS = {"α": r"\alpha", "λ": r"\lambda", "κ": r"\kappa", "Δ": r"\Delta", "ℓ": r"\ell"}


def published_figure(found: Reproduction, *, axes: GivenAxes = None) -> Drawn:
    """A panel for each quantity of a published result: their numbers are markers, ours a line.

    Markers carry the published standard errors, lines a band of ours. What lies on no curve is left out.

    Parameters
    ----------
    found : Reproduction
    axes : Axes or sequence of Axes, optional
        To draw into instead, one for each quantity; see `figures.canvas`.
    """
    pairs = [(s, o) for s, o in zip(found.series, found.ours, strict=True) if s.at]
    quantities = list(dict.fromkeys(s.quantity for s, _ in pairs))
    size = COLUMN_WIDTH, 0.6 + HEIGHT * len(quantities)
    with canvas(axes, size, len(quantities)) as drawing:
        for panel, quantity in zip(drawing.axes, quantities, strict=True):
            chosen = [pair for pair in pairs if pair[0].quantity == quantity]
            for (series, ours), colour, line, marker in zip(chosen, PALETTE, LINES, MARKERS, strict=False):
                draw_series(panel, series, ours, colour, line, marker)
            panel.set_xscale(found.entry.scales[0])
            panel.set_yscale(found.entry.scales[1])
            panel.set_ylabel(formula(quantity))
            panel.set_xlabel(formula(chosen[0][0].along))
        handles, labels = key(pairs)
        drawing.legend(handles, labels, ncols=2)
    return drawing.result


def draw_series(axes: Axes, series: Series, ours: Ours, colour: str, line: str, marker: str) -> None:
    """One curve of ours, and the published points."""
    x, y = (series.at, ours.values) if ours.curve is None else ours.curve
    axes.plot(x, y, color=colour, linestyle=line)
    if ours.errors.any():
        low, high = ours.values - ours.errors, ours.values + ours.errors
        axes.fill_between(series.at, low, high, color=colour, alpha=BAND, linewidth=0)
    bars = np.array(series.errors) if series.errors else None
    axes.errorbar(
        series.at,
        series.values,
        bars,
        fmt=marker,
        color=colour,
        markerfacecolor="white",
        markersize=4.0,
        elinewidth=0.8,
        zorder=3,
    )


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
        handles.append(
            Line2D([], [], color=colour, linestyle=line, marker=marker, markersize=4.0, markerfacecolor="white")
        )
        labels.append(formula(case))
    return handles, labels


def formula(text: str) -> str:
    """Words as they are, and what is a formula in them in the type of formulas: single letters, with their numbers."""
    symbol = r"(?<!\w)(?:[a-zA-ZαλκΔℓ]/[a-z]²|[b-zA-ZαλκΔℓ])(?!\w)(?: = -?[\d.]+(?:e-?\d+)?)?"
    return re.sub(symbol, lambda found: "$" + _typeset(found[0]) + "$", text)


def _typeset(text: str) -> str:
    for letter, command in SYMBOLS.items():
        text = text.replace(letter, command + " ")
    return text.replace("²", "^2")
