"""What follows from recorded weights: losses by formula, skill at two classes, modes, c_k, overlaps and norms.

Of all records at once.
"""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array
from dynamics.curves.skills import skills_of
from dynamics.curves.units import LARGEST_OVERLAPS, overlaps_and_norms, unit_invariants
from dynamics.population.biased import unit_weights
from dynamics.problem import Problem
from dynamics.problem.classification import POINTS, REPLICATES

AT_ONCE = 2_000_000  # numbers in the largest array that is held at a time
LONGEST = (
    2e10  # multiplications of the first layer for which all points of an expectation are used: some seconds
)


def measured_of_weights(
    problem: Problem, W: Array, A: Array, beta: Array | None = None, *, by_formula: bool
) -> dict[str, Array]:
    """Fields of a `TrainingRun` by name, each (S, T, …), of S networks at T records.

    Parameters
    ----------
    problem : Problem
    W : (S, T, K, d) array
    A : (S, T, O, K) array
    beta : (S, T, O) array, optional
        The output bias, where it is trained.
    by_formula : bool
        Whether the losses are among them.

    Notes
    -----
    A network that diverged has infinite ones, or NaN. Overlaps are left out where they are more than
    `dynamics.curves.units.LARGEST_OVERLAPS`.
    """
    S, T, K, d = W.shape
    R = len(problem.teacher.V)
    many = max(1, AT_ONCE // (S * K * (d + R)))
    second = with_biases(A, beta)
    with np.errstate(over="ignore", invalid="ignore"):
        parts = [
            _of_some(
                problem,
                W[:, start : start + many],
                second[:, start : start + many],
                by_formula,
                W.size // d * R,
            )
            for start in range(0, T, many)
        ]
    found = {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}
    return found | measured_skills(problem, W, second)


def measured_skills(problem: Problem, W: Array, second: Array) -> dict[str, Array]:
    """Accuracy and calibration error, (S, T) each, where the loss is of two classes; see `dynamics.curves.skills`.

    Under a law of the inputs on points, fewer where networks are many or large: thousands of networks are too many for
    the integral of the theory, and their spread is larger than the error of points.
    """
    S, T, K, d = W.shape
    sets = int(np.clip(LONGEST / (S * T * K * d * POINTS), 1, REPLICATES))
    flat = W.reshape(-1, K, d), second.reshape(-1, *second.shape[2:])
    with np.errstate(over="ignore", invalid="ignore"):
        skills = skills_of(problem, *flat, sets=sets, by_points=True)
    return {
        name + key: getattr(skill, key).reshape(S, T)
        for name, skill in skills.items()
        for key in ("accuracy", "calibration")
    }


def with_biases(A: Array, beta: Array | None) -> Array:
    """Second layers as populations take them: with trained biases (…, O) as a further column of A (…, O, K)."""
    return A if beta is None else np.concatenate([A, beta[..., None]], axis=-1)


def _of_some(problem: Problem, W: Array, second: Array, by_formula: bool, overlaps: int) -> dict[str, Array]:
    """The same for some records, of a run that has so many overlaps in all."""
    A = unit_weights(W, second)
    found = {"modes": problem.modes(W, A)}
    populations = {"loss": problem.population, "test_loss": problem.test_population} if by_formula else {}
    for name, population in populations.items():
        if population is not None:
            flat = population.losses(W.reshape(-1, *W.shape[2:]), second.reshape(-1, *second.shape[2:]))
            found[name] = flat.reshape(W.shape[:2])
    if problem.activation.degree is not None:
        found["conserved"] = unit_invariants(W, A, problem.activation.degree)
    if not problem.has_modes:
        cosines, found["norms"] = overlaps_and_norms(W, problem.teacher.V, problem.second_moment)
        if problem.teacher.given and overlaps <= LARGEST_OVERLAPS:
            found["overlaps"] = cosines
    return found
