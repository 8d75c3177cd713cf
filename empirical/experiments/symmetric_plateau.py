"""The symmetric plateau: a saddle at which all units are alike, where flow and networks wait until they specialise.

Saad & Solla, *Phys. Rev. E* 52 (1995) 4225 (not consulted), found it in committees of erf units. For K of them that
learn K orthogonal ones, with all a_k = b_m = 1, it is w_k = R Σ_m v_m with R² = 1/(K(2K − 1)), and its loss
(K/π)(π/6 − K asin(1/2K)) (derived here; tested in `tests/dynamics/stationary/test_numerical.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.aliases import Array
from dynamics.clock import Clock
from dynamics.curves.trajectory import Trajectory
from dynamics.curves.units import overlaps_and_norms
from dynamics.errors import ComputationError, ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.problem import Problem
from dynamics.stationary.numerical import search_networks
from dynamics.stationary.search import Root
from dynamics.validation import validate_count
from empirical.training import train
from empirical.training_run import TrainingRun

ALIKE = 1e-6  # of their norm: units that differ by less are alike
SAMPLES = 400  # of the flow


@dataclass(frozen=True, eq=False)
class PlateauCurves:
    """The saddle, the flow from a small start, and networks trained from it.

    Parameters
    ----------
    plateau : Root
    overlaps : (K, R) array
        Cosines of units and teacher directions there.
    trajectory : Trajectory
    run : TrainingRun
    """

    plateau: Root
    overlaps: Array
    trajectory: Trajectory
    run: TrainingRun


def symmetric_plateau(
    problem: Problem,
    *,
    starts: int,
    step: float,
    batch: int,
    t_end: float,
    seeds: int,
    seed: int = 0,
    progress: bool = False,
) -> PlateauCurves:
    """Find the saddle at which all units are alike, and follow flow and networks past it.

    Parameters
    ----------
    problem : Problem
        With small initial weights, of an activation that has no catalogue.
    starts : int
        Random starts of the search.
    step, batch, seeds, seed
        As for `empirical.training.train`; the seed is that of the search too.
    t_end : float
        Time of the flow up to which both are followed.
    progress : bool
        Show progress bars on standard error if that is a terminal.

    Raises
    ------
    ComputationError
        If the search finds no such saddle.
    ProblemError
        If an argument is not usable.
    """
    if not problem.teacher.given:
        raise ProblemError("`teacher` is missing: overlaps of units and teacher directions are followed.")
    if problem.has_modes:
        raise ProblemError(
            f"`activation` is {problem.activation.name!r}, but overlaps of units and teacher directions are followed"
            " only for activations that are not homogeneous."
        )
    steps = Clock(step).steps_until(t_end)
    validate_count("batch", batch)
    validate_count("seeds", seeds)
    flow, search = search_networks(problem, starts, seed, progress=progress)
    small = flow.reduction.problem
    for root in search.roots:
        W, _ = flow.unpack(root.theta)
        size = np.linalg.norm(W[0])
        if root.index and size > 0 and np.abs(W - W[0]).max() <= ALIKE * size:
            break
    else:
        raise ComputationError(
            f"Of {starts} starts of the search none led to a saddle at which all units are alike: raise `starts`."
        )
    overlaps, _ = overlaps_and_norms(W, small.teacher.V, small.second_moment)
    trajectory = GradientFlow(problem).integrate(t_end, samples=SAMPLES, progress=progress)
    run = train(problem, steps=steps, step=step, batch=batch, seeds=seeds, seed=seed, progress=progress)
    return PlateauCurves(root, overlaps, trajectory, run)
