"""What a two-layer network says of inputs, f_o(x) = Σ_k A_ok φ(w_k·x)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dynamics.activations import Activation
from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.validation import validate_array


def network_outputs(
    W: Array,
    A: Array,
    X: ArrayLike,
    activation: Activation | str = "quadratic",
    covariance: ArrayLike | None = None,
) -> Array:
    """Outputs (n, O) for inputs (n, d), or (O,) for one input (d,).

    Parameters
    ----------
    W : (K, d) array
    A : (O, K) array
    X : (n, d) or (d,) array
    activation : Activation or str
        φ, or its name, see `dynamics.activations.ACTIVATIONS`.
    covariance : (d, d) array, optional
        Σ of q_k = w_kᵀΣw_k, for units that depend on it, such as centred ones; None is the identity.

    Raises
    ------
    ProblemError
        If the inputs have another dimension than the network.
    """
    phi, d = Activation.parse(activation), W.shape[1]
    x = validate_array("X", X, max(np.ndim(X), 1))
    if x.ndim > 2 or x.shape[-1] != d:
        raise ProblemError(f"`X` has shape {x.shape}, but a network of {d} inputs takes (n, {d}) or ({d},).")
    q = None
    if phi.uses_variance:
        SW = W if covariance is None else W @ validate_array("covariance", covariance, 2)
        q = np.sum(SW * W, axis=1)
    return np.asarray(phi.phi(x @ W.T, q) @ A.T)
