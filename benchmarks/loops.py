"""Many starts one after the other, by a solver for one: plain, compiled, and over the cores by joblib.

A loop can be sent to other processes, which compile what they need once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from benchmarks import forms, jacobians
from dynamics.aliases import Array

IMPLICIT = ("LSODA",)


@dataclass(frozen=True)
class Equations:
    """The textbook's right-hand side of K units with d inputs and one output, with its Jacobian.

    Parameters
    ----------
    units, inputs : int
    teacher : tuple of tuples of floats
        M*, (d, d).
    numba : bool
        Whether both are compiled.
    """

    units: int
    inputs: int
    teacher: tuple[tuple[float, ...], ...]
    numba: bool

    def made(self) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
        """Both functions of (t, θ); the same ones in every call."""
        return _made(self)


@lru_cache
def _made(equations: Equations) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
    shape, M = (equations.units, equations.inputs), np.array(equations.teacher)
    if equations.numba:
        from benchmarks import compiled

        return compiled.loops(*shape, M), jacobians.compiled(*shape, M)
    if shape == (1, 1):
        from benchmarks.textbook import single_mode_jacobian, single_mode_side

        return single_mode_side(float(M[0, 0])), single_mode_jacobian(float(M[0, 0]))
    return forms.dense(np, *shape, M), jacobians.dense(*shape, M)


@dataclass(frozen=True)
class SciPyLoop:
    """`solve_ivp`, with the Jacobian where the method takes one."""

    equations: Equations
    method: str

    def __call__(self, thetas: Array, times: Array, rtol: float) -> Array:
        """States (N, T, n)."""
        side, jacobian = self.equations.made()
        options = {"jac": jacobian} if self.method in IMPLICIT else {}
        span = (0, times[-1])
        return np.stack(
            [
                solve_ivp(side, span, y, self.method, times, rtol=rtol, atol=absolute(y, rtol), **options).y.T
                for y in thetas
            ]
        )


@dataclass(frozen=True)
class CvodeLoop:
    """SUNDIALS' CVODE by scikit-sundae, BDF with the Jacobian; right-hand side and Jacobian compiled."""

    equations: Equations

    def __call__(self, thetas: Array, times: Array, rtol: float) -> Array:
        """States (N, T, n)."""
        from sksundae.cvode import CVODE

        side, jacobian = self.equations.made()

        def write(t: float, y: Array, out: Array) -> None:
            out[:] = side(t, y)

        def write_jacobian(t: float, y: Array, yp: Array, out: Array) -> None:
            out[:] = jacobian(t, y)

        def solver(y: Array) -> Any:
            return CVODE(
                write, rtol=rtol, atol=absolute(y, rtol), jacfn=write_jacobian, max_num_steps=100_000
            )

        return np.stack([solver(y).solve(times, y).y for y in thetas])


@dataclass(frozen=True)
class OverCores:
    """A loop over several processes, which joblib keeps between calls."""

    loop: Callable[[Array, Array, float], Array]
    cores: int

    def __call__(self, thetas: Array, times: Array, rtol: float) -> Array:
        """States (N, T, n)."""
        from joblib import Parallel, delayed

        parts = np.array_split(thetas, min(len(thetas), 4 * self.cores))
        return np.concatenate(
            Parallel(n_jobs=self.cores)(delayed(self.loop)(part, times, rtol) for part in parts)
        )


def absolute(theta: Array, rtol: float) -> float:
    """Absolute tolerance that belongs to a relative one, from the root mean square of one start."""
    return rtol * float(np.sqrt(np.mean(theta**2)))
