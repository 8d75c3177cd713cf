"""By when a flow has learned nearly everything, however long it takes to come to its end."""

from __future__ import annotations

import numpy as np

from dynamics.curves.trajectory import Trajectory
from dynamics.flows.gradient import GradientFlow

LEARNED = 0.99  # of what the loss falls by until the flow ends
SAMPLES = 2001  # of a flow
FINE = 50  # of them, at least, until nearly everything is learned
EVALUATIONS = 20_000  # after which a flow is followed no further


def learning_time(flow: GradientFlow, curve: Trajectory | None = None, progress: bool = False) -> float:
    """Time by which the loss has fallen by 99 % of what it falls by in all; 0 if it does not fall.

    Parameters
    ----------
    flow : GradientFlow
    curve : Trajectory, optional
        Of the flow, from its start to its end; by default it is followed for some thousand evaluations.
    progress : bool
        Show a progress bar on standard error if that is a terminal.

    Notes
    -----
    Where there is a long tail the samples are too far apart: the flow is followed again, up to the first of them by
    which that is learned, until at least 50 lie before.
    """
    if curve is None:
        curve = flow.integrate(samples=SAMPLES, max_evaluations=EVALUATIONS, throw=False, progress=progress)
    fall = curve.loss[0] - curve.loss[-1]
    if not fall > 0:
        return 0.0
    level = curve.loss[0] - LEARNED * fall
    while (sample := int(np.argmax(curve.loss <= level))) < FINE:
        curve = flow.integrate(float(curve.times[max(sample, 1)]), samples=SAMPLES)
    return float(curve.times[sample])
