"""Phase diagrams and scaling laws from the file of a sweep."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.colors import LogNorm, Normalize
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.words import counted
from empirical.sweep.fits import fitted
from empirical.sweep.reading import RISEN, SweepCurves, SweepMap
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, FAILS, LINES, MARKERS, PALETTE, name_decades, plain_text

LABELS = {
    "init_scale": "initial scale ε",
    "hidden": "hidden units $K$",
    "inputs": "inputs $d$",
    "step": "learning rate η",
    "batch": "batch size $B$",
    "samples": "training set size $N$",
    "label_noise": "label noise Δ",
    "momentum": "momentum β",
    "seeds": "networks",
    "steps": "steps",
    "t_end": "end time",
}
WIDE = 20.0  # ratio of the largest to the smallest value from which unevenly spaced axes are logarithmic
APART = 0.1  # of the distance between two names: from curve to curve
CROWDED = 24  # letters of all names together, from which they are turned
FITTED = 100  # points of a fitted law: it is no straight line on axes made linear
FLOOR = 1e-6  # of the largest value: smaller ones share the darkest colour


def phase_map(data: SweepMap, *, axes: GivenAxes = None) -> Drawn:
    """A quantity over two varied options, in colour; hatched where no run has it, and crossed where half diverged.

    Runs that diverged have no part in the scale of colours.

    Parameters
    ----------
    data : SweepMap
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    with canvas(axes, (COLUMN_WIDTH, 2.6)) as drawing:
        axes = drawing.axes[0]
        axes.set_facecolor("0.93")
        x, y = (_edges(values) for values in (data.x, data.y))
        colours = _norm(data.values, data.fraction)
        known = np.ma.masked_invalid(data.values)
        image = axes.pcolormesh(
            x,
            y,
            known,
            cmap="cividis",
            norm=colours,
            shading="flat",
            rasterized=True,
        )
        crossed = np.zeros(data.values.shape, dtype=bool) if data.diverged is None else data.diverged
        entries = _mark_diverged(axes, x, y, crossed) + _mark_missing(axes, np.isnan(data.values) & ~crossed)
        for axis, name, values in ((axes.xaxis, data.x_name, data.x), (axes.yaxis, data.y_name, data.y)):
            _label(axis, name, values)
        below = bool((colours(known) < 0).any())
        bar = drawing.figure.colorbar(image, ax=axes, aspect=25, extend="min" if below else "neither")
        bar.set_label(_broken(data.label))
        if isinstance(colours, LogNorm):
            name_decades(bar.ax.yaxis, *bar.mappable.get_clim())
        if entries:
            drawing.legend(entries, [str(entry.get_label()) for entry in entries], ncols=2, columnspacing=1.2)
    return drawing.result


def _mark_missing(axes: Axes, cells: NDArray[np.bool_]) -> list[Patch]:
    """Hatch the ground of the axes, which shows where nothing is drawn; the entry of the legend."""
    if not cells.any():
        return []
    axes.patch.set_hatch("////")
    axes.patch.set_edgecolor("0.7")
    return [Patch(facecolor="0.93", edgecolor="0.7", hatch="////", linewidth=0, label="no value")]


def _mark_diverged(axes: Axes, x: Array, y: Array, cells: NDArray[np.bool_]) -> list[Patch]:
    """Cross cells between these borders; the entry of the legend."""
    if not cells.any():
        return []
    look: dict[str, Any] = {"facecolor": FAILS, "edgecolor": PALETTE[1], "hatch": "xxxx", "linewidth": 0}
    for i, j in np.argwhere(cells):
        axes.add_patch(Rectangle((x[j], y[i]), x[j + 1] - x[j], y[i + 1] - y[i], **look))
    return [Patch(**look, label=f"diverged: $L$(end) > {RISEN:g} $L(0)$")]


def scaling_curves(data: SweepCurves, *, axes: GivenAxes = None) -> Drawn:
    """A quantity over one varied option: median and 10–90 % band over the replicates, and power laws if fitted.

    Where the option has names for values, such as activations, medians stand beside each other with 10–90 % bars. With
    power laws both axes are logarithmic, and each law goes from the first to the last of its points. The last line of
    the legend says how many points are not drawn.

    Parameters
    ----------
    data : SweepCurves
    axes : Axes or sequence of Axes, optional
        To draw into instead, one; see `figures.canvas`.
    """
    styles = cycle(zip(PALETTE, LINES, MARKERS, strict=False))
    named = bool(data.curve_name or data.fits or data.left_out)
    with canvas(axes, (COLUMN_WIDTH, 2.4 + (0.08 * (len(data.curves) + 1) if named else 0))) as drawing:
        axes = drawing.axes[0]
        names = data.x.dtype.kind not in "if"
        for i, (colour, line, marker) in zip(range(len(data.curves)), styles, strict=False):
            fit = data.fits[i] if data.fits else None
            x = data.x
            if names:
                x, line = np.arange(len(x)) + APART * (i - (len(data.curves) - 1) / 2), "none"
                axes.vlines(x, data.low[i], data.high[i], color=colour, linewidth=1.0)
            else:
                axes.fill_between(x, data.low[i], data.high[i], color=colour, alpha=0.2, linewidth=0)
            axes.plot(
                x,
                data.median[i],
                marker,
                linestyle="none" if data.fits else line,
                color=colour,
                markerfacecolor="white",
                zorder=3,
            )
            if fit:
                through = data.x[fitted(data.x, data.median[i])]
                along = np.geomspace(through[0], through[-1], FITTED)
                law = fit.factor * along**fit.exponent
                axes.plot(along, law, color=colour, linestyle=line, linewidth=0.9)
            # one entry for both, without anything to draw
            axes.plot(
                [],
                [],
                marker=marker,
                linestyle="none" if data.fits and fit is None else line,
                color=colour,
                markerfacecolor="white",
                label=_entry(data, i) if data.curve_name or data.fits else "",
            )
        if data.left_out:
            axes.plot([], [], linestyle="none", label=data.left_out)
        _label(axes.xaxis, data.x_name, data.x)
        if data.fits:
            _both_logarithmic(axes, data)
        elif data.fraction:
            axes.set_ylim(-0.03, 1.03)
        elif _logarithmic(data.median[np.isfinite(data.median)]):
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(numticks=8))
            axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_ylabel(_broken(data.label))
        if named:
            drawing.legend(ncols=1 if data.fits or data.left_out else 2, columnspacing=1.2)
    return drawing.result


