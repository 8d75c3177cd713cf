"""Exact reduction of quadratic networks with more units than inputs, all with one fixed second-layer value.

With the polar decomposition W₀ = UX₀, where the columns of U (K, d) are orthonormal, the gradient of a loss of WᵀW at
W = UX is U times that at X: the flow of X, of d units, is that of W, neuron by neuron (derived here). It holds of
gradient flow, and of the flow of gradient descent with a finite step and momentum, on any inputs: f itself is a‖Wx‖²,
less its mean where units are centred, and ‖W‖², which decays, is ‖X‖².
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import polar

from dynamics.aliases import Array
from dynamics.problem.problem import Problem
from dynamics.problem.student import Student


@dataclass(frozen=True, eq=False)
class MergedUnits:
    """A problem with as many units as inputs that stands for one with more.

    Parameters
    ----------
    problem : Problem
        That of X (d, d).
    whole : Problem
        That of W (K, d).
    basis : (K, d) array
        U.
    """

    problem: Problem
    whole: Problem
    basis: Array

    def weights(self, X: Array) -> tuple[Array, Array]:
        """W (…, K, r) and A (…, O, K) of first layers X (…, d, r)."""
        A = self.whole.student.A
        return self.basis @ X, np.broadcast_to(A, (*X.shape[:-2], *A.shape))


def merged_units(problem: Problem) -> MergedUnits | None:
    """The smaller problem; None where there is none."""
    (K, d), A = problem.student.W.shape, problem.student.A
    forms = problem.activation.trace_coupling is not None
    more = problem.constraint or problem.bias.trainable or problem.student.trainable
    if d >= K or not forms or more or np.ptp(A, axis=1).any():
        return None
    U, X = polar(problem.student.W)  # no entry of X is zero by construction, to be filled by rounding
    student = Student(X, A[:, :d], trainable=False, infinite=problem.student.infinite)
    return MergedUnits(replace(problem, student=student), problem, np.asarray(U))
