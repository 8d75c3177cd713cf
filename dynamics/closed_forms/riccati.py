"""A fixed, equal second layer: the flow of WᵀW is a matrix Riccati equation, with an explicit solution.

With a = 1 (any other value a only rescales weights, time and the sign of the teacher) Ẇ = W(4M* + 2τ) − 4WWᵀW. Let
h(t) = ∫₀ᵗ τ and Φ = e^{4M*t + 2h}; then (derived here; matrix Riccati equations: Reid, *Riccati Differential
Equations*, 1972)

    WᵀW(t) = Φ W₀ᵀ [I + 8 W₀ (∫₀ᵗ Φ²) W₀ᵀ]⁻¹ W₀ Φ.

For the centred activation τ is absent, h = 0 and everything is explicit. Otherwise ḣ = tr M* − tr WᵀW and the
r integrals of the eigenvalues of Φ² are r + 1 scalar equations. W itself is determined up to a rotation among the
hidden units, which neither loss nor modes see. Weight decay shifts the teacher to M* − sI (derived here).

The solution is evaluated over windows of time in which Φ² changes by a bounded factor, each started from a factor
of the WᵀW where the last one ended: exact, and free of overflow and cancellation, at a cost proportional to time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dposv as posv

from dynamics.aliases import Array
from dynamics.errors import ComputationError
from dynamics.problem import Problem
from dynamics.problem.merged_units import merged_units
from dynamics.problem.reduction import reduce_problem
from dynamics.problem.scope import require
from dynamics.validation import validate_real, validate_times

LARGEST_EXPONENT = 8.0  # of Φ² within one window


@dataclass(frozen=True, eq=False)
class RiccatiSolution:
    """The flow of M = a WᵀW at its sample times (T of them), in the exactly reduced problem of r inputs.

    Parameters
    ----------
    times : (T,) array
    M : (T, r, r) array
    basis : (d, r) array or None
        M of all inputs is basis @ M @ basisᵀ; None: r = d.
    loss : (T,) array
    """

    times: Array
    M: Array
    basis: Array | None
    loss: Array


def riccati_solution(problem: Problem, times: ArrayLike, rtol: float = 1e-12) -> RiccatiSolution:
    """Solution for a fixed second layer with equal entries, from the closed form.

    Parameters
    ----------
    problem : Problem
        One output, covariance I, second layer fixed and all of its entries equal.
    times : (T,) array
        Increasing, not negative.
    rtol : float
        Relative tolerance of the scalar equations for h and ∫Φ², which only the raw activation needs.

    Returns
    -------
    RiccatiSolution

    Raises
    ------
    ProblemError
        If the problem is not of this kind: the flow is then no Riccati equation.
    ComputationError
        If the solver of the scalar equations fails.
    """
    a = _equal_entry(problem)
    merged = merged_units(problem)
    problem = problem if merged is None else merged.problem
    t = validate_times(times)
    rtol = validate_real("rtol", rtol, positive=True)
    reduction = reduce_problem(problem)
    small = reduction.problem
    lam, E = np.linalg.eigh(np.sign(a) * small.teacher.matrix())
    lam = lam - _shift(problem, abs(a), small.inputs)
    W = np.sqrt(abs(a)) * small.student.W @ E
    coupled = problem.activation.trace_coupling == 1
    population = problem.activation.loss(small.teacher.V, small.teacher.B)
    M, loss, now = [], [], 0.0
    for time in abs(a) * t:
        W, now = _advance(W, lam, time - now, coupled, rtol), time
        lifted = W @ E.T
        M.append(np.sign(a) * lifted.T @ lifted)
        loss.append(population.loss(lifted, np.full((1, len(W)), np.sign(a))))
    return RiccatiSolution(t, np.array(M), reduction.basis, np.array(loss))


def _equal_entry(problem: Problem) -> float:
    """The value a of the second layer, if the problem is one with a Riccati equation."""
    require("closed form", problem)
    return float(problem.student.A[0, 0])


def _shift(problem: Problem, a: float, r: int) -> float:
    """s, where weight decay turns the teacher into M* − sI in the r inputs of the reduced problem.

    A shift of D by −sI changes G = 4D + 2τI by −(4 + 2r)s, or by −4s without the trace: s makes that −ρ_w/a.
    """
    coupling = problem.activation.trace_coupling or 0.0
    return problem.weight_decay.first / a / (4 + 2 * r * coupling)


def _advance(W: Array, lam: Array, duration: float, coupled: bool, rtol: float) -> Array:
    """A factor W (K, r) of WᵀW after some time, in the eigenbasis of M*."""
    while duration > 0:
        tau = lam.sum() - np.sum(W * W) if coupled else 0.0
        rate = 8 * np.abs(lam).max() + 4 * abs(tau)
        window = min(duration, LARGEST_EXPONENT / rate) if rate > 0 else duration
        if coupled:
            h, integral = _scalar_equations(W, lam, window, rtol)
        else:
            h, integral = 0.0, window * _exprel(8 * lam * window)
        W = _propagate(W, 4 * lam * window + 2 * h, integral)
        duration -= window
    return W


def _propagate(W: Array, phi: Array, integral: Array) -> Array:
    """A factor of ΦWᵀ[I + 8W(∫Φ²)Wᵀ]⁻¹WΦ for Φ = diag(e^φ)."""
    L = np.linalg.cholesky(np.eye(len(W)) + 8 * (W * integral) @ W.T)
    return solve_triangular(L, W * np.exp(phi), lower=True)


def _scalar_equations(W: Array, lam: Array, duration: float, rtol: float) -> tuple[float, Array]:
    """h and the diagonal of ∫Φ², from ḣ = tr M* − tr WᵀW(t).

    Time is measured in units of the duration: SciPy's first step from a state of zeros is 1e-6, whatever the unit.
    """
    target, eye, slopes = lam.sum(), np.eye(len(W)), np.empty(1 + len(lam))

    def rates(s: float, y: Array) -> Array:
        phi = 4 * lam * s * duration + 2 * y[0]
        moved = W * np.exp(phi)
        # tr WᵀW(t), and no factor of WᵀW: one call of LAPACK, where those of SciPy and NumPy check their arguments
        _, solved, singular = posv(eye + (8 * duration) * (W * y[1:]) @ W.T, moved)
        if singular:
            raise ComputationError(
                "The scalar equations of the closed form failed: a matrix is not definite."
            )
        slopes[0] = duration * (target - np.vdot(moved, solved))
        slopes[1:] = np.exp(2 * phi)
        return slopes.copy()

    start = np.zeros(1 + len(lam))
    end = solve_ivp(rates, (0.0, 1.0), start, method="DOP853", rtol=rtol, atol=rtol)
    if not end.success:
        raise ComputationError(f"The scalar equations of the closed form failed: {end.message}")
    return float(end.y[0, -1]), duration * end.y[1:, -1]


def _exprel(x: Array) -> Array:
    """(eˣ − 1)/x, 1 at x = 0."""
    return np.where(x == 0, 1.0, np.expm1(x) / np.where(x == 0, 1.0, x))
