"""Interval arithmetic with Arb balls: existence of zeros, inertia of matrices, eigenvalues of a teacher.

Every function here returns something proven, or None. Balls are python-flint's `arb` [1]_ at the precision of the
caller's context.

References
----------
.. [1] F. Johansson, "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic", IEEE Trans. Computers
   66 (2017) 1281–1292.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.covariance import range_basis
from dynamics.errors import ProblemError
from dynamics.problem import Teacher

try:
    import flint
    from flint import arb, arb_mat, fmpq
except ImportError:
    raise ProblemError(
        "Certification needs python-flint, which is not installed: pip install 'quadflow[certify]'."
    ) from None


Number = Any  # an `arb` ball, or an `fmpq` where the value is known exactly

workprec = flint.ctx.workprec


def mat(A: NDArray) -> arb_mat:
    """Matrix of exact balls, from a float matrix (n, m)."""
    return arb_mat(A.shape[0], A.shape[1], np.asarray(A, dtype=float).ravel().tolist())


def midpoints(A: arb_mat) -> Array:
    """Float midpoints of a matrix of balls."""
    return np.array([[float(x.mid()) for x in row] for row in A.tolist()]).reshape(A.nrows(), A.ncols())


def sign(x: Number) -> int | None:
    """Sign of a number, None if the ball does not decide it."""
    if x == 0:
        return 0
    return 1 if x > 0 else -1 if x < 0 else None


def frobenius(A: arb_mat) -> arb:
    """Upper bound of the Frobenius norm."""
    return sum((x.abs_upper() ** 2 for x in A.entries()), arb(0)).sqrt().abs_upper()


def magnitude(x: arb) -> float:
    """Float upper bound of |x|; 0 only for an exact 0."""
    return 0.0 if x.is_zero() else float(np.nextafter(float(x.abs_upper()), np.inf))


def krawczyk(
    function: Callable[[arb_mat], arb_mat], jacobian: Callable[[arb_mat], arb_mat], x0: Array
) -> arb_mat | None:
    """Box around `x0` that provably contains exactly one zero of a square system, None if the test fails.

    Krawczyk's operator N(X) = x₀ − C f(x₀) + (1 − C f'(X)) (X − x₀) maps a box X into its interior only if f has
    exactly one zero in X, which then lies in N(X), and f'(x) is regular for all x in X (R. Krawczyk, Computing 4
    (1969) 187–201; S. Rump, Acta Numerica 19 (2010), section 13).

    Parameters
    ----------
    function : callable
        Column of balls (n, 1) → column of balls (n, 1).
    jacobian : callable
        Column of balls (n, 1) → (n, n) matrix of balls.
    x0 : (n,) array
    """
    n = len(x0)
    centre = mat(x0[:, None])
    try:
        C = mat(np.linalg.inv(midpoints(jacobian(centre))))
    except np.linalg.LinAlgError:
        return None
    identity = arb_mat(n, n, [int(i == j) for i in range(n) for j in range(n)])
    correction = C * function(centre)
    radius = 2 * max(magnitude(c) for c in correction.entries()) + 1e-30
    for _ in range(20):
        ball = arb_mat(n, 1, [arb(0, radius)] * n)
        image = -correction + (identity - C * jacobian(centre + ball)) * ball
        if all(b.contains_interior(c) for b, c in zip(ball.entries(), image.entries(), strict=True)):
            return centre + image
        radius = 2 * max(magnitude(c) for c in image.entries())
        if not np.isfinite(radius):
            return None
    return None


def inertia(Q: arb_mat, kernel: int) -> tuple[int, int] | None:
    """Numbers of negative and positive eigenvalues of a symmetric matrix whose kernel has dimension ≥ `kernel`.

    Compressed to the n − `kernel` numerical eigenvectors of largest |eigenvalue|, the matrix is almost diagonal, and
    Gershgorin's discs prove the signs. The compression being regular, the matrix has at least as many eigenvalues
    of either sign; together with the known kernel these are all. None if a disc contains zero.
    """
    h, vectors = np.linalg.eigh(midpoints(Q))
    kept = np.argsort(-np.abs(h), kind="stable")[: len(h) - kernel]
    if not len(kept):
        return 0, 0
    T = mat(vectors[:, kept])
    rows = (T.transpose() * Q * T).tolist()
    signs = []
    for i, row in enumerate(rows):
        off_diagonal = sum((abs(x) for j, x in enumerate(row) if j != i), arb(0))
        signs.append(sign(row[i] + arb(0, 1) * off_diagonal.abs_upper()))
    if None in signs or 0 in signs:
        return None
    return signs.count(-1), signs.count(1)


def eigenvalues(teacher: Teacher, covariance: Array | None) -> list[tuple[Number, int]]:
    """Eigenvalues of Σ^{1/2} M* Σ^{1/2} for the floats that define teacher and covariance, descending, with counts.

    Exact rationals for an axis-parallel teacher and Σ = I. Otherwise balls, from n vectors X that span a subspace
    which the matrix A leaves invariant: with X A Xᵀ = Λ + E₁ and X Xᵀ = 1 + E₂ the inequalities of Weyl and Ostrowski
    give λ_i(A|_X) ∈ (Λ_i ± ‖E₁‖)/(1 ± ‖E₂‖). If the R < d directions of the teacher are independent, X = T V spans
    exactly these, and the other d − R eigenvalues are exact zeros; otherwise X spans everything.
    """
    V, b, d = teacher.V, teacher.B[0], teacher.inputs
    axis = np.abs(V).argmax(axis=1)
    if covariance is None and (np.count_nonzero(V, axis=1) == 1).all() and len(set(axis)) == len(V):
        rational = [_fmpq(weight) * _fmpq(v[i]) ** 2 for weight, v, i in zip(b, V, axis, strict=True)]
        return _with_zeros([value for value in rational if value != 0], d)
    if covariance is not None and range_basis(covariance) is not None:
        raise ProblemError(
            "`covariance` is singular, but intervals prove points for positive definite ones only."
        )
    white = mat(V) if covariance is None else mat(V) * _cholesky(covariance)  # (R, d)
    numeric = midpoints(white)
    lam, E = np.linalg.eigh((numeric.T * b) @ numeric)
    n = len(V) if len(V) < d and np.linalg.matrix_rank(numeric) == len(V) else d
    kept = np.argsort(-np.abs(lam), kind="stable")[:n]
    lam, X0 = lam[kept], E.T[kept]
    X = mat(X0) if n == d else mat(X0 @ np.linalg.pinv(numeric)) * white
    XV, B = X * white.transpose(), mat(np.diag(b))
    E1 = frobenius(XV * B * XV.transpose() - mat(np.diag(lam)))
    E2 = frobenius(X * X.transpose() - mat(np.eye(n)))
    return _with_zeros(
        [(value + arb(0, 1) * E1) / (1 + arb(0, 1) * E2) for value in map(arb, lam.tolist())], d
    )


def _fmpq(x: float) -> fmpq:
    return fmpq(*Fraction(float(x)).as_integer_ratio())


def _with_zeros(values: list[Number], d: int) -> list[tuple[Number, int]]:
    """Eigenvalues in descending order, with the exact zeros that complete them to d."""
    pairs = [(value, 1) for value in values]
    if len(values) < d:
        pairs.append((fmpq(0), d - len(values)))
    return sorted(pairs, key=lambda pair: -float(arb(pair[0]).mid()))


def _cholesky(Sigma: Array) -> arb_mat:
    """Lower triangular F with Σ = FFᵀ, as balls."""
    d = len(Sigma)
    F = [[arb(0)] * d for _ in range(d)]
    for i in range(d):
        for j in range(i + 1):
            rest = arb(float(Sigma[i, j])) - sum((F[i][k] * F[j][k] for k in range(j)), arb(0))
            F[i][j] = rest.sqrt() if i == j else rest / F[j][j]
    return arb_mat(F)
