"""Mean dynamics of one-pass stochastic gradient descent, as closed equations for the order parameters.

A step of size η on B fresh samples changes the state s = (Q, R, A) of `dynamics.sgd.order_parameters` by terms linear
in η and, in Q alone, a quadratic one, Δw_k·Δw_l. Their conditional means are exact for every d, B and η:

    E[Δs]/η = F(s):   Q: E g_k·w_l + E g_l·w_k + η E ḡ_k·ḡ_l,   R: E g_k·v_m,   A: E e_oφ_k

with g_k = Σ_o A_ok e_o ∇_w φ_k, the errors e_o and the mean ḡ over the batch, from `dynamics.sgd.closures`: for
polynomials, for erf(z/√2), tanh and sigmoid, for one unit with a kink, and in a fast form for quadratic units. There,
with G_o = 4D_o + 2τ_o I as in the gradient flow and N_op = E[e_o e_p (w_k·x)(w_l·x) ‖x‖²] from
`dynamics.sgd.gradient_moments`,

    Q: (A_k·G + G·A_l)_kl + 4η Σ A_ok A_pl N_op,kl,   R: Σ_o A_ok w_kᵀG_o Vᵀ,   A: ½ w_kᵀG_o w_k

and for one output and B = 1

    Q: (a_k + a_l) w_kᵀGw_l + 4η a_k a_l w_kᵀNw_l,   N = (d + 6)[(τ² + 2‖D‖²) I + 4τD + 8D²] + (d + 2)Δ I;

larger batches divide by B the part of N that is due to sampling (derived here). Weight decay, coupled or decoupled,
adds ((1 − ηρ_w)² − 1)/η Q and leaves the factor 1 − ηρ_w of the linear part, and adds −ρ_w R and −ρ_a A. Two things
are not exact:

* the mean of F(s) is replaced by F of the mean. What this neglects is of order 1/d where ηd is kept fixed, else
  of order η (known, not proven here); of quadratic units :mod:`dynamics.sgd.fluctuations` computes it and takes it
  into account;
* the recursion s ← s + ηF(s) is turned into the ODE ṡ = F − (η/2) F′F, with an error O(η²).

Time is that of the flow, η × steps. With a schedule the recursion has the rates η_n, and the ODE that of the moment.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from dynamics.aliases import Array
from dynamics.clock import Clock
from dynamics.flows.base import Flow, Run, Watch
from dynamics.flows.endings import DIVERGED, STATIONARY
from dynamics.flows.scheduled import StepField
from dynamics.integration import SolverReport, Stop
from dynamics.problem import Problem
from dynamics.problem.scope import require
from dynamics.sgd.differentiation import along, jacobian, second_along
from dynamics.sgd.order_parameters import OrderParameters
from dynamics.sgd.trajectory import SGDTrajectory
from dynamics.validation import validate_count, validate_label_noise

if TYPE_CHECKING:
    from dynamics.schedules.schedule import Spec

AT_REST = 1e-10  # rate of change, relative to the natural one, that counts as rest


class MeanSGD(StepField, Flow[SGDTrajectory]):
    """Mean dynamics of stochastic gradient descent on fresh samples.

    Parameters
    ----------
    problem : Problem
        Any number of outputs, second layer fixed or trainable, covariance I; units whose expectations are known.
    step : float
        Learning rate η.
    batch : int
        Batch size B.
    label_noise : float
        Variance Δ of the noise on every label.
    schedule : Schedule, str, callable or array
        Learning rates η_n = η s_n, see `dynamics.schedules.Schedule.of`. The dynamics ends where the schedule does.
    steps : int, optional
        Number of steps of the schedule; a constant one needs none.

    Raises
    ------
    ProblemError
        If an argument is not usable, the inputs are correlated (the order parameters do not close then), or the moments
        of the units are not known or cost too much.

    Examples
    --------
    >>> from dynamics import Problem, Student, Teacher
    >>> student = Student.initialise(2, 500, init="aligned", scale=0.5, second_layer="fixed")
    >>> problem = Problem(Teacher.from_eigenvalues([1, 0.5], 500), student)
    >>> curve = MeanSGD(problem, step=1e-4, label_noise=0.1).integrate(t_end=3.0)
    """

    default_rtol = 1e-9
    theory = "mean SGD"  # of `dynamics.problem.scope`

    def __init__(
        self,
        problem: Problem,
        step: float,
        batch: int = 1,
        label_noise: float = 0.0,
        *,
        schedule: Spec = "constant",
        steps: int | None = None,
    ) -> None:
        start = perf_counter()
        require(self.theory, problem)
        self.problem = problem
        self.clock = Clock(step, schedule=schedule, length=steps)
        self.step = self.clock.step
        self.batch = validate_count("batch", batch)
        self.label_noise = validate_label_noise(label_noise)
        self.order = OrderParameters(problem)
        self.theta0 = self.order.start
        self.setup_seconds = perf_counter() - start

    def drift(self, state: Array, eta: float | Array | None = None) -> Array:
        """Mean change of the state in one step over η, F(s), exact; for stacks of states (…, u) and of rates (…)."""
        rate = np.asarray(self.step if eta is None else eta)[..., None, None]
        Q, R, A = self.order.unpack(state)
        K, decay = A.shape[-1], self.problem.weight_decay
        kept = 1 - rate * decay.first  # what decay leaves of w_k in a step
        moments = self.order.step_moments(state, self.label_noise)
        speed = moments.speed
        dQ = kept * (speed[..., :K] + np.swapaxes(speed[..., :K], -1, -2)) + rate * moments.squares(
            self.batch
        )
        dQ = dQ - (1 + kept) * decay.first * Q
        return self.order.pack(dQ, speed[..., K:] - decay.first * R, moments.lifts - decay.second * A)

    def velocity_at(self, eta: float, theta: Array) -> Array:
        """F − (η/2) F′F at the state theta, for a rate η."""
        drift = partial(self.drift, eta=eta)
        F = drift(theta)
        return F - eta / 2 * along(drift, theta, F)

    def jacobian_at(self, eta: float, theta: Array) -> Array:
        """Its derivative, (u, u)."""
        drift = partial(self.drift, eta=eta)
        F, J = drift(theta), jacobian(drift, theta)
        bend = second_along(drift, theta, np.broadcast_to(F, J.shape), np.eye(len(F))).T
        return J - eta / 2 * (J @ J + bend)

    def loss(self, theta: Array) -> float:
        """Mean loss over seeds at the state theta."""
        return float(self.expect(self.order.loss, theta))

    def horizon(self, explicit: bool = False) -> float:
        """Time after which an integration without an end gives up waiting for rest."""
        return 1e5 / self._rate * max(1.0, 1.0 / max(self.scale**0.5, 1e-8))

    @property
    def scale(self) -> float:
        """Size of the smallest of Q and A at the start, at most 1; what is zero does not count."""
        Q, _, A = self.order.unpack(self.order.start)
        sizes = [float(np.trace(Q)) / len(Q), float(np.sqrt(np.mean(A * A)))]
        return min([1.0, *(size for size in sizes if size > 0)])

    def watch(self, run: Run) -> Watch:
        """Divergence, and rest where the integration is open-ended."""
        return Watch(
            hazards=(Stop(DIVERGED, self._distance_from_explosion),),
            ends=(Stop(STATIONARY, self._distance_from_rest),) if run.open_ended else (),
            words=self._words,
        )

    def _words(self, report: SolverReport, theta: Array) -> str:
        """The remedy where the dynamics diverged."""
        if report.status != DIVERGED:
            return ""
        return (
            f"The mean dynamics of SGD diverges at t = {report.time_reached:.4g}: `step` {self.step:g} is too "
            "large for this batch, label noise and start; take a smaller step or a larger batch."
        )

    def mean_state(self, y: Array) -> Array:
        """Order parameters (u,) in what is integrated: here the same."""
        return y

    def expect(self, observable: Callable[[Array], Array], y: Array) -> Array:
        """Mean over seeds of a function of the order parameters; here its value at their mean."""
        return observable(self.mean_state(y))

    def deviation(self, observable: Callable[[Array], Array], y: Array) -> Array | None:
        """Standard deviation over seeds of a function of the order parameters; here not known."""
        return None

    def result(self, times: Array, states: Array, report: SolverReport) -> SGDTrajectory:
        """The mean curve, with the spread over seeds where that is known."""
        order = self.order
        observables = (order.loss, order.modes, order.balance)
        loss, modes, balance = (np.array([self.expect(f, y) for y in states]) for f in observables)
        loss_std, modes_std = ([self.deviation(f, y) for y in states] for f in observables[:2])
        mean_field = np.array([self.mean_state(y) for y in states])
        Q, R, A = order.unpack(mean_field)
        objective = None
        if self.problem.weight_decay:
            objective = loss + np.array([self.expect(order.penalty, y) for y in states])
        return SGDTrajectory(
            self.problem,
            self.step,
            self.batch,
            self.label_noise,
            times,
            Q,
            R,
            A,
            loss,
            modes,
            None if self.problem.activation.degree is None else balance,
            order.loss(mean_field),
            None if loss_std[0] is None else np.array(loss_std),
            None if modes_std[0] is None else np.array(modes_std),
            report,
            steps=np.minimum(self.clock.steps(times), self.clock.length or np.inf),
            schedule=self.clock.schedule.name,
            objective=objective,
        )

    @cached_property
    def _rate(self) -> float:
        """Natural rate of change: the size of the eigenvalues of G."""
        start = self.order.start
        Q, R, A = self.order.unpack(start)
        losses = self.order.loss(np.stack([start, self.order.pack(0 * Q, 0 * R, A)]))
        return 4 * float(np.sqrt(max(losses.max(), np.finfo(float).tiny)))

    def _distance_from_explosion(self, t: float, y: Array) -> float:
        """Positive as long as the drift grows by less than e^{3/2} within a step.

        The correction −(η/2)F′F, of which this is a multiple along F, would otherwise end up by cancelling F, and
        turn an explosion into a plateau.
        """
        state, eta = self.mean_state(y), self.rate(t)
        drift = partial(self.drift, eta=eta)
        with np.errstate(all="ignore"):  # a drift that is no number has exploded
            F = drift(state)
            growth = float(F @ along(drift, state, F)) / max(float(F @ F), np.finfo(float).tiny)
        return 1.5 - eta * growth if np.isfinite(growth) else -1.0

    def _distance_from_rest(self, t: float, y: Array) -> float:
        """Positive until the drift is negligible and nothing grows any more."""
        state, scale = self.mean_state(y), self._rate
        size = max(float(np.linalg.norm(state)), np.finfo(float).tiny)
        excess = float(np.linalg.norm(self.drift(state))) / size - AT_REST * scale
        if excess > 0:
            return excess
        growth = float(np.linalg.eigvals(jacobian(self.drift, state)).real.max())
        return 1.0 if growth > 1e-3 * scale else excess
