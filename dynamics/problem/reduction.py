"""Exact reduction of a problem to the subspace that the weights can ever reach.

Every ẇ_k is a combination of the rows of WΣ and VΣ. Hence the smallest subspace that contains all w_k(0) and
v_m and that Σ maps into itself is invariant, and in an orthonormal basis Q of it the problem has the same
form with r = dim Q inputs. For Σ = I this is span{w_k(0), v_m}, r ≤ K + R, found by one QR factorisation
(derived here; theory: "exact reductions", span reduction).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dynamics.inputs.covariance import range_basis
from dynamics.problem import Problem


@dataclass(frozen=True, eq=False)
class Reduction:
    """A problem in r ≤ d inputs that is equivalent to one in d inputs.

    Parameters
    ----------
    problem : Problem
        The reduced problem.
    basis : (d, r) array or None
        Orthonormal columns; a row w of the full problem is ``basis @ w_reduced``. None: nothing was reduced.
    """

    problem: Problem
    basis: NDArray[np.float64] | None

    @property
    def dimension(self) -> int:
        """Number r of inputs of the reduced problem."""
        return self.problem.inputs

    def lift(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rows (…, r) of the reduced problem as rows (…, d) of the full one."""
        return X if self.basis is None else X @ self.basis.T


def in_range(problem: Problem) -> Problem:
    """The problem itself; for a singular covariance the equivalent one in the r inputs of its range.

    The weights are their components in the range: those outside it have no effect and do not move (see
    `dynamics.inputs.covariance`). Invariants c_k = ‖w_k‖² − h‖A_k‖², which bound what a unit can do, are those of these
    components.
    """
    Sigma = problem.covariance
    basis = None if Sigma is None else range_basis(Sigma)
    if Sigma is None or basis is None:
        return problem
    return replace(
        problem,
        teacher=replace(problem.teacher, V=problem.teacher.V @ basis),
        student=replace(problem.student, W=problem.student.W @ basis),
        covariance=basis.T @ Sigma @ basis,
    )


def reduce_problem(problem: Problem) -> Reduction:
    """Span reduction; returns the problem itself where it would not make it smaller."""
    V, W, d = problem.teacher.V, problem.student.W, problem.inputs
    if len(V) + len(W) >= d:
        return Reduction(problem, None)
    # Teacher first: axis-parallel directions then stay axis-parallel, to the last bit.
    Q = np.linalg.qr(np.concatenate([V, W]).T)[0]  # (d, R + K)
    covariance = problem.covariance
    if covariance is not None:
        Q = _krylov_closure(Q, covariance)
        if Q.shape[1] == d:
            return Reduction(problem, None)
        covariance = Q.T @ covariance @ Q
    reduced = replace(
        problem,
        teacher=replace(problem.teacher, V=V @ Q),
        student=replace(problem.student, W=W @ Q),
        covariance=covariance,
    )
    return Reduction(reduced, Q)


def _krylov_closure(Q: NDArray[np.float64], Sigma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal basis of the smallest Σ-invariant subspace that contains the columns of Q."""
    tolerance = 1e-12 * np.linalg.norm(Sigma, 2)
    new = Q
    while new.shape[1] and Q.shape[1] < len(Sigma):
        image = Sigma @ new
        for _ in range(2):  # twice is enough for orthogonality to rounding
            image -= Q @ (Q.T @ image)
        directions, sizes, _ = np.linalg.svd(image, full_matrices=False)
        new = directions[:, sizes > tolerance]
        Q = np.hstack([Q, new])
    return Q
