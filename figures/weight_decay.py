"""Weight decay: what is learned of a mode, a hard threshold with a trained second layer and a soft one with a fixed."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from empirical.experiments.weight_decay import DecayedSpectra, LearnedSpectrum
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, PALETTE, show_span

UNITS = "(output units)"


def weight_decay_figure(spectra: DecayedSpectra, *, axes: GivenAxes = None) -> Drawn:
    """Learned value of every mode against what its units see of it: laws as lines, trained networks as markers.

    Parameters
    ----------
    spectra : DecayedSpectra
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    s, end = spectra, float(spectra.line[-1])
    with canvas(axes, (COLUMN_WIDTH, 3.1)) as drawing:
        axes = drawing.axes[0]
        axes.plot([0, end], [0, end], color="0.7", linewidth=0.7, linestyle=":", label="no decay")
        axes.plot(s.held, s.upper, color=PALETTE[0], linewidth=1.4, label="theory, $a$ trained")
        axes.plot([0, s.fold], [0, 0], color=PALETTE[0], linewidth=1.4)
        axes.vlines(s.fold, 0, s.upper[0], color=PALETTE[0], linewidth=0.7, linestyle=":")
        axes.plot(s.line, s.soft, color=PALETTE[1], linewidth=1.2, linestyle="--", label="theory, $a$ fixed")
        _networks(axes, s.trained, "o", PALETTE[0], "networks, $a$ trained")
        _networks(axes, s.fixed, "s", PALETTE[1], "networks, $a$ fixed")
        _thresholds(axes, s)
        axes.set_xlabel(_seen(s))
        axes.set_ylabel(rf"learned $\mu$ {UNITS}")
        show_span(axes, 0.0, end)
        axes.set_ylim(-0.1 * end, end)
        drawing.legend(ncols=2, columnspacing=1.0)
    return drawing.result


def _networks(axes: Axes, found: LearnedSpectrum, marker: str, colour: str, label: str) -> None:
    """Medians over the networks, and bars from the lowest to the highest of them."""
    x, y = np.median(found.seen, axis=0), np.median(found.learned, axis=0)
    bars = np.abs(np.stack([found.learned.min(axis=0), found.learned.max(axis=0)]) - y)
    style = {"markerfacecolor": "white", "markersize": 4.0, "elinewidth": 0.8, "zorder": 3}
    axes.errorbar(x, y, yerr=bars, fmt=marker, color=colour, label=label, **style)  # type: ignore[arg-type]


def _thresholds(axes: Axes, spectra: DecayedSpectra) -> None:
    """Names of the thresholds, under the points where the laws leave zero."""
    soft = spectra.problem.weight_decay.first / (4 * spectra.value)
    named = [
        (spectra.fold, r"$m_\theta$", "right"),
        (spectra.worth, "$m_g$", "left"),
        (soft, r"$\rho/4a$", "center"),
    ]
    for x, name, side in named:
        if x is not None:
            axes.plot([x], [0], "|", color="black", markersize=5, zorder=4)
            axes.annotate(
                name,
                (x, 0),
                xytext=(0, -4),
                textcoords="offset points",
                ha=side,
                va="top",
                fontsize=7,
            )


def _seen(spectra: DecayedSpectra) -> str:
    name = r"mode $\lambda$ of the teacher" if spectra.worth is not None else r"$\lambda + \tau/2$ of a mode"
    return f"{name} {UNITS}"
