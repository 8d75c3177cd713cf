"""Starts that are given as a form M₀ = Σ_k a w_kw_kᵀ, not as weights.

Of quadratic units with one fixed second-layer value a the flow sees M = aWᵀW alone: Ṁ = a(GM + MG) with G of M,
whatever factor W is and however many units it has, as long as they are rank M or more (derived here). Any W₀ with
aW₀ᵀW₀ = M₀ thus is the start; the one here has the rows √(λ_i/a) e_i of the eigenvectors of M₀.

The limit of infinitely many units, f = (1/K) Σ_k a φ(w_k·x) with w_k ~ N(0, sI) and time in units of K, is the same
flow from M₀ = asI: the entries of WᵀW/K have their means as K → ∞ (law of large numbers), with fluctuations of order
K^{−1/2}.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.matrices import decompose
from dynamics.validation import validate_count

LARGEST_FORM = 1e50  # the loss holds its square


def form_factor(
    M: ArrayLike, a: float, hidden: int | None = None, symmetrize: bool = False
) -> tuple[Array, tuple[str, ...]]:
    """W (K, d) with aWᵀW = M, and sentences about what was changed in M.

    Parameters
    ----------
    M : (d, d) array
        Symmetric; M/a positive semi-definite.
    a : float
        Not zero.
    hidden : int, optional
        K; by default as many as the rank of M.
    symmetrize : bool
        Remove any asymmetry of M.

    Raises
    ------
    ProblemError
        If M is no symmetric matrix, has an eigenvalue of the other sign than a, a rank beyond `hidden`, or a size
        beyond `LARGEST_FORM`.
    """
    parts = decompose("init_form", M, symmetrize=symmetrize)
    size = float(np.abs(parts.values).max(initial=0.0))
    if size > LARGEST_FORM:
        raise ProblemError(
            f"`init_form` has an eigenvalue of size {size:.3g}, but at most {LARGEST_FORM:g} is allowed: scale it."
        )
    if a == 0:
        raise ProblemError("`second_layer_value` is 0, with which every form is zero: give another one.")
    squares = parts.values / a
    if (squares < 0).any():
        wrong = parts.values[np.abs(np.where(squares < 0, squares, 0)).argmax()]
        sign = "negative" if a > 0 else "positive"
        raise ProblemError(
            f"`init_form` has the eigenvalue {wrong:.3g}, but Σ a w wᵀ with a = {a:g} has no {sign} one."
        )
    rank = len(squares)
    K = max(rank, 1) if hidden is None else validate_count("hidden", hidden)
    if rank > K:
        raise ProblemError(
            f"`init_form` has rank {rank}, but `hidden` is {K}: that many units have none above {K}."
        )
    W = np.zeros((K, len(parts.matrix)))
    W[:rank] = (np.sqrt(squares)[:, None] * parts.vectors)[::-1]
    return W, parts.notes
