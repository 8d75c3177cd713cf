"""On what a figure is drawn: a figure of its own in the style of the project, or axes of somebody else's.

Every maker takes `axes`. Without it a figure is made, styled, and returned. With it the panels are drawn into the given
axes, in whatever style is in force, with a legend inside of the first of them that has entries; and the axes are
returned as they were given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dynamics.errors import ProblemError
from dynamics.words import counted
from figures.legends import fitting_legend
from figures.look import STYLES, current_look, recolour, recolour_figure
from figures.style import paper

WIDE = 1.5  # width over height from which there is more room beside a panel than below
BLACK_ON_WHITE = ("black", "white")
# colours of texts and legends that have none of their own, as all makers expect them
DRAWN: Any = {"text.color": "black", "axes.facecolor": "white"}

GivenAxes: TypeAlias = Axes | Sequence[Axes] | NDArray[np.object_] | None
Drawn: TypeAlias = Any
"""A `matplotlib.figure.Figure`; or the axes, where they were given."""


@dataclass(frozen=True)
class Canvas:
    """Axes to draw on.

    Parameters
    ----------
    figure : Figure
        Of the axes; of somebody else's it is not touched beyond them.
    axes : tuple of Axes
    given : Axes, sequence of Axes or None
        As the caller gave them; None where the figure is its own.
    """

    figure: Any
    axes: tuple[Axes, ...]
    given: GivenAxes

    @property
    def result(self) -> Drawn:
        """What a maker returns."""
        return self.figure if self.given is None else self.given

    def legend(
        self,
        *entries: Any,
        loc: str = "outside upper center",
        of: Axes | None = None,
        beside: bool = False,
        **how: Any,
    ) -> None:
        """A legend outside of all panels, or inside of the panel that has the first entry.

        Of a figure of its own it has as many columns as its width allows: `ncols` on the column of a page.

        Parameters
        ----------
        *entries : handles and labels
            As of `matplotlib.figure.Figure.legend`; by default those of all axes.
        loc : str
            Where the figure is its own.
        of : Axes, optional
            Beside the part of such a figure that has these axes.
        beside : bool
            In one column to the right of such a figure, if it is much wider than high.
        **how
            Passed on.
        """
        if self.given is None:
            home: Any = self.figure if of is None else of.figure
            if beside and home.bbox.width >= WIDE * home.bbox.height:
                loc, how = "outside right center", how | {"ncols": 1, "spread": False}
            fitting_legend(home, *(entries or self._entries()), loc=loc, **how)
            return
        handles, labels = map(list, entries or self._entries())
        if not handles:
            return
        home = next((a for a in self.axes if handles[0] in a.get_legend_handles_labels()[0]), self.axes[0])
        arguments: dict[str, Any] = how | {"ncols": 1}
        home.legend(handles, labels, **arguments)

    def _entries(self) -> tuple[list[Any], list[str]]:
        pairs = [pair for a in self.axes for pair in zip(*a.get_legend_handles_labels(), strict=True)]
        return [handle for handle, _ in pairs], [label for _, label in pairs]

    def xlabel(self, text: str, below: Sequence[Axes] | None = None, **how: Any) -> None:
        """One label for all time axes; of somebody else's figure under each of the lowest panels."""
        if self.given is None:
            self.figure.supxlabel(text, **how)
            return
        for axes in self.axes[-1:] if below is None else below:
            axes.set_xlabel(text)

    def settle(self) -> None:
        """Lay out what is there, so that distances on the paper are known; of somebody else's figure they are as is."""
        if self.given is None:
            self.figure.draw_without_rendering()

    def align(self, *columns: Sequence[Axes]) -> None:
        """Put labels of vertical axes that stand above each other at the same distance."""
        for column in columns:
            self.figure.align_ylabels(list(column))


@contextmanager
def canvas(
    axes: GivenAxes,
    size: tuple[float, float],
    rows: int = 1,
    columns: int = 1,
    arrange: Callable[[Figure], Sequence[Axes]] | None = None,
    **layout: Any,
) -> Iterator[Canvas]:
    """Axes to draw on, row by row, in the style of the project if the figure is its own.

    Parameters
    ----------
    axes : Axes, sequence of Axes or None
        As a maker got them.
    size : (float, float)
        Width and height of a figure of its own, inches.
    rows, columns : int
        Its panels.
    arrange : callable, optional
        Makes the panels of a figure that is no grid; as many as rows × columns.
    **layout
        Further arguments of `matplotlib.figure.Figure.subplots`.

    Raises
    ------
    ProblemError
        If it is not as many axes as there are panels.
    """
    chosen = current_look()
    if axes is None:
        with paper():
            figure = Figure(figsize=chosen.size_of(size))
            if arrange is None:
                panels = figure.subplots(rows, columns, squeeze=False, **layout).ravel()
            else:
                panels = arrange(figure)
            yield Canvas(figure, tuple(panels), None)
        style = STYLES[chosen.style]
        if (style.ink, style.ground) != BLACK_ON_WHITE:
            recolour_figure(figure, style.ink, style.ground)
        return
    given: list[Axes] = list(np.ravel(np.asarray(axes, dtype=object)))
    if len(given) != rows * columns:
        raise ProblemError(
            f"`axes` are {len(given)}, but this figure has {counted(rows * columns, 'panel')}: give as many axes."
        )
    before = {id(artist) for panel in given for artist in panel.findobj()}
    with rc_context(DRAWN):
        yield Canvas(given[0].figure, tuple(given), axes)
    for panel in given:  # what panels of a figure of its own share, these have alike
        if layout.get("sharex") is True:
            panel.set_xlim(given[-1].get_xlim())
        if layout.get("sharey") is True:
            panel.set_ylim(given[0].get_ylim())
    for panel in given:
        ink, ground = panel.xaxis.label.get_color(), panel.get_facecolor()
        new = [artist for artist in _drawn_on(panel) if id(artist) not in before]
        recolour(new, ink, ground)


def _drawn_on(axes: Axes) -> list[Artist]:
    """What is drawn on axes, but for what belongs to themselves."""
    own = {id(part) for axis in (axes.xaxis, axes.yaxis) for part in axis.findobj()}
    return [artist for artist in axes.findobj() if id(artist) not in own]
