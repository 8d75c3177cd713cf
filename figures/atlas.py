"""The atlas: stationary points found by a blind search on the levels that theory predicts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dynamics.stationary.matching import Match
from dynamics.stationary.points import FixedPoint
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, MARKERS, PALETTE

SHORT = {
    "global minimum": "global minimum",
    "minimum": "local minimum",
    "saddle": "saddle",
    "degenerate saddle": "degenerate",
    "spurious minimum": "spurious minimum",
}
LABELLED = 12  # levels; more labels would overlap


def atlas_figure(points: Sequence[FixedPoint], match: Match, *, axes: GivenAxes = None) -> Drawn:
    """Loss against Morse index: predicted levels as lines and crosses, found roots as open markers.

    With weight decay the objective stands for the loss, and of points with the same learned modes the lowest is named.

    Parameters
    ----------
    points : sequence of FixedPoint
        The feasible points of the catalogue.
    match : Match
        The search, matched with it.
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    losses = np.array([p.height for p in points])
    index = np.array([p.index for p in points], dtype=float)
    decays = any(p.height != p.loss for p in points)
    smallest = losses[losses > 1e-9].min(initial=1.0)
    with canvas(axes, (COLUMN_WIDTH, 3.6)) as drawing:
        axes = drawing.axes[0]
        lowest = {p.learned_modes: p for p in reversed(points)}
        named = [p for p in points if lowest[p.learned_modes] is p]
        for i, p in enumerate(named[:LABELLED]):
            axes.axhline(p.height, color="0.75", linewidth=0.7, linestyle=":", zorder=0)
            name = ",".join(str(m + 1) for m in p.learned_modes)
            axes.annotate(
                rf"$\{{{name}\}}$" if name else r"$\varnothing$",
                (0.99 - 0.1 * (i % 2), p.height),  # neighbours side by side: levels can be close
                xycoords=("axes fraction", "data"),
                xytext=(0, 1),
                textcoords="offset points",
                ha="right",
                va="bottom",
                color="0.35",
                fontsize=6.5,
            )
        axes.plot(
            index,
            losses,
            "x",
            color="black",
            markersize=5,
            zorder=4,
            label="predicted" if decays else "predicted, spare $a_k > 0$",
        )
        for kind, colour, marker in zip(SHORT, PALETTE, MARKERS, strict=False):
            roots = [r for r in match.search.roots if r.kind == kind]
            if roots:
                axes.scatter(
                    [r.index for r in roots],
                    [r.height for r in roots],
                    s=[18 + 14 * np.log10(max(r.hits, 1)) for r in roots],  # M = 0 needs no start
                    marker=marker,
                    facecolors="none",
                    edgecolors=colour,
                    zorder=3,
                    label=f"found: {SHORT[kind]}",
                )
        axes.set_xlim(right=1.3 * index.max() + 1)  # room for the names of the levels
        axes.set_xlabel("Morse index (negative eigenvalues of the Hessian)")
        axes.set_ylabel(f"{'objective $R$' if decays else 'loss $L$'} (squared output units)")
        axes.set_yscale("symlog", linthresh=max(smallest, 1e-6))
        axes.set_ylim(-0.15 * smallest, 1.4 * losses.max())
        drawing.legend(ncols=2, columnspacing=1.0)
    return drawing.result


atlas = atlas_figure  # as it was called before it had a name of its own beside that of this module
