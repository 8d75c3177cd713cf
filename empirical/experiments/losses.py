"""One teacher and one start under several losses: theory and trained networks, each until the flow has learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dynamics.clock import Clock
from dynamics.errors import ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.losses import Loss
from dynamics.problem import Problem
from dynamics.validation import validate_count
from empirical.comparison import Comparison
from empirical.experiments.learning_span import learning_span
from empirical.training import train

MOST = 4000  # steps of each training
SAMPLES = 1000  # of the flow: a jump is short


def loss_curves(
    start: Problem,
    losses: Sequence[Loss | str],
    *,
    bias: float = 0.0,
    batch: int = 256,
    seeds: int = 1,
    seed: int = 0,
    progress: bool = False,
) -> tuple[Comparison, ...]:
    """Flow and networks under each loss, from the same initial weights and on the same inputs.

    Each is followed until the flow has learned nearly everything, with a step of its own
    (`empirical.experiments.learning_span`), of at most `MOST` steps.

    Parameters
    ----------
    start : Problem
        Teacher and student, units and inputs; its own loss, labels and bias are put aside.
    losses : sequence of Loss or str
    bias : float
        β of teacher and student under losses of two classes, whose labels are drawn with the probability σ(f*); losses
        of the residual do not feel it.
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
        span = learning_span(problem)
        step = max(span.step, span.t_end / MOST)
        steps = Clock(step).steps_until(span.t_end)
        run = train(problem, steps=steps, step=step, batch=batch, seeds=seeds, seed=seed, progress=progress)
        flow = GradientFlow(problem).integrate(span.t_end, samples=SAMPLES, progress=progress)
        found.append(Comparison(flow, run, None))
    return tuple(found)
