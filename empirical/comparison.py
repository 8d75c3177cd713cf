"""Theory against practice: the same initial weights on both sides, and where they differ, why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.flow import GradientFlow
from dynamics.problem import Problem
from dynamics.trajectory import Trajectory
from dynamics.validation import validate_count, validate_real, validate_times
from empirical.recorder import TrainingRun
from empirical.training import record_steps, train, validate_momentum

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Gap:
    """The measured difference from the flow, mean over seeds, as a sum of three signed curves, each (T,).

    Parameters
    ----------
    discretisation : (T,) array
        Gradient descent on the population loss with the same step (and momentum), minus the flow.
    finite_data : (T,) array
        Gradient descent on the seeds' whole data sets minus gradient descent on the population loss;
        zero with fresh samples.
    sampling_noise : (T,) array
        The rest: measured minus full-batch gradient descent; zero with full batches.
    """

    discretisation: Array
    finite_data: Array
    sampling_noise: Array

    @property
    def total(self) -> Array:
        """Measured loss minus the flow's, (T,)."""
        return self.discretisation + self.finite_data + self.sampling_noise

    def largest(self, scale: float) -> dict[str, float]:
        """Largest absolute value of each part, in units of `scale`."""
        return {
            name: float(np.abs(getattr(self, name)).max() / scale)
            for name in ("discretisation", "finite_data", "sampling_noise", "total")
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """A flow, a training run from the same weights, and their difference.

    Parameters
    ----------
    trajectory : Trajectory
        The theory at the times of the records.
    run : TrainingRun
    gap : Gap
    """

    trajectory: Trajectory
    run: TrainingRun
    gap: Gap

    @property
    def relative_error(self) -> dict[str, float]:
        """Largest deviation of the mean over seeds from the theory.

        ``loss_sup`` is relative to the initial loss, ``modes_sup`` to the largest teacher eigenvalue.
        """
        theory = self.trajectory
        loss = np.abs(self.run.loss.mean(axis=0) - theory.loss).max() / theory.loss[0]
        sizes = np.concatenate([lam for lam, _ in theory.problem.teacher.eigen])
        modes = np.abs(self.run.modes.mean(axis=0) - theory.modes).max(initial=0.0)
        return {
            "loss_sup": float(loss),
            "modes_sup": float(modes / np.abs(sizes).max()) if sizes.size else float(modes),
        }

    def summary(self) -> str:
        """Errors and their causes, in a few lines."""
        error, gap = self.relative_error, self.gap.largest(self.trajectory.loss[0])
        return "\n".join(
            [
                f"{len(self.run.loss)} seeds, {self.run.steps[-1]} steps, t up to {self.trajectory.times[-1]:.6g}",
                f"largest deviation from theory: loss {error['loss_sup']:.2%} of the initial loss, "
                f"modes {error['modes_sup']:.2%} of the largest",
                f"of the loss deviation: discretisation {gap['discretisation']:.2%}, finite data "
                f"{gap['finite_data']:.2%}, sampling noise {gap['sampling_noise']:.2%} (largest of each)",
            ]
        )

    def __repr__(self) -> str:
        return "Comparison\n  " + self.summary().replace("\n", "\n  ")


def compare(
    problem: Problem,
    *,
    steps: int,
    step: float,
    times: ArrayLike | None = None,
    records: int = 200,
    log_times: bool = False,
    momentum: float | None = None,
    optimizer: str = "sgd",
    solver: dict[str, Any] | None = None,
    progress: bool = False,
    **training: Any,
) -> Comparison:
    """Train networks and integrate the flow from the same initial weights.

    The flow's time is learning rate × steps, divided by 1 − β for heavy-ball momentum β.

    Parameters
    ----------
    problem : Problem
    steps, step, records, log_times, momentum, optimizer
        See `empirical.training.train`.
    times : (T,) array, optional
        Record at these times (rounded to whole steps) instead.
    solver : dict, optional
        `method`, `rtol`, `atol` of `dynamics.flow.GradientFlow.integrate`.
    progress : bool
        Show progress bars on standard error if that is a terminal.
    **training
        Everything else that `train` takes: batch, samples, label_noise, seeds, seed, device, dtype …

    Returns
    -------
    Comparison

    Raises
    ------
    ProblemError, TrainingDiverged, IntegrationError
        As `train` and `GradientFlow.integrate` do.
    """
    eta = validate_real("step", step, positive=True)
    n_steps = validate_count("steps", steps)
    beta = validate_momentum(momentum, optimizer)
    at = record_steps(n_steps, validate_count("records", records, minimum=2), log_times)
    if times is not None:
        at = np.unique(np.clip(np.round(validate_times(times) / eta), 0, n_steps).astype(int))
        at = np.union1d(at, [0])
    shared = {
        "steps": n_steps,
        "step": eta,
        "record_at": at,
        "momentum": beta,
        "optimizer": optimizer,
        "progress": progress,
        **training,
    }
    run = train(problem, **shared)
    flow = GradientFlow(problem)
    trajectory = flow.integrate(times=run.times / (1 - beta), progress=progress, **(solver or {}))
    descent = gradient_descent_loss(flow, eta, run.steps, beta)
    measured = run.loss.mean(axis=0)
    whole = descent
    if run.about["samples"]:
        full_batch = run.about["batch"] in (0, run.about["samples"])
        whole = measured if full_batch else train(problem, **(shared | {"batch": 0})).loss.mean(axis=0)
    gap = Gap(descent - trajectory.loss, whole - descent, measured - whole)
    return Comparison(trajectory, run, gap)


def gradient_descent_loss(flow: GradientFlow, eta: float, at: NDArray[np.int64], beta: float = 0.0) -> Array:
    """Loss after given numbers of steps of gradient descent on the population loss, (T,).

    Heavy ball in PyTorch's form: v ← βv + ∇L, θ ← θ − ηv.
    """
    theta, v = flow.theta0.copy(), np.zeros_like(flow.theta0)
    losses, wanted = [], set(at.tolist())
    for n in range(int(at[-1]) + 1):
        if n in wanted:
            losses.append(flow.loss(theta))
        v = beta * v + flow(0.0, theta)
        theta = theta + eta * v
    return np.array(losses)
