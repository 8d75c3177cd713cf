"""Gradient flow on a given data set, exactly: what full-batch training becomes as its step goes to zero."""

from time import perf_counter

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.curves.trajectory import Trajectory
from dynamics.errors import ProblemError
from dynamics.flows.gradient import GradientFlow
from dynamics.inputs.subspaces import basis_of
from dynamics.population.base import Population
from dynamics.population.on_samples import FORMS, any_sample_loss, cheaper_form, sample_loss
from dynamics.problem import Problem
from dynamics.problem.reduction import Reduction, restricted
from dynamics.problem.scope import require
from dynamics.validation import validate_array, validate_choice


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
        Labels, with whatever noise they carry; of classes 0 and 1.
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
        start = perf_counter()
        require("data flow", problem)
        X = validate_array("X", X, 2)
        Y = validate_array("y", np.asarray(y)[:, None] if np.ndim(y) == 1 else y, 2)
        validate_choice("form", form, FORMS)
        n, O = len(X), problem.teacher.outputs
        if X.shape != (n, problem.inputs) or n == 0:
            raise ProblemError(f"`X` has shape {X.shape}, but must have shape (n, {problem.inputs}), n ≥ 1.")
        if Y.shape != (n, O):
            raise ProblemError(f"`y` has shape {Y.shape}, but {n} samples with {O} outputs need ({n}, {O}).")
        self._data, self._reduces = (X, Y, form), True
        reduction = _reduce(problem, X)
        if reduction.basis is not None:
            X = X @ reduction.basis
        self.form = form
        self.sample_loss = self._loss_on(reduction.problem, X, Y)
        self._start(problem, reduction, problem.with_decay(self.sample_loss))
        self.setup_seconds = perf_counter() - start

    def _loss_on(self, problem: Problem, X: Array, Y: Array) -> Population:
        """The loss on the data, in the form that was asked for or else costs least; of other losses through samples."""
        phi, hidden = problem.activation, problem.student.hidden
        if not problem.loss.is_square:
            if self.form == "moments":
                raise ProblemError(
                    f"`form` is 'moments', but `loss` is {problem.loss.name!r}: moments hold the square loss."
                )
            self.form = "samples"
            return any_sample_loss(X, Y, problem.loss, phi, problem.variance, problem.bias)
        if self.form == "auto":
            moments = phi.trace_coupling is not None
            self.form = cheaper_form(X, Y, hidden) if moments else "samples"
        return sample_loss(X, Y, phi, problem.variance, hidden, self.form)

    def _of(self, problem: Problem) -> GradientFlow:
        """The same flow of another problem."""
        return FiniteDataFlow(problem, *self._data)

    def switching(self, atol: float) -> None:
        """None: where a kinked unit vanishes the samples pull at it, not the population."""
        return

    def train_loss(self, trajectory: Trajectory) -> Array:
        """Loss on the data along a trajectory of this flow, (T,)."""
        states = zip(trajectory.coordinates, trajectory.second_layer, strict=True)
        return np.array([self.sample_loss.loss(W, A) for W, A in states])


def _reduce(problem: Problem, X: Array) -> Reduction:
    """The problem in the span of samples, weights and teacher, where that is smaller and the law known in it."""
    rows = np.concatenate([problem.teacher.V, problem.student.W, X])
    if len(rows) >= problem.inputs:
        return Reduction(problem, None)
    moves = problem.activation.uses_variance and problem.covariance is not None  # Σw_k would leave the span
    seen = problem.law.projects and not moves
    Q = basis_of(rows) if seen else problem.law.closure(problem, rows)
    return Reduction(problem, None) if Q is None or Q.shape[1] == problem.inputs else restricted(problem, Q)
