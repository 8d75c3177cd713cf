"""Exact reduction of a problem to the subspace that the weights can ever reach.

For Gaussian inputs every ẇ_k is a combination of the rows of WΣ and VΣ. Hence the smallest subspace that contains all
w_k(0) and v_m and that Σ maps into itself is invariant, and in an orthonormal basis Q of it the problem has the same
form with r = dim Q inputs. For Σ = I this is span{w_k(0), v_m}, r ≤ K + R, found by one QR factorisation (derived
here; theory: "exact reductions", span reduction). Other laws of the inputs say themselves what they leave invariant.

The basis begins with the teacher's directions: the teacher then is zero beyond its first columns, and axes where its
directions are orthogonal (see `dynamics.population.directions`). Quadratic units know no more of a teacher of one
output than its matrix M*, so that its eigenvectors take the place of directions that are not. Where nothing is
reduced, large problems are turned into such a basis alone if that makes their slope cheaper.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dynamics.covariance import range_basis
from dynamics.inputs.moments import is_form
from dynamics.matrices import EPS, axes_of
from dynamics.population.ways import cheapest
from dynamics.problem import Problem, Teacher

ROUNDING = 16 * EPS  # of the length of a direction, times √d: what is below is no part of it
WORTH_A_TURN = (
    100_000  # multiplications of one evaluation that a rotation alone has to save, and a third of all
)


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

    @property
    def smaller(self) -> bool:
        """Whether there are fewer inputs, and not just others."""
        return self.basis is not None and self.basis.shape[1] < self.basis.shape[0]

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
    """Span reduction; returns the problem itself where it would not make it smaller, or its slope much cheaper."""
    teacher, W, d = orthogonal_teacher(problem), problem.student.W, problem.inputs
    if len(teacher.V) + len(W) >= d:
        return _turned(problem, teacher)
    # Teacher first: axis-parallel directions then stay axis-parallel, to the last bit.
    Q = problem.law.closure(problem, np.concatenate([teacher.V, W]))
    if Q is None or Q.shape[1] == d:
        return _turned(problem, teacher)
    return restricted(problem, Q, _without_rounding(teacher, Q))


def orthogonal_teacher(problem: Problem) -> Teacher:
    """The teacher; one with orthogonal directions if there is one that is the same to the student."""
    teacher = problem.teacher
    if len(teacher.B) > 1 or problem.law.clock is None or not is_form(problem) or _orthogonal(teacher.V):
        return teacher
    values, vectors = teacher.eigen[0]
    return Teacher(vectors, values, teacher.notes)


def _orthogonal(V: NDArray[np.float64]) -> bool:
    """Whether rows are orthogonal, up to rounding."""
    if axes_of(V) is not None:
        return True
    if len(V) > V.shape[1]:
        return False
    G = V @ V.T
    size = np.sqrt(G.diagonal())
    G[np.diag_indices_from(G)] = 0.0
    return bool((np.abs(G) <= ROUNDING * np.sqrt(V.shape[1]) * np.outer(size, size)).all())


def _without_rounding(teacher: Teacher, Q: NDArray[np.float64]) -> Teacher:
    """A teacher in the basis Q (d, r), where zeros are zeros and not what rounding made of them."""
    on_axes = axes_of(teacher.V)
    if on_axes is not None:
        return replace(teacher, V=on_axes[1][:, None] * Q[on_axes[0]])
    V = teacher.V @ Q
    size = np.linalg.norm(V, axis=1, keepdims=True)
    return replace(teacher, V=np.where(np.abs(V) > ROUNDING * np.sqrt(len(Q)) * size, V, 0.0))


def _turned(problem: Problem, teacher: Teacher) -> Reduction:
    """The problem in a basis of all inputs that begins with the teacher's directions; itself if that is no use."""
    same = Reduction(problem, None)
    K, O, d = problem.student.hidden, problem.student.outputs, problem.inputs
    if not is_form(problem) or problem.law.clock is None or problem.covariance is not None:
        return same
    ways = () if K * d**2 < WORTH_A_TURN else problem.population.ways(K, O, True)
    if not ways or len(teacher.V) > d:
        return same
    Q = np.asarray(np.linalg.qr(teacher.V.T, mode="complete")[0])
    turned = restricted(problem, Q, _without_rounding(teacher, Q))
    now, then = (cheapest(each).cost for each in (ways, turned.problem.population.ways(K, O, True)))
    return turned if now - then > max(WORTH_A_TURN, now / 3) else same


def restricted(problem: Problem, Q: NDArray[np.float64], teacher: Teacher | None = None) -> Reduction:
    """The problem in an orthonormal basis Q (d, r) of a subspace that it stays in.

    The `teacher` in that basis may be given.
    """
    Sigma = problem.covariance
    reduced = replace(
        problem,
        teacher=replace(problem.teacher, V=problem.teacher.V @ Q) if teacher is None else teacher,
        student=replace(problem.student, W=problem.student.W @ Q),
        covariance=None if Sigma is None else Q.T @ Sigma @ Q,
        distribution=problem.distribution.within(Q),
        data=None if problem.data is None else problem.data.within(Q),
    )
    return Reduction(reduced, Q)
