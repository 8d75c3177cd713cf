"""Second moments of the gradient of one sample, exact for Gaussian inputs and quadratic or centred units.

For a sample (x, y) with y_o = f*_o(x) + ξ_o the gradient of ½ Σ_o (f_o − y_o)² is

    ∂/∂w_k = −2 Σ_o A_ok e_o (xxᵀ − tΣ) w_k,  ∂/∂A_ok = −e_o ((w_k·x)² − t w_kᵀΣw_k),  e_o = xᵀD_o x − t tr D_oΣ + ξ_o,

t = 0 for quadratic and 1 for centred units (the code has κ = 1 − t), so its second moments are expectations of
products of four quadratic forms of a Gaussian vector, less their means if t = 1. With x = Fy, Σ = FFᵀ, X' = FᵀXF, the
forms are yᵀX'y, and (Isserlis' theorem; sum over the permutations of the forms)

    E[Π_i yᵀX_i y] = Σ_σ Π_{cycles (i j … m) of σ} 2^{length − 1} tr(X_i X_j … X_m).

For a form less its mean the permutations that fix it drop out. Derived here. For Σ = I, one output and t = 0 the first
moment matrix below is A² wᵀNw of the theory of one-pass SGD.
"""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np

from dynamics.aliases import Array
from dynamics.covariance import covariance_factor
from dynamics.problem import Problem
from dynamics.problem.scope import require
from dynamics.validation import validate_label_noise


def form_moment(forms: list[Array]) -> float:
    """E[Π_i yᵀX_i y] for y ~ N(0, I) and symmetric X_i (r, r)."""
    if not forms:
        return 1.0
    return float(np.sum(weighted_second_moment(forms[1:], len(forms[0])) * forms[0]))


def weighted_second_moment(forms: list[Array], size: int) -> Array:
    """E[(Π_i yᵀX_i y) yyᵀ], (size, size): the matrix N with E[(Π_i yᵀX_i y) yᵀPy] = tr(NP).

    The cycle of P goes through some of the forms, in some order; the others have a moment of their own.
    """
    total = np.zeros((size, size))
    for length in range(len(forms) + 1):
        for chosen in combinations(range(len(forms)), length):
            rest = form_moment([X for i, X in enumerate(forms) if i not in chosen])
            for order in permutations(chosen):
                chain = np.eye(size)
                for i in order:
                    chain = chain @ forms[i]
                total += 2**length * rest * chain
    return 0.5 * (total + total.T)


def gradient_second_moments(
    problem: Problem, W: Array, A: Array, label_noise: float = 0.0
) -> tuple[Array, Array]:
    """E[∂_{w_k}·∂_{w_l}] and Σ_o E[∂_{A_ok} ∂_{A_ol}] of one sample's gradient, both (K, K).

    Parameters
    ----------
    problem : Problem
        Its teacher and input covariance; quadratic or centred activation.
    W : (K, d) array
    A : (O, K) array
    label_noise : float
        Variance Δ of the noise ξ_o, independent for every output.

    Raises
    ------
    ProblemError
        For another activation.
    """
    require("gradient noise", problem)
    noise = validate_label_noise(label_noise)
    kappa = problem.activation.coupling_for("the noise of the gradient")
    O = len(A)
    F = np.eye(problem.inputs) if problem.covariance is None else covariance_factor(problem.covariance)
    U, metric = W @ F, F.T @ F
    D = [F.T @ (problem.teacher.matrix(o) - (W.T * A[o]) @ W) @ F for o in range(O)]
    tau = [np.trace(X) for X in D]

    def N(*forms: Array) -> Array:
        return _kick_moment(list(forms), metric, kappa)

    first = np.zeros((len(W), len(W)))
    for o in range(O):
        for p in range(o, O):
            errors = N(D[o], D[p]) + (o == p) * noise * N()
            if kappa == 0:  # e_o = xᵀD_ox − tr D_oΣ + ξ_o
                errors += tau[o] * tau[p] * N() - tau[p] * N(D[o]) - tau[o] * N(D[p])
            pairs = np.outer(A[o], A[p]) if o == p else np.outer(A[o], A[p]) + np.outer(A[p], A[o])
            first += 4 * pairs * (U @ errors @ U.T)
    gram = U @ U.T
    second = O * noise * (kappa * np.outer(gram.diagonal(), gram.diagonal()) + 2 * gram**2)
    for X in D:
        second += _square_moments(X, U, gram, kappa)
    return first, second


def _kick_moment(forms: list[Array], metric: Array, kappa: float) -> Array:
    """E[(Π_i yᵀX_iy) (yyᵀ − tI) FᵀF (yyᵀ − tI)], t = 1 − κ, for the metric FᵀF."""
    size, t = len(metric), 1 - kappa
    N = weighted_second_moment([*forms, metric], size)
    if t:
        shift = metric @ weighted_second_moment(forms, size)
        N += t**2 * form_moment(forms) * metric - t * (shift + shift.T)
    return N


def _square_moments(D: Array, U: Array, gram: Array, kappa: float) -> Array:
    """E[(yᵀDy − t tr D)² ((u_k·y)² − t‖u_k‖²) ((u_l·y)² − t‖u_l‖²)], (K, K), t = 1 − κ.

    The sum over the permutations of D, D, u_ku_kᵀ, u_lu_lᵀ; without fixed points where κ = 0.
    """
    tau, size = kappa * np.trace(D), np.sum(D * D)
    s = gram.diagonal()
    alpha = U @ D @ U.T  # u_kᵀDu_l
    beta = U @ D @ D @ U.T  # u_kᵀD²u_l
    a, b = alpha.diagonal(), beta.diagonal()
    return (
        (tau**2 + 2 * size) * (kappa * np.outer(s, s) + 2 * gram**2)
        + 4 * tau * (np.outer(a, s) + np.outer(s, a) + 4 * gram * alpha)
        + 8 * (np.outer(a, a) + 2 * alpha**2)
        + 8 * (kappa * (np.outer(b, s) + np.outer(s, b)) + 4 * gram * beta)
    )
