"""Conserved quantities in training: their drift in time, and its growth with the step size."""

from __future__ import annotations

from itertools import cycle

import numpy as np

from dynamics.words import counted
from empirical.conserved import ConservedCurves, DriftScaling
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, LINES, MARKERS, PALETTE, TIME, show_span

SHOWN = 5  # more curves than that cannot be told apart
MARKERS_PER_CURVE = 14


def conserved_along_training(curves: ConservedCurves, *, axes: GivenAxes = None) -> Drawn:
    """Drift of conserved quantities, under decay from its law: theory lines, the mean of networks ± error.

    A panel for each, with a scale of its own: units that learn little drift by far less than others.

    Parameters
    ----------
    curves : ConservedCurves
        Of all its quantities the first five are shown.
    axes : Axes or sequence of Axes, optional
        To draw into instead, one for each quantity that is shown; see `figures.canvas`.
    """
    t, S = curves.times, len(curves.measured)
    drift = curves.measured - (curves.measured[:, :1] if curves.law is None else curves.law)  # (S, T, Q)
    mean = drift.mean(axis=0)
    error = drift.std(axis=0, ddof=1) / np.sqrt(S) if S > 1 else np.zeros_like(mean)
    theory = curves.predicted - (curves.predicted[0] if curves.law is None else curves.law)
    shown = np.unique(np.linspace(0, len(t) - 1, MARKERS_PER_CURVE).astype(int))
    n = min(len(curves.names), SHOWN)
    with canvas(axes, (COLUMN_WIDTH, 0.8 + 0.95 * n), n, sharex=True) as drawing:
        styles = zip(drawing.axes, range(n), cycle(PALETTE), cycle(LINES), cycle(MARKERS), strict=False)
        for panel, q, colour, line, marker in styles:
            panel.axhline(0.0, color="0.8", linewidth=0.6, zorder=0)
            panel.plot(t, theory[:, q], color=colour, linestyle=line, label="theory")
            panel.errorbar(
                t[shown],
                mean[shown, q],
                error[shown, q] if S > 1 else None,
                fmt=marker,
                color=colour,
                markerfacecolor="white",
                elinewidth=0.8,
                zorder=3,
                label="network" if S == 1 else f"mean and error of {S} networks",
            )
            c = f"c_{{{q + 1}}}"
            undrifted = f"{c}(0)" if curves.law is None else f"{c}(0)\\, e^{{-2 \\rho t}}"
            panel.set_ylabel(f"${c} - {undrifted}$")
            panel.ticklabel_format(axis="y", scilimits=(-2, 3), useMathText=True)
            panel.yaxis.get_offset_text().set_fontsize(6.5)
            panel.locator_params(axis="y", nbins=4)
        show_span(drawing.axes[-1], t[0], t[-1] + 0.02 * (t[-1] - t[0]))
        drawing.axes[-1].set_xlabel(TIME)
        drawing.align(drawing.axes)
        drawing.axes[0].set_title(_which(n, len(curves.names)), fontsize=7)
        drawing.legend(*drawing.axes[0].get_legend_handles_labels(), ncols=2, columnspacing=1.0)
    return drawing.result


def _which(shown: int, of: int) -> str:
    """What the panels show, and how many of all quantities."""
    some = "" if shown == of else f" of {shown} of {counted(of, 'quantity', 'quantities')}"
    return f"drift{some}, in squared weights"


def drift_against_step(scaling: DriftScaling, *, axes: GivenAxes = None) -> Drawn:
    """|Drift| up to a fixed time against the step size: measured markers on predicted lines of slope 1.

    Theory is that of first order in the step. Where markers leave it, at large steps, the next order shows; the slopes
    in the legend are those for small steps (`empirical.conserved.DriftScaling.slope`).

    Parameters
    ----------
    scaling : DriftScaling
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    order = np.argsort(scaling.step)
    eta = scaling.step[order]
    measured, predicted = np.abs(scaling.measured[order]), np.abs(scaling.predicted[order])
    slope = scaling.slope
    with canvas(axes, (COLUMN_WIDTH, 2.8)) as drawing:
        axes = drawing.axes[0]
        styles = zip(
            range(min(len(scaling.names), SHOWN)), cycle(PALETTE), cycle(LINES), cycle(MARKERS), strict=False
        )
        for q, colour, line, marker in styles:
            axes.plot(eta, predicted[:, q], color=colour, linestyle=line)
            axes.plot(
                eta,
                measured[:, q],
                marker,
                color=colour,
                markerfacecolor="white",
                zorder=3,
                label=f"$c_{{{q + 1}}}$, slope {slope[q]:.2f}",
            )
        axes.set_xscale("log")
        if measured.any() or predicted.any():  # from weights that are all zero nothing drifts
            axes.set_yscale("log")
        axes.set_xlabel("learning rate $\\eta$")
        axes.set_ylabel(f"|drift of $c_k$| at $t = {scaling.time:g}$ (squared weights)")
        drawing.legend(
            ncols=SHOWN,
            columnspacing=1.0,
            handletextpad=0.3,
            title="lines: theory, markers: gradient descent, slopes: for $\\eta \\to 0$",
            title_fontsize=7,
        )
    return drawing.result
