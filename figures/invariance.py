"""Two copies of one network, one rescaled: how far apart training takes them, by G-SGD and by SGD."""

from __future__ import annotations

from typing import Any

from matplotlib.ticker import LogLocator, NullFormatter

from empirical.experiments.invariance import Invariance
from figures.canvas import Drawn, GivenAxes, canvas
from figures.style import COLUMN_WIDTH, PALETTE, show_span

LABELS = {"gsgd": "G-SGD", "sgd": "SGD"}
COLOURS = {"gsgd": PALETTE[0], "sgd": PALETTE[1]}
LINES_OF = {"gsgd": (2.4, "-"), "sgd": (1.0, "--")}  # width and dashes: the two may lie on each other
MARKERS_OF = {"gsgd": "o", "sgd": "s"}
ROUNDING = 2.0**-52  # differences below are drawn here: they would be zero in exact arithmetic


def invariance_figure(result: Invariance, *, axes: GivenAxes = None) -> Drawn:
    """Difference of the two copies (above, logarithmic) and their losses (below) against the step.

    Parameters
    ----------
    result : Invariance
        See `empirical.experiments.invariance.invariance`.
    axes : Axes or sequence of Axes, optional
        To draw into instead, two, for differences and losses; see `figures.canvas`.
    """
    with canvas(axes, (COLUMN_WIDTH, 3.9), 2, 1, sharex=True, height_ratios=[3, 2]) as drawing:
        above, below = drawing.axes
        every = max(1, len(result.steps) // 15)
        for name, label in LABELS.items():
            style: dict[str, Any] = {"color": COLOURS[name], "markerfacecolor": "white", "markevery": every}
            for values, line, what in (
                (result.path_difference[name], "-", "path values"),
                (result.function_difference[name], ":", "function"),
            ):
                marker = MARKERS_OF[name] if line == "-" else ""
                above.plot(
                    result.steps,
                    values.clip(min=ROUNDING),
                    marker + line,
                    label=f"{label}: {what}",
                    clip_on=False,
                    **style,
                )
            original, rescaled = result.loss[name]
            width, line = LINES_OF[name]
            below.plot(result.steps, original, line, color=COLOURS[name], linewidth=width)
            below.plot(result.steps, rescaled, MARKERS_OF[name], clip_on=False, **style)
        above.axhline(ROUNDING, color="0.6", linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=0)
        above.annotate(
            "double precision", (1, ROUNDING), xycoords=("axes fraction", "data"), xytext=(0, -2),
            textcoords="offset points", ha="right", va="top", color="0.35", fontsize=6.5, annotation_clip=False,
        )  # fmt: skip
        above.set_yscale("log")
        above.set_ylim(ROUNDING / 30, 10)
        above.yaxis.set_major_locator(LogLocator(numticks=6))
        above.yaxis.set_minor_formatter(NullFormatter())
        above.set_ylabel("relative difference of\nthe two copies")
        below.set_yscale("log")
        below.yaxis.set_minor_formatter(NullFormatter())
        below.set_ylabel("batch loss\n(squared output units)")
        below.set_xlabel("optimiser step")
        show_span(below, result.steps[0], result.steps[-1])
        below.plot([], [], "-", color="0.35", label="original")
        below.plot([], [], "D", color="0.35", markerfacecolor="white", label="rescaled copy")
        below.legend(loc="upper right", ncols=2, columnspacing=1.2)
        drawing.align([above, below])
        drawing.legend(*above.get_legend_handles_labels(), ncols=2, columnspacing=1.2)
    return drawing.result
