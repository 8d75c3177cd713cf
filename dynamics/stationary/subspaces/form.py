"""The loss of a network of one output as a quadratic form in M = Σ_k a_k w_k w_kᵀ, read off the loss itself.

For quadratic and centred units under any law of the inputs, and on any data set (derived here),

    L(M) = ½⟨M, C[M]⟩ − ⟨B, M⟩ + L(0),   G(M) = −2∂L/∂M = 2(B − C[M]),

C the fourth moment of the inputs (of centred units: the covariance of their products), B = C[M*] under a teacher and
E y xxᵀ with labels y. Here C is written out, as a matrix on svec(M), of size d(d + 1)/2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.errors import ProblemError
from dynamics.population.triangles import smat, svec
from dynamics.problem import Problem

SIZES = 120  # sizes of M are sought between 10^−120 and 10^120
SINGULAR = 1e-9  # smallest over largest eigenvalue of C below which M is not determined


@dataclass(frozen=True, eq=False)
class FormLoss:
    """L(M).

    Parameters
    ----------
    C : (p, p) array
        On svec(M), p = d(d + 1)/2.
    B : (p,) array
        svec of B.
    at_zero : float
        L(0).
    """

    C: Array
    B: Array
    at_zero: float

    @classmethod
    def of(cls, problem: Problem) -> FormLoss:
        """The loss of a problem, from its force G(M) at M = 0 and at a basis of all M.

        Raises
        ------
        ProblemError
            If the loss is no such form, or so many inputs need more memory than there is.
        """
        forms, d = problem.population.forms, problem.inputs
        if forms is None or problem.student.outputs > 1:
            raise ProblemError(
                f"`activation` is {problem.activation.name!r} with {problem.student.outputs} outputs, but critical"
                " subspaces are those of quadratic and centred networks of one output."
            )
        p = d * (d + 1) // 2
        check_memory(f"The fourth moment of {d} inputs", 5 * 8 * p**2, "use fewer inputs")
        axes = np.eye(d)
        B = svec(forms.force(axes, np.zeros((1, d)))[0]) / 2
        size = _probe(lambda s: B - svec(forms.force(axes, np.full((1, d), s))[0]) / 2, B)
        C = np.empty((p, p))
        for n, (i, j) in enumerate(zip(*np.triu_indices(d), strict=True)):
            if i == j:
                W, a = axes[[i]], np.ones(1)
            else:  # (e_i e_jᵀ + e_j e_iᵀ)/√2
                W, a = np.stack([axes[i] + axes[j], axes[i] - axes[j]]), np.array([1.0, -1.0]) / np.sqrt(8)
            C[n] = (B - svec(forms.force(W, size * a[None])[0]) / 2) / size
        at_zero = problem.population.loss(np.zeros((1, d)), np.zeros((1, 1)))
        return cls((C + C.T) / 2, B, at_zero)

    @cached_property
    def inputs(self) -> int:
        """d."""
        return int((np.sqrt(8 * len(self.B) + 1) - 1) / 2)

    @cached_property
    def spectrum(self) -> Array:
        """Eigenvalues of C, ascending."""
        return np.asarray(np.linalg.eigvalsh(self.C))

    @property
    def definite(self) -> bool:
        """Whether C determines M: no form M ≠ 0 vanishes on all inputs."""
        return bool(self.spectrum[0] > SINGULAR * self.spectrum[-1])

    @property
    def scale(self) -> float:
        """A typical size of M; 1 where nothing is to be learned."""
        return float(np.linalg.norm(self.B) / self.spectrum[-1]) or 1.0

    @cached_property
    def drop(self) -> float:
        """Twice L(0) − min L, the natural size of L* and its derivatives; 1 where nothing is to be learned."""
        return float(self.B @ np.linalg.solve(self.C, self.B)) or 1.0

    @cached_property
    def best(self) -> Array:
        """The M (d, d) of least loss, of any rank."""
        return smat(np.asarray(np.linalg.solve(self.C, self.B), dtype=float))

    def loss(self, M: Array) -> float:
        """L(M)."""
        m = svec(M)
        return float(0.5 * m @ self.C @ m - self.B @ m + self.at_zero)

    def force(self, M: Array) -> Array:
        """G(M), (d, d)."""
        return 2 * smat(self.B - self.C @ svec(M))


def _probe(learned: Callable[[float], Array], target: Array) -> float:
    """A size of M = sI at which C[M] is about as large as B, so that neither is lost in their difference."""
    if not target.any():
        return 1.0
    for decade in range(-SIZES, SIZES):
        if np.linalg.norm(learned(10.0**decade)) >= np.linalg.norm(target):
            return float(10.0**decade)
    return 1.0
