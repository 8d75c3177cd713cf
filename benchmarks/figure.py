"""The benchmarks in one figure."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.report import Table
from figures.style import COLUMN_WIDTH, LINES, MARKERS, PALETTE, paper, save_figure

SHOWN = {  # solvers of the work–precision diagrams: colour, dashes, marker
    "quadflow Taylor": ("black", "-", "o"),
    "quadflow Tsit5": ("0.45", "-", "^"),
    "quadflow DOP853": ("0.45", "-", "D"),
    "quadflow LSODA": ("0.45", "-", "s"),
    "solve_ivp DOP853, textbook": (PALETTE[0], "--", "D"),
    "solve_ivp LSODA, textbook": (PALETTE[0], ":", "s"),
    "solve_ivp Radau, textbook": (PALETTE[5], "-.", "^"),
    "solve_ivp DOP853 + numba, textbook": (PALETTE[5], "--", "D"),
    "diffrax Tsit5, textbook": (PALETTE[1], "-", "^"),
    "diffrax Dopri8, textbook": (PALETTE[1], "--", "D"),
    "diffrax Tsit5, our reduction, Gram form": (PALETTE[3], "-", "^"),
    "torchdiffeq dopri5, textbook": (PALETTE[2], ":", "v"),
}


def draw(tables: list[Table], path: Path) -> bool:
    """Draw what there is and save it as PNG; False, without a file, if none of it belongs into the figure."""
    rows = {table.name: table.rows for table in tables}
    if not any(rows.get(name) for names, _ in PANELS for name in names):
        return False
    with paper():
        figure = Figure(figsize=(2 * COLUMN_WIDTH, 7.6))
        axes = figure.subplots(3, 2)
        for axis, (names, panel) in zip(axes.flat, PANELS, strict=True):
            found = [rows.get(name, []) for name in names]
            if any(found):
                panel(axis, *found)
            else:
                axis.set_axis_off()
        named = {}
        for axis in axes[0]:
            handles, labels = axis.get_legend_handles_labels()
            named |= dict(zip(labels, handles, strict=True))
        order = [name for name in SHOWN if name in named]
        figure.legend([named[n] for n in order], order, loc="outside upper center", ncols=3)
    save_figure(figure, path)
    return True


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left")


def _work_precision(axes: Axes, rows: list[dict[str, Any]], title: str) -> None:
    for solver, (colour, dashes, marker) in SHOWN.items():
        points = [
            (r["error"], r["seconds"]) for r in rows if r["solver"] == solver and r["error"] is not None
        ]
        points = [(e, s) for e, s in points if e < 0.1]
        if points:
            axes.loglog(
                *zip(*points, strict=True), color=colour, linestyle=dashes, marker=marker, label=solver
            )
    axes.axvline(1e-8, color="0.8", linewidth=0.6, zorder=0)
    axes.invert_xaxis()
    axes.set_xlabel("relative error of the weights (better →)")
    axes.set_ylabel("time after set-up [s]")
    _title(axes, title)


def _engines(axes: Axes, single: list[dict[str, Any]], four: list[dict[str, Any]]) -> None:
    """Time per trajectory of every engine on one core, for both ensembles."""
    found = {"10⁴ × single mode": single, "10³ × K = 4, d = 4": four}
    found = {label: [row for row in rows if row["cores"] == 1] for label, rows in found.items()}
    names: list[str] = []
    for table in reversed(found.values()):
        names += [r["engine"] for r in table if r["engine"] not in names]
    for (label, table), colour, marker in zip(found.items(), PALETTE, MARKERS, strict=False):
        shown = [(r["ms per trajectory"], names.index(r["engine"])) for r in table if r["engine"] in names]
        if shown:
            axes.semilogx(*zip(*shown, strict=True), marker, color=colour, label=label)
    axes.set_yticks(range(len(names)), [_short(name) for name in names])
    axes.grid(axis="y", color="0.9", linewidth=0.5)
    axes.invert_yaxis()
    axes.set_xlabel("time per trajectory on one core [ms], error 1e-8")
    if names:
        axes.legend(loc="lower left")
    _title(axes, "c  ensembles of initial conditions")


def _short(name: str) -> str:
    return name.replace("loop over ", "").replace(" (scikit-sundae)", "")


def _inputs(axes: Axes, rows: list[dict[str, Any]]) -> None:
    keys = {
        "everything [s]": "everything",
        "integration [s]": "integration",
        "reduction [s]": "reduction",
        "textbook solve_ivp DOP853 [s]": "textbook, DOP853",
    }
    _lines(axes, rows, "inputs d", keys)
    axes.set_xscale("log")
    axes.set_ylim(bottom=1e-5)
    axes.set_xlabel("inputs $d$")
    _title(axes, "d  number of inputs, 10 units")


def _moments(axes: Axes, rows: list[dict[str, Any]]) -> None:
    keys = {
        "SymPy expand [s]": "SymPy: expand, $d = 3$",
        "SymPy rings [s]": "SymPy: rings, $d = 3$",
        "quadflow [s]": "quadflow, $d = 3$",
        "traces, any d [s]": "quadflow, traces, any $d$",
    }
    _lines(axes, rows, "order", keys)
    axes.set_ylim(top=20.0)
    axes.set_xticks([row["order"] for row in rows])
    axes.set_xlabel("order of the moment")
    _title(axes, "e  symbolic moments of a quadratic form")


def _catalogue(axes: Axes, rows: list[dict[str, Any]]) -> None:
    every = [row for row in rows if row["points"].startswith("all")]
    lowest = [row for row in rows if not row["points"].startswith("all")]
    axes.plot([r["modes"] for r in every], [r["seconds"] for r in every], "o-", label="all $2^m$ points")
    axes.plot([r["modes"] for r in lowest], [r["seconds"] for r in lowest], "s--", label="lowest points only")
    axes.set(xscale="log", yscale="log", xlabel="modes $m$", ylabel="time [s]")
    ticks = (2, 5, 10, 20, 50, 100, 200)
    axes.set_xticks(ticks, map(str, ticks))
    axes.minorticks_off()
    if rows:
        axes.legend()
    _title(axes, "f  catalogue of fixed points")


def _lines(axes: Axes, rows: list[dict[str, Any]], x: str, keys: dict[str, str]) -> None:
    for (key, label), line, marker in zip(keys.items(), cycle(LINES), cycle(MARKERS), strict=False):
        points = [(row[x], row[key]) for row in rows if row[key] is not None]
        if points:
            axes.plot(*zip(*points, strict=True), marker=marker, linestyle=line, label=label)
    axes.set_yscale("log")
    axes.set_ylabel("time [s]")
    if rows:
        axes.legend()


PANELS: tuple[tuple[tuple[str, ...], Callable[..., None]], ...] = (  # tables, and what draws them
    (("work-precision small",), partial(_work_precision, title="a  small: 4 inputs, 3 units")),
    (("work-precision large R = 3",), partial(_work_precision, title="b  large: 100 inputs, 50 units")),
    (("initial conditions, single mode", "initial conditions, four units"), _engines),
    (("inputs",), _inputs),
    (("moments",), _moments),
    (("catalogue",), _catalogue),
)
