"""Largest stable step size: of gradient descent from the sharpness along the flow, of SGD from its mean dynamics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.curves.trajectory import Trajectory
from dynamics.errors import ComputationError
from dynamics.flows.gradient import GradientFlow
from dynamics.problem import Problem
from dynamics.sgd.differentiation import jacobian
from dynamics.sgd.mean_sgd import MeanSGD
from dynamics.validation import validate_count, validate_momentum, validate_real

LONGEST_FLOW = 20_000  # evaluations after which a flow with an algebraic tail counts as having ended
GROWTH = 1e-6  # growth rates below this fraction of the fastest rate are rounding
RESOLUTION = 1e-3  # relative width of the bracket at which the bisection for a largest step ends


def sharpness(flow: GradientFlow, trajectory: Trajectory, points: int = 20) -> Array:
    """Largest Hessian eigenvalue at up to `points` samples, evenly spaced along a trajectory of the flow."""
    states = [flow.pack(trajectory.coordinates[i], trajectory.A[i]) for i in _spaced(trajectory, points)]
    return np.array([flow.extreme_eigenvalue(theta, "highest") for theta in states])


def _spaced(trajectory: Trajectory, points: int) -> NDArray[np.intp]:
    """Indices of up to `points` samples, evenly spaced, the last one among them."""
    index = np.linspace(0, len(trajectory.times) - 1, validate_count("points", points, minimum=2))
    return np.unique(index.astype(int))


def largest_stable_step(flow: GradientFlow, trajectory: Trajectory, momentum: float = 0.0) -> float:
    """Step η beyond which full-batch gradient descent leaves the flow: 2(1 + β) / (largest sharpness).

    The bound is that of a quadratic with the sharpest curvature met on the way (β: heavy-ball momentum;
    Polyak, Introduction to Optimization, 1987, section 3.2.1). Sampling noise lowers it further.
    """
    return float(2 * (1 + momentum) / sharpness(flow, trajectory).max())


@dataclass(frozen=True, eq=False)
class StabilityReport:
    """Sharpness along a trajectory against what a step size can bear.

    Parameters
    ----------
    times, sharpness : (n,) array
    step, momentum : float
        η and β.
    """

    times: Array
    sharpness: Array
    step: float
    momentum: float

    @property
    def threshold(self) -> float:
        """Sharpness 2(1 + β)/η above which gradient descent oscillates ever more wildly in the sharpest direction."""
        return 2 * (1 + self.momentum) / self.step

    @property
    def unstable_from(self) -> float | None:
        """First of the times at which the sharpness is above the threshold; None if it never is."""
        beyond = self.times[self.sharpness > self.threshold]
        return float(beyond[0]) if beyond.size else None


def stability_along(
    flow: GradientFlow, trajectory: Trajectory, step: float, momentum: float = 0.0, points: int = 20
) -> StabilityReport:
    """Sharpness at up to `points` samples, evenly spaced along a trajectory of the flow, for a step and momentum.

    Raises
    ------
    ProblemError
        If the step is not positive, the momentum not in [0, 1), or `points` below 2.
    """
    eta, beta = validate_real("step", step, positive=True), validate_momentum(momentum)
    values = sharpness(flow, trajectory, points)
    return StabilityReport(trajectory.times[_spaced(trajectory, points)], values, eta, beta)


def instability(trajectory: Trajectory, step: float, momentum: float = 0.0) -> str | None:
    """Warning about a modified flow whose step is beyond the largest stable one; None if it is not.

    The modified flow is the beginning of a series in the step times the curvature, and smooth; descent with a larger
    step oscillates in the sharpest direction, which no term of the series knows.

    Parameters
    ----------
    trajectory : Trajectory
        Of the modified flow.
    step, momentum : float
        η and β.
    """
    report = stability_along(GradientFlow(trajectory.problem), trajectory, step, momentum)
    if report.unstable_from is None:
        return None
    bound = 2 * (1 + momentum) / report.sharpness.max()
    return (
        f"`step` is {step:g}, but gradient descent is stable up to {bound:.3g} only along this curve: it leaves the "
        f"modified flow from t = {report.unstable_from:.4g} on"
    )


def largest_stable_sgd_step(problem: Problem, batch: int = 1) -> float:
    """Step η beyond which one-pass SGD cannot stay where the gradient flow ends, in the mean of many inputs.

    Beyond it the recursion s ← s + ηF(s) for the mean order parameters (`dynamics.sgd.mean_sgd`), linearised, has a
    multiplier of modulus above 1: mean squares of deviations grow. For one unit, batch 1 and many inputs this is
    1/(6daλ), and `dynamics.closed_forms.one_unit_largest_step` for any number of inputs. With few of them single runs
    may diverge below it: the distribution of the gradients has heavy tails.

    Parameters
    ----------
    problem : Problem
        With covariance I.
    batch : int
        B.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    ComputationError
        If no step is stable there (or none is unstable), because the flow ends at no minimum.
    """
    flow = GradientFlow(problem)
    trajectory = flow.integrate(max_evaluations=LONGEST_FLOW, throw=False)
    W, A = trajectory.W_at(-1), trajectory.A[-1]
    # The drift is F₁ + ηF₂, so the Jacobians of two steps give all others. With steps of the natural size 1/sharpness
    # the two parts are about equally large, and neither is lost in the rounding of the other.
    sharpest = flow.extreme_eigenvalue(flow.pack(trajectory.coordinates[-1], A), "highest")
    unit = 1 / sharpest if sharpest > 0 else 1.0
    one, two = (MeanSGD(problem, eta, batch) for eta in (unit, 2 * unit))
    end = one.order.pack(W @ W.T, W @ problem.teacher.V.T, A)
    first, second = jacobian(one.drift, end), jacobian(two.drift, end)
    J1, J2 = 2 * first - second, (second - first) / unit
    fastest = np.abs(np.linalg.eigvals(J1)).max()

    def stable(eta: float) -> bool:
        multipliers = 1 + eta * np.linalg.eigvals(J1 + eta * J2)
        return bool((np.abs(multipliers).max() - 1) / eta <= GROWTH * fastest)

    return _largest(stable, 2.1 / fastest)


def _largest(possible: Callable[[float], bool], upper: float) -> float:
    """Largest step up to `upper` that is possible, by bisection in the logarithm."""
    if possible(upper):
        return upper
    lower = upper
    while not possible(lower):
        lower /= 10
        if lower < 1e-12 * upper:
            raise ComputationError(
                "No step size is stable here: the gradient flow ends at no minimum of the loss."
            )
    upper = 10 * lower
    while upper / lower > 1 + RESOLUTION:
        middle = np.sqrt(lower * upper)
        lower, upper = (middle, upper) if possible(middle) else (lower, middle)
    return float(lower)
