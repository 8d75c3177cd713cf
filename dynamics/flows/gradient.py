"""Gradient flow of the population loss: the theory's learning curve."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, partial
from time import perf_counter

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.activations import Activation
from dynamics.aliases import Array
from dynamics.curves.trajectory import Trajectory
from dynamics.errors import ComputationError, IntegrationError
from dynamics.flows.base import Flow, Run, Watch
from dynamics.flows.convergence import watch_convergence
from dynamics.flows.decay_integral import decay_integral
from dynamics.flows.natural_units import NaturalUnits
from dynamics.flows.spectrum import descent, extreme_eigenvalue
from dynamics.flows.start import check_loss, given_problem
from dynamics.flows.vanishing_units import VanishingUnits
from dynamics.integration import SolverReport
from dynamics.integration.contract import Curvature, Kernel, Write
from dynamics.population.base import FormLoss, Population
from dynamics.population.flow_shape import FlowShape
from dynamics.problem import Problem, Student, Teacher
from dynamics.problem.merged_units import MergedUnits, merged_units
from dynamics.problem.reduction import Reduction, reduce_problem
from dynamics.problem.scope import require
from dynamics.progress import stage

FAR_LARGER = 100.0  # a start than the weights that a teacher asks for: the likely cause of a failure


class GradientFlow(Flow[Trajectory]):
    """The flow θ̇ = −∇R(θ) of a two-layer network on its population loss, with its weight decay if it has any.

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
        Whether to use the exact reductions; False keeps all d inputs and K units (for tests).

    Attributes
    ----------
    merged : MergedUnits or None
        Where the flow stands for one of more units (`dynamics.problem.merged_units`), whose curve is its result.
    population, objective : Population
        The loss that is measured, and the one whose gradient is followed: the same, up to weight decay.
    keeps_balances : bool
        Whether c_k = ‖w_k‖² − 2a_k² follows its exact law: constant, or e^{−2ρt} under equal decay.
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

    keeps_balances = True
    merged: MergedUnits | None = None
    _reduces = False

    def __init__(
        self,
        problem: Problem | Teacher,
        student: Student | None = None,
        *,
        activation: Activation | str = "quadratic",
        covariance: ArrayLike | None = None,
        reduce: bool = True,
    ) -> None:
        start = perf_counter()
        problem = given_problem(problem, student, activation, covariance)
        require("flow", problem)
        self._reduces = reduce
        with stage("reducing the problem"):
            self._start(problem, reduce_problem(problem) if reduce else Reduction(problem, None))
        self.setup_seconds = perf_counter() - start

    def _start(self, problem: Problem, reduction: Reduction, objective: Population | None = None) -> None:
        """Set every attribute; the objective is that of the problem unless another one is given."""
        self.problem, self.reduction = problem, reduction
        small = reduction.problem
        self.population = small.population
        self.objective = small.objective if objective is None else objective
        self.theta0 = self.pack(small.student.W, small.second_layer)
        check_loss(self.loss, self.theta0, "teacher")

    @property
    def smooth(self) -> bool:
        """Whether the gradient is continuous: not so on samples where φ has a kink."""
        return self.objective.smooth

    @property
    def trainable(self) -> bool:
        """Whether the second layer is trained."""
        return self.problem.student.trainable

    @property
    def forms(self) -> FormLoss | None:
        """The objective as a loss of the forms M_o, up to decay and corrections of a finite step; None if none."""
        return self.objective.forms

    def pack(self, W: Array, A: Array) -> Array:
        """Trained parameters as one vector θ: W row by row, then A row by row unless it is fixed."""
        return np.concatenate([W.ravel(), A.ravel()]) if self.trainable else W.ravel().copy()

    def unpack(self, theta: Array) -> tuple[Array, Array]:
        """Weights (…, K, r) and (…, O, K) of parameter vectors (…, n); r is the reduced dimension.

        With a bias that is trained (…, O, K + 1), the last column (`dynamics.population.biased`).
        """
        W0, A0 = self.reduction.problem.student.W, self._second_layer
        W = theta[..., : W0.size].reshape(*theta.shape[:-1], *W0.shape)
        if not self.trainable:
            return W, np.broadcast_to(A0, (*theta.shape[:-1], *A0.shape))
        return W, theta[..., W0.size :].reshape(*theta.shape[:-1], *A0.shape)

    @cached_property
    def _second_layer(self) -> Array:
        """The second layer of the start."""
        return self.reduction.problem.second_layer

    def __call__(self, t: float, theta: Array) -> Array:
        """Right-hand side −∇L(θ) for the objective L."""
        return self.pack(*self.objective.velocity(*self.unpack(theta)))

    def in_place(self) -> Write:
        """The same, written into memory of the caller."""
        small, (W0, A0) = self.reduction.problem.student, self.unpack(self.theta0)
        slope = self.objective.slope(small.hidden, small.outputs, self.trainable)

        def write(t: float, theta: Array, out: Array) -> None:
            W, A = theta[: W0.size].reshape(W0.shape), A0
            vW, vA = out[: W0.size].reshape(W0.shape), None
            if self.trainable:
                A, vA = theta[W0.size :].reshape(A0.shape), out[W0.size :].reshape(A0.shape)
            slope(W, A, vW, vA)

        return write

    def kernel(self) -> Kernel | None:
        """The same for compiled code."""
        small = self.reduction.problem
        return self.objective.compiled_slope(small.student.A, small.inputs, self.trainable)

    def jacobian(self, t: float, theta: Array) -> Array:
        """Jacobian of the right-hand side, minus the Hessian, (n, n)."""
        return -self.hessian(theta)

    def curvature(self) -> Curvature | None:
        """The Hessian times a direction; None where it jumps."""
        return self.hessian_vector if self.smooth else None

    def polynomial(self) -> tuple[FlowShape, Array] | None:
        """The right-hand side as a polynomial: its shape and parameters; None if it is none."""
        small = self.reduction.problem
        shape = self.objective.taylor_shape(small.student.W, small.student.A, self.trainable)
        if shape is None:
            return None
        M = np.stack([small.teacher.matrix(o) for o in range(small.teacher.outputs)])
        return shape, shape.parameters(M, small.student.A, small.covariance, small.weight_decay.rates)

    def switching(self, atol: float) -> VanishingUnits | None:
        """What interrupts the integration where a kinked activation has no derivative; None if nothing does."""
        if self.problem.constraint or self.population.pull_on is None:
            return None
        return VanishingUnits(self, atol)

    def observed(self, times: Array, states: Array) -> Array:
        """States (T, n), with units of norm 1 on the sphere, which an integration leaves by its errors."""
        put_back = self.problem.constraint.put_back
        if put_back is None:
            return states
        W, _ = self.unpack(states)
        n = W[0].size
        return np.concatenate([put_back(W).reshape(len(states), n), states[:, n:]], axis=1)

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

    def extreme_eigenvalue(self, theta: Array, which: str, among: NDArray[np.bool_] | None = None) -> float:
        """Smallest ("lowest") or largest ("highest") eigenvalue of the Hessian at θ, or of its part of some unknowns.

        See `dynamics.flows.spectrum`.
        """
        kept = np.ones(theta.size, dtype=bool) if among is None else among
        return extreme_eigenvalue(
            partial(self.hessian, theta), partial(self.hessian_vector, theta), kept, which
        )

    def descent(self, theta: Array, least: float, among: NDArray[np.bool_]) -> float:
        """Growth rate in the best direction of descent at θ that some unknowns have; 0 where none exceeds the least."""
        return descent(partial(self.hessian, theta), partial(self.hessian_vector, theta), among, least)

    @cached_property
    def natural_units(self) -> NaturalUnits:
        """Sizes that the problem sets by itself."""
        loss, small = self.objective.loss, self.reduction.problem
        start = loss(*self.unpack(self.theta0))
        teacher = loss(0 * small.student.W, 0 * small.second_layer)  # φ(0) need not be zero
        return NaturalUnits.of(small, start, teacher)

    def failure(self, report: SolverReport, curve: Trajectory) -> ComputationError:
        """Where the start is far larger than what the teacher asks for, that is why: tolerances are of the start."""
        ratio = self.natural_units.relative(self.theta0)
        if not report.failed or ratio < FAR_LARGER:
            return super().failure(report, curve)
        cause = (
            f"the start is {ratio:.1g} times as large as the weights that this teacher asks for, so that what they do"
            f" is below the tolerances: give an `init_scale` near {self.natural_units.weight:.1g}, or a `t_end`"
        )
        return IntegrationError(f"{report.message.removesuffix('.')}: {cause}.", curve)

    def horizon(self, explicit: bool = False) -> float:
        """A time by which everything that can be resolved from this start has happened."""
        return self.natural_units.horizon(self.theta0, explicit)

    def watch(self, run: Run) -> Watch:
        """The end of an open-ended integration, plateaus that cannot be waited for, and leaps over the others."""
        return watch_convergence(self, self.natural_units, run)

    def smaller(self) -> GradientFlow | None:
        """The flow of as many units as inputs that stands for this one, see `dynamics.problem.merged_units`."""
        merged = merged_units(self.problem) if self._reduces else None
        if merged is None:
            return None
        flow = self._of(merged.problem)
        flow.merged = merged
        return flow

    def _of(self, problem: Problem) -> GradientFlow:
        """The same flow of another problem."""
        return GradientFlow(problem)

    @property
    def lawful(self) -> Problem | None:
        """The problem whose decay makes the law of c_k in the time of the flow; None where c_k has no law."""
        return self.problem

    def result(self, times: Array, states: Array, report: SolverReport) -> Trajectory:
        """The learning curve."""
        lawful = self.lawful
        integral = None if lawful is None else decay_integral(self, lawful, self.theta0, times, report)
        curve = Trajectory.from_states(
            self.problem, self.reduction, times, *self.unpack(states), report, integral
        )
        if self.merged is not None:
            W, A = self.merged.weights(curve.coordinates)
            return replace(curve, problem=self.merged.whole, coordinates=W, A=A)
        return curve if lawful is self.problem else curve.under(lawful)
