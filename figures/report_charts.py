"""The interactive charts of a report, drawn by plotly: learning curves, gap, stationary points, staircase.

Each maker takes the JSON object that a command printed. Modes count from 1. Colours and dashes are those of the
paper figures; backgrounds, text and axes get their colours in the page, so that they suit a dark screen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray
from plotly.subplots import make_subplots

from dynamics.aliases import Array
from dynamics.curves.units import best_overlaps
from dynamics.words import counted
from figures.markers import markers_along
from figures.mode_names import set_label
from figures.style import PALETTE, TINY
from figures.web_page import DASHES, INK, SYMBOLS

SHOWN_MODES = 6  # more curves than that cannot be told apart
SHOWN_SAMPLES = 1000
SHOWN_DECADES = 8  # of the loss, below its largest value
MARKERS = 40  # per curve
AXIS_TITLE, LEGEND_LINE = 62, 22  # pixels below the time axis, and of a line of the legend
DIGITS = 7  # of a coordinate; the file keeps the full precision

# colour, shade of the band, symbol, and what is added to the name: of samples to train on, and of those held out
TRAINED = (PALETTE[1], "rgba(86,180,233,0.35)", SYMBOLS[0], "")
TESTED = (PALETTE[3], "rgba(204,121,167,0.35)", SYMBOLS[1], ", held out")

GAP_PARTS = {  # part → the curves whose difference it is
    "discretisation": ("discretised", "flow"),
    "finite data": ("on_data", "discretised"),
    "sampling noise": ("with_noise", "on_data"),
    "remainder": ("measured", "with_noise"),
}


def learning_chart(
    theory: Mapping[str, Any] | None,
    training: Mapping[str, Any] | None,
    eigenvalues: Sequence[float] = (),
    numbers: Sequence[int] = (),
) -> go.Figure:
    """Loss (above, logarithmic) and teacher modes (below) against time: theory as lines, networks as markers.

    Where there are no modes, the largest overlap of any unit with each direction of the teacher and the norms of the
    units are below; without a teacher the norms alone. The loss of samples held out stands beside the loss.

    Parameters
    ----------
    theory : mapping, optional
        What `quadflow simulate` prints.
    training : mapping, optional
        What `quadflow train` prints; at least one of both.
    eigenvalues : sequence of float
        Of the teacher modes, in their order.
    numbers : sequence of int
        What the modes are called, from 0; by default 0, 1, ….
    """
    without_modes = (theory or training or {})["modes"] is None
    with_overlaps, with_norms = (
        any(side and side.get(name) for side in (theory, training)) for name in ("overlaps", "norms")
    )
    heights = [0.44, 0.28, 0.28] if without_modes and with_overlaps else [0.58, 0.42]
    if without_modes and not (with_overlaps or with_norms):  # of a network of one's own
        heights = [1.0]
    rows = len(heights)
    figure = make_subplots(rows, 1, shared_xaxes=True, row_heights=heights, vertical_spacing=0.06)
    times = _floats((theory or training or {})["times"])
    measured = _floats((training or theory or {})["times"])
    losses = []
    if theory:
        loss = _floats(theory["loss"])
        losses.append(loss)
        _line(figure, 1, times, loss, "theory", INK, "solid", 2.5)
        if theory.get("objective"):
            _line(figure, 1, times, _floats(theory["objective"]), "theory, with weight decay", INK, "dot", 2)
    if training:
        losses.append(_training_loss(figure, measured, _floats(training["loss"]), TRAINED))
    if theory and theory.get("test_loss"):
        losses.append(_floats(theory["test_loss"]))
        _line(figure, 1, times, losses[-1], "theory, held out", TESTED[0], "dash", 2)
    if training and training.get("test_loss"):
        losses.append(_training_loss(figure, measured, _floats(training["test_loss"]), TESTED))
    _levels(figure, (theory or {}).get("stages", ()), times)
    _loss_axis(figure, np.concatenate([x.ravel() for x in losses]))
    if without_modes:
        if with_overlaps:
            _draw_overlaps(figure, times, measured, theory, training)
        if with_norms:
            _draw_norms(figure, rows, times, measured, theory, training)
    else:
        _draw_modes(figure, times, measured, theory, training, np.asarray(eigenvalues, dtype=float), numbers)
    _time_axis(figure, times[-1], row=rows)
    held_out = any(side and side.get("test_loss") for side in (theory, training))
    height, lines = {1: (400, 2), 2: (520, 2), 3: (700, 4)}[rows]
    return _finished(figure, height, legend_lines=lines + held_out)


def _draw_overlaps(
    figure: go.Figure,
    times: Array,
    measured: Array,
    theory: Mapping[str, Any] | None,
    training: Mapping[str, Any] | None,
) -> None:
    """Largest overlap of any unit with the first directions of the teacher, of networks its median."""
    of_theory, of_networks = (
        best_overlaps(_floats(side["overlaps"])) if side and side.get("overlaps") else None
        for side in (theory, training)
    )
    found = next((part for part in (of_theory, of_networks) if part is not None), np.empty((0, 0)))
    for m in range(min(found.shape[-1], SHOWN_MODES)):
        if of_theory is not None:
            _line(figure, 2, times, of_theory[:, m], f"overlap with v{m + 1}", PALETTE[m], DASHES[m], 2)
        if of_networks is not None:
            (median,) = _quantiles(of_networks[..., m], [0.5])
            _markers(figure, 2, measured, median, f"overlap with v{m + 1}, networks", PALETTE[m], SYMBOLS[m])
    figure.update_yaxes(title_text="largest overlap", row=2)


def _draw_norms(
    figure: go.Figure,
    row: int,
    times: Array,
    measured: Array,
    theory: Mapping[str, Any] | None,
    training: Mapping[str, Any] | None,
) -> None:
    """Norms of the units that are largest at the end, of networks their medians."""
    of_theory, of_networks = (
        _floats(side["norms"]) if side and side.get("norms") else None for side in (theory, training)
    )
    if of_networks is not None:
        units = np.moveaxis(of_networks, -1, 0)  # (K, S, T)
        of_networks = np.transpose([_quantiles(norms, [0.5])[0] for norms in units])
    last = next((norms[-1] for norms in (of_theory, of_networks) if norms is not None), np.empty(0))
    for n, k in enumerate(np.sort(np.argsort(-last, kind="stable")[:SHOWN_MODES])):
        if of_theory is not None:
            _line(figure, row, times, of_theory[:, k], f"norm of unit {k + 1}", PALETTE[n], DASHES[n], 2)
        if of_networks is not None:
            shown = f"norm of unit {k + 1}, networks"
            _markers(figure, row, measured, of_networks[:, k], shown, PALETTE[n], SYMBOLS[n])
    figure.update_yaxes(title_text="norms of the units", row=row)


def _draw_modes(
    figure: go.Figure,
    times: Array,
    measured: Array,
    theory: Mapping[str, Any] | None,
    training: Mapping[str, Any] | None,
    targets: Array,
    numbers: Sequence[int],
) -> None:
    """Teacher modes, those of the largest eigenvalues if they are many."""
    modes = _floats((theory or training or {})["modes"])
    reach = (
        np.abs(targets)
        if len(targets) == modes.shape[-1]
        else np.abs(modes).max(axis=tuple(range(modes.ndim - 1)))
    )
    for n, i in enumerate(np.sort(np.argsort(-reach, kind="stable")[:SHOWN_MODES])):
        if len(targets) == modes.shape[-1]:
            figure.add_hline(
                targets[i],
                row=2,
                exclude_empty_subplots=False,  # the first line comes before the first curve
                line={"color": PALETTE[n], "width": 1, "dash": "dot"},
                opacity=0.6,
            )
        name = f"mode {(numbers[i] if i < len(numbers) else i) + 1}"
        if theory:
            _line(figure, 2, times, _floats(theory["modes"])[:, i], name, PALETTE[n], DASHES[n], 2)
        if training:
            (of_networks,) = _quantiles(_floats(training["modes"])[..., i], [0.5])
            shown = name + (", networks" if theory else " (median)")
            _markers(figure, 2, measured, of_networks, shown, PALETTE[n], SYMBOLS[n])
    figure.update_yaxes(title_text="teacher modes", row=2)


def _training_loss(figure: go.Figure, times: Array, loss: Array, look: tuple[str, str, str, str]) -> Array:
    """Median and 10–90 % band of the networks' loss (S, T); returns the median."""
    colour, shade, symbol, of = look
    low, median, high = _quantiles(loss, [0.1, 0.5, 0.9])
    bottom = max(np.nanmax(median, initial=0.0) * 10.0**-SHOWN_DECADES, TINY)
    if len(loss) > 1:
        t = _thin(times)
        band = {
            "x": _rounded(np.append(times[t], times[t][::-1])),
            "y": _rounded(np.append(high[t], low[t][::-1])),
        }
        figure.add_scatter(
            **band,
            fill="toself",
            fillcolor=shade,
            line={"width": 0},
            name=f"10–90 % of {counted(len(loss), 'network')}{of}",
            hoverinfo="skip",
            row=1,
            col=1,
        )
    name = ("trained network" if len(loss) == 1 else "median network") + of
    height = np.log10(np.maximum(median, bottom))  # as the axis shows it
    _markers(figure, 1, times, median, name, colour, symbol, spacing=height)
    return median


