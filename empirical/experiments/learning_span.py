"""How long to train so that a problem of one's own is seen to be learned, and with which step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.flows.gradient import GradientFlow
from dynamics.problem import Problem
from dynamics.stability import largest_stable_step

LEARNED = 0.99  # of what the loss falls by until the flow ends
BEYOND = 1.3  # times the time by which that is learned
OF_STABLE = 0.05  # part of the largest stable step: the discretisation then stays small
FEWEST, MOST = 1000, 20_000  # steps
EVALUATIONS = 20_000  # after which the flow is followed no further
SAMPLES = 2001  # of a flow
FINE = 50  # of them, at least, until nearly everything is learned


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
        level = curve.loss[0] - LEARNED * (curve.loss[0] - curve.loss[-1])
        while (
            sample := int(np.argmax(curve.loss <= level))
        ) < FINE:  # a long tail: the samples are too far apart
            curve = flow.integrate(float(curve.times[max(sample, 1)]), samples=SAMPLES)
        t_end = BEYOND * float(curve.times[sample])
    if step is None:
        stable = OF_STABLE * largest_stable_step(flow, curve, 0.0)
        step = float(np.clip(stable, t_end / MOST, t_end / FEWEST))
    return LearningSpan(t_end, step)
