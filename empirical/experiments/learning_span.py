"""How long to train so that a problem of one's own is seen to be learned, and with which step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.flows.gradient import GradientFlow
from dynamics.flows.learning_time import EVALUATIONS, SAMPLES, learning_time
from dynamics.problem import Problem
from dynamics.stability import largest_stable_step

BEYOND = 1.3  # times the time by which nearly everything is learned
OF_STABLE = 0.05  # part of the largest stable step: the discretisation then stays small
FEWEST, MOST = 1000, 20_000  # steps


@dataclass(frozen=True)
class LearningSpan:
    """A length of training and its step.

    Parameters
    ----------
    t_end : float
        Time of the flow.
    step : float
        Learning rate.
    """

    t_end: float
    step: float


def learning_span(problem: Problem, t_end: float | None = None, step: float | None = None) -> LearningSpan:
    """Time by which the flow has learned nearly everything, and a step with which networks follow it; unless given.

    The flow is followed until it ends, or for some thousand evaluations. The step is a twentieth of the largest stable
    one along it, or less where that makes fewer than a thousand steps, and more where it makes more than 20,000.

    Parameters
    ----------
    problem : Problem
    t_end, step : float, optional

    Raises
    ------
    IntegrationError
        If the flow cannot be integrated.
    """
    flow = GradientFlow(problem)
    curve = flow.integrate(t_end, samples=SAMPLES, max_evaluations=EVALUATIONS, throw=False)
    if t_end is None:
        t_end = BEYOND * learning_time(flow, curve) or float(curve.times[-1])
    if step is None:
        stable = OF_STABLE * largest_stable_step(flow, curve, 0.0)
        step = float(np.clip(stable, t_end / MOST, t_end / FEWEST))
    return LearningSpan(t_end, step)
