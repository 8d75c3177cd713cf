"""Teacher modes: how much of each part of the teacher a student has learned, and how much there is.

Quadratic units compute forms, so the modes are those of the matrix M = Σ_k a_k w_kw_kᵀ along the eigenvectors v_i of
M*: v_iᵀMv_i, which grows to the eigenvalue λ_i. For an activation of degree h the same is done with

    M = Σ_k a_k ‖w_k‖^{h−2} w_k w_kᵀ,

which like the function itself grows with the power h of the weights (derived here). For ReLU and |·| under
uncorrelated inputs it is, up to a factor, the second Hermite coefficient E f(x)(xxᵀ − I) of the function: it depends on
nothing else. A teacher Σ_m λ_m φ(x_m) has the modes e_m with eigenvalues λ_m, whatever φ is. (A ReLU unit and its
mirror image φ(−w·x) have the same M; they differ in their linear part w/2, which modes do not show.)

A linear student has no even part; all it has is the vector Σ_k a_k w_k. Its modes are the components of that vector
along the teacher's unit directions.

For an activation that is not homogeneous there are no modes: arrays of them are empty.
"""

from __future__ import annotations

import numpy as np

from dynamics.activations import ACTIVATIONS
from dynamics.aliases import Array
from dynamics.population.kernels import normalised
from dynamics.problem.teacher import Teacher

EIGENVALUE = "teacher eigenvalue, which a learned mode reaches"


def teacher_modes(teacher: Teacher, W: Array, A: Array, activation: str = "quadratic") -> Array:
    """Learned part of each teacher mode, (…, modes), outputs one after the other.

    Parameters
    ----------
    teacher : Teacher
    W : (…, K, d) array
    A : (…, O, K) array
    activation : str
    """
    if ACTIVATIONS[activation].degree is None:
        return np.zeros((*W.shape[:-2], 0))
    columns = []
    if activation == "linear":
        for o, (_, directions) in enumerate(_linear_modes(teacher)):
            columns.append((A[..., o, None, :] @ W)[..., 0, :] @ directions.T)
    else:
        W = _balanced(W, activation)
        for o, (_, vectors) in enumerate(_balanced_teacher(teacher, activation).eigen):
            overlaps = W @ vectors.T  # (…, K, modes)
            columns.append(np.einsum("...k,...km->...m", A[..., o, :], overlaps**2))
    return np.concatenate(columns, axis=-1)


def mode_targets(teacher: Teacher, activation: str = "quadratic") -> Array:
    """What the modes are when student and teacher are the same function, (modes,); descending for each output."""
    if ACTIVATIONS[activation].degree is None:
        return np.zeros(0)
    if activation == "linear":
        return np.concatenate([values for values, _ in _linear_modes(teacher)])
    return np.concatenate([lam for lam, _ in _balanced_teacher(teacher, activation).eigen])


def _balanced(X: Array, activation: str) -> Array:
    """Rows x of X (…, d) as ‖x‖^{h/2 − 1} x, so that the sum of their squares is the matrix of the modes."""
    degree = ACTIVATIONS[activation].degree
    assert degree is not None
    power = degree / 2 - 1
    if power == 0:
        return X
    r = np.linalg.norm(X, axis=-1, keepdims=True)
    return X * np.power(r, power, out=np.zeros_like(r), where=r > 0)


def _balanced_teacher(teacher: Teacher, activation: str) -> Teacher:
    """Teacher whose matrix is that of the modes."""
    V = _balanced(teacher.V, activation)
    return teacher if V is teacher.V else Teacher(V, teacher.B)


def _linear_modes(teacher: Teacher) -> list[tuple[Array, Array]]:
    """Values (m,), descending, and unit directions (m, d) for each output of a linear teacher."""
    directions = normalised(teacher.V)[0]
    pairs = []
    for b in teacher.B:
        values = directions @ (b @ teacher.V)
        order = np.argsort(-values, kind="stable")
        order = order[np.abs(values[order]) > 1e-13 * np.abs(values).max(initial=0.0)]
        pairs.append((values[order], directions[order]))
    return pairs
