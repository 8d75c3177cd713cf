"""Largest stable step size of gradient descent, from the sharpness along the flow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynamics.flow import GradientFlow
from dynamics.trajectory import Trajectory


def sharpness(flow: GradientFlow, trajectory: Trajectory, points: int = 20) -> NDArray[np.float64]:
    """Largest Hessian eigenvalue at up to `points` samples, evenly spaced along a trajectory of the flow."""
    index = np.unique(np.linspace(0, len(trajectory.times) - 1, points).astype(int))
    states = [flow.pack(trajectory.coordinates[i], trajectory.A[i]) for i in index]
    return np.array([flow.extreme_eigenvalue(theta, "highest") for theta in states])


def largest_stable_step(flow: GradientFlow, trajectory: Trajectory, momentum: float = 0.0) -> float:
    """Step η beyond which full-batch gradient descent leaves the flow: 2(1 + β) / (largest sharpness).

    The bound is that of a quadratic with the sharpest curvature met on the way (β: heavy-ball momentum;
    Polyak, Introduction to Optimization, 1987, section 3.2.1). Sampling noise lowers it further.
    """
    return float(2 * (1 + momentum) / sharpness(flow, trajectory).max())
