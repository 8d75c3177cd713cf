"""Backward differentiation formulas for gradients, whose equations are solved by conjugate gradients: "BDF-CG".

Late in training the steps of explicit methods are limited by the largest eigenvalue of the Hessian, while the solution
hardly moves. Implicit steps are not, and along a gradient their matrix 1 + cH is symmetric, and positive definite
unless the solution grows within a step: so its equations need products of the Hessian with vectors only, a few each,
and neither a dense Jacobian nor its factors.

Steps of equal length h carry the backward differences ∇ʲy [Shampine and Reichelt, The MATLAB ODE suite, SIAM J. Sci.
Comput. 18 (1997) 1, section 2; not consulted]: Σ_{j≤k} (1/j) ∇ʲy_{n+1} = h F(y_{n+1}). With the prediction
p = Σ_{j≤k} ∇ʲy_n and y_{n+1} = p + x that is

    x − c F(p + x) = −ψ,   c = h/γ_k,   γ_k = Σ_{j≤k} 1/j,   ψ = Σ_{j≤k} γ_j ∇ʲy_n / γ_k,   x = ∇^{k+1}y_{n+1},

and the local error of order k is x/(k + 1). Eigenvalues of a symmetric Jacobian are real, where all orders up to 6
are stable.

As of all such methods errors add up to a thousand times the tolerance per step, where the solution turns quickly; by
turns with an explicit method (`dynamics.integration.alternation`) it is given a tenth of it, late in training only.

A product of the Hessian with a vector is a difference of two slopes, good to 1e-8 and half as dear as the exact one;
that is taken where c times the largest eigenvalue is so large that a difference would say nothing about small ones.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cache
from math import comb

import numpy as np

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.integration.conjugate_gradients import Product, ShiftedSystem
from dynamics.integration.contract import FAILED, FINISHED, RUNNING, Curvature, Method, Step, VectorField

HIGHEST = 6  # order
GAMMA = np.append(0.0, np.cumsum(1 / np.arange(1, HIGHEST + 2)))
NEARBY = 1.5e-8  # of the state: how far apart the slopes of a difference are
EXACT = 1e4  # c times the largest eigenvalue from which differences will not do
SOLVED = 0.02  # of the tolerance: what is left of the equations of a step
ITERATIONS = 4  # of Newton's method
MOST_PRODUCTS = 200  # with the Hessian in one of them
SAFETY, LEAST, MOST = 0.9, 0.2, 4.0  # of the factor between steps
WORTHWHILE = 1.2  # factor by which a step grows, or it stays
TOO_SHORT = "the steps become shorter than the spacing of numbers"


def curvature_of(field: VectorField) -> Curvature:
    """The products with the Hessian that a field offers.

    Raises
    ------
    ProblemError
        If it offers none.
    """
    curvature = field.curvature()
    if curvature is None:
        raise ProblemError(
            "The methods with BDF go along gradients with a continuous slope alone, which this flow is not known to do:"
            " choose another one."
        )
    return curvature


class BackwardDifferences:
    """Steps of variable order and length; it keeps the contract of `dynamics.integration.contract.Solver`.

    Parameters
    ----------
    field : VectorField
        Minus a gradient.
    theta0 : (n,) array
    t_bound, rtol, atol : float

    Attributes
    ----------
    nfev : int
        Evaluations of the right-hand side.
    njev : int
        Exact products with the Hessian.

    Raises
    ------
    ProblemError
        If the field is not known to be a gradient.
    """

    def __init__(self, field: VectorField, theta0: Array, t_bound: float, rtol: float, atol: float) -> None:
        self.t_bound, self.rtol, self.atol = t_bound, rtol, atol
        self._write, self._curvature = field.in_place(), curvature_of(field)
        self._system = ShiftedSystem(theta0.size)
        self.nfev = self.njev = 0
        self._D = np.zeros((HIGHEST + 3, theta0.size))
        self._slope, self._scale, self._start, self._near, self._there = np.empty((5, theta0.size))
        self.restart(0.0, theta0)

    def restart(self, t: float, y: Array) -> None:
        """Go on from another time and state, with steps of order 1."""
        self.t = self.t_old = t
        self.y = y.copy()
        self._recent: deque[tuple[float, Array]] = deque([(t, self.y)], HIGHEST + 1)
        self.status = RUNNING if t < self.t_bound else FINISHED
        self.order, self._equal, self._h = 1, 0, 0.0
        self._D[:] = 0.0
        self._D[0] = self.y

    def resume(self, step: Step) -> None:
        """Go on from the end of a step of another solver, by its solution: at once with the highest order."""
        k, h = HIGHEST, (step.t - step.t_old) / HIGHEST
        times = [step.t - i * h for i in range(k)] + [step.t_old]
        states = [step(t) for t in times]
        self.restart(step.t, states[0])
        self._recent.extendleft(zip(times[1:], states[1:], strict=True))
        self._D[: k + 1] = _differences(k) @ np.stack(states)
        self.order, self._h = k, h

    def step(self) -> str:
        """One step; the reason if it failed."""
        if self._h == 0:
            self._begin()
        t, shortest = self.t, 10 * float(np.spacing(self.t))
        while True:
            if self._h < shortest:
                self.status = FAILED
                return TOO_SHORT
            if t + self._h > self.t_bound:
                self._change(max((self.t_bound - t) / self._h, 1e-300))
            end = self.t_bound if self.t_bound - t - self._h < 0.5 * shortest else t + self._h
            x = self._solve(end)
            if x is None:
                self._change(0.25)
                continue
            error = self._size(x) / (self.order + 1)
            if error <= 1:
                break
            self._change(max(LEAST, SAFETY * error ** (-1 / (self.order + 1))))
        self._accept(end, x, error)
        return ""

    def within_step(self) -> Polynomial:
        """The solution within the last step, by the steps before it."""
        count = min(self.order, len(self._recent) - 1) + 1
        return Polynomial(self.t_old, self.t, tuple(self._recent)[-count:])

    # --- A step ---------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """First slope, and the step whose second-order term is a tenth of the tolerance."""
        y, F, ahead = self.y, self._slope, self.t_bound - self.t
        self._evaluate(self.t, y, F)
        np.multiply(np.abs(y), self.rtol, out=self._scale)
        self._scale += self.atol
        bend = self._size(self._exact(y)(F))  # ÿ = −HF
        h = min((0.2 / bend) ** 0.5 if bend > 0 else ahead, ahead)
        self._h = max(h, float(np.finfo(float).tiny))
        self._D[1] = self._h * F

    def _solve(self, end: float) -> Array | None:
        """x of the step to a time; None where Newton's method does not find it."""
        k, D = self.order, self._D
        p = D[: k + 1].sum(axis=0)
        psi = (GAMMA[1 : k + 1] / GAMMA[k]) @ D[1 : k + 1]
        c, F, near = self._h / GAMMA[k], self._slope, self._system.stiffness < EXACT
        np.multiply(np.abs(p), self.rtol, out=self._scale)
        self._scale += self.atol
        self._evaluate(end, p, F)
        product = self._difference(end, p) if near else self._exact(p)
        weights, x, before = 1 / self._scale, np.zeros_like(p), np.inf
        for iteration in range(ITERATIONS):
            if iteration:
                self._evaluate(end, p + x, F)
            move = self._system.solve(product, c, c * F - psi - x, weights, SOLVED, MOST_PRODUCTS)
            if move is None:
                return None
            x += move
            # what is left is quadratic in the move: as large, against it, as that against the state
            size = self._size(move)
            bent = self._system.stiffness * float(np.linalg.norm(move)) / float(np.linalg.norm(p) or 1.0)
            if not size < before:
                return None
            if min(bent, 1.0) * size <= SOLVED or size <= SOLVED:
                return x
            before = size
        return None

    def _evaluate(self, t: float, y: Array, out: Array) -> None:
        self._write(t, y, out)
        self.nfev += 1

    def _exact(self, y: Array) -> Product:
        """The Hessian at a state."""

        def product(v: Array) -> Array:
            self.njev += 1
            return self._curvature(y, v)

        return product

    def _difference(self, t: float, y: Array) -> Product:
        """The same by a difference to the slope that was computed last."""
        start, near, there = self._start, self._near, self._there
        start[:], distance = self._slope, NEARBY * (float(np.linalg.norm(y)) or 1.0)

        def product(v: Array) -> Array:
            step = distance / float(np.linalg.norm(v))
            np.multiply(step, v, out=near)
            np.add(near, y, out=near)
            self._evaluate(t, near, there)
            np.subtract(start, there, out=there)
            return np.divide(there, step, out=there)

        return product

    def _accept(self, end: float, x: Array, error: float) -> None:
        """Move on by x, and choose order and length of the next step after enough of equal length."""
        k, D = self.order, self._D
        D[k + 2] = x - D[k + 1]
        D[k + 1] = x
        for j in range(k, -1, -1):
            D[j] += D[j + 1]
        self.t_old, self.t, self.y = self.t, end, D[0].copy()
        self._recent.append((end, self.y))
        if end >= self.t_bound:
            self.status = FINISHED
        self._equal += 1
        if self._equal <= k:
            return
        errors = {k: error}
        if k > 1:
            errors[k - 1] = self._size(D[k]) / k
        if k < HIGHEST:
            errors[k + 1] = self._size(D[k + 2]) / (k + 2)
        factors = {q: e ** (-1 / (q + 1)) if e > 0 else MOST for q, e in errors.items()}
        best = max(factors, key=factors.__getitem__)
        factor = min(MOST, SAFETY * factors[best])
        if best != k or factor >= WORTHWHILE or factor < SAFETY:
            self.order = best
            self._change(factor)

    def _change(self, factor: float) -> None:
        """Make steps longer by a factor."""
        k = self.order
        self._D[: k + 1] = _stretched(k, factor) @ self._D[: k + 1]
        self._h, self._equal = self._h * factor, 0

    def _size(self, x: Array) -> float:
        """Root mean square in units of the tolerance."""
        return float(np.linalg.norm(x / self._scale)) / x.size**0.5


