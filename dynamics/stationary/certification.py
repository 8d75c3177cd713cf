"""Proof by interval arithmetic that a stationary point exists near given weights, with the signs of its Hessian.

Stationary points are not isolated, so the null directions have to be fixed first. In the eigenbasis of the
(whitened) teacher put X = 0 for the unlearned modes, exactly; by the reflections e_j → −e_j the gradient vanishes
there in those directions. In the learned modes the gradient is −a_k G y_k and −½ y_kᵀG y_k, so it vanishes if

    G(Y, a) = 4 (diag(λ) − P) + 2τ I = 0,    P = YᵀaY,  τ = tr(M*) − tr P,

r(r+1)/2 equations. They are solved in the slice through the given weights that is spanned by the rows of the
differential of G: a square system with a regular Jacobian. Krawczyk's test proves that it has a zero, and where.
The zero is a stationary point of the full loss, and neither the values μ_i nor the loss of the catalogue are used.

Signs. The test also proves that the differential of P is onto, hence rank Y = r and exactly r(r+1)/2 positive
eigenvalues, the rest zero, in the block (Y, a). The block Q_j = 4 (aYYᵀa − λ̃_j a) of an unlearned mode has the
kernel {Y e_i: λ_i = λ_j}, or {x: Yᵀa x = 0} if λ̃_j = 0, which exact arithmetic on the eigenvalues decides; the signs of
its other eigenvalues are proven (see `dynamics.stationary.hessian` for the blocks).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.problem import Student
from dynamics.stationary import intervals as iv
from dynamics.stationary.certificate import Certificate
from dynamics.stationary.decayed.catalogue import DecayedCatalogue
from dynamics.stationary.decayed.certification import certify_decayed
from dynamics.stationary.listed_points import Catalogue
from dynamics.stationary.points import FixedPoint
from dynamics.stationary.representatives import mode_weights

PRECISION = 128  # bits


def certify(catalogue: Catalogue, precision: int = PRECISION) -> Catalogue:
    """The catalogue with `certified` and `radius` filled in for every feasible point.

    Parameters
    ----------
    catalogue : Catalogue
    precision : int
        Bits of the arithmetic.

    Returns
    -------
    Catalogue

    Raises
    ------
    ProblemError
        If python-flint is not installed.
    """
    _check(catalogue)
    with iv.workprec(precision):
        lam = _Eigenvalues.of(catalogue)

        def proven(point: FixedPoint) -> FixedPoint:
            if not point.feasible:
                return point
            proof = _certify(catalogue, point, None, lam)
            return replace(point, certified=proof.certified, radius=proof.radius)

        return replace(
            catalogue, points=tuple(map(proven, catalogue.points)), origin=proven(catalogue.origin)
        )


def certify_point(
    catalogue: Catalogue, point: FixedPoint, student: Student | None = None, precision: int = PRECISION
) -> Certificate:
    """Certificate of one point of the catalogue, or of a student near it.

    Parameters
    ----------
    catalogue : Catalogue
    point : FixedPoint
    student : Student, optional
        For example a numerical root that belongs to the point, with whichever signs. Default: the aligned
        representative.
    precision : int
        Bits of the arithmetic.

    Returns
    -------
    Certificate
    """
    _check(catalogue)
    with iv.workprec(precision):
        return _certify(catalogue, point, student, _Eigenvalues.of(catalogue))


def _check(catalogue: Catalogue) -> None:
    """Refuse laws of the inputs of which the moments are not those of a Gaussian, and losses that are not square."""
    if not catalogue.distribution.gaussian:
        raise ProblemError(
            f"`distribution` is {catalogue.distribution.name!r}, but existence and signature are proven only for"
            " Gaussian inputs."
        )
    if not catalogue.problem.loss.is_square:
        raise ProblemError(
            f"`loss` is {catalogue.problem.loss.name!r}, but existence and signature are proven by intervals only for"
            " the square loss, whose balance is algebraic."
        )


@dataclass(frozen=True)
class _Eigenvalues:
    """Eigenvalues as exact numbers or balls, descending; the i-th entry stands for `counts[i]` of them."""

    values: tuple[iv.Number, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, catalogue: Catalogue) -> _Eigenvalues:
        values, counts = zip(*iv.eigenvalues(catalogue.teacher, catalogue.covariance), strict=True)
        return cls(values, counts)

    def split(self, modes: tuple[int, ...]) -> tuple[list[iv.Number], list[tuple[iv.Number, int]]]:
        """Eigenvalues of the learned modes, and the others with their counts."""
        entries = np.searchsorted(np.cumsum(self.counts), modes, side="right")
        learned = np.bincount(entries, minlength=len(self.counts))
        rest = [(v, n - int(c)) for v, n, c in zip(self.values, self.counts, learned, strict=True) if n > c]
        return [self.values[i] for i in entries], rest


def _certify(
    catalogue: Catalogue, point: FixedPoint, student: Student | None, lam: _Eigenvalues
) -> Certificate:
    catalogue.require_free("points are proven only without a constraint")
    if catalogue.weight_decay:
        if student is not None:
            raise ProblemError(
                "`student` is given, but with weight decay only points of the catalogue are proven."
            )
        return certify_decayed(
            cast(DecayedCatalogue, catalogue), point, list(zip(lam.values, lam.counts, strict=True))
        )
    a, Y, distance = _coordinates(catalogue, point, student)
    origin = (a == 0) & ~Y.any(axis=1)  # units at the origin: stationary, and a block of zeros in the Hessian
    active = _Active(a[~origin], Y[~origin], *lam.split(point.learned_modes), catalogue)
    solution = active.solve()
    if solution is None:
        return Certificate(False, reason="No zero could be proven near the given weights.")
    a_ball, Y_ball, radius = solution
    if distance:
        radius = float(np.nextafter(np.hypot(radius, distance), np.inf))
    proof = Certificate(False, radius, active.loss(a_ball, Y_ball))
    signs = active.signature(a_ball, Y_ball)
    if signs is None:
        return replace(proof, reason="The signs of the Hessian's eigenvalues could not be proven.")
    index, positive = signs
    total = len(a) * (catalogue.spectrum.inputs + catalogue.trainable)
    proof = replace(proof, index=index, positive=positive, nullity=total - index - positive)
    if student is None and (index, positive) != (point.index, point.positive):
        return replace(proof, reason="The proven signature is not that of the catalogue.")
    return replace(proof, certified=True)


def _coordinates(
    catalogue: Catalogue, point: FixedPoint, student: Student | None
) -> tuple[Array, Array, float]:
    """a (K,), Y (K, r), and the norm of the weights outside the learned modes."""
    if student is None:
        return *mode_weights(catalogue.spectrum, catalogue.second_layer, point), 0.0
    F = catalogue.spectrum.whitening
    U = student.W if F is None else student.W @ F
    E = catalogue.spectrum.eigenvectors(point.learned_modes)
    Y = U @ E.T
    return np.array(student.a), Y, float(np.linalg.norm(U - Y @ E))


class _Active:
    """The units that are not at the origin, on the learned modes.

    Parameters
    ----------
    a, Y : (K,), (K, r) array
        The given weights.
    learned : list of numbers
        Eigenvalues of the learned modes.
    rest : list of (number, count)
        The others.
    catalogue : Catalogue
    """

    def __init__(
        self,
        a: Array,
        Y: Array,
        learned: list[iv.Number],
        rest: list[tuple[iv.Number, int]],
        catalogue: Catalogue,
    ) -> None:
        self.a, self.Y, self.learned, self.rest = a, Y, learned, rest
        self.trainable, self.coupling = catalogue.trainable, int(catalogue.trace_coupling)
        self.T = sum((value * count for value, count in rest), iv.fmpq(0))
        self.K, self.r = Y.shape
        self.pairs = [(i, j) for i in range(self.r) for j in range(i, self.r)]
        # Slice: the rows of the differential of (Y, a) → P, orthonormalised.
        rows = np.array([self._pack(*self._slope(i, j)) for i, j in self.pairs])
        self.slice = np.linalg.qr(rows.T)[0] if self.pairs else np.zeros((0, 0))
        self.x0 = self._pack(Y, a)

    def _pack(self, Y: Array, a: Array) -> Array:
        return np.concatenate([Y.ravel(), a]) if self.trainable else Y.ravel()

    def _slope(self, i: int, j: int) -> tuple[Array, Array]:
        """Derivative of P_ij with respect to Y and a."""
        dY = np.zeros_like(self.Y)
        dY[:, i] += self.a * self.Y[:, j]
        dY[:, j] += self.a * self.Y[:, i]
        return dY, self.Y[:, i] * self.Y[:, j]

    def _unpack(self, x: list[Any]) -> tuple[iv.arb_mat, iv.arb_mat]:
        """Diagonal matrix a (K, K) and Y (K, r) from the entries of a parameter vector."""
        K, r = self.K, self.r
        a = x[K * r :] if self.trainable else list(map(iv.arb, self.a.tolist()))
        diagonal = iv.arb_mat(K, K, [a[k] if k == l else 0 for k in range(K) for l in range(K)])
        return diagonal, iv.arb_mat(K, r, x[: K * r])

    def _point(self, s: iv.arb_mat) -> list[Any]:
        step = iv.mat(self.slice) * s
        return [iv.arb(x) + dx for x, dx in zip(self.x0.tolist(), step.entries(), strict=True)]

    def _G(self, s: iv.arb_mat) -> iv.arb_mat:
        a, Y = self._unpack(self._point(s))
        P = Y.transpose() * a * Y
        tau = self.T + sum((value - P[i, i] for i, value in enumerate(self.learned)), iv.arb(0))
        return self._column(lambda i, j: 4 * ((self.learned[i] if i == j else 0) - P[i, j]), 2 * tau)

    def _dG(self, s: iv.arb_mat) -> iv.arb_mat:
        a, Y = self._unpack(self._point(s))
        Ya = Y.transpose() * a
        columns = []
        for direction in self.slice.T:
            da, dY = self._unpack([iv.arb(x) for x in direction.tolist()])
            half = Ya * dY
            dP = half + half.transpose()
            if self.trainable:
                dP += Y.transpose() * da * Y
            trace = sum((dP[i, i] for i in range(self.r)), iv.arb(0))
            columns.append(self._column(lambda i, j, dP=dP: -4 * dP[i, j], -2 * trace).entries())
        return iv.arb_mat(columns).transpose()

    def _column(self, entry: Any, diagonal: Any) -> iv.arb_mat:
        """Upper triangle of a symmetric matrix plus a multiple of the identity, as a column."""
        shift = self.coupling * diagonal
        return iv.arb_mat(len(self.pairs), 1, [entry(i, j) + (shift if i == j else 0) for i, j in self.pairs])

    def solve(self) -> tuple[iv.arb_mat, iv.arb_mat, float] | None:
        """Balls a (K, K) and Y (K, r) around a true stationary point, and its distance from the given weights."""
        if not self.pairs:
            return *self._unpack([iv.arb(x) for x in self.x0.tolist()]), 0.0
        s = iv.krawczyk(self._G, self._dG, np.zeros(len(self.pairs)))
        if s is None:
            return None
        return *self._unpack(self._point(s)), iv.magnitude(iv.frobenius(iv.mat(self.slice) * s))

    def loss(self, a: iv.arb_mat, Y: iv.arb_mat) -> tuple[float, float]:
        """Bounds on the loss."""
        P = Y.transpose() * a * Y
        D = [[(self.learned[i] if i == j else 0) - P[i, j] for j in range(self.r)] for i in range(self.r)]
        tau = self.T + sum((D[i][i] for i in range(self.r)), iv.arb(0))
        L = sum((x * x for row in D for x in row), iv.arb(0)) + self.coupling * tau * tau / 2
        L += sum((value * value * count for value, count in self.rest), iv.fmpq(0))
        return float(np.nextafter(float(L.lower()), -np.inf)), float(np.nextafter(float(L.upper()), np.inf))

    def signature(self, a: iv.arb_mat, Y: iv.arb_mat) -> tuple[int, int] | None:
        """Proven numbers of negative and positive eigenvalues of the Hessian."""
        index, positive = 0, len(self.pairs)
        if any(iv.sign(a[k, k]) in (0, None) for k in range(self.K)):
            return None
        aY = a * Y
        square = aY * aY.transpose()
        shift = self.coupling * self.T / (self.r + 2)
        for value, count in self.rest:
            tilde = value + shift
            if iv.sign(tilde) == 0:
                kernel = self.K - self.r
            else:
                kernel = sum(iv.sign(value - other) == 0 for other in self.learned)
            signs = iv.inertia(4 * (square - a * iv.arb(tilde)), kernel)
            if signs is None:
                return None
            index += signs[0] * count
            positive += signs[1] * count
        return index, positive
