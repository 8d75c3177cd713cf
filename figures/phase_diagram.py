"""Where training succeeds and where it fails: predicted regions, and grids of trained networks upon them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from dynamics.aliases import Array
from dynamics.words import counted
from empirical.experiments.phase_diagram import ScaleDiagram, SingleModeDiagram
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, FAILS, PALETTE, SUCCEEDS


def phase_diagram_figure(diagram: SingleModeDiagram, *, axes: GivenAxes = None) -> Drawn:
    """One unit, one mode: initial weights (a₀, p₀), the predicted regions, and every trained network as a marker.

    Parameters
    ----------
    diagram : SingleModeDiagram
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    grid_a, grid_p = np.meshgrid(diagram.a0, diagram.p0, indexing="ij")
    done, wrong = diagram.trained, diagram.trained != diagram.predicted
    with canvas(axes, (COLUMN_WIDTH, 3.1)) as drawing:
        axes = drawing.axes[0]
        _draw_regions(axes, diagram)
        axes.plot(
            grid_a[done],
            grid_p[done],
            "o",
            label="trained: succeeded",
            **_marker(PALETTE[0], markersize=2.2, markeredgewidth=0.6),
        )
        axes.plot(
            grid_a[~done],
            grid_p[~done],
            "x",
            label="trained: failed",
            **_marker(PALETTE[1], markersize=2.6, markeredgewidth=0.8),
        )
        if wrong.any():
            axes.plot(
                grid_a[wrong],
                grid_p[wrong],
                "o",
                label="not as predicted",
                **_marker(PALETTE[6], markersize=6.0, markeredgewidth=0.9),
            )
        axes.set_xlabel("initial second-layer weight $a_0$")
        axes.set_ylabel("initial first-layer weight $p_0$")
        drawing.legend(ncols=2, columnspacing=1.2)
    return drawing.result


def _marker(colour: str, **size: float) -> dict[str, Any]:
    return {"color": colour, "markerfacecolor": "none", "linestyle": "none"} | size


def _draw_regions(axes: Axes, diagram: SingleModeDiagram) -> None:
    """The separatrix p₀² = 2a₀², a₀ < 0, and the region of failure that it encloses."""
    half_a, half_p = (0.5 * np.ptp(x) / max(len(x) - 1, 1) for x in (diagram.a0, diagram.p0))
    left, right = diagram.a0.min() - half_a, diagram.a0.max() + half_a
    low, high = diagram.p0.min() - half_p, diagram.p0.max() + half_p
    a = np.array([min(left, 0.0), 0.0])
    edge = -np.sqrt(2) * a
    for x, y in (([0.0, right], (low, high)), (a, (low, -edge)), (a, (edge, high))):
        axes.fill_between(x, *y, color=SUCCEEDS, linewidth=0, zorder=0)
    axes.fill_between(a, -edge, edge, color=FAILS, linewidth=0, zorder=0)
    label = "theory: $p_0^2 = 2a_0^2$"
    for p, visible in ((edge, diagram.p0.max() > 0), (-edge, diagram.p0.min() < 0)):
        if visible:
            axes.plot(a, p, color="black", linewidth=1.4, zorder=1, label=label)
            label = "_nolegend_"
    axes.set_xlim(left, right)
    axes.set_ylim(low, high)


def scale_diagram(diagram: ScaleDiagram, *, axes: GivenAxes = None) -> Drawn:
    """Several units: fraction of successes over two initialisation scales, predicted beside trained.

    A fraction of S starts has a standard error of at most 1/(2√S). Both panels show the same starts: the title says how
    many networks did not do what was predicted of them.

    Parameters
    ----------
    diagram : ScaleDiagram
    axes : Axes or sequence of Axes, optional
        To draw into instead, two, for theory and training; see `figures.canvas`.
    """
    columns, rows = _edges(diagram.scale_a), _edges(diagram.scale_w)
    with canvas(axes, (COLUMN_WIDTH, 2.4), 1, 2, sharex=True, sharey=True) as drawing:
        panels = drawing.axes
        undecided = float(1 - (diagram.succeeds + diagram.fails).mean())
        starts = counted(diagram.replicates, "start")
        theory = f"theory,\n{undecided:.0%} undecided" if undecided > 5e-3 else "theory"
        trained = f"trained,\n{diagram.disagreements} of {diagram.trained.size * diagram.replicates} differ"
        for panel, fraction, title in zip(
            panels, (diagram.succeeds, diagram.trained), (theory, trained), strict=True
        ):
            image = panel.pcolormesh(
                columns, rows, fraction, cmap="cividis", vmin=0, vmax=1, shading="flat", rasterized=True
            )
            panel.set_xscale("log")
            panel.set_yscale("log")
            for axis in (panel.xaxis, panel.yaxis):
                axis.set_major_locator(LogLocator(numticks=6))
                axis.set_minor_formatter(NullFormatter())
            # E‖w‖² = scale_w² and E a² = scale_a²
            ends = np.array([min(columns[0], rows[0] / 2), max(columns[-1], rows[-1])])
            panel.plot(ends, np.sqrt(2) * ends, color="white", linestyle="--", linewidth=1.2)
            panel.set_xlim(columns[0], columns[-1])
            panel.set_ylim(rows[0], rows[-1])
            panel.set_title(title)
        panels[0].set_ylabel("scale of $w$")
        drawing.xlabel("scale of $a$   (dashed: $c_k = 0$ on average)", fontsize=8)
        bar = drawing.figure.colorbar(image, ax=panels, fraction=0.05, aspect=25, ticks=[0, 0.5, 1])
        bar.set_label(f"fraction of {starts}\nthat succeeds")
    return drawing.result


def _edges(centres: Array) -> Array:
    """Borders of cells around values, halfway on a logarithmic axis; a single cell is a factor 2 wide."""
    logs = np.log(centres)
    half = 0.5 * np.diff(logs) if len(logs) > 1 else np.full(1, 0.5 * np.log(2))
    return np.exp(
        np.concatenate([[logs[0] - half[0]], logs[:-1] + half[: len(logs) - 1], [logs[-1] + half[-1]]])
    )
