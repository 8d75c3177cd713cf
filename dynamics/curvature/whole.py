"""Second derivatives over all d-dimensional weights, from the problem in the r inputs in which the flow stays.

The weights of a flow stay in a subspace Q of the inputs (`dynamics.problem.reduction`). A displacement u_k of w_k out
of it changes f_o by Σ_k A_ok φ′(z_k) u_k·x + ½ Σ_k A_ok φ″(z_k) (u_k·x)², z_k = w_k·x. If, given the inputs in Q, those
outside have mean zero and a covariance g Σ_⊥, where only the number g depends on the inputs in Q, then the loss changes
by ½ Σ_kl C_kl u_kᵀΣ_⊥u_l with (derived here; r_o is the error f_o − f*_o)

    C_kl = Σ_o A_okA_ol E g φ′(z_k)φ′(z_l) + δ_kl Σ_o A_ok E g r_o φ″(z_k),

and no displacement inside of Q has a part in it: the Hessian falls apart into that of the reduced problem and C ⊗ Σ_⊥.
The same holds of E JᵀJ, without the second term. C is not computed by this formula: in the problem with one more input,
of variance σ, σC is the block of that input. Eigenvalues outside thus are those of this block times σ_j/σ for each
eigenvalue σ_j of Σ_⊥, which for uncorrelated inputs means: K eigenvalues, each d − r times.

Gaussian inputs, laws that rotations leave as they are, and independent coordinates are of this kind, and data, of which
nothing is outside. Of clusters that differ in their covariances it is not true: there all d inputs are looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.curves.trajectory import Trajectory
from dynamics.errors import ComputationError, ProblemError
from dynamics.population.biased import unit_weights
from dynamics.problem import Problem
from dynamics.problem.reduction import restricted
from dynamics.problem.scope import require


@dataclass(frozen=True, eq=False)
class Whole:
    """A problem of which second derivatives tell those over all weights.

    Parameters
    ----------
    problem : Problem
        In r + 1 inputs, the last of which stands for all outside; in all d inputs where nothing is left out.
    basis : (d, r) array or None
        Lifts the coordinates of a trajectory where they have to be; None: they are inputs of the problem already.
    ratios : (m,) array
        Different variances outside, over that of the last input; empty where nothing is left out.
    multiplicities : (m,) integer array
        How many inputs have them.
    """

    problem: Problem
    basis: Array | None
    ratios: Array
    multiplicities: NDArray[np.int64]

    @classmethod
    def of(cls, trajectory: Trajectory) -> Whole:
        """That of a trajectory in its reduced coordinates.

        Raises
        ------
        ProblemError
            If the curve has no weights of the problem, such as that of the mean of SGD, or is a limit of networks.
        """
        if getattr(trajectory, "coordinates", None) is None:
            raise ProblemError(
                f"This curve, of the kind {trajectory.KIND!r}, has no weights of the problem, of which second"
                " derivatives are taken: give a `Trajectory`."
            )
        require("second derivatives", trajectory.problem)
        problem, basis = _with_one_outside(trajectory.problem, trajectory.basis)
        nothing = np.empty(0), np.empty(0, dtype=np.int64)
        if basis is None:
            return cls(problem, None, *nothing)
        outside = _outside(problem, basis)
        if outside is None:
            return cls(problem, basis, *nothing)
        further, ratios, multiplicities = outside
        extended = restricted(problem, np.column_stack([basis, further])).problem
        return cls(extended, None, ratios, multiplicities)

    def weights(self, coordinates: Array) -> Array:
        """First-layer weights (K, inputs of the problem) from coordinates (K, r) of the trajectory."""
        if self.basis is not None:
            return coordinates @ self.basis.T
        return np.pad(coordinates, ((0, 0), (0, 1))) if self.ratios.size else coordinates

    @cached_property
    def unknowns(self) -> int:
        """Trained weights n of the problem."""
        student = self.problem.student
        return student.W.size + self.problem.second_layer.size * student.trainable

    @cached_property
    def outer(self) -> NDArray[np.intp]:
        """Where in θ the weights of the last input are, (K,); none where nothing is left out."""
        (K, inputs), left_out = self.problem.student.W.shape, self.ratios.size > 0
        return np.arange(K * left_out) * inputs + inputs - 1

    @cached_property
    def inner(self) -> NDArray[np.intp]:
        """Where the others are."""
        return np.setdiff1d(np.arange(self.unknowns), self.outer)

    @cached_property
    def rates(self) -> Array:
        """Rates of the weight decay of all trained weights, (n,)."""
        student, decay = self.problem.student, self.problem.weight_decay
        second = np.zeros(self.problem.second_layer.shape)  # a bias does not decay
        unit_weights(student.W, second)[...] = decay.second
        return np.append(np.full(student.W.size, decay.first), second)[: self.unknowns]

    def spread(self, block: Array) -> tuple[Array, NDArray[np.int64]]:
        """Eigenvalues outside and how often each occurs, from the block (K, K) of the last input."""
        values = np.multiply.outer(np.linalg.eigvalsh(block), self.ratios)
        return values.ravel(), np.broadcast_to(self.multiplicities, values.shape).ravel()

    def eigenvalues(self, matrix: Array, rates: Array | float = 0.0) -> tuple[Array, NDArray[np.int64]]:
        """All eigenvalues and how often each occurs, descending, of a matrix (n, n) of second derivatives.

        The `rates` (n,) are added to its diagonal.

        Raises
        ------
        ComputationError
            If the matrix is not finite.
        """
        if not np.isfinite(matrix).all():
            raise ComputationError("Second derivatives overflow: the weights are too large.")
        rates = np.broadcast_to(rates, (self.unknowns,))
        inside = np.linalg.eigvalsh(matrix[np.ix_(self.inner, self.inner)] + np.diag(rates[self.inner]))
        outside, multiplicities = self.spread(matrix[np.ix_(self.outer, self.outer)])
        # first-layer weights all decay alike
        values = np.append(inside, outside + rates[0])
        order = np.argsort(-values, kind="stable")
        return values[order], np.append(np.ones_like(self.inner), multiplicities)[order]

    def block(self, product: Callable[[Array], Array]) -> Array:
        """Block (K, K) of the last input, from products of the matrix with vectors (n,)."""
        directions = np.zeros((len(self.outer), self.unknowns))
        directions[np.arange(len(self.outer)), self.outer] = 1.0
        return np.reshape([product(v)[self.outer] for v in directions], (len(self.outer),) * 2)


def _with_one_outside(problem: Problem, basis: Array | None) -> tuple[Problem, Array | None]:
    """The problem, with one of the inputs that are not stored if there are any, and the basis to that."""
    if problem.dimension is None:
        return problem, basis
    n = problem.inputs
    more = replace(problem, teacher=problem.teacher.padded(n + 1), student=problem.student.padded(n + 1))
    return more, np.eye(n + 1, n) if basis is None else np.pad(basis, ((0, 1), (0, 0)))


def _outside(problem: Problem, Q: Array) -> tuple[Array, Array, NDArray[np.int64]] | None:
    """A direction (d,) outside of Q (d, r), and the variances there over its own; None where they do not say it all."""
    d, r = problem.all_inputs, Q.shape[1]
    if not problem.law.uniform_outside:
        return None
    if problem.covariance is None:
        return _further(Q), np.ones(1), np.array([d - r])
    if not problem.law.projects:
        return None
    rest = np.linalg.qr(Q, mode="complete")[0][:, r:]
    variances, vectors = np.linalg.eigh(rest.T @ problem.covariance @ rest)
    largest = variances[-1]
    # in the range of Σ nothing may be left
    ratios = variances / largest if largest > 0 else np.ones_like(variances)
    return rest @ vectors[:, -1], ratios, np.ones(d - r, dtype=np.int64)


def _further(Q: Array) -> Array:
    """Unit vector outside of the columns of Q, on an axis if one is."""
    axis = int(np.argmin(np.sum(Q * Q, axis=1)))
    e = np.zeros(len(Q))
    e[axis] = 1.0
    for _ in range(2):  # twice is enough for orthogonality to rounding
        e -= Q @ (Q.T @ e)
    return np.asarray(e / np.linalg.norm(e))