def _levels(figure: go.Figure, stages: Sequence[Mapping[str, Any]], times: Array) -> None:
    """Predicted heights of the plateaus that the theory detected."""
    for stage in stages:
        loss = stage.get("predicted_loss")
        if not loss:
            continue
        figure.add_scatter(
            x=_rounded(times[[0, -1]]),
            y=[loss, loss],
            mode="lines",
            line={"color": "gray", "width": 1, "dash": "dot"},
            name=f"level of {set_label(stage['learned_modes'])}: {loss:.5g}",
            showlegend=False,
            row=1,
            col=1,
        )


def overlay_chart(curves: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> go.Figure:
    """Losses of several runs: name → (times, loss)."""
    figure = make_subplots(1, 1)
    for n, (name, (times, loss)) in enumerate(curves.items()):
        colour, dash = PALETTE[n % len(PALETTE)], DASHES[n % len(DASHES)]
        _line(figure, 1, _floats(times), _floats(loss), escape(name, quote=False), colour, dash, 2)
    _loss_axis(figure, np.concatenate([_floats(loss) for _, loss in curves.values()]))
    _time_axis(figure, max(_floats(times)[-1] for times, _ in curves.values()))
    return _finished(figure, 340, legend_lines=-(-len(curves) // 2))


def gap_chart(times: ArrayLike, curves: Mapping[str, Any]) -> go.Figure:
    """Parts of the measured deviation from the flow along training, and the error bar of its mean."""
    t = _floats(times)
    figure = make_subplots(1, 1)
    if "error_bar" in curves:
        bar = _floats(curves["error_bar"])
        at = _thin(t)
        figure.add_scatter(
            x=_rounded(np.append(t[at], t[at][::-1])),
            y=_rounded(np.append(bar[at], -bar[at][::-1])),
            fill="toself",
            fillcolor="rgba(128,128,128,0.25)",
            line={"width": 0},
            name="error bar of the mean",
            hoverinfo="skip",
        )
    for n, (name, (with_it, without)) in enumerate(GAP_PARTS.items()):
        if with_it in curves and without in curves:
            part = _floats(curves[with_it]) - _floats(curves[without])
            _line(figure, 1, t, part, name, PALETTE[n], DASHES[n], 2)
    figure.update_yaxes(title_text="part of the loss")
    _time_axis(figure, t[-1])
    return _finished(figure, 320)


def atlas_chart(points: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Stationary points: loss against Morse index, one symbol for each kind."""
    figure = make_subplots(1, 1)
    kinds = list(dict.fromkeys(point["kind"] for point in points if point["index"] is not None))
    for n, kind in enumerate(kinds):
        chosen = [point for point in points if point["kind"] == kind and point["index"] is not None]
        figure.add_scatter(
            x=[point["index"] for point in chosen],
            y=[point["loss"] for point in chosen],
            text=[set_label(point["learned_modes"]) for point in chosen],
            mode="markers",
            marker={"symbol": SYMBOLS[n % len(SYMBOLS)], "color": PALETTE[n % len(PALETTE)], "size": 10},
            name=escape(str(kind), quote=False),
            hovertemplate="%{text}: loss %{y:.6g}, index %{x}<extra></extra>",
        )
    figure.update_xaxes(title_text="Morse index (descending directions)")
    figure.update_yaxes(title_text="loss")
    return _finished(figure, 320)


def staircase_chart(jumps: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Predicted loss as steps."""
    figure = make_subplots(1, 1)
    times = [0.0, *(jump["time"] for jump in jumps)]
    loss = [jumps[0]["loss_before"], *(jump["loss_after"] for jump in jumps)]
    figure.add_scatter(
        x=[*times, 1.15 * times[-1]],
        y=[*loss, loss[-1]],
        mode="lines",
        line={"shape": "hv", "color": INK, "width": 2.5},
        name="predicted loss",
    )
    _time_axis(figure, 1.15 * times[-1])
    figure.update_yaxes(title_text="loss")
    return _finished(figure, 320)


def _line(
    figure: go.Figure, row: int, x: Array, y: Array, name: str, colour: str, dash: str, width: float
) -> None:
    shown = _thin(x)
    figure.add_scatter(
        x=_rounded(x[shown]),
        y=_rounded(y[shown]),
        mode="lines",
        line={"color": colour, "dash": dash, "width": width},
        name=name,
        row=row,
        col=1,
    )


def _markers(
    figure: go.Figure,
    row: int,
    x: Array,
    y: Array,
    name: str,
    colour: str,
    symbol: str,
    spacing: Array | None = None,
) -> None:
    shown = _along(x, y if spacing is None else spacing)
    figure.add_scatter(
        x=_rounded(x[shown]),
        y=_rounded(y[shown]),
        mode="markers",
        marker={"color": colour, "symbol": f"{symbol}-open", "size": 7, "line": {"width": 1.5}},
        name=name,
        row=row,
        col=1,
    )


def _loss_axis(figure: go.Figure, loss: Array) -> None:
    seen = loss[np.isfinite(loss) & (loss > 0)]
    high = np.log10(seen.max()) if seen.size else 0.0
    low = max(np.log10(seen.min()), high - SHOWN_DECADES) if seen.size else -1.0
    figure.update_yaxes(
        title_text="loss", type="log", range=[low - 0.2, high + 0.2], exponentformat="power", row=1, col=1
    )


def _finished(figure: go.Figure, height: int, legend_lines: int = 2) -> go.Figure:
    """Layout with the legend below the time axis, which gets room for so many lines."""
    bottom = AXIS_TITLE + LEGEND_LINE * max(legend_lines, 2)
    below = {"orientation": "h", "yanchor": "top", "yref": "container", "xanchor": "left", "x": 0}
    below["y"] = (bottom - AXIS_TITLE) / (height + bottom)
    return figure.update_layout(
        template="none",
        height=height + bottom,
        margin={"l": 68, "r": 16, "t": 34, "b": bottom},
        legend=below,
        showlegend=True,
    )


def _time_axis(figure: go.Figure, end: float, row: int = 1) -> None:
    figure.update_xaxes(range=[0, end])
    figure.update_xaxes(title_text="time of the flow", row=row, col=1)


def _floats(values: ArrayLike) -> Array:
    """Array in which the null of a JSON file is NaN."""
    return np.asarray(values, dtype=float)


def _quantiles(values: Array, levels: Sequence[float]) -> Array:
    """Quantiles over the networks (S, T) that have a value, NaN where none has, as after divergence."""
    found = np.full((len(levels), values.shape[1]), np.nan)
    known = ~np.isnan(values).all(axis=0)
    found[:, known] = np.nanquantile(values[:, known], levels, axis=0)
    return found


def _thin(x: Array) -> NDArray[np.int64]:
    """Indices of at most `SHOWN_SAMPLES` samples."""
    return np.unique(np.linspace(0, len(x) - 1, min(len(x), SHOWN_SAMPLES)).round().astype(int))


def _along(x: Array, y: Array) -> NDArray[np.int64]:
    """Indices of at most `MARKERS` finite samples, evenly spaced along the drawn curve."""
    known = np.flatnonzero(np.isfinite(y))
    return known[markers_along(x[known], y[known], MARKERS)] if known.size else known


def _rounded(values: Array) -> list[float | None]:
    """Few digits and plain numbers, which keep the page small."""
    return [float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None for value in values]
