"""Conserved quantities of real training: read off modules, and their drift measured against its prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from torch import nn

from dynamics.aliases import Array
from dynamics.clock import Clock
from dynamics.conserved.drift import predicted_drift
from dynamics.conserved.quantities import Quantity, conserved_quantities, weights
from dynamics.problem import Problem
from dynamics.validation import validate_array, validate_real
from empirical.descent import population_descent
from empirical.recorder import TrainingRun, find_weights
from empirical.training import train


def measure(quantities: Sequence[Quantity], model: nn.Module) -> Array:
    """Values of conserved quantities at any module with two bias-free layers, (Q,) or (Q, S).

    See `empirical.recorder.find_weights` for what is found in a module.
    """
    W, A = weights(*find_weights(model))
    return np.array([quantity(W, A) for quantity in quantities])


@dataclass(frozen=True, eq=False)
class ConservedCurves:
    """Conserved quantities along training, measured and predicted.

    Parameters
    ----------
    names : tuple of str
    times : (T,) array
    measured : (S, T, Q) array
        One curve per network.
    predicted : (T, Q) array
        Mean over networks, to leading order in the step.
    """

    names: tuple[str, ...]
    times: Array
    measured: Array
    predicted: Array


def conserved_curves(
    problem: Problem, *, steps: int, step: float, batch: int, label_noise: float = 0.0, **training: object
) -> ConservedCurves:
    """Train networks on fresh samples and predict the drift of their conserved quantities.

    Further arguments go to `empirical.training.train`.
    """
    run = train(
        problem,
        steps=steps,
        step=step,
        batch=batch,
        label_noise=label_noise,
        **training,  # type: ignore[arg-type]
    )
    drift = predicted_drift(
        problem, step, run.times, momentum=run.about["momentum"], batch=batch, label_noise=label_noise
    )
    return ConservedCurves(drift.names, run.times, measured_values(problem, run), drift.values)


def measured_values(problem: Problem, run: TrainingRun) -> Array:
    """Conserved quantities of a recorded run, (S, T, Q)."""
    return np.stack([quantity(run) for quantity in conserved_quantities(problem)], axis=-1)


@dataclass(frozen=True, eq=False)
class DriftScaling:
    """Drift of conserved quantities up to a fixed time against the step size.

    Parameters
    ----------
    time : float
    step : (n,) array
    measured, predicted : (n, Q) arrays
        Signed drifts.
    names : tuple of str
    """

    time: float
    step: Array
    measured: Array
    predicted: Array
    names: tuple[str, ...]

    @property
    def slope(self) -> Array:
        """Slope of log |measured drift| against log step for every quantity, (Q,); NaN where one does not drift."""
        drift = np.abs(self.measured)
        drifting = (drift > 0).all(axis=0)
        slope = np.full(drift.shape[1], np.nan)
        if drifting.any():
            slope[drifting] = np.polyfit(np.log(self.step), np.log(drift[:, drifting]), 1)[0]
        return slope


def drift_scaling(problem: Problem, steps: ArrayLike, time: float, *, momentum: float = 0.0) -> DriftScaling:
    """Gradient descent on the population loss with several step sizes, up to about the same time.

    Parameters
    ----------
    problem : Problem
    steps : (n,) array
        Step sizes η.
    time : float
        Of the flow; rounded to whole steps.
    momentum : float
    """
    etas = validate_array("steps", steps, 1)
    end = validate_real("time", time, positive=True)
    quantities = conserved_quantities(problem)
    measured, predicted = [], []
    for eta in etas:
        last = Clock(eta, momentum).steps_until(end, name="time")
        path = population_descent(problem, eta, [0, last], momentum=momentum)
        measured.append([float(np.diff(q(path))[0]) for q in quantities])
        predicted.append(predicted_drift(problem, eta, path.times, momentum=momentum).drift[-1])
    return DriftScaling(
        end, np.array(etas), np.array(measured), np.array(predicted), tuple(q.name for q in quantities)
    )
