"""Gradient flow in path space: the continuous limit of G-SGD for two-layer networks on their population loss."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property, partial
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.curves.followed import Followed
from dynamics.curves.variables import LOSS_UNIT, TIME_UNIT, Meaning
from dynamics.errors import ComputationError, ProblemError
from dynamics.flows.base import Flow, Run, Watch
from dynamics.flows.endings import CONVERGED, CROSSED
from dynamics.flows.rest import distance_from_rest
from dynamics.integration import SolverReport, Stop
from dynamics.path_space import Skeleton, SkeletonCrossing, path_gradient, path_values
from dynamics.problem import Problem
from dynamics.problem.scope import require
from dynamics.words import counted

NEARLY_ZERO = 1e-6  # of its initial size: there a skeleton path value counts as zero
LONGEST, LONGEST_EXPLICIT = 1e8, 1e5  # natural times that an open-ended integration may take


@dataclass(frozen=True, eq=False, repr=False)
class PathTrajectory(Followed):
    """Path values along a flow in path space, at T times.

    Parameters
    ----------
    times : (T,) array
        Of the flow, learning rate × steps.
    values : (T, m − H) array
        Basis-path values, ordered as by `dynamics.path_space.path_values`.
    loss : (T,) array
    W : (T, K, d) array
    A : (T, O, K) array
        Weights with these path values, scaled such that every skeleton edge of the second layer is ±1.
    solver : SolverReport
    """

    KIND = "path trajectory"

    times: Annotated[Array, Meaning("time", "time", TIME_UNIT, label=True)]
    values: Annotated[Array, Meaning("time path", "basis-path values", detail=True)]
    loss: Annotated[Array, Meaning("time", "population loss", LOSS_UNIT)]
    W: Annotated[Array, Meaning("time unit input", "first-layer weights", detail=True)]
    A: Annotated[Array, Meaning("time output unit", "second-layer weights", detail=True)]
    solver: SolverReport

    def attributes(self) -> dict[str, Any]:
        """The solver."""
        return asdict(self.solver)

    def summary(self) -> str:
        """What happened, in a few lines."""
        s = self.solver
        return (
            f"{counted(len(self.times), 'sample')} up to t = {self.times[-1]:.6g} ({s.ending})\n"
            f"loss {self.loss[0]:.6g} → {self.loss[-1]:.6g}\n"
            f"{s.method}: {counted(s.evaluations, 'evaluation')}, {s.seconds:.3g} s, "
            f"{counted(self.values.shape[1], 'basis path')}"
        )


class PathFlow(Flow[PathTrajectory]):
    """Gradient flow v̇ = −∂L/∂v of a two-layer network in the coordinates of path space.

    The basis-path values are v_ki = A_sk w_ks^(h−1) w_ki for the edges into unit k and v_ok = A_ok w_ks^h for those
    out of it, where w_ks and A_sk are the unit's skeleton edges; both give s_k = A_sk w_ks^h at the skeleton edge.
    It is the small-step limit of `dynamics.path_space.path_step`. Unlike the gradient flow of the weights, it does
    not depend on how they are scaled.

    Parameters
    ----------
    problem : Problem
        Its student gives the initial weights; the second layer must be trainable.
    skeleton : Skeleton, optional
        Default: the strongest one for the initial weights.

    Attributes
    ----------
    theta0 : (m − H,) array
        Basis-path values of the initial weights.

    Notes
    -----
    With s_k known the weights are W_ki = (w_ks/s_k) v_ki and A_ok = (A_sk/s_k) v_ok. Scaled such that A_sk = ±1 the
    factors are ∝ s_k^α with α = 1/h − 1 and −1, from which gradient and Jacobian follow (derived here).
    """

    def __init__(self, problem: Problem, skeleton: Skeleton | None = None) -> None:
        W, A = problem.student.W, problem.student.A
        widths = (W.shape[1], *A.shape[::-1])
        require("path flow", problem)
        degree = problem.activation.degree
        assert degree is not None  # what is homogeneous has one
        self.problem, self.degree, self.population = problem, degree, problem.population
        self.skeleton = Skeleton.strongest([W, A], self.degree) if skeleton is None else skeleton
        if self.skeleton.widths != widths:
            raise ProblemError(f"`skeleton` has the widths {self.skeleton.widths}, but the student {widths}.")
        self.theta0 = path_values([W, A], self.skeleton, self.degree)
        self._index_columns()
        units = np.arange(len(W))
        self._signs = np.sign(W[units, self.skeleton.into[0]]), np.sign(A[self.skeleton.out[0], units])
        zero = np.flatnonzero(self.theta0[self._s] == 0)
        if zero.size:
            raise SkeletonCrossing(
                f"The skeleton path value of hidden unit {zero[0]} is zero at the start: take another skeleton or "
                "other weights.",
                (1, int(zero[0])),
                time=0.0,
            )

    def _index_columns(self) -> None:
        """Which path value every weight belongs to, and which are the skeleton path values s_k."""
        d, K, O = self.skeleton.widths
        self._s = np.arange(K) * d + self.skeleton.into[0]  # (K,)
        self._columns_W = np.arange(K * d).reshape(K, d)
        self._columns_A = np.empty((O, K), dtype=np.int64)
        self._columns_A[self.skeleton.chosen[1]] = np.arange(K * d, K * d + (O - 1) * K)
        self._columns_A[self.skeleton.out[0], np.arange(K)] = self._s

    def _factors(self, v: Array) -> tuple[Array, Array]:
        """w_ks/s_k and A_sk/s_k, each (…, K)."""
        s = v[..., self._s]
        w_sign, a_sign = self._signs
        return w_sign * np.abs(s) ** (1 / self.degree) / s, a_sign / s

    def weights(self, v: ArrayLike) -> tuple[Array, Array]:
        """Weights W (…, K, d) and A (…, O, K) with the path values v (…, m − H) and A_sk = ±1."""
        v = np.asarray(v, dtype=float)
        p, q = self._factors(v)
        return p[..., :, None] * v[..., self._columns_W], q[..., None, :] * v[..., self._columns_A]

    def loss(self, v: ArrayLike) -> float:
        """Population loss at path values (m − H,)."""
        return self.population.loss(*self.weights(v))

    def __call__(self, t: float, theta: Array) -> Array:
        """Right-hand side −∂L/∂v."""
        W, A = self.weights(theta)
        return path_gradient([W, A], self.population.velocity(W, A), self.skeleton, self.degree)

    def jacobian(self, t: float, theta: Array) -> Array:
        """Jacobian of the right-hand side: minus the Hessian of the loss in path space, (m − H, m − H).

        By the chain rule through θ_j = D_j v_c(j) with D_j ∝ s^α: JᵀHJ and the curvature Σ_j ∂L/∂θ_j ∂²θ_j/∂v².
        """
        W, A = self.weights(theta)
        d, K, O = self.skeleton.widths
        columns = np.concatenate([self._columns_W.ravel(), self._columns_A.ravel()])
        unit = np.concatenate([np.repeat(np.arange(K), d), np.tile(np.arange(K), O)])
        alpha = np.repeat([1 / self.degree - 1, -1.0], [W.size, A.size])
        p, q = self._factors(theta)
        D = np.concatenate([np.repeat(p, d), np.tile(q, O)])
        s = theta[self._s][unit]
        E = np.eye(theta.size)[columns]  # ∂v_c(j)/∂v
        S = np.eye(theta.size)[self._s][unit]  # ∂s/∂v
        slope, curvature = alpha * D / s, alpha * (alpha - 1) * D / s**2
        J = D[:, None] * E + (slope * theta[columns])[:, None] * S
        minus_gradient = np.concatenate([x.ravel() for x in self.population.velocity(W, A)])
        mixed = (E * (minus_gradient * slope)[:, None]).T @ S
        pure = (S * (minus_gradient * curvature * theta[columns])[:, None]).T @ S
        return mixed + mixed.T + pure - J.T @ self.population.hessian(W, A) @ J

    def horizon(self, explicit: bool = False) -> float:
        """Time after which an open-ended integration gives up waiting for convergence."""
        return (LONGEST_EXPLICIT if explicit else LONGEST) / self._rate

    @cached_property
    def _rate(self) -> float:
        """Natural growth rate, the variance of the inputs to the power h: the loss is of second degree in v."""
        Sigma = self.problem.second_moment
        return 1.0 if Sigma is None else float(np.trace(Sigma) / len(Sigma)) ** self.degree

    def watch(self, run: Run) -> Watch:
        """Where the coordinates end; convergence of an open-ended integration: at rest, with no way down left."""
        ends = (Stop(CONVERGED, self._distance_from_convergence),) if run.open_ended else ()
        return Watch(hazards=(Stop(CROSSED, self._distance_from_crossing),), ends=ends, words=self._words)

    def result(self, times: Array, states: Array, report: SolverReport) -> PathTrajectory:
        """The curve, with weights."""
        loss = np.array([self.loss(v) for v in states])
        return PathTrajectory(times, states, loss, *self.weights(states), report)

    def failure(self, report: SolverReport, curve: PathTrajectory) -> ComputationError:
        """A crossing, which names the unit, or that of any flow."""
        if report.status != CROSSED:
            return super().failure(report, curve)
        unit = int(self._remaining(curve.values[-1]).argmin())
        return SkeletonCrossing(report.message, (1, unit), time=report.time_reached, trajectory=curve)

    def _words(self, report: SolverReport, theta: Array) -> str:
        """Where and why the coordinates end."""
        if report.status != CROSSED:
            return ""
        return (
            f"The skeleton path value of hidden unit {self._remaining(theta).argmin()} reaches zero at "
            f"t = {report.time_reached:.6g}, where path coordinates end: take another skeleton or a shorter time."
        )

    def _remaining(self, v: Array) -> Array:
        """Skeleton path values relative to their initial ones, (K,)."""
        return np.asarray(v[self._s] / self.theta0[self._s])

    def _distance_from_crossing(self, t: float, v: Array) -> float:
        """Zero where a skeleton path value has shrunk to `NEARLY_ZERO` of its initial size."""
        return float(self._remaining(v).min() - NEARLY_ZERO)

    def _distance_from_convergence(self, t: float, v: Array) -> float:
        """Positive until the flow is at rest; speeds are measured in v̇ = rate · v, and v in √(L/rate)."""
        speed = float(np.linalg.norm(self(t, v)))
        return distance_from_rest(speed, partial(self._lowest, v), (self._unit_speed, self._rate))

    @cached_property
    def _unit_speed(self) -> float:
        """√(rate · L) for the loss of a network that is zero, or where that is zero of the start."""
        W, A = self.problem.student.W, self.problem.student.A
        loss = self.population.loss(0 * W, 0 * A) or self.loss(self.theta0) or 1.0
        return float(np.sqrt(self._rate * loss))

    def _lowest(self, v: Array) -> float:
        return float(np.linalg.eigvalsh(-self.jacobian(0.0, v))[0])
