"""The flow as one would write it down: d × d matrices, NumPy, no reduction."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.formulations import TEXTBOOK, dense, state
from dynamics import Problem, Student, Teacher
from dynamics.aliases import Array


def problem_of(d: int, K: int, scale: float = 0.1, eigenvalues: tuple[float, ...] = (4, 2, 1)) -> Problem:
    """Diagonal teacher in d inputs, Gaussian start."""
    return Problem(Teacher.from_eigenvalues(eigenvalues, d), Student.initialise(K, d, scale=scale, seed=3))


def problem_of_outputs(d: int, K: int, R: int, O: int, scale: float = 0.1) -> Problem:
    """A random teacher of R directions and O outputs, of the size of one output; Gaussian start."""
    rng = np.random.default_rng(0)
    V = rng.standard_normal((R, d)) / np.sqrt(d)
    B = rng.standard_normal((O, R)) / np.sqrt(O)
    return Problem(Teacher(V, B), Student.initialise(K, d, scale=scale, seed=3, outputs=O))


def start_of(problem: Problem) -> Array:
    """Initial state θ = (W row by row, A row by row)."""
    return state(problem)


def right_hand_side(problem: Problem) -> Callable[[float, Array], Array]:
    """The dense form of `benchmarks.forms` under NumPy."""
    return dense(TEXTBOOK, problem, None).side(np)


def single_mode_side(eigenvalue: float) -> Callable[[float, Array], Array]:
    """The same for one unit and one input, ṗ = 6ap(λ − ap²), ȧ = 3p²(λ − ap²): scalars, no matrix operations."""

    def rhs(t: float, theta: Array) -> Array:
        p, a = theta
        g = 3 * p * (eigenvalue - a * p * p)
        return np.array([2 * a * g, p * g])

    return rhs


def single_mode_jacobian(eigenvalue: float) -> Callable[[float, Array], Array]:
    """Its Jacobian, (2, 2)."""

    def jacobian(t: float, theta: Array) -> Array:
        p, a = theta
        cross = 6 * p * eigenvalue - 12 * a * p**3
        return np.array([[6 * a * eigenvalue - 18 * a**2 * p**2, cross], [cross, -3 * p**4]])

    return jacobian
