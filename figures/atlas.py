"""The atlas: stationary points found by a blind search on the levels that theory predicts."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from matplotlib.axes import Axes

from dynamics.stationary.matching import Match
from dynamics.stationary.points import FixedPoint
from dynamics.stationary.search import Root
from figures.canvas import Drawn, GivenAxes, canvas
from figures.kinds import KINDS
from figures.labels import in_points, spread
from figures.mode_names import set_label
from figures.style import COLUMN_WIDTH, show_levels

LABELLED = 24  # levels; more names find no room beside the axes
LINE = 7.5  # points from one name to the next


def atlas_figure(
    points: Sequence[FixedPoint],
    match: Match,
    *,
    ignored: Collection[int] = (),
    unit: str = "squared output units",
    axes: GivenAxes = None,
) -> Drawn:
    """Loss against Morse index: predicted levels as lines and crosses, found roots as open markers.

    With weight decay the objective stands for the loss, and of points with the same learned modes the lowest is named.
    Of more than 24 levels those are named that were found, then the lowest.

    Parameters
    ----------
    points : sequence of FixedPoint
        The feasible points of the catalogue; for all signs of spare units those of
        `dynamics.stationary.points_of_all_signs`, which are where a search ends.
    match : Match
        The search, matched with it.
    ignored : collection of int, optional
        Modes of directions that the teacher ignores, such as the zeros of the spectrum of a catalogue: points that
        learn them, and what a search found there, are left out, and a line above the axes counts both.
    unit : str
        Of the loss, or which loss it is.
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    points, found, left_out = _of_the_teacher(points, match, frozenset(ignored))
    losses = np.array([p.height for p in points])
    index = np.array([p.index for p in points], dtype=float)
    decays = any(p.height != p.loss for p in points)
    lowest = {p.learned_modes: p for p in sorted(points, key=lambda p: -p.height)}
    with canvas(axes, (COLUMN_WIDTH, 3.6)) as drawing:
        axes = drawing.axes[0]
        for p in lowest.values():
            axes.axhline(p.height, color="0.75", linewidth=0.7, linestyle=":", zorder=0)
        axes.plot(index, losses, "x", color="black", markersize=4, zorder=4, label="predicted")
        for name, kind in KINDS.items():
            roots = [r for r in found if r.kind == name]
            if roots:
                axes.scatter(
                    [r.index for r in roots],
                    [r.height for r in roots],
                    s=[22 + 14 * np.log10(max(r.hits, 1)) for r in roots],  # M = 0 needs no start
                    marker=kind.marker,
                    facecolors="none",
                    edgecolors=kind.colour,
                    zorder=3,
                    label=f"found: {kind.name}",
                )
        axes.set_xlabel("Morse index (negative eigenvalues of the Hessian)")
        axes.set_ylabel(f"{'objective $R$' if decays else 'loss $L$'} ({unit})")
        show_levels(axes, losses, below=0.15, above=1.4)
        if left_out:
            axes.set_title(left_out, fontsize=6.5, color="0.35")
        drawing.legend(ncols=2, columnspacing=1.0)
        drawing.settle()
        _name_levels(axes, list(lowest.values()), match)
    return drawing.result


def _of_the_teacher(
    points: Sequence[FixedPoint], match: Match, ignored: frozenset[int]
) -> tuple[list[FixedPoint], list[Root], str]:
    """Points, and roots of a search, that learn nothing which the teacher ignores; how many are not shown."""
    roots = match.search.roots
    kept = [p for p in points if ignored.isdisjoint(p.learned_modes)]
    pairs = zip(roots, match.points, strict=True)
    found = [root for root, p in pairs if p is None or ignored.isdisjoint(p.learned_modes)]
    gone, unseen = len(points) - len(kept), len(roots) - len(found)
    if not gone + unseen:
        return kept, found, ""
    counted = f"{gone} of {len(points)} points, {unseen} of {len(roots)} found"
    return kept, found, f"{counted} are not shown: they\nlearn what the teacher ignores"


def _name_levels(axes: Axes, levels: Sequence[FixedPoint], match: Match) -> None:
    """Sets of learned modes beside the axes, each tied to its level where that is not at the same height."""
    found = {point.learned_modes for point in match.points if point is not None}
    named = sorted(levels, key=lambda p: (p.learned_modes not in found, p.height))[:LABELLED]
    heights = in_points(axes, [(0.0, p.height) for p in named])[:, 1]
    frame = in_points(axes, [(0.0, y) for y in axes.get_ylim()])[:, 1]
    names = [set_label(p.learned_modes) for p in named]
    moved = spread(heights, LINE, *frame)
    if len(named) < len(levels):
        names.append(f"and {len(levels) - len(named)} more")
        heights, moved = np.append(heights, frame[0]), np.append(moved, min(moved.min(), frame[0]) - LINE)
    for name, height, place in zip(names, heights, moved, strict=True):
        tied = {
            "arrowstyle": "-",
            "linewidth": 0.4,
            "color": "0.6",
            "shrinkA": 0,
            "shrinkB": 0,
            "relpos": (0, 0.5),
        }
        axes.annotate(
            name,
            (1.0, (height - frame[0]) / np.ptp(frame)),
            xycoords="axes fraction",
            xytext=(9, place - height),
            textcoords="offset points",
            va="center",
            color="0.35",
            fontsize=6.5,
            arrowprops=None if name.startswith("and") else tied,
            annotation_clip=False,
        )
