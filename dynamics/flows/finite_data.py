"""Gradient flow on a given data set, exactly: what full-batch training becomes as its step goes to zero."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.curves.trajectory import Trajectory
from dynamics.errors import ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.population.base import Population
from dynamics.population.samples import MomentLoss, SampleLoss
from dynamics.population.unit_samples import UnitSampleLoss
from dynamics.problem import Problem
from dynamics.problem.reduction import Reduction
from dynamics.problem.scope import require
from dynamics.validation import validate_array, validate_choice

FORMS = ("auto", "samples", "moments")
EVALUATIONS = 2000  # of a typical integration, over which the QR factorisation has to pay off


class FiniteDataFlow(GradientFlow):
    """Gradient flow on the loss of a given data set.

    The learning curve of its trajectories is the population loss, as everywhere: the test loss. `train_loss` is
    the loss on the data along the same trajectory.

    Parameters
    ----------
    problem : Problem
        Student, activation (with its covariance, if centred) and, for the population loss, teacher.
    X : (n, d) array
        Inputs.
    y : (n,) or (n, O) array
        Labels, with whatever noise they carry.
    form : {"auto", "samples", "moments"}
        How the loss is computed; "auto" takes what costs less.

    Raises
    ------
    ProblemError
        If the data are not finite or do not fit the problem.

    Notes
    -----
    Weights move within the span of the samples. Where there are few, n + K + R < d, the flow is integrated in an
    orthonormal basis of the span of samples, initial weights and teacher, which is exact.
    """

    def __init__(self, problem: Problem, X: ArrayLike, y: ArrayLike, form: str = "auto") -> None:
        require("data flow", problem)
        X = validate_array("X", X, 2)
        Y = validate_array("y", np.asarray(y)[:, None] if np.ndim(y) == 1 else y, 2)
        validate_choice("form", form, FORMS)
        n, O = len(X), problem.teacher.outputs
        if X.shape != (n, problem.inputs) or n == 0:
            raise ProblemError(f"`X` has shape {X.shape}, but must have shape (n, {problem.inputs}), n ≥ 1.")
        if Y.shape != (n, O):
            raise ProblemError(f"`y` has shape {Y.shape}, but {n} samples with {O} outputs need ({n}, {O}).")
        reduction = _reduce(problem, X)
        if reduction.basis is not None:
            X = X @ reduction.basis
        mean = None
        if problem.activation.uses_variance:
            mean = np.eye(X.shape[1]) if problem.covariance is None else reduction.problem.covariance
        self.sample_loss: Population
        phi = problem.activation
        if phi.trace_coupling is None:
            if form == "moments":
                raise ProblemError(
                    f"`form` is 'moments', but `activation` is {phi.name!r}: moments hold quadratic and centred units."
                )
            self.form, self.sample_loss = (
                "samples",
                UnitSampleLoss(X, Y, lambda z: phi.phi(z, None), phi.derivative),
            )
        else:
            self.form = _cheaper(X, Y, problem.student.hidden) if form == "auto" else form
            loss = MomentLoss.from_samples if self.form == "moments" else SampleLoss
            self.sample_loss = loss(X, Y, mean)
        self._start(problem, reduction, problem.with_decay(self.sample_loss))

    def switching(self, atol: float) -> None:
        """None: where a kinked unit vanishes the samples pull at it, not the population."""
        return

    def train_loss(self, trajectory: Trajectory) -> Array:
        """Loss on the data along a trajectory of this flow, (T,)."""
        states = zip(trajectory.coordinates, trajectory.A, strict=True)
        return np.array([self.sample_loss.loss(W, A) for W, A in states])


def _reduce(problem: Problem, X: Array) -> Reduction:
    """The problem in the span of samples, weights and teacher, where that is smaller."""
    teacher, student = problem.teacher, problem.student
    stays = not problem.activation.uses_variance or problem.covariance is None  # or Σw_k would leave the span
    if len(teacher.V) + len(student.W) + len(X) >= problem.inputs or not stays:
        return Reduction(problem, None)
    Q = np.linalg.qr(np.concatenate([teacher.V, student.W, X]).T)[0]
    covariance = None if problem.covariance is None else Q.T @ problem.covariance @ Q
    small = replace(
        problem,
        teacher=replace(teacher, V=teacher.V @ Q),
        student=replace(student, W=student.W @ Q),
        covariance=covariance,
    )
    return Reduction(small, Q)


def _cheaper(X: Array, Y: Array, K: int) -> str:
    """The form with fewer multiplications in a typical integration."""
    (n, d), O = X.shape, Y.shape[1]
    p = d * (d + 1) // 2
    moments = n * p**2 + EVALUATIONS * O * (min(n, p + O) * p + K * d**2)
    return "moments" if moments < EVALUATIONS * n * K * (d + O) else "samples"
