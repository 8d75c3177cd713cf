"""The neural tangent kernel of a two-layer network on given inputs.

K((x, o), (x′, p)) = Σ_θ ∂f_o(x)/∂θ ∂f_p(x′)/∂θ over all trained weights (Jacot, Gabriel & Hongler, NeurIPS 2018, not
consulted; for these networks derived here). With z_k = w_k·x, q_k = w_kᵀΣw_k and φ_z, φ_q the derivatives of φ(z, q)

    ∂f_o/∂A_pk = δ_op φ_k(x),   ∂f_o/∂w_k = A_ok (φ_z(z_k) x + 2 φ_q(z_k) Σw_k).

Gradient flow on n samples with labels y and L = (1/2n) Σ ‖f − y‖² moves what the network says of any input by

    ḟ(x) = −(1/n) Σ_i K(x, x_i) (f(x_i) − y_i).

A kernel that stays what it was makes training linear, the lazy regime; features are learned as far as it moves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from dynamics.activations import Activation
from dynamics.aliases import Array
from dynamics.budget import check_memory
from dynamics.errors import ProblemError
from dynamics.problem import Student
from dynamics.validation import validate_array


def tangent_kernel(
    student: Student,
    X: ArrayLike,
    others: ArrayLike | None = None,
    *,
    activation: Activation | str = "quadratic",
    covariance: ArrayLike | None = None,
) -> Array:
    """Tangent kernel between inputs, in the order (x_1, output 1), (x_1, output 2), …

    Parameters
    ----------
    student : Student
        Its weights; a fixed second layer has no part in the kernel. Of a trajectory: `Trajectory.student_at`.
    X : (n, d) array
    others : (m, d) array, optional
        By default X.
    activation : Activation or str
    covariance : (d, d) array, optional
        Σ of q, for units that depend on it; None is the identity.

    Returns
    -------
    (n·O, m·O) array
        Positive semidefinite where both inputs are the same.

    Raises
    ------
    ProblemError
        If the inputs have another dimension than the student, or no derivative of φ is known.

    Examples
    --------
    >>> from dynamics import Student
    >>> K = tangent_kernel(Student([[1.0, 0.0]], [0.5]), [[2.0, 0.0], [1.0, 1.0]])
    >>> K.tolist()  # φ φ′ + (2az)(2az′) x·x′ = 4·4 + 2·2·4, …
    [[32.0, 8.0], [8.0, 3.0]]
    """
    phi = Activation.parse(activation)
    one = _features(student, X, phi, covariance)
    two = one if others is None else _features(student, others, phi, covariance)
    (n, O), m = (len(one.X), student.outputs), len(two.X)
    check_memory(f"A kernel of {n * O} × {m * O} entries", 24 * n * m * O**2, "give fewer inputs")
    inputs, lengths = one.X @ two.X.T, np.sum(one.inward**2, axis=1)
    features = one.phi @ two.phi.T if student.trainable else 0.0
    K = np.empty((n, O, m, O))
    for o in range(O):
        for p in range(o + 1):
            a = student.A[o] * student.A[p]
            block = (one.slope * a) @ two.slope.T * inputs
            if phi.uses_variance:
                block += (one.slope * one.along * a) @ two.bend.T + (one.bend * a) @ (two.slope * two.along).T
                block += (one.bend * (a * lengths)) @ two.bend.T
            K[:, o, :, p] = K[:, p, :, o] = block + (o == p) * features
    return K.reshape(n * O, m * O)


class _Features(NamedTuple):
    """What the kernel is made of.

    X (n, d); φ, φ_z and φ_q of every unit, (n, K); u_k = 2Σw_k, (K, d); x·u_k, (n, K).
    """

    X: Array
    phi: Array
    slope: Array
    bend: Array
    inward: Array
    along: Array


def _features(student: Student, X: ArrayLike, phi: Activation, covariance: ArrayLike | None) -> _Features:
    x, W = validate_array("X", X, 2), student.W
    if x.shape[1] != student.inputs:
        raise ProblemError(
            f"`X` has shape {x.shape}, but a network of {student.inputs} inputs takes (n, {student.inputs})."
        )
    Z, SW = x @ W.T, W if covariance is None else W @ validate_array("covariance", covariance, 2)
    q = np.broadcast_to(np.sum(SW * W, axis=1), Z.shape) if phi.uses_variance else None
    value = np.asarray(phi.phi(Z, q))
    if phi.slope is not None and phi.has_slopes:
        slope = phi.slope(Z, q, value)
        bend = phi.variance_slope(Z, q, value) if phi.variance_slope is not None else 0.0
    elif phi.quadrature:
        raise ProblemError(
            f"`activation` is {phi.name!r}, of which no derivative is known: give `slope` to"
            " `Activation.from_callable`."
        )
    else:
        slope, bend = phi.derivative(1, Z), 0.0
    slope, bend = (np.broadcast_to(np.asarray(s, dtype=float), Z.shape) for s in (slope, bend))
    return _Features(x, value, slope, bend, 2 * SW, 2 * x @ SW.T)
