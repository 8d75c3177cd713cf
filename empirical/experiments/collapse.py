"""Collapse under weight decay: from which size of the initial weights on anything is learned, in theory and trained."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.clock import Clock
from dynamics.errors import ProblemError
from dynamics.outcome.collapse import critical_scale
from dynamics.problem import Problem
from dynamics.problem.weight_decay import NO_DECAY, WeightDecay
from dynamics.saddle_to_saddle.staircase import staircase
from dynamics.validation import validate_array, validate_count, validate_real
from empirical.experiments.grid_training import GridTraining, train_grid

SMALL = 1e-6  # size of a start from which the staircase is in its limit of small weights
BEYOND = 2.0  # factor by which the scales of a grid go beyond the first and the last boundary


@dataclass(frozen=True, eq=False)
class CollapseDiagram:
    """What is learned from multiples of one start at different rates of decay.

    Parameters
    ----------
    problem : Problem
        The start at scale 1, with the decay at rate 1.
    rates : (m,) array
        Factors on its decay.
    scales : (n,) array
        Factors on its weights.
    critical : (J, m) array
        Scale from which on the j-th jump of the staircase follows; the first, ε* = ρT₁, is the boundary of collapse.
    learned : (m, n) array of int
        Numbers of modes that the trained networks have learned, to more than half.
    training : GridTraining
        Of all networks, the scales of one rate after the other.
    """

    problem: Problem
    rates: Array
    scales: Array
    critical: Array
    learned: NDArray[np.int64]
    training: GridTraining

    def disagreement(self, margin: float) -> int:
        """Number of networks, farther than a relative `margin` from ε*, that did not do what was predicted."""
        excess = self.scales / self.critical[0][:, None] - 1
        return int(np.sum(((excess > 0) != (self.learned > 0)) & (np.abs(excess) > margin)))

    def summary(self) -> str:
        """How many networks collapsed, and how many other than predicted."""
        return (
            f"{int(np.sum(self.learned == 0))} of {self.learned.size} networks learned nothing;"
            f" {self.disagreement(0.1)} are farther than 10 % on the wrong side of ε* = ρT₁"
        )


def critical_scales(problem: Problem, rates: ArrayLike) -> Array:
    """Scales of a start from which on each jump of its staircase follows, for multiples of its weight decay, (J, m).

    The first is the critical scale of `dynamics.outcome.collapse`. A later jump comes at the time s in the staircase
    without decay, which is inversely proportional to the scale ε, and follows if s < 1/ρ: so from ε = ρ · εs on, the
    limit of small ε being taken, and what decay leaves on the plateaus left out. With unequal decay only the first is
    known.

    Raises
    ------
    ProblemError
        If there is no decay, the second layer is fixed, or no unit of the start can ever grow.
    """
    factors = validate_array("rates", rates, 1)
    if not problem.weight_decay or not problem.student.trainable:
        raise ProblemError(
            "Collapse needs weight decay and a trained second layer: with a fixed one no size of the start matters."
        )
    first = [critical_scale(replace(problem, weight_decay=_times(problem, r))) for r in factors]
    if not np.isfinite(first).all():
        raise ProblemError("No unit of this start can grow at any scale: there is no boundary to draw.")
    if not problem.weight_decay.equal:
        return np.array([first])
    student = problem.student
    size = max(float(np.abs(student.W).max()), float(np.abs(student.A).max()))
    tiny = replace(student, W=SMALL / size * student.W, A=SMALL / size * student.A)
    steps = staircase(replace(problem, student=tiny, weight_decay=NO_DECAY))
    later = [SMALL / size * jump.time * problem.weight_decay.first * factors for jump in steps.jumps[1:]]
    return np.array([first, *later])


def grid_of_rates(numbers: ArrayLike) -> Array:
    """Rates evenly spaced in their logarithm, from the lowest, the highest and their number.

    Raises
    ------
    ProblemError
        If these are not three, positive and in this order.
    """
    given = validate_array("rates", numbers, 1)
    if len(given) != 3 or not 0 < given[0] <= given[1] or given[2] != round(given[2]):
        raise ProblemError(
            f"`rates` is {', '.join(f'{x:g}' for x in given)}, but must be the lowest rate, larger than 0, the highest,"
            " and how many."
        )
    count = validate_count("rates", int(given[2]))
    check_memory(f"A diagram of {count} rates", 8 * count, "lower the number of `rates`")
    return np.geomspace(given[0], given[1], count)


def grid_of_scales(critical: Array, points: int) -> Array:
    """Scales from half of the least to twice the largest critical one, evenly spaced in their logarithm."""
    ends = float(critical.min()) / BEYOND, float(critical.max()) * BEYOND
    return np.geomspace(*ends, validate_count("points", points, minimum=2))


def collapse_diagram(
    problem: Problem,
    rates: ArrayLike,
    *,
    points: int = 10,
    step: float = 5e-3,
    patience: float = 6.0,
    batch: int = 64,
    seed: int = 0,
    progress: bool = False,
) -> CollapseDiagram:
    """Train multiples of one start with multiples of its weight decay.

    Parameters
    ----------
    problem : Problem
        Quadratic or centred units, one output, Σ = I; its weights are the start at scale 1.
    rates : (m,) array
        Factors on its decay.
    points : int
        Scales.
    step : float
        η.
    patience : float
        Training time, in units of 1/ρ of the least rate.
    batch, seed, progress
        As for `empirical.experiments.grid_training.train_grid`.
    """
    factors = validate_array("rates", rates, 1)
    critical = critical_scales(problem, factors)
    student = problem.student
    starts = len(factors) * validate_count("points", points, minimum=2)
    check_memory(
        f"A diagram of {starts} starts with {student.hidden} units in {problem.inputs} dimensions",
        3 * 8 * starts * student.hidden * (problem.inputs + 1),  # scaled, trained and handed on
        "lower `points` or the number of `rates`",
    )
    scales = grid_of_scales(critical, points)
    if problem.covariance is not None:
        raise ProblemError("`covariance` is given, but this grid is trained on uncorrelated inputs.")
    least = min(rho for rho in problem.weight_decay.rates if rho > 0) * float(factors.min())
    time = validate_real("patience", patience, positive=True) / least
    factor = np.tile(scales, len(factors))[:, None, None]
    training = train_grid(
        problem.teacher,
        factor * student.W,
        factor * student.A,
        step=step,
        steps=Clock(step).steps_until(time, name="patience"),
        batch=batch,
        activation=problem.activation,
        weight_decay=np.repeat(np.outer(factors, problem.weight_decay.rates), len(scales), axis=0),
        seed=seed,
        progress=progress,
    )
    modes = problem.modes(training.W, training.A)
    learned = (modes / problem.mode_targets > 0.5).sum(axis=1)
    shape = len(factors), len(scales)
    return CollapseDiagram(problem, factors, scales, critical, learned.reshape(shape), training)


def _times(problem: Problem, factor: float) -> WeightDecay:
    """The decay of a problem, times a factor."""
    return WeightDecay(*(factor * rho for rho in problem.weight_decay.rates))
