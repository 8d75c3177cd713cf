"""Starts that are not generic: the flow keeps them on an invariant manifold, where saddles may attract.

The loss does not change if the inputs are rotated by an orthogonal R that commutes with M* and Σ, if a w_k changes
its sign, or if units are exchanged. A start that such a symmetry leaves in place stays in place under it, that is on
the manifold of its fixed points, for ever: statements about almost every start say nothing about it. Three kinds
are found here (derived here):

* *unreached directions*: the smallest subspace U that contains all w_k and that M* and Σ map into themselves
  contains all w_k(t); what is orthogonal to it is never learned;
* *separate blocks*: U is an orthogonal sum U₁ ⊕ U₂ of such subspaces with every w_k in one of them (aligned starts);
  units never leave their block;
* *exchangeable units*: a symmetry maps one unit onto another (copies, mirror images), for ever.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.problem import Problem

ROUNDING = 1e-10  # relative to the weights: closer to an invariant manifold than this counts as on it


@dataclass(frozen=True, eq=False)
class Reach:
    """What the units of a start can reach.

    Parameters
    ----------
    basis : (d, u) array
        Orthonormal basis of U.
    blocks : int
        Number of mutually orthogonal blocks that the units fall into.
    exchangeable : tuple of (int, int)
        The first pair of units that a symmetry may map onto each other; empty if there is none.
    """

    basis: Array
    blocks: int
    exchangeable: tuple[int, ...]


def reach(problem: Problem, units: NDArray[np.intp]) -> Reach:
    """Subspaces that the given units (indices; all with w_k ≠ 0) can reach from the start; one output.

    Parameters
    ----------
    problem : Problem
        Best after the span reduction: the matrices M* and Σ are formed.
    units : (n,) integer array
    """
    M, Sigma, W = problem.teacher.matrix(), problem.covariance, problem.student.W[units]
    operators = [M / (np.linalg.norm(M, 2) or 1.0)]
    if Sigma is not None:
        operators.append(Sigma / np.linalg.norm(Sigma, 2))
    blocks: list[Array] = []
    for w in W:
        cyclic = invariant_closure(w[:, None], operators)
        touching = [B for B in blocks if np.abs(B.T @ cyclic).max() > ROUNDING]
        blocks = [B for B in blocks if not any(B is T for T in touching)]
        blocks.append(invariant_closure(np.hstack([*touching, cyclic]), operators))
        if blocks[0].shape[1] == len(M):  # of everything: no other unit can add to it
            break
    basis = np.hstack(blocks) if blocks else np.empty((problem.inputs, 0))
    return Reach(basis, len(blocks), _exchangeable(W, problem.student.A[0, units], operators, units))


def invariant_closure(X: Array, operators: list[Array]) -> Array:
    """Orthonormal basis (d, u) of the smallest subspace that holds the columns of X and that the operators keep."""
    basis = np.empty((len(X), 0))
    new = X / np.abs(X).max(axis=0)  # squares of tiny weights would vanish
    new = new / np.linalg.norm(new, axis=0)
    while new.shape[1] and basis.shape[1] < len(X):
        for _ in range(2):  # twice is enough for orthogonality to rounding
            new = new - basis @ (basis.T @ new)
        directions, sizes, _ = np.linalg.svd(new, full_matrices=False)
        new = directions[:, sizes > ROUNDING]
        basis = np.hstack([basis, new])
        new = np.hstack([B @ new for B in operators])
    return basis


def _exchangeable(W: Array, a: Array, operators: list[Array], units: NDArray[np.intp]) -> tuple[int, ...]:
    """The first pair of units that agree in a_k and in w_kᵀ Cʲ w_k, j = 0 … 3.

    C is one matrix that the symmetries leave alone.
    """
    C = sum((np.sqrt(n) * B for n, B in enumerate(operators, start=2)), np.zeros((W.shape[1],) * 2))
    powers, columns = W.T, []
    for _ in range(4):
        columns.append(np.einsum("ki,ik->k", W, powers))
        powers = C @ powers
    size = np.einsum("ki,ki->k", W, W)
    prints = np.column_stack([a, *columns])
    scale = np.column_stack([np.sqrt(size), *(size * np.linalg.norm(C, 2) ** j for j in range(4))])
    scale[:, 0] = np.maximum(scale[:, 0], np.abs(a))
    order = np.argsort(size, kind="stable")  # only units of the same size need to be compared
    first = np.searchsorted(size[order], size * (1 - 2 * ROUNDING), side="left")
    last = np.searchsorted(size[order], size * (1 + 2 * ROUNDING), side="right")
    for i in range(len(W)):
        near = order[first[i] : last[i]]
        near = np.sort(near[near > i])
        same = (np.abs(prints[near] - prints[i]) <= ROUNDING * np.maximum(scale[near], scale[i])).all(axis=1)
        if same.any():
            return int(units[i]), int(units[near[same][0]])
    return ()
