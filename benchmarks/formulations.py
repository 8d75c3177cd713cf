"""One problem as three that a solver may be given: as it stands, in our reduction, and there in Gram form.

The peers are measured on all three. The first is what their users write; the others show what is left of a lead when
they are handed our reduction and the cheapest right-hand side that we know.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import forms
from dynamics import Problem
from dynamics.aliases import Array
from dynamics.problem.reduction import reduce_problem

TEXTBOOK, REDUCED, GRAM = "textbook", "our reduction", "our reduction, Gram form"
LARGEST_LOOPS = 200  # K d; beyond, numba is faster by BLAS


@dataclass(frozen=True, eq=False)
class Formulation:
    """A right-hand side and its unknowns.

    Parameters
    ----------
    name : str
        One of `TEXTBOOK`, `REDUCED`, `GRAM`.
    units, inputs : int
        K and the number of inputs that are integrated, d or r.
    theta : (n,) array
        Initial state.
    form : callable
        One of `benchmarks.forms`.
    numbers : tuple of arrays
        What it is told of the teacher.
    basis : (d, inputs) array or None
        A row w of the full problem is ``basis @ row``.
    """

    name: str
    units: int
    inputs: int
    theta: Array
    form: Callable[..., forms.Side]
    numbers: tuple[Array, ...]
    basis: Array | None = None

    def side(self, xp: Any, convert: Callable[[Array], Any] = np.asarray) -> forms.Side:
        """The right-hand side in the operators of an array module."""
        return self.form(xp, self.units, self.inputs, *map(convert, self.numbers))

    def compiled(self) -> forms.Side | None:
        """The same by numba; None of several outputs, of which we wrote none."""
        from benchmarks import compiled

        small = self.units * self.inputs <= LARGEST_LOOPS
        table = {forms.dense: compiled.loops if small else compiled.dense, forms.gram: compiled.gram}
        make = table.get(self.form)
        return None if make is None else make(self.units, self.inputs, *self.numbers)

    def lift(self, states: Array) -> Array:
        """States (T, n) as those of the full problem, (T, K d + O K)."""
        if self.basis is None:
            return states
        T, n = len(states), self.units * self.inputs
        W = states[:, :n].reshape(T, self.units, self.inputs) @ self.basis.T
        return np.concatenate([W.reshape(T, -1), states[:, n:]], axis=1)


def formulations(problem: Problem) -> list[Formulation]:
    """All three; two where there is nothing to reduce, but still a Gram form."""
    reduction = reduce_problem(problem)
    found = [dense(TEXTBOOK, problem, None)]
    if reduction.basis is not None:
        found.append(dense(REDUCED, reduction.problem, reduction.basis))
    return [*found, gram(reduction.problem, reduction.basis)]


def dense(name: str, problem: Problem, basis: Array | None) -> Formulation:
    """Through the matrices D."""
    (K, d), theta = problem.student.W.shape, state(problem)
    M = np.stack([problem.teacher.matrix(o) for o in range(problem.teacher.outputs)])
    if len(M) == 1:
        return Formulation(name, K, d, theta, forms.dense, (M[0],), basis)
    return Formulation(name, K, d, theta, forms.dense_outputs, (M,), basis)


def gram(problem: Problem, basis: Array | None) -> Formulation:
    """Through products of weights, and with one output in the teacher's eigenvectors as axes."""
    W, A, V, B = problem.student.W, problem.student.A, problem.teacher.V, problem.teacher.B
    K, r = W.shape
    if len(B) > 1:
        return Formulation(GRAM, K, r, state(problem), forms.gram_outputs, (V, B), basis)
    eigenvalues, axes = np.linalg.eigh(problem.teacher.matrix())
    theta = np.concatenate([(W @ axes).ravel(), A.ravel()])
    return Formulation(GRAM, K, r, theta, forms.gram, (eigenvalues,), axes if basis is None else basis @ axes)


def state(problem: Problem) -> Array:
    """Initial state θ = (W row by row, A row by row)."""
    return np.concatenate([problem.student.W.ravel(), problem.student.A.ravel()])
