"""Gaussian inputs with mean zero: the law of which everything is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dynamics.aliases import Array
from dynamics.inputs.base import InputLaw, Source, register
from dynamics.inputs.fourth_moment import FourthMoment, IndependentMoment
from dynamics.inputs.moments import mapped

if TYPE_CHECKING:
    from dynamics.population.base import Population
    from dynamics.problem.problem import Problem


@dataclass(frozen=True)
class Gaussian(InputLaw):
    """x ~ N(0, Σ)."""

    gaussian: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """As on the command line."""
        return "gaussian"

    @property
    def clock(self) -> float:
        """γ = 1."""
        return 1.0

    @property
    def kurtosis(self) -> float:
        """κ = 0."""
        return 0.0

    def knows(self, problem: Problem) -> bool:
        """Always."""
        return True

    @property
    def known(self) -> str:
        """All."""
        return "all activations"

    def loss(self, problem: Problem) -> Population:
        """The population loss."""
        V, B = problem.teacher.V, problem.teacher.B
        return problem.activation.loss(V, B, problem.covariance, problem.teacher_activation)

    def metric(self, problem: Problem, W: Array, A: Array) -> Array:
        """E JᵀJ, with no teacher to be validated."""
        return problem.activation.loss(W, A, problem.covariance).hessian(W, A)

    def fourth_moment(self, covariance: Array | None, inputs: int) -> FourthMoment:
        """C[D] = 2ΣDΣ + tr(DΣ)Σ."""
        return mapped(IndependentMoment(inputs), covariance)

    def closure(self, problem: Problem, rows: Array) -> Array | None:
        """The span itself, made invariant under Σ."""
        return krylov_closure(basis_of(rows), problem.covariance)

    def draw(self, source: Source, count: int, inputs: int) -> Any:
        """Standard normal numbers."""
        return source.normal(count, inputs)


GAUSSIAN = register(Gaussian())


def basis_of(rows: Array) -> Array:
    """Orthonormal columns (d, m) that span m ≤ d rows (m, d), the first of them the first one first."""
    return np.asarray(np.linalg.qr(rows.T)[0])


def krylov_closure(Q: Array, *matrices: Array | None) -> Array:
    """Orthonormal basis of the smallest subspace that contains the columns of Q and that symmetric matrices map into
    itself; None is the identity.
    """
    given = [S for S in matrices if S is not None]
    if not given:
        return Q
    tolerances = [1e-12 * np.linalg.norm(S, 2) for S in given]
    new = Q
    while new.shape[1] and Q.shape[1] < len(Q):
        found = []
        for S, tolerance in zip(given, tolerances, strict=True):
            image = S @ new
            for _ in range(2):  # twice is enough for orthogonality to rounding
                image -= Q @ (Q.T @ image)
            directions, sizes, _ = np.linalg.svd(image, full_matrices=False)
            fresh = directions[:, sizes > tolerance]
            Q = np.hstack([Q, fresh])
            found.append(fresh)
        new = np.hstack(found)
    return Q
