"""Quadratic neurons: learning curves for several rates, where training collapses, how many functions are reached."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from dynamics.neuron.function_space import FunctionSpace, predicted_dimension
from dynamics.neuron.problem import Rates
from empirical.experiments.neuron_rates import NeuronCurves
from empirical.neuron.collapse import CollapseStudy
from empirical.neuron.training import NeuronRun
from figures.canvas import Drawn, GivenAxes, canvas
from figures.markers import markers_along
from figures.style import COLUMN_WIDTH, LINES, MARKERS, PALETTE, TIME, TINY, shades, show_decades, show_span

SHOWN_DECADES = 6  # of the loss, below its largest value
MARKERS_PER_CURVE = 16
SHARE = shades(PALETTE[1], 0.6)  # pale enough for numbers on them
STARTS = {"random": "random start", "relinear": "ReLinear start"}
KINDS = {
    "quadratic": ("quadratic neurons", PALETTE[0], "-", "o"),
    "ordinary": ("ordinary neurons, $\\varphi(z) = z^2$", PALETTE[1], "--", "s"),
}


def neuron_curves(curves: Sequence[NeuronCurves], *, axes: GivenAxes = None) -> Drawn:
    """Loss against time: the flow as lines, trained networks as markers, one pair for each choice of rates.

    Parameters
    ----------
    curves : sequence of NeuronCurves
        For one target; the run shows the median and the 10–90 % band of its networks.
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    with canvas(axes, (COLUMN_WIDTH, 2.8)) as drawing:
        axes = drawing.axes[0]
        top = max(float(curve.trajectory.loss.max()) for curve in curves)
        lowest = min(float(curve.trajectory.loss.min()) for curve in curves)
        bottom = max(lowest, top * 10.0**-SHOWN_DECADES)
        for curve, colour, line, marker in zip(
            curves, cycle(PALETTE), cycle(LINES), cycle(MARKERS), strict=False
        ):
            trajectory, run = curve.trajectory, curve.run
            label = _rates(trajectory.rates, trajectory.shrink)
            axes.plot(trajectory.times, trajectory.loss, linestyle=line, color=colour)
            if run is not None:
                _draw_run(axes, run, colour, marker, bottom)
            axes.plot([], [], linestyle=line, color=colour, marker=marker if run else "", markerfacecolor="white",
                      label=label)  # fmt: skip
        affine = curves[0].trajectory.target.best_affine_loss
        if affine > bottom:
            axes.axhline(affine, color="0.6", linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=0)
            axes.annotate(
                "best affine function", (1, affine), xycoords=("axes fraction", "data"), xytext=(0, 1.5),
                textcoords="offset points", ha="right", va="bottom", color="0.35", fontsize=6.5,
            )  # fmt: skip
        show_decades(axes, bottom / 1.5, top * 2)
        show_span(axes, 0.0, max(float(curve.trajectory.times[-1]) for curve in curves))
        axes.set_ylabel("loss $L$ (squared output units)")
        axes.set_xlabel(TIME)
        trained = ", markers: trained networks" if any(curve.run is not None for curve in curves) else ""
        drawing.legend(
            *axes.get_legend_handles_labels(),
            ncols=min(len(curves), 3),
            columnspacing=1.2,
            title=f"relative rate $\\gamma$ of the quadratic weights\nlines: gradient flow{trained}",
            title_fontsize=7,
        )
    return drawing.result


def _rates(rates: Rates, shrink: float) -> str:
    slow = f"$\\gamma = {rates.g:g}$"
    if rates.g != rates.b:
        slow = f"$\\gamma_g = {rates.g:g}, \\gamma_b = {rates.b:g}$"
    return slow + (f", $\\lambda = {shrink:g}$" if shrink else "")


def _draw_run(axes: Axes, run: NeuronRun, colour: str, marker: str, bottom: float) -> None:
    """Median and 10–90 % of the networks."""
    low, median, high = np.quantile(run.loss, [0.1, 0.5, 0.9], axis=0)
    axes.fill_between(run.times, low, high, color=colour, alpha=0.2, linewidth=0, zorder=1)
    shown = markers_along(run.times, np.log10(np.maximum(median, max(bottom, TINY))), MARKERS_PER_CURVE)
    shown = shown[median[shown] >= bottom]
    axes.plot(
        run.times[shown],
        median[shown],
        marker,
        color=colour,
        markerfacecolor="white",
        zorder=3,
        clip_on=False,
    )


def collapse_map(study: CollapseStudy, *, axes: GivenAxes = None) -> Drawn:
    """Percentage of diverging runs over learning rate and γ, from random starts and from ReLinear's.

    Parameters
    ----------
    study : CollapseStudy
    axes : Axes or sequence of Axes, optional
        To draw into instead, two, one for each kind of start; see `figures.canvas`.
    """
    with canvas(axes, (COLUMN_WIDTH, 3.8), 2, 1, sharex=True) as drawing:
        panels = drawing.axes
        for panel, (name, label) in zip(panels, STARTS.items(), strict=True):
            fractions = 100 * study.fractions[name]
            panel.imshow(fractions, cmap=SHARE, vmin=0, vmax=100, aspect="auto", origin="upper")
            for (i, j), value in np.ndenumerate(fractions):
                panel.text(j, i, f"{value:.0f}", ha="center", va="center", fontsize=7)
            panel.set_xticks(range(len(study.learning_rates)), [f"{eta:g}" for eta in study.learning_rates])
            panel.set_yticks(range(len(study.gammas)), [f"{gamma:g}" for gamma in study.gammas])
            panel.tick_params(length=0)
            panel.spines[:].set_visible(True)
            panel.set_ylabel(r"$\gamma_g = \gamma_b$")
            panel.set_title(f"{label}: diverging runs (% of {study.starts})")
        panels[-1].set_xlabel(r"learning rate $\eta$")
        if study.conditions:
            drawing.xlabel(study.conditions, fontsize=7)
    return drawing.result


def function_space(space: FunctionSpace, *, axes: GivenAxes = None) -> Drawn:
    """Dimension of the functions that h units reach: exact ranks as markers, the formulas as lines.

    Parameters
    ----------
    space : FunctionSpace
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    with canvas(axes, (COLUMN_WIDTH, 2.6)) as drawing:
        axes = drawing.axes[0]
        axes.axhline(space.everything, color="0.6", linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=0)
        axes.annotate(
            f"all polynomials of degree 2, $d = {space.inputs}$: {space.everything}", (1, space.everything),
            xycoords=("axes fraction", "data"), xytext=(0, 4), textcoords="offset points", ha="right", va="bottom",
            color="0.35", fontsize=6.5,
        )  # fmt: skip
        for kind, (label, colour, line, marker) in KINDS.items():
            formula = [predicted_dimension(kind, int(h), space.inputs) for h in space.units]
            ranks = space.quadratic if kind == "quadratic" else space.ordinary
            axes.plot(space.units, formula, linestyle=line, color=colour, zorder=2)
            axes.plot(
                space.units, ranks, marker, color=colour, markerfacecolor="white", markersize=5, zorder=3
            )
            axes.plot(
                [], [], marker=marker, linestyle=line, color=colour, markerfacecolor="white", label=label
            )
        axes.set_ylim(0, 1.15 * space.everything)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("hidden units $h$")
        axes.set_ylabel("dimension of the functions reached")
        axes.legend(loc="lower right", title="lines: formula, markers: exact rank", title_fontsize=7)
    return drawing.result
