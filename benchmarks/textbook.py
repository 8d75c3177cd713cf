"""The flow as one would write it down: d × d matrices, NumPy, no reduction."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dynamics import Problem, Student, Teacher
from dynamics.aliases import Array


def problem_of(d: int, K: int, scale: float = 0.1, eigenvalues: tuple[float, ...] = (4, 2, 1)) -> Problem:
    """Teacher (4, 2, 1) in d inputs, Gaussian start."""
    return Problem(Teacher.from_eigenvalues(eigenvalues, d), Student.initialise(K, d, scale=scale, seed=3))


def start_of(problem: Problem) -> Array:
    """Initial state θ = (W row by row, a)."""
    return np.concatenate([problem.student.W.ravel(), problem.student.a])


def right_hand_side(problem: Problem) -> Callable[[float, Array], Array]:
    """ẇ_k = a_k G w_k, ȧ_k = ½ w_kᵀGw_k with dense D = M* − Σ a_k w_k w_kᵀ and G = 4D + 2 tr(D) I."""
    M = problem.teacher.matrix()
    K, d = problem.student.W.shape

    def rhs(t: float, theta: Array) -> Array:
        W, a = theta[: K * d].reshape(K, d), theta[K * d :]
        D = M - (W.T * a) @ W
        WG = 4 * (W @ D) + 2 * D.trace() * W
        return np.concatenate([(a[:, None] * WG).ravel(), 0.5 * (WG * W).sum(axis=1)])

    return rhs


def single_mode_side(eigenvalue: float) -> Callable[[float, Array], Array]:
    """The same for one unit and one input, ṗ = 6ap(λ − ap²), ȧ = 3p²(λ − ap²): scalars, no matrix operations."""

    def rhs(t: float, theta: Array) -> Array:
        p, a = theta
        g = 3 * p * (eigenvalue - a * p * p)
        return np.array([2 * a * g, p * g])

    return rhs
