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

    Parameters
    ----------
    curves : ConservedCurves
        Of all its quantities the first five are shown.
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    t, S = curves.times, len(curves.measured)
    drift = curves.measured - (curves.measured[:, :1] if curves.law is None else curves.law)  # (S, T, Q)
    mean = drift.mean(axis=0)
    error = drift.std(axis=0, ddof=1) / np.sqrt(S) if S > 1 else np.zeros_like(mean)
    theory = curves.predicted - (curves.predicted[0] if curves.law is None else curves.law)
    shown = np.unique(np.linspace(0, len(t) - 1, MARKERS_PER_CURVE).astype(int))
    with canvas(axes, (COLUMN_WIDTH, 2.6)) as drawing:
        axes = drawing.axes[0]
        axes.axhline(0.0, color="0.8", linewidth=0.6, zorder=0)
        styles = zip(
            range(min(len(curves.names), SHOWN)), cycle(PALETTE), cycle(LINES), cycle(MARKERS), strict=False
        )
        for q, colour, line, marker in styles:
            axes.plot(t, theory[:, q], color=colour, linestyle=line)
            axes.errorbar(
                t[shown],
                mean[shown, q],
                error[shown, q],
                fmt=marker,
                color=colour,
                markerfacecolor="white",
                elinewidth=0.8,
                zorder=3,
                label=f"$c_{{{q}}}$",
            )
        show_span(axes, t[0], t[-1] + 0.02 * (t[-1] - t[0]))
        axes.set_xlabel(TIME)
        undrifted = "c_k(0)" if curves.law is None else "c_k(0) e^{-2 \\rho t}"
        axes.set_ylabel(f"drift $c_k(t) - {undrifted}$ (squared weights)")
        drawing.legend(ncols=SHOWN, columnspacing=1.0, handletextpad=0.3)
        axes.set_title(f"lines: theory, markers: mean and error of {counted(S, 'network')}", fontsize=7)
    return drawing.result


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
                label=f"$c_{{{q}}}$, slope {slope[q]:.2f}",
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
