"""Exact reduction of a problem to the subspace that the weights can ever reach.

For Gaussian inputs every ẇ_k is a combination of the rows of WΣ and VΣ. Hence the smallest subspace that contains all
w_k(0) and v_m and that Σ maps into itself is invariant, and in an orthonormal basis Q of it the problem has the same
form with r = dim Q inputs. For Σ = I this is span{w_k(0), v_m}, r ≤ K + R, found by one QR factorisation (derived
here; theory: "exact reductions", span reduction). Other laws of the inputs say themselves what they leave invariant.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dynamics.covariance import range_basis
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
    `dynamics.covariance`). Invariants c_k = ‖w_k‖² − h‖A_k‖², which bound what a unit can do, are those of these
    components.
    """
    Sigma = problem.covariance
    basis = None if Sigma is None else range_basis(Sigma)
    if basis is None or problem.law.clock is None:
        return problem
    return restricted(problem, basis).problem


def reduce_problem(problem: Problem) -> Reduction:
    """Span reduction; returns the problem itself where it would not make it smaller."""
    V, W, d = problem.teacher.V, problem.student.W, problem.inputs
    if len(V) + len(W) >= d:
        return Reduction(problem, None)
    # Teacher first: axis-parallel directions then stay axis-parallel, to the last bit.
    Q = problem.law.closure(problem, np.concatenate([V, W]))
    return Reduction(problem, None) if Q is None or Q.shape[1] == d else restricted(problem, Q)


def restricted(problem: Problem, Q: NDArray[np.float64]) -> Reduction:
    """The problem in an orthonormal basis Q (d, r) of a subspace that it stays in."""
    Sigma = problem.covariance
    reduced = replace(
        problem,
        teacher=replace(problem.teacher, V=problem.teacher.V @ Q),
        student=replace(problem.student, W=problem.student.W @ Q),
        covariance=None if Sigma is None else Q.T @ Sigma @ Q,
        distribution=problem.distribution.within(Q),
        data=None if problem.data is None else problem.data.within(Q),
    )
    return Reduction(reduced, Q)
