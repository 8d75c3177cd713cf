"""Levels of the plateaus at which a curve waits: dotted lines with names, and the stretches where it does."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.curves.passing import visited_sets
from dynamics.curves.trajectory import Trajectory
from dynamics.problem.mode_numbers import mode_numbers
from dynamics.problem.plateaus import Levels, as_found, plateaus
from dynamics.sgd.trajectory import SGDTrajectory
from figures.mode_names import level_label

ENDS_ON = 1.2  # ratio of the lowest loss to a level below which the curve ends on that one
NEAR = 1.5  # ratio of the height of a plateau to a level beyond which it does not wait at that one
CLOSE = 0.1  # of what a linear axis shows: levels nearer to each other are not both named
NARROW = 0.02  # of the fall of the loss: so close to a level a curve is on it
RESTS = 0.1  # of the time: so long it is on it where it waits there, a straight line two or four hundredths
FLAT = 3  # largest over smallest loss below which the axis is linear and shows what lies between


def draw_levels(axes: Axes, trajectory: Trajectory | SGDTrajectory, bottom: float) -> list[float]:
    """Levels L_S of the plateaus at which the trajectory waits as it learns mode after mode; those that are named."""
    problem = trajectory.problem
    level_of = plateaus(problem)
    label = "theory: plateaus"
    for stage in trajectory.stages:  # plateaus that the curve really has
        if stage.level is not None and stage.level.loss > bottom / ENDS_ON:
            where = (stage.level.loss, stage.start, stage.end)
            axes.hlines(*where, color="0.85", linewidth=6, zorder=0, label=label)
            label = "_further"
    drawn: list[float] = []
    if level_of is None:
        return drawn
    top = float(trajectory.loss.max())
    for loss, learned in waiting_levels(trajectory, as_found(level_of, [])):
        last = min(drawn, default=np.inf)
        close = last - loss < CLOSE * (top - bottom) if top < FLAT * bottom else loss > last / 1.5
        if loss <= bottom / ENDS_ON or close:
            continue
        drawn.append(loss)
        axes.axhline(loss, color="0.6", linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=0)
        axes.annotate(
            f"{level_label(learned)} = {loss:.4g}",
            (1.0, loss),
            xycoords=("axes fraction", "data"),
            xytext=(0, 1.5),
            textcoords="offset points",
            ha="right",
            va="bottom",
            color="0.35",
            fontsize=6.5,
            bbox={
                "facecolor": "white",
                "edgecolor": "none",
                "pad": 0.3,
            },  # lines of levels close by end at it
            in_layout=False,  # the panel makes no room for a long one: it is made to fit
            zorder=2,
        )
    return drawn


def waiting_levels(
    trajectory: Trajectory | SGDTrajectory, level_of: Levels
) -> list[tuple[float, tuple[int, ...]]]:
    """Losses and modes, by their numbers, of the levels that the trajectory waits at, in order of time.

    Of a plateau that fits none, that which is nearest among those of the sets of modes that it passes, within a factor.
    """
    problem, loss = trajectory.problem, trajectory.loss
    lam = problem.teacher.eigen[0][0]
    numbers = mode_numbers(lam, problem.all_inputs)
    passed = {
        level.loss: tuple(int(numbers[i]) for i in learned)
        for learned in visited_sets(trajectory)
        if (level := level_of(lam, learned)) is not None and level.loss > 0
    }
    found: dict[float, tuple[int, ...]] = {}
    if (
        not trajectory.stages and loss.max() < FLAT * loss.min()
    ):  # of heights so close to each other that none stands out in log(loss)
        slack = NARROW * float(loss.max() - loss.min())
        found = {
            height: learned
            for height, learned in passed.items()
            if share_of_time(trajectory.times, np.abs(loss - height) <= slack) >= RESTS
        }
    for stage in trajectory.stages:
        if stage.level is not None:
            found[stage.level.loss] = stage.level.learned
        elif passed and stage.loss > 0:
            nearest = min(passed, key=lambda loss: abs(np.log(loss / stage.loss)))
            if abs(np.log(nearest / stage.loss)) < np.log(NEAR):
                found[nearest] = passed[nearest]
    return list(found.items())


def share_of_time(times: Array, chosen: NDArray[np.bool_]) -> float:
    """Part of the time at which a thing is so, by the trapezoidal rule; none of a single moment."""
    length = times[-1] - times[0]
    return float(np.trapezoid(chosen.astype(float), times) / length) if length else 0.0
