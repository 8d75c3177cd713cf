"""Teacher modes: how much of each part of the teacher a student has learned, and how much there is.

Quadratic units compute forms, so the modes are those of the matrix M = Σ_k a_k w_kw_kᵀ along the eigenvectors v_i of
M*: v_iᵀMv_i, which grows to the eigenvalue λ_i. For an activation of degree h the same is done with

    M = Σ_k a_k ‖w_k‖^{h−2} w_k w_kᵀ,

which like the function itself grows with the power h of the weights (derived here). For ReLU and |·| under
uncorrelated inputs it is, up to a factor, the second Hermite coefficient E f(x)(xxᵀ − I) of the function: it depends on
nothing else. A teacher Σ_m λ_m φ(x_m) has the modes e_m with eigenvalues λ_m, whatever φ is. (A ReLU unit and its
mirror image φ(−w·x) have the same M; they differ in their linear part w/2, which modes do not show.)

The student of an odd activation has no even part, and (a_k, w_k) and (−a_k, −w_k) are the same unit. Its modes are
those of the tensor Σ_k a_k w_k^{⊗j} of the odd order j = h along the teacher's unit directions v̂_m,
Σ_k a_k (w_k·v̂_m)^j: of the vector Σ_k a_k w_k for linear units, of the cubic form for a cubic φ (derived here).
"""

from __future__ import annotations

import numpy as np

from dynamics.activations import Activation
from dynamics.aliases import Array
from dynamics.matrices import axes_of
from dynamics.population.kernels import normalised
from dynamics.problem.teacher import Teacher

EIGENVALUE = "teacher eigenvalue, which a learned mode reaches"


def teacher_modes(teacher: Teacher, W: Array, A: Array, activation: Activation | str = "quadratic") -> Array:
    """Learned part of each teacher mode, (…, modes), outputs one after the other.

    Parameters
    ----------
    teacher : Teacher
    W : (…, K, d) array
    A : (…, O, K) array
    activation : Activation or str

    Notes
    -----
    An activation that is not homogeneous has no modes: what a unit does depends on its size.
    """
    phi = Activation.parse(activation)
    columns = [np.empty((*W.shape[:-2], 0))]
    if phi.degree is None:
        pass
    elif phi.mode_order == 2:
        pairs = balanced_teacher(teacher, phi).eigen
        used = np.flatnonzero(np.any([vectors.any(axis=0) for _, vectors in pairs], axis=0))
        seen = _balanced(W, phi)[..., used]
        for o, (_, vectors) in enumerate(pairs):
            overlaps = _along(vectors[:, used], seen)  # (…, K, modes)
            columns.append((A[..., o, None, :] @ overlaps**2)[..., 0, :])
    else:
        for o, (_, directions) in enumerate(odd_modes(teacher, phi)):
            overlaps = (W @ directions.T) ** phi.mode_order  # (…, K, modes)
            columns.append((A[..., o, None, :] @ overlaps)[..., 0, :])
    return np.concatenate(columns, axis=-1)


def _along(vectors: Array, W: Array) -> Array:
    """Overlaps (…, K, modes) of W (…, K, d) with unit vectors (modes, d): of axes, up to signs, these are columns."""
    axes = axes_of(vectors)
    if axes is not None:
        return W[..., axes[0]]
    overlaps = W.reshape(-1, W.shape[-1]) @ vectors.T
    return overlaps.reshape(*W.shape[:-1], len(vectors))


def mode_targets(teacher: Teacher, activation: Activation | str = "quadratic") -> Array:
    """What the modes are when student and teacher are the same function, (modes,); descending for each output."""
    phi = Activation.parse(activation)
    if phi.degree is None:
        return np.empty(0)
    pairs = balanced_teacher(teacher, phi).eigen if phi.mode_order == 2 else odd_modes(teacher, phi)
    return np.concatenate([values for values, _ in pairs])


def _balanced(X: Array, phi: Activation) -> Array:
    """Rows x of X (…, d) as ‖x‖^{h/2 − 1} x, so that the sum of their squares is the matrix of the modes."""
    power = (phi.degree or 2) / 2 - 1
    if power == 0:
        return X
    r = np.linalg.norm(X, axis=-1, keepdims=True)
    return X * np.power(r, power, out=np.zeros_like(r), where=r > 0)


def balanced_teacher(teacher: Teacher, phi: Activation) -> Teacher:
    """Teacher whose matrix is that of the modes."""
    V = _balanced(teacher.V, phi)
    return teacher if V is teacher.V else Teacher(V, teacher.B)


def odd_modes(teacher: Teacher, phi: Activation) -> list[tuple[Array, Array]]:
    """Values (m,), descending, and unit directions (m, d) for each output of a teacher of odd units."""
    directions = normalised(teacher.V)[0]
    pairs = []
    for b in teacher.B:
        values = (directions @ teacher.V.T) ** phi.mode_order @ b
        order = np.argsort(-values, kind="stable")
        order = order[np.abs(values[order]) > 1e-13 * np.abs(values).max(initial=0.0)]
        pairs.append((values[order], directions[order]))
    return pairs
