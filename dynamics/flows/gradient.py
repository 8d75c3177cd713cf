"""Gradient flow of the population loss: the theory's learning curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from dynamics.activations import Activation
from dynamics.aliases import Array
from dynamics.curves.trajectory import IntegrationError, Trajectory
from dynamics.errors import ProblemError
from dynamics.flows.convergence import (
    CONVERGED,
    LONG,
    NOT_CONVERGED,
    RESTING,
    SADDLE,
    ConvergenceTest,
    NaturalUnits,
)
from dynamics.flows.vanishing_units import VanishingUnits
from dynamics.integration import (
    DEFAULT_RTOL,
    EXPLICIT,
    SOLVERS,
    Sampling,
    SolverReport,
    Stop,
    choose_method,
    integrate,
)
from dynamics.integration.taylor import FlowShape
from dynamics.population.base import FormLoss, Population
from dynamics.problem import Problem, Student, Teacher
from dynamics.problem.modes import mode_targets, teacher_modes
from dynamics.problem.reduction import Reduction, reduce_problem
from dynamics.validation import validate_real

LARGEST_LOSS = 1e100  # well before squares and products overflow
LARGEST_DENSE_HESSIAN = 300  # unknowns; above, extreme eigenvalues come from Lanczos iterations


class GradientFlow:
    """The flow θ̇ = −∇L(θ) of a two-layer network on its population loss.

    The flow is integrated in the exactly reduced problem (see `dynamics.problem.reduction`); time is learning
    rate × steps. Flows down another loss, such as `dynamics.flows.modified.ModifiedFlow`, are subclasses that
    replace the attribute `objective`; their learning curve still is the population loss.

    Parameters
    ----------
    problem : Problem or Teacher
        The problem, or its teacher.
    student : Student, optional
        Initial state, if `problem` is a teacher.
    activation : Activation or str
        Used with a teacher and a student; see `dynamics.activations.ACTIVATIONS`.
    covariance : (d, d) array, optional
        Used with a teacher and a student; None is the identity.
    reduce : bool
        Whether to use the span reduction; False keeps all d inputs (for tests).

    Attributes
    ----------
    population, objective : Population
        The loss that is measured, and the one whose gradient is followed: here the same.
    theta0 : (n,) array
        Initial state.

    Examples
    --------
    >>> from dynamics import GradientFlow, Student, Teacher
    >>> flow = GradientFlow(Teacher.from_eigenvalues([4, 2, 1]), Student.initialise(3, 3, seed=1))
    >>> trajectory = flow.integrate(t_end=5.0)
    >>> bool(trajectory.conserved_drift < 1e-9)
    True
    """

    def __init__(
        self,
        problem: Problem | Teacher,
        student: Student | None = None,
        *,
        activation: Activation | str = "quadratic",
        covariance: ArrayLike | None = None,
        reduce: bool = True,
    ) -> None:
        if isinstance(problem, Teacher):
            if student is None:
                raise ProblemError("A teacher alone is no problem: give a student as well.")
            problem = Problem(problem, student, activation, covariance)
        elif student is not None:
            raise ProblemError(
                "The problem already contains a student: give a teacher, or no second student."
            )
        self._start(problem, reduce_problem(problem) if reduce else Reduction(problem, None))

    def _start(self, problem: Problem, reduction: Reduction, objective: Population | None = None) -> None:
        """Set every attribute; the objective is the population loss unless another one is given."""
        self.problem, self.reduction = problem, reduction
        small = reduction.problem
        self.population = small.population
        self.objective = self.population if objective is None else objective
        self.theta0 = self.pack(small.student.W, small.student.A)
        with np.errstate(over="ignore", invalid="ignore"):
            start = self.loss(self.theta0)
        if not start < LARGEST_LOSS:
            raise ProblemError(
                f"The initial loss is {start:.3g}, beyond {LARGEST_LOSS:.0e}: scale teacher and weights down."
            )

    @property
    def trainable(self) -> bool:
        """Whether the second layer is trained."""
        return self.problem.student.trainable

    @property
    def forms(self) -> FormLoss | None:
        """The objective as a loss of the forms M_o, up to corrections of a finite step; None if it is none."""
        return self.objective.forms

    def pack(self, W: Array, A: Array) -> Array:
        """Trained parameters as one vector θ: W row by row, then A row by row unless it is fixed."""
        return np.concatenate([W.ravel(), A.ravel()]) if self.trainable else W.ravel().copy()

    def unpack(self, theta: Array) -> tuple[Array, Array]:
        """Weights (…, K, r) and (…, O, K) of parameter vectors (…, n); r is the reduced dimension."""
        W0, A0 = self.reduction.problem.student.W, self.reduction.problem.student.A
        W = theta[..., : W0.size].reshape(*theta.shape[:-1], *W0.shape)
        if not self.trainable:
            return W, np.broadcast_to(A0, (*theta.shape[:-1], *A0.shape))
        return W, theta[..., W0.size :].reshape(*theta.shape[:-1], *A0.shape)

    def __call__(self, t: float, theta: Array) -> Array:
        """Right-hand side −∇L(θ) for the objective L."""
        return self.pack(*self.objective.velocity(*self.unpack(theta)))

    def jacobian(self, t: float, theta: Array) -> Array:
        """Jacobian of the right-hand side, minus the Hessian, (n, n)."""
        return -self.hessian(theta)

    def polynomial(self) -> tuple[FlowShape, Array]:
        """The right-hand side as a polynomial, for Taylor's method: its shape and parameters."""
        small = self.reduction.problem
        shape = self.objective.taylor_shape(small.student.W, small.student.A, self.trainable)
        if shape is None:
            raise ProblemError(
                "The method 'Taylor' is there for the gradient flow of the population loss of quadratic networks "
                "only: choose another one."
            )
        M = np.stack([small.teacher.matrix(o) for o in range(small.teacher.outputs)])
        return shape, shape.parameters(M, small.student.A, small.covariance)

    def vanishing_units(self, atol: float) -> VanishingUnits | None:
        """What interrupts the integration where a kinked activation has no derivative; None if nothing does."""
        if self.population.pull_on is None:
            return None
        return VanishingUnits(self, atol)

    def loss(self, theta: Array) -> float:
        """Population loss at θ."""
        return self.population.loss(*self.unpack(theta))

    def hessian(self, theta: Array) -> Array:
        """Hessian of the objective over the trained parameters, (n, n)."""
        n = theta.size
        return self.objective.hessian(*self.unpack(theta))[:n, :n]

    def hessian_vector(self, theta: Array, direction: Array) -> Array:
        """Hessian of the objective times a direction in parameter space, (n,)."""
        W, A = self.unpack(theta)
        dW, dA = self.unpack(direction)
        if not self.trainable:
            dA = np.zeros_like(A)
        return self.pack(*self.objective.hessian_vector(W, A, dW, dA))

    def observed(self, times: Array, states: Array) -> Array:
        """States (T, n) of the network at the given times, from those of the flow; here the same."""
        return states

    def extreme_eigenvalue(self, theta: Array, which: str, among: NDArray[np.bool_] | None = None) -> float:
        """Smallest ("lowest") or largest ("highest") eigenvalue of the Hessian at θ, or of its part of some unknowns.

        Above 300 unknowns that part is embedded in zeros, so that a lowest eigenvalue above zero comes out as zero.
        """
        n = theta.size
        kept = np.ones(n, dtype=bool) if among is None else among
        if n <= LARGEST_DENSE_HESSIAN:
            H = self.hessian(theta)[np.ix_(kept, kept)]
            return float(np.linalg.eigvalsh(H)[0 if which == "lowest" else -1])

        def product(v: Array) -> Array:
            return kept * self.hessian_vector(theta, kept * v.ravel())

        operator = LinearOperator((n, n), matvec=product, dtype=float)
        start = kept * np.random.default_rng(0).standard_normal(n)
        try:
            values = eigsh(operator, k=1, which="SA" if which == "lowest" else "LA", tol=1e-6, v0=start)[0]
        except ArpackNoConvergence as failure:
            if len(failure.eigenvalues) == 0:
                raise
            values = failure.eigenvalues
        return float(values[0])

    def integrate(
        self,
        t_end: float | None = None,
        *,
        times: ArrayLike | None = None,
        samples: int = 201,
        log_times: bool = False,
        until_loss: float | None = None,
        method: str = "auto",
        rtol: float = DEFAULT_RTOL,
        atol: float | None = None,
        stops: Sequence[Stop] = (),
        max_evaluations: int | None = None,
        progress: bool = False,
        throw: bool = True,
    ) -> Trajectory:
        """Integrate from the student's initial weights.

        Parameters
        ----------
        t_end : float, optional
            End time. Without it and without `times` the flow runs until it has come to an end, which the status
            names: "converged" at a minimum; "at a saddle" that no component of the weights leads away from; "resting
            on a plateau" whose end is known but out of the solver's reach, with the time in the message (see
            `dynamics.flows.convergence`).
        times : (T,) array, optional
            Sample times, increasing.
        samples : int
            Number of sample times if `times` is not given, evenly spaced.
        log_times : bool
            Space them evenly in log t over the last four decades instead (t = 0 included).
        until_loss : float, optional
            Stop where the loss falls to this value.
        method, rtol, atol, max_evaluations, progress
            See `dynamics.integration.integrate`.
        stops : sequence of Stop
            Further reasons to stop, as functions of (t, θ) in reduced coordinates (see `unpack`).
        throw : bool
            Raise if the solver fails (default), or return what it computed with status "failed".

        Returns
        -------
        Trajectory

        Raises
        ------
        ProblemError
            If an argument is not usable.
        IntegrationError
            If the solver fails; the error carries the partial trajectory.
        """
        open_ended = t_end is None and times is None
        units, explicit = self.natural_units, self._is_explicit(method)
        horizon = units.horizon(self.theta0, explicit)
        sampling = Sampling.create(t_end, times, samples, log_times, horizon=horizon)
        stops = list(stops)
        if until_loss is not None:
            goal = validate_real("until_loss", until_loss, positive=True)
            stops.append(Stop("target loss reached", lambda t, theta: self.loss(theta) - goal))
        test = ConvergenceTest(self, units, rtol)
        if open_ended:
            stops += [Stop(name, partial(test.distance, name)) for name in (CONVERGED, SADDLE, RESTING)]
        elif sampling.t_end * units.rate > LONG:
            stops.append(Stop(RESTING, partial(test.out_of_reach, sampling.t_end)))
        times_, states, report = integrate(
            self,
            self.theta0,
            sampling,
            method=method,
            rtol=rtol,
            atol=atol,
            stops=stops,
            leap=test.leap if sampling.t_end * units.rate > LONG else None,
            max_evaluations=max_evaluations,
            progress=progress,
        )
        W, A = self.unpack(self.observed(times_, states))
        if open_ended or report.status == RESTING:
            report = self._with_ending(report, test, W[-1], A[-1])
        trajectory = Trajectory.from_states(self.problem, self.reduction, times_, W, A, report)
        if report.status == "failed" and throw:
            raise IntegrationError(report.message, trajectory)
        return trajectory

    @cached_property
    def natural_units(self) -> NaturalUnits:
        """Sizes that the problem sets by itself."""
        loss, small = self.objective.loss, self.reduction.problem
        start, teacher = loss(*self.unpack(self.theta0)), loss(0 * small.student.W, small.student.A)
        return NaturalUnits.of(small, start, teacher)

    def _is_explicit(self, method: str) -> bool:
        """Whether stability limits the steps of a method."""
        return SOLVERS.get(choose_method(method, self.theta0.size)) in (*EXPLICIT, None)

    def _with_ending(self, report: SolverReport, test: ConvergenceTest, W: Array, A: Array) -> SolverReport:
        """The report of an open-ended integration, in words where it did not converge."""
        if report.status == "finished":
            return replace(report, status=NOT_CONVERGED)
        if report.status == SADDLE:
            return replace(
                report, message="The weights have no component along any way down from this saddle."
            )
        if report.status != RESTING or test.growth is None:
            return report
        modes = teacher_modes(self.reduction.problem.teacher, W, A, self.problem.activation)
        learned = np.flatnonzero(modes / mode_targets(self.problem.teacher, self.problem.activation) > 0.5)
        return replace(
            report,
            message=f"Resting on the plateau {{{', '.join(map(str, learned))}}}: unit {test.growth.unit} grows next, "
            f"at t ≈ {report.time_reached + test.growth.wait:.4g}, which is out of the reach of {report.method}.",
        )