def _both_logarithmic(axes: Axes, data: SweepCurves) -> None:
    """Axes on which a power law is a straight line."""
    points = fitted(data.x, data.median)
    positive = data.x[data.x > 0]
    axes.set_xscale("log")
    axes.set_yscale("log")
    name_decades(axes.xaxis, float(positive.min()), float(positive.max()))
    name_decades(axes.yaxis, float(data.median[points].min()), float(data.median[points].max()))


def _entry(data: SweepCurves, i: int) -> str:
    """Legend text of a curve: the value it belongs to, the fitted exponent."""
    name = (
        f"{LABELS.get(data.curve_name, data.curve_name)} = {_text(data.curves[i])}" if data.curve_name else ""
    )
    if not data.fits:
        return name
    fit = data.fits[i]
    if fit is None:
        power = f"no fit: {counted(int(fitted(data.x, data.median[i]).sum()), 'point')}"
    else:
        power = f"fitted exponent {fit.exponent:.3g} ± {fit.error:.1g}".replace("-", "−")
    return f"{name}, {power}" if name else power


def _broken(label: str) -> str:
    """Units on a line of their own where a label would be longer than its axis."""
    label = plain_text(label)
    return label.replace(" (", "\n(") if len(label) > 30 else label


def _norm(values: Array, fraction: bool) -> Normalize:
    if fraction:
        return Normalize(0, 1)
    known = values[np.isfinite(values)]
    if known.size and known.min() > 0 and known.max() > WIDE * known.min():
        return LogNorm(max(known.min(), FLOOR * known.max()), known.max())
    return Normalize(known.min(), known.max()) if known.size else Normalize(0, 1)


def _logarithmic(values: NDArray[Any]) -> bool:
    """Whether values are spaced evenly in their logarithm, or unevenly and widely."""
    if values.dtype.kind not in "if" or values.size < 2 or values.min() <= 0:
        return False
    steps = np.diff(np.sort(values.astype(float)))
    if values.size > 2 and np.allclose(steps, steps[0], rtol=1e-6, atol=0.0):
        return False
    ratios = np.diff(np.log(np.sort(values.astype(float))))
    return (
        bool(values.size > 2 and np.allclose(ratios, ratios[0], rtol=1e-3))
        or values.max() > WIDE * values.min()
    )


def _edges(values: NDArray[Any]) -> Array:
    """Borders of cells around increasing values; text is numbered."""
    if values.dtype.kind not in "if":
        return np.arange(-0.5, len(values))
    log = _logarithmic(values)
    u = np.log(values) if log else values.astype(float)
    if len(u) == 1:
        edges = np.array([u[0] - 0.5, u[0] + 0.5])
    else:
        middles = 0.5 * (u[1:] + u[:-1])
        edges = np.concatenate([[1.5 * u[0] - 0.5 * u[1]], middles, [1.5 * u[-1] - 0.5 * u[-2]]])
    return np.array(np.exp(edges) if log else edges, dtype=np.float64)


def _label(axis: XAxis | YAxis, name: str, values: NDArray[Any]) -> None:
    axis.set_label_text(LABELS.get(name, plain_text(name.replace("_", " "))))
    if values.dtype.kind not in "if":
        names = [_text(v) for v in values]
        turned = axis.axis_name == "x" and sum(map(len, names)) > CROWDED
        axis.set_ticks(range(len(values)), labels=names)
        for label in axis.get_ticklabels() if turned else ():
            label.set(rotation=25, horizontalalignment="right", rotation_mode="anchor")
        if isinstance(axis, XAxis):
            axis.axes.set_xlim(-0.5, len(values) - 0.5)
        return
    if _logarithmic(values):
        axis.axes.set(**{f"{axis.axis_name}scale": "log"})
        name_decades(axis, float(values.min()), float(values.max()))
    if values.dtype.kind == "i" and len(values) <= 8:
        axis.set_ticks(values, labels=[str(v) for v in values])
        axis.set_ticks([], minor=True)


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float | np.floating) else plain_text(str(value))
