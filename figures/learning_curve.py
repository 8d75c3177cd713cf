"""Learning curves: theory as lines, trained networks as markers and bands, plateau levels labelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.lines import Line2D

from dynamics.aliases import Array
from dynamics.curves.trajectory import Trajectory
from dynamics.curves.units import best_overlaps
from dynamics.problem import Problem
from dynamics.problem.classification import Skill
from dynamics.problem.mode_numbers import mode_numbers
from dynamics.sgd.trajectory import SGDTrajectory
from empirical.comparison import Comparison
from empirical.theories import THEORIES
from empirical.training_run import TrainingRun
from figures.canvas import Drawn, GivenAxes, canvas
from figures.curve_names import clear_levels, name_at_the_right, part_names
from figures.markers import markers_along
from figures.plateau_levels import FLAT, draw_levels
from figures.style import (
    COLUMN_WIDTH,
    LINES,
    MARKERS,
    PALETTE,
    TIME,
    TINY,
    show_between,
    show_decades,
    show_span,
)

SHOWN_MODES = 6  # more lines than that cannot be told apart
SHOWN_DECADES = 6  # of the loss, below its initial value
MARKERS_PER_CURVE = 24
DECILE = 1.2816  # standard deviations between the median and the ninth decile of a normal distribution
# colour and marker of networks: on what they are trained on, and on what is held out
TRAINED, TESTED = (PALETTE[1], "o"), (PALETTE[3], "s")
BAND: dict[str, Any] = {"alpha": 0.3, "linewidth": 0.6}  # of bands: their edges show where they are thin
HELD_OUT = "held out"  # ends or begins the names of curves of samples held out
Networks = tuple[FillBetweenPolyCollection, Line2D]  # their band and their medians
OF_NORMS = (2, 4)  # of colours, lines and markers: none of those of the losses


def learning_curves(
    result: Comparison | Trajectory | SGDTrajectory,
    run: TrainingRun | None = None,
    *,
    theory: str | None = None,
    axes: GivenAxes = None,
) -> Drawn:
    """Loss (above, logarithmic) and teacher modes (below) against time.

    Where there are no modes (`dynamics.problem.problem.Problem.has_modes`), two panels stand for theirs: the largest
    overlap |cos(w_k, v_m)| of any unit with each direction of the teacher, and the norms of the units that are largest
    and smallest at the end; without a teacher the norms alone. Classifiers have a panel of their accuracy between. On a
    data set loss and accuracy on the samples held out stand beside those on the samples to train on. A loss that varies
    by less than a factor of three has a linear axis.

    Parameters
    ----------
    result : Comparison, Trajectory or SGDTrajectory
        A comparison shows both sides; a trajectory the theory alone. Where the spread over seeds was predicted,
        the range of 10–90 % of a normal distribution is shown.
    run : TrainingRun, optional
        Networks to draw on a trajectory, such as one's own checkpoints, at whatever times they were recorded.
    theory : str, optional
        Name of the theory in the legend; by default that of the comparison, or of the kind of trajectory.
    axes : Axes or sequence of Axes, optional
        To draw into instead, two, for losses and modes; without modes for losses, overlaps (with a teacher) and
        norms; of classifiers with one for their accuracy after the first; see `figures.canvas`.
    """
    trajectory = result.trajectory if isinstance(result, Comparison) else result
    if isinstance(result, Comparison):
        run = result.run
    of_units = _panels(trajectory.problem)
    n = len(of_units)
    with canvas(
        axes, (COLUMN_WIDTH, 2.9 + 1.3 * n), 1 + n, sharex=True, height_ratios=[3, *[2] * n]
    ) as drawing:
        above, *below = drawing.axes
        networks = draw_losses(above, trajectory, run, theory or _theory_name(result))
        for panel, draw in zip(below, of_units, strict=True):
            draw(panel, trajectory, run)
        below[-1].set_xlabel(TIME)
        show_span(below[-1], trajectory.times[0], trajectory.times[-1])
        drawing.align(drawing.axes)
        _explain_bands(above, below, networks)
        handles, labels = _entries(above)
        drawing.legend(handles, labels, ncols=2, columnspacing=1.2)
        drawing.settle()
        clear_levels(above, trajectory)
        part_names(below[len(of_units) - 1] if trajectory.problem.has_modes else below[0])
    return drawing.result


def _entries(axes: Axes) -> tuple[list[Any], list[str]]:
    """Handles and labels of the legend, which fills its two columns one after the other.

    Samples held out have the second column for themselves, the shorter of the two is filled up with blanks.
    """
    entries = list(zip(*axes.get_legend_handles_labels(), strict=True))
    columns: list[list[tuple[Any, str]]] = [
        [(handle, label) for handle, label in entries if (HELD_OUT in label) == second]
        for second in (False, True)
    ]
    if columns[1]:
        rows = max(map(len, columns))
        blank = (Line2D([], [], linestyle="none"), "")
        entries = [entry for column in columns for entry in column + [blank] * (rows - len(column))]
    return [handle for handle, _ in entries], [label for _, label in entries]


def _theory_name(result: Comparison | Trajectory | SGDTrajectory) -> str:
    if isinstance(result, Comparison):
        return THEORIES[result.theory].title
    return THEORIES[result.THEORY].title


def draw_losses(
    axes: Axes,
    trajectory: Trajectory | SGDTrajectory,
    run: TrainingRun | None,
    theory: str,
    decades: int = SHOWN_DECADES,
) -> list[Networks]:
    """Losses of the theory, on the levels of its plateaus, and of networks; the bands and markers of these.

    What is more than so many decades below the largest loss is not shown.
    """
    t, held_out = trajectory.times, getattr(trajectory, "test_loss", None)
    curves = [trajectory.loss] if held_out is None else [trajectory.loss, held_out]
    top = max(float(curve.max()) for curve in curves)
    bottom = max(min(float(curve.min()) for curve in curves), top * 10.0**-decades)
    levels = draw_levels(axes, trajectory, bottom)
    axes.plot(t, trajectory.loss, color="black", zorder=3, label=f"theory: {theory}")
    shown = [*curves, *levels]  # what a linear axis should have room for
    spread = getattr(trajectory, "loss_std", None)
    if spread is not None:
        shown += [trajectory.loss - DECILE * spread, trajectory.loss + DECILE * spread]
        for sign in (-DECILE, DECILE):
            edge = np.maximum(trajectory.loss + sign * spread, bottom / 10)
            label = "theory: 10–90 %" if sign > 0 else None
            axes.plot(t, edge, color="black", linewidth=0.7, linestyle=(0, (4, 2)), zorder=2, label=label)
    if held_out is not None:
        axes.plot(t, held_out, color=TESTED[0], linestyle=LINES[1], zorder=3, label=f"theory: {HELD_OUT}")
    networks: list[Networks] = []
    if run is not None:
        measured = {"networks": (run.loss, TRAINED)}
        measured |= {} if run.test_loss is None else {HELD_OUT: (run.test_loss, TESTED)}
        medians = [np.median(losses, axis=0) for losses, _ in measured.values()]
        bottom = max(min(bottom, *(float(median.min()) for median in medians)), top * 10.0**-decades)
        for name, (losses, style) in measured.items():
            networks += _draw_networks(axes, run.times, losses, bottom, name, style)
            shown += list(np.quantile(losses, [0.1, 0.9], axis=0))
    low, high = min(map(np.min, shown)), max(map(np.max, shown))
    if low > 0 and high < FLAT * low:
        show_between(axes, float(low), float(high))
    else:
        show_decades(axes, bottom / 1.5, top * 2)
    axes.set_ylabel(loss_label(trajectory.problem))
    return networks


def loss_label(problem: Problem) -> str:
    """What the axis of the loss is called: with the unit of the loss."""
    return f"loss $L$ ({problem.loss.unit})"


def _explain_bands(above: Axes, below: Sequence[Axes], drawn: Sequence[Networks]) -> None:
    """A band that can be seen nowhere has no entry in the legend; that of the medians says where it is.

    The bands of the panels below belong to the first ones, those of the networks on what they are trained on.
    """
    elsewhere = any(_wider_than_a_line(panel, band) for panel in below for band in _bands(panel))
    for n, (band, median) in enumerate(drawn):
        if not (_wider_than_a_line(above, band) or (elsewhere and n == 0)):
            band.set_label("_invisible")  # matplotlib leaves such names out of legends
            median.set_label(f"{median.get_label()},\n10–90 % within the line")


def _bands(axes: Axes) -> list[FillBetweenPolyCollection]:
    return [band for band in axes.collections if isinstance(band, FillBetweenPolyCollection)]


def _wider_than_a_line(axes: Axes, band: FillBetweenPolyCollection) -> bool:
    """Whether some of a band can be seen beside the line of a theory, in its direction of the loss."""
    t, y = np.asarray(band.get_paths()[0].vertices, dtype=float).T
    inside = np.clip(y, *axes.get_ylim())
    heights = axes.transData.transform(np.column_stack([t, inside]))[:, 1] * 72 / axes.figure.dpi
    extents = (np.ptp(heights[t == time]) for time in np.unique(t))
    return bool(max(extents) > rcParams["lines.linewidth"])


def _draw_networks(
    axes: Axes, times: Array, losses: Array, bottom: float, name: str, style: tuple[str, str]
) -> list[Networks]:
    """Losses (S, T) of networks: their median as markers on the 10–90 % band, which a single one has not."""
    low, median, high = np.quantile(losses, [0.1, 0.5, 0.9], axis=0)
    shown = markers_along(times, np.log10(np.maximum(median, max(bottom, TINY))), MARKERS_PER_CURVE)
    shown = shown[median[shown] >= bottom]
    colour, marker = style
    bands = []
    if len(losses) > 1:
        bands = [
            axes.fill_between(times, low, high, color=colour, zorder=1, label=f"{name}: 10–90 %", **BAND)
        ]
    (line,) = axes.plot(
        times[shown],
        median[shown],
        marker,
        color=colour,
        markerfacecolor="white",
        zorder=4,
        clip_on=False,
        label=f"{name}: median of {len(losses)}" if bands else f"{name}: one seed",
    )
    return [(band, line) for band in bands]


def _draw_modes(axes: Axes, trajectory: Trajectory | SGDTrajectory, run: TrainingRun | None) -> None:
    problem = trajectory.problem
    targets = problem.mode_targets
    numbers = mode_numbers(targets, problem.all_inputs, problem.teacher.outputs)
    chosen = np.sort(np.argsort(-np.abs(targets), kind="stable")[:SHOWN_MODES])
    for n, i in enumerate(chosen):
        axes.axhline(targets[i], color="0.8", linewidth=0.6, zorder=0)
        measured = None if run is None else run.modes[..., i]
        draw_curve(axes, n, trajectory.times, trajectory.modes[:, i], run, measured)
        name = f"$\\lambda_{{{numbers[i] + 1}}} = {targets[i]:.4g}$"
        name_at_the_right(axes, targets[i], name, PALETTE[n % len(PALETTE)])
    if len(chosen) < len(targets):  # which are smaller: near 0
        name_at_the_right(axes, 0.0, f"and {len(targets) - len(chosen)} more", "0.35")
    j = problem.activation.mode_order
    names = {1: r"$v_i^\top \sum_k a_k w_k$", 2: r"$v_i^\top M v_i$"}
    axes.set_ylabel("teacher modes " + names.get(j, rf"$\sum_k a_k (v_i^\top w_k)^{{{j}}}$"))


def _draw_overlaps(axes: Axes, trajectory: Trajectory | SGDTrajectory, run: TrainingRun | None) -> None:
    """The largest overlap of any unit with the first directions of the teacher."""
    theory = best_overlaps(trajectory.overlaps)
    measured = None if run is None or run.overlaps is None else best_overlaps(run.overlaps)
    axes.axhline(1.0, color="0.8", linewidth=0.6, zorder=0)
    for m in range(min(theory.shape[1], SHOWN_MODES)):
        networks = None if measured is None else measured[..., m]
        draw_curve(axes, m, trajectory.times, theory[:, m], run, networks, f"$v_{{{m + 1}}}$")
    axes.set_ylim(0, 1.05)
    some = f" ({SHOWN_MODES} of {theory.shape[1]})" if theory.shape[1] > SHOWN_MODES else ""
    axes.set_ylabel(f"largest overlap{some}")
    if theory.size:  # a teacher that is zero has no directions
        axes.legend(loc="lower right", ncols=2, columnspacing=1.0)


def _draw_norms(axes: Axes, trajectory: Trajectory | SGDTrajectory, run: TrainingRun | None) -> None:
    """The norms of the units that are largest and smallest at the end."""
    norms = trajectory.norms
    extreme = {norms[-1].argmin(): "smallest at the end", norms[-1].argmax(): "largest at the end"}
    for n, (k, name) in zip(OF_NORMS, extreme.items(), strict=False):
        measured = None if run is None or run.norms is None else run.norms[..., k]
        draw_curve(axes, n, trajectory.times, norms[:, k], run, measured, name)
    axes.set_ylabel(r"norms $\|w_k\|$")
    axes.legend(loc="best")


def _draw_accuracy(axes: Axes, trajectory: Trajectory | SGDTrajectory, run: TrainingRun | None) -> None:
    """The share of right answers, on the samples held out too: the theory as lines, networks as markers on bands."""
    skills: dict[str, Skill] = getattr(trajectory, "skills", {})
    styles = {"": ("black", LINES[0], TRAINED), "test_": (TESTED[0], LINES[1], TESTED)}
    for name, skill in skills.items():
        colour, line, (marked, marker) = styles[name]
        axes.plot(trajectory.times, skill.accuracy, color=colour, linestyle=line, zorder=2)
        measured = None if run is None else getattr(run, f"{name}accuracy")
        if run is None or measured is None:
            continue
        low, median, high = np.quantile(measured, [0.1, 0.5, 0.9], axis=0)
        if len(measured) > 1:
            axes.fill_between(run.times, low, high, color=marked, zorder=1, **BAND)
        shown = markers_along(run.times, median, MARKERS_PER_CURVE)
        axes.plot(
            run.times[shown],
            median[shown],
            marker,
            color=marked,
            markerfacecolor="white",
            zorder=3,
            clip_on=False,
        )
    axes.set_ylabel("accuracy")


Panel = Callable[[Axes, Trajectory | SGDTrajectory, TrainingRun | None], None]


def _panels(problem: Problem) -> tuple[Panel, ...]:
    """What is drawn below the loss: accuracy of two classes; and modes, or what stands for them."""
    skill = (_draw_accuracy,) if problem.loss.classifies else ()
    if problem.has_modes:
        return (*skill, _draw_modes)
    return (*skill, _draw_overlaps, _draw_norms) if problem.teacher.given else (*skill, _draw_norms)


def draw_curve(
    axes: Axes,
    n: int,
    times: Array,
    theory: Array,
    run: TrainingRun | None,
    measured: Array | None,
    label: str | None = None,
) -> None:
    """The n-th curve of a panel: theory (T,) as a line, networks (S, T) as markers on their 10–90 % band."""
    colour, line, marker = PALETTE[n % len(PALETTE)], LINES[n % len(LINES)], MARKERS[n % len(MARKERS)]
    axes.plot(times, theory, color=colour, linestyle=line, zorder=2, label=label)
    if run is None or measured is None:
        return
    low, median, high = np.quantile(measured, [0.1, 0.5, 0.9], axis=0)
    if len(measured) > 1:
        axes.fill_between(run.times, low, high, color=colour, zorder=1, **BAND)
    shown = markers_along(run.times, median, MARKERS_PER_CURVE)
    marked: dict[str, Any] = {"color": colour, "markerfacecolor": "white", "zorder": 3, "clip_on": False}
    axes.plot(run.times[shown], median[shown], marker, **marked)
