"""Legends as wide as their figure allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.legend import Legend

from figures.crowding import SMALLEST
from figures.style import COLUMN_WIDTH


def fitting_legend(
    home: Any, handles: Sequence[Any], labels: Sequence[str], ncols: int = 1, spread: bool = True, **how: Any
) -> Legend | None:
    """A legend of a figure in so many columns that it does not leave it.

    Parameters
    ----------
    home : Figure or SubFigure
    handles, labels : sequences
        Without any there is no legend. An empty label fills a column up: its columns stay as they are.
    ncols : int
        Columns where the figure is as wide as the column of a page; of a wider one more, in proportion. They are fewer
        where they would leave the figure, and letters smaller where even a single column would.
    spread : bool
        Whether there may be more than `ncols`.
    **how
        Passed on to `matplotlib.figure.Figure.legend`.
    """
    if not handles:
        return None
    room = home.bbox.width
    wide = room / home.figure.dpi / COLUMN_WIDTH
    most = min(int(ncols * max(1.0, wide)), len(labels)) if spread and "" not in labels else ncols
    for columns in range(most, 0, -1):
        legend: Legend = home.legend(handles, labels, ncols=columns, **how)
        width = legend.get_window_extent().width
        if width <= room:
            break
        if columns > 1:
            legend.remove()
        else:
            for text in (*legend.get_texts(), legend.get_title()):
                text.set_fontsize(max(text.get_fontsize() * room / width, SMALLEST))
    return legend