@cache
def _differences(k: int) -> Array:
    """The backward differences ∇⁰ … ∇ᵏ of values at n, n − 1, … n − k: (−1)ⁱ C(j, i), (k + 1, k + 1)."""
    return np.array([[(-1.0) ** i * comb(j, i) for i in range(k + 1)] for j in range(k + 1)])


def _stretched(k: int, factor: float) -> Array:
    """Backward differences for other steps from those for steps of length 1, (k + 1, k + 1).

    The polynomial Σ_j ∇ʲy s(s + 1) … (s + j − 1)/j! through the values is evaluated at s = 0, −f, … −kf.
    """
    s = -factor * np.arange(k + 1)
    j = np.arange(k)
    terms = np.cumprod(np.hstack([np.ones((k + 1, 1)), (s[:, None] + j) / (j + 1)]), axis=1)
    return np.asarray(_differences(k) @ terms)


@dataclass(frozen=True, eq=False)
class Polynomial:
    """The solution within a step: the polynomial through its ends and the states before it."""

    t_old: float
    t: float
    nodes: tuple[tuple[float, Array], ...]

    def __call__(self, t: float) -> Array:
        times = np.array([time for time, _ in self.nodes])
        distances = t - times
        if not distances.all():
            return self.nodes[int(np.flatnonzero(distances == 0)[0])][1]
        apart = times[:, None] - times + np.eye(len(times))
        weights = np.prod(distances) / distances / np.prod(apart, axis=1)
        return np.asarray(weights @ np.stack([state for _, state in self.nodes]))


BDF_CG = Method("BDF-CG", implicit=True, create=BackwardDifferences, matrix_free=True)
