"""Largest stable step size: of gradient descent from the sharpness along the flow, of SGD from its mean dynamics.

In a direction of curvature λ a descent is a linear recursion of x and its velocity, θ ↦ θ' or (θ, v) ↦ (θ', v'). Its
multipliers leave the unit circle, at −1, where ηλ exceeds

    gradient descent 2,   heavy ball 2(1 + β),   Nesterov (PyTorch's) 2(1 + β)/(1 + 2β)

(the first two: Polyak, *Introduction to Optimization*, 1987, section 3.2.1, not consulted; derived here, and tested
against the eigenvalues of the recursions).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.clock import Clock
from dynamics.curves.trajectory import Trajectory
from dynamics.errors import ComputationError
from dynamics.flows.gradient import GradientFlow
from dynamics.flows.momentum import HEAVY_BALL, Momentum
from dynamics.problem import Problem
from dynamics.schedules.schedule import Spec
from dynamics.sgd.differentiation import jacobian
from dynamics.sgd.mean_sgd import MeanSGD
from dynamics.validation import validate_choice, validate_count, validate_momentum

LONGEST_FLOW = 20_000  # evaluations after which a flow with an algebraic tail counts as having ended
GROWTH = 1e-6  # growth rates below this fraction of the fastest rate are rounding
STABLE: dict[str, Callable[[float], float]] = {
    "gradient descent": lambda beta: 2.0,
    "heavy ball": lambda beta: 2 * (1 + beta),
    "nesterov": lambda beta: 2 * (1 + beta) / (1 + 2 * beta),
}
"""Largest ηλ of a stable descent with momentum β, by the form of momentum."""
NO_CORRECTION = 1.0  # of the slope: a correction as large as what it corrects
RESOLUTION = 1e-3  # relative width of the bracket at which the bisection for a largest step ends


def sharpness(flow: GradientFlow, trajectory: Trajectory, points: int = 20) -> Array:
    """Largest Hessian eigenvalue at up to `points` samples, evenly spaced along a trajectory of the flow."""
    W, A = trajectory.coordinates, trajectory.second_layer
    states = [flow.pack(W[i], A[i]) for i in spaced(trajectory, points)]
    return np.array([flow.extreme_eigenvalue(theta, "highest") for theta in states])


def spaced(trajectory: Trajectory, points: int) -> NDArray[np.intp]:
    """Indices of up to `points` samples of a trajectory, evenly spaced, the last one among them."""
    index = np.linspace(0, len(trajectory.times) - 1, validate_count("points", points, minimum=2))
    return np.unique(index.astype(int))


def largest_stable_step(
    flow: GradientFlow, trajectory: Trajectory, momentum: float = 0.0, form: str = "heavy ball"
) -> float:
    """Step η beyond which full-batch gradient descent leaves the flow: 2(1 + β) / (largest sharpness) of heavy ball.

    The bound is that of a quadratic with the sharpest curvature met on the way. Sampling noise lowers it further.

    Parameters
    ----------
    flow : GradientFlow
    trajectory : Trajectory
        Of the flow.
    momentum : float
        β.
    form : str
        Of momentum: one of `STABLE`.

    Returns
    -------
    float
        Infinite where nothing curves upwards on the way.
    """
    stable = STABLE[validate_choice("form", form, STABLE)](validate_momentum(momentum))
    sharpest = float(sharpness(flow, trajectory).max())
    return stable / sharpest if sharpest > 0 else np.inf


@dataclass(frozen=True)
class StableSteps:
    """Largest stable steps of one form of descent.

    Parameters
    ----------
    start : float or None
        At the initial weights; None where nothing curves upwards there, so that every step is stable.
    path : float or None
        Along the whole path of the flow: at its sharpest point.
    """

    start: float | None
    path: float | None


def stable_steps(
    flow: GradientFlow, trajectory: Trajectory, momentum: float = 0.9, points: int = 20
) -> dict[str, StableSteps]:
    """Largest stable steps at the start and along a path of the flow, of every form of descent in `STABLE`.

    A warm-up helps where the first is the smaller one: only while the sharpness falls.

    Parameters
    ----------
    flow, trajectory
        As for `largest_stable_step`.
    momentum : float
        β of the forms that have one.
    points : int
        Number of states of the path that are looked at.
    """
    beta, values = validate_momentum(momentum), sharpness(flow, trajectory, points)

    def step(product: float, curvature: float) -> float | None:
        return float(product / curvature) if curvature > 0 else None

    bounds = {name: stable(beta) for name, stable in STABLE.items()}
    return {name: StableSteps(step(x, values[0]), step(x, values.max())) for name, x in bounds.items()}


@dataclass(frozen=True, eq=False)
class StabilityReport:
    """Sharpness along a trajectory against what a step size can bear.

    Parameters
    ----------
    times, sharpness : (n,) array
    step, momentum : float
        η and β.
    rates : (n,) array, optional
        Learning rates at the times, of a schedule whose largest is η.
    form : str
        Of momentum: one of `STABLE`.
    """

    times: Array
    sharpness: Array
    step: float
    momentum: float
    rates: Array | None = None
    form: str = "heavy ball"

    @property
    def threshold(self) -> float:
        """Sharpness above which the descent oscillates ever more wildly: 2(1 + β)/η of heavy ball."""
        return STABLE[self.form](self.momentum) / self.step

    @property
    def unstable_from(self) -> float | None:
        """First of the times at which the sharpness is above the threshold of the rate there; None if it never is."""
        part = 1.0 if self.rates is None else self.rates / self.step
        beyond = self.times[self.sharpness * part > self.threshold]
        return float(beyond[0]) if beyond.size else None


def stability_along(
    flow: GradientFlow,
    trajectory: Trajectory,
    step: float,
    momentum: float = 0.0,
    points: int = 20,
    *,
    schedule: Spec = "constant",
    steps: int | None = None,
    form: str = "heavy ball",
) -> StabilityReport:
    """Sharpness at up to `points` samples, evenly spaced along a trajectory of the flow, for a step and momentum.

    The learning rates are those of a schedule of a run of `steps` steps.

    Raises
    ------
    ProblemError
        If the step is not positive, the momentum not in [0, 1), the schedule none for so many steps, or `points` below
        2.
    """
    clock = Clock(step, momentum, schedule, steps)
    values, curve = sharpness(flow, trajectory, points), clock.rate_curve
    times = trajectory.times[spaced(trajectory, points)]
    rates = None if curve is None else np.array([curve(t) for t in times])
    return StabilityReport(times, values, clock.step, clock.momentum, rates, form)


def instability(
    trajectory: Trajectory,
    step: float,
    momentum: float = 0.0,
    *,
    schedule: Spec = "constant",
    steps: int | None = None,
    form: str = "heavy ball",
) -> str | None:
    """Warning about a modified flow whose step is beyond the largest stable one; None if it is not.

    The modified flow is the beginning of a series in the step times the curvature, and smooth; descent with a larger
    step oscillates in the sharpest direction, which no term of the series knows.

    Parameters
    ----------
    trajectory : Trajectory
        Of the modified flow.
    step, momentum : float
        η and β.
    schedule, steps, form
        See `stability_along`.
    """
    flow = GradientFlow(trajectory.problem)
    report = stability_along(flow, trajectory, step, momentum, schedule=schedule, steps=steps, form=form)
    if report.unstable_from is None:
        return None
    stable = STABLE[form](momentum)
    if report.rates is None:
        given, bound = f"`step` is {step:g}", stable / report.sharpness.max()
    else:
        worst = int(np.argmax(report.rates * report.sharpness))
        given = f"The learning rate is {report.rates[worst]:.3g} at t = {report.times[worst]:.4g}"
        bound = stable / report.sharpness[worst]
    where = "only along this curve" if report.rates is None else "there"
    return (
        f"{given}, but gradient descent is stable up to {bound:.3g} {where}: it leaves the modified flow from t = "
        f"{report.unstable_from:.4g} on"
    )


def beyond_second_order(
    trajectory: Trajectory,
    step: float,
    momentum: float = 0.0,
    *,
    schedule: Spec = "constant",
    steps: int | None = None,
    form: Momentum = HEAVY_BALL,
) -> str | None:
    """Warning about a modified flow whose correction is no small one; None if it is.

    Along a direction of curvature λ the flow θ̇ = −∇L − (h/2) H∇L corrects the slope by its (h/2)λ-th part, and momentum
    shifts its start by as much. From 1 on the terms that are left out are no smaller than those that are kept. Without
    momentum that is the largest stable step; with momentum it is far below that, about (1 − β)²/λ.

    Parameters
    ----------
    trajectory : Trajectory
        Of the modified flow.
    step, momentum : float
        η and β.
    schedule, steps
        See `stability_along`.
    form : Momentum
        Of the descent.
    """
    flow = GradientFlow(trajectory.problem)
    report = stability_along(flow, trajectory, step, momentum, schedule=schedule, steps=steps, form=form.name)
    rates = np.full_like(report.times, report.step) if report.rates is None else report.rates
    parts = form.correction(1.0, report.momentum) / 2 * rates * report.sharpness
    worst = int(np.argmax(parts))
    if parts[worst] < NO_CORRECTION:
        return None
    beta = f" with momentum {report.momentum:g}" if report.momentum else ""
    given = f"`step` is {step:g}" if report.rates is None else f"The learning rate is {rates[worst]:.3g}"
    return (
        f"{given}{beta}, so that at t = {report.times[worst]:.4g} the modified flow corrects the steepest slope by "
        f"{parts[worst]:.3g} times itself: it follows descent only where the rate is far below "
        f"{rates[worst] / parts[worst]:.2g}"
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
    if fastest == 0:
        raise ComputationError("No step size is too large here: at zero weights nothing pulls them anywhere.")

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
