"""One teacher and one start under several losses: theory and trained networks, each until the flow has learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from dynamics.clock import Clock
from dynamics.curves.trajectory import Trajectory
from dynamics.errors import ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.losses import Loss
from dynamics.problem import Problem
from dynamics.validation import validate_count
from empirical.comparison import Comparison
from empirical.experiments.learning_span import LearningSpan, learning_span
from empirical.training import train
from empirical.training_run import TrainingRun

MOST = 4000  # steps of each training, unless that is too noisy
NOISY = 0.01  # of the fall of the loss: networks that rest so far above the flow take small steps
LATE = 0.1  # of the records: those at which that is looked at
SAMPLES = 1000  # of the flow: a jump is short


def loss_curves(
    start: Problem,
    losses: Sequence[Loss | str],
    *,
    bias: float = 0.0,
    step: float | None = None,
    batch: int = 256,
    seeds: int = 1,
    seed: int = 0,
    progress: bool = False,
) -> tuple[Comparison, ...]:
    """Flow and networks under each loss, from the same initial weights and on the same inputs.

    Each is followed until the flow has learned nearly everything, with a step of its own of at most `MOST` steps. Where
    sampling noise keeps the networks of these steps well above the flow at the end, they are trained with smaller ones,
    those of `empirical.experiments.learning_span`, of up to 20,000.

    Parameters
    ----------
    start : Problem
        Teacher and student, units and inputs; its own loss, labels and bias are put aside.
    losses : sequence of Loss or str
    bias : float
        β of teacher and student under losses of two classes, whose labels are drawn with the probability σ(f*); losses
        of the residual do not feel it.
    step : float, optional
        Learning rate under every loss.
    batch, seed
        As for `empirical.training.train`.
    seeds : int
        Number of networks.
    progress : bool
        Show progress bars on standard error if that is a terminal.

    Returns
    -------
    tuple of Comparison
        In the order of the losses, without an account of the gap; the flow at times of its own, many where it jumps.

    Raises
    ------
    ProblemError
        If no loss is given, the teacher is zero, or an argument is not usable.
    """
    if not losses:
        raise ProblemError("`losses` is empty, but must name one loss at least.")
    if start.teacher.given and not start.teacher.B.any():
        raise ProblemError(
            "`teacher` is zero, but without something to learn there are no curves to compare."
        )
    validate_count("batch", batch)
    validate_count("seeds", seeds)
    found = []
    for name in losses:
        loss = Loss.parse(name, "losses")
        asked: dict[str, Any] = {
            "loss": loss,
            "labels": None,
            "flip": 0.0,
            "bias": bias if loss.classifies else 0.0,
        }
        problem = replace(start, **asked)
        span = learning_span(problem, step=step)
        flow = GradientFlow(problem).integrate(span.t_end, samples=SAMPLES, progress=progress)
        shared: dict[str, Any] = {"batch": batch, "seeds": seeds, "seed": seed, "progress": progress}
        for chosen in steps_tried(span, given=step is not None):
            run = train(problem, steps=Clock(chosen).steps_until(span.t_end), step=chosen, **shared)
            if not rests_too_high(flow, run):
                break
        found.append(Comparison(flow, run, None))
    return tuple(found)


def steps_tried(span: LearningSpan, given: bool) -> list[float]:
    """Steps to train with, the first that is not too noisy: a large one, and that of the span."""
    large = span.t_end / MOST
    return [span.step] if given or large <= span.step else [large, span.step]


def rests_too_high(flow: Trajectory, run: TrainingRun) -> bool:
    """Whether the mean of the networks ends above the flow by more than a hundredth of what the flow falls by."""
    late = max(1, int(LATE * len(run.times)))
    above = run.loss[:, -late:].mean() - np.interp(run.times[-late:], flow.times, flow.loss).mean()
    return bool(above > NOISY * (flow.loss[0] - flow.loss[-1]))


def account(comparison: Comparison) -> str:
    """How the networks under a loss were trained, and where they and the flow end: one line."""
    flow, run = comparison.trajectory, comparison.run
    last = run.loss[:, -1]
    spread = "" if len(last) == 1 else f" ± {last.std(ddof=1):.2g}"
    training = f"{run.steps[-1]} steps of {run.about['step']:.3g} on {run.about['batch']} samples"
    curve = f"loss {flow.loss[0]:.4g} → {flow.loss[-1]:.4g}, networks {last.mean():.4g}{spread}"
    return f"{flow.problem.loss.name}: {training}, up to t = {flow.times[-1]:.4g}; {curve}"
