"""Conserved quantities of real training: read off modules, their drift beside its prediction, what momentum does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from dynamics.aliases import Array
from dynamics.clock import Clock
from dynamics.conserved.drift import common_decay, predicted_drift
from dynamics.conserved.momentum import heavy_ball_curves, heavy_ball_total, nesterov_curves
from dynamics.conserved.quantities import QuadraticQuantity, Quantity, undecayed_quantities, weights
from dynamics.errors import ProblemError
from dynamics.problem import Problem
from dynamics.validation import validate_array, validate_count, validate_momentum, validate_real
from empirical.descent import population_descent
from empirical.module_weights import find_weights
from empirical.training import train
from empirical.training_run import TrainingRun


def measure(quantities: Sequence[Quantity], model: nn.Module) -> Array:
    """Values of conserved quantities at any module with two bias-free layers, (Q,) or (Q, S).

    See `empirical.module_weights.find_weights` for what is found in a module.
    """
    W, A = weights(*find_weights(model)[:2])
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
    law : (T, Q) array or None
        Values by the law of weight decay, from the common start; None where nothing decays.
    """

    names: tuple[str, ...]
    times: Array
    measured: Array
    predicted: Array
    law: Array | None = None


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
    measured = measured_values(problem, run)
    law = decayed_values(problem, run.times, measured[0, 0]) if problem.weight_decay else None
    return ConservedCurves(drift.names, run.times, measured, drift.values, law)


def decayed_values(problem: Problem, times: Array, start: Array) -> Array:
    """Conserved quantities by their laws under equal weight decay, (T, Q), from their values (Q,) at the first time."""
    rho = common_decay(problem)
    laws = [quantity.decayed(rho, rho) for quantity in undecayed_quantities(problem)]
    return np.stack([law.values(times, q, times)[0] for law, q in zip(laws, start, strict=True)], axis=-1)


def measured_values(problem: Problem, run: TrainingRun) -> Array:
    """Conserved quantities of a recorded run, (S, T, Q)."""
    return np.stack([quantity(run) for quantity in undecayed_quantities(problem)], axis=-1)


@dataclass(frozen=True, eq=False)
class DriftScaling:
    """Drift of conserved quantities up to a fixed time against the step size.

    Parameters
    ----------
    time : float
    step : (n,) array
    measured, predicted : (n, Q) arrays
        Signed drifts; under weight decay those from its law.
    names : tuple of str
    """

    time: float
    step: Array
    measured: Array
    predicted: Array
    names: tuple[str, ...]

    @property
    def slope(self) -> Array:
        """Slope of log |measured drift| against log step for small steps, (Q,); NaN where a quantity does not drift.

        A drift A η^s (1 + κη + …) has the slope s; its next order bends the curve, all the more where A is small by
        chance. From four steps on κ is fitted too: log |drift| = log A + s log η + κη, by least squares.
        """
        drift = np.abs(self.measured)
        drifting = (drift > 0).all(axis=0)
        slope = np.full(drift.shape[1], np.nan)
        terms = [np.log(self.step), np.ones_like(self.step), self.step][: 3 if len(self.step) > 3 else 2]
        if drifting.any():
            fitted = np.linalg.lstsq(np.stack(terms, axis=1), np.log(drift[:, drifting]), rcond=None)[0]
            slope[drifting] = fitted[0]
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
    quantities = undecayed_quantities(problem)
    if not quantities:
        raise ProblemError("`problem` has no quadratic conserved quantity that could drift.")
    measured, predicted = [], []
    for eta in etas:
        last = Clock(eta, momentum).steps_until(end, name="time")
        path = population_descent(problem, eta, [0, last], momentum=momentum)
        start, reached = np.transpose([q(path) for q in quantities])
        law = decayed_values(problem, path.times, start)[-1]
        measured.append(reached - law)
        predicted.append(predicted_drift(problem, eta, path.times, momentum=momentum).values[-1] - law)
    return DriftScaling(
        end, np.array(etas), np.array(measured), np.array(predicted), tuple(q.name for q in quantities)
    )


@dataclass(frozen=True, eq=False)
class MomentumAccount:
    """Conserved quantities along a descent with momentum, measured, and by their exact recursion.

    Parameters
    ----------
    names : tuple of str
    steps : (N + 1,) integer array
    measured, recursion : (N + 1, Q) arrays
        Read off the weights; from the velocities of PyTorch's optimiser alone (`dynamics.conserved.momentum`).
    total : (Q,) array or None
        η²(1 + β)/(1 − β) Σ B(v, v) less what the last velocity still carries: the change over the run; None for
        Nesterov's form, and under weight decay.
    """

    names: tuple[str, ...]
    steps: NDArray[np.int64]
    measured: Array
    recursion: Array
    total: Array | None

    @property
    def deviation(self) -> float:
        """Largest difference between both."""
        return float(np.abs(self.measured - self.recursion).max())


def momentum_account(
    problem: Problem, *, steps: int, step: float, momentum: float = 0.9, nesterov: bool = False
) -> MomentumAccount:
    """Descend along the exact gradient by `torch.optim.SGD`, and account for what its velocities did to every c_k.

    Parameters
    ----------
    problem : Problem
        With its weight decay, coupled; both layers must decay alike.
    steps : int
    step, momentum : float
        η and β > 0.
    nesterov : bool
        PyTorch's Nesterov instead of heavy ball.

    Raises
    ------
    ProblemError
        If an argument is not usable, or nothing quadratic is conserved.
    """
    n_steps, rho = validate_count("steps", steps), common_decay(problem)
    eta, beta = validate_real("step", step, positive=True), validate_momentum(momentum)
    if not beta:
        raise ProblemError("`momentum` is 0, but only a descent with momentum has velocities to account for.")
    quantities = [q for q in undecayed_quantities(problem) if isinstance(q, QuadraticQuantity)]
    if not quantities:
        raise ProblemError("`problem` has no quadratic conserved quantity that momentum could move.")
    layers = [torch.from_numpy(array.copy()) for array in (problem.student.W, problem.student.A)]
    trained = layers[: 1 + problem.student.trainable]
    optimizer = torch.optim.SGD(trained, lr=eta, momentum=beta, nesterov=nesterov, weight_decay=rho)
    states, velocities = [[p.numpy().copy() for p in layers]], []
    for _ in range(n_steps):
        force = problem.population.velocity(*(p.numpy() for p in layers))
        for p, F in zip(trained, force, strict=False):
            p.grad = torch.from_numpy(-F)
        optimizer.step()
        buffers = [-optimizer.state[p]["momentum_buffer"].numpy().copy() for p in trained]
        velocities.append([*buffers, *(0 * part for part in states[0][len(trained) :])])
        states.append([p.numpy().copy() for p in layers])
    W, A = (np.array(part) for part in zip(*states, strict=True))
    V, U = (np.array(part) for part in zip(*velocities, strict=True))
    measured = np.stack([q.of(W, A) for q in quantities], axis=-1)
    moved = np.diff(W, axis=0) / eta, np.diff(A, axis=0) / eta
    if nesterov:
        curves = nesterov_curves(quantities, measured[0], V, U, moved, eta, beta, rho)
    else:
        curves = heavy_ball_curves(quantities, measured[0], V, U, eta, beta, rho)
    plain = not (nesterov or rho)
    total = heavy_ball_total(quantities, V, U, eta, beta, curves.products[-1]) if plain else None
    names = tuple(q.name for q in quantities)
    return MomentumAccount(names, np.arange(n_steps + 1), measured, curves.values, total)
