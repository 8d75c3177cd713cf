"""Zeros of a gradient that are not isolated: Levenberg–Marquardt steps with a damping that vanishes at the zero.

Stationary points of a network come in manifolds, so the Hessian H is singular at every one of them and Newton's
step is not defined. The Levenberg–Marquardt step −(H² + μ)⁻¹ H ∇L is, it takes no part in the null directions, and
with μ proportional to ‖∇L‖ it converges quadratically to the manifold wherever ‖∇L‖ bounds the distance to it [1]_.
Where it does not (the origin, where the Hessian vanishes) convergence is linear. It finds saddles and
minima alike, since only ‖∇L‖ is made smaller. The unit of μ is ‖H‖²/‖∇L‖ at the start, so that the steps do not
depend on the units of L and θ.

References
----------
.. [1] J. Fan, Y. Yuan, "On the quadratic convergence of the Levenberg–Marquardt method without nonsingularity
   assumption", Computing 74 (2005) 23–39, section 2; after N. Yamashita, M. Fukushima (2001).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dynamics.aliases import Array

FIRST = 0.1  # damping factor of the first step
LEAST, STALLED = 1e-9, 1e13  # the smallest one, and the one beyond which no step is left that reduces ‖∇L‖


def find_root(
    gradient: Callable[[Array], Array],
    hessian: Callable[[Array], Array],
    theta: Array,
    *,
    tolerance: float,
    max_steps: int = 200,
    farthest: float = np.inf,
    patience: int | None = None,
) -> tuple[Array, float]:
    """Follow Levenberg–Marquardt steps from `theta` until ‖∇L‖ is at most `tolerance`, or no step reduces it.

    Parameters
    ----------
    gradient : callable
        ∇L, (n,) → (n,).
    hessian : callable
        Symmetric Hessian of L, (n,) → (n, n).
    theta : (n,) array
    tolerance : float
    max_steps : int
    farthest : float
        Largest |θ_i|: beyond it the search fails, since a gradient may vanish at infinity only.
    patience : int, optional
        The search fails where ‖∇L‖ has not halved in so many steps: a least ‖∇L‖ need not be zero.

    Returns
    -------
    theta : (n,) array
    norm : float
        ‖∇L‖ there; larger than `tolerance` if the search failed.
    """
    F = gradient(theta)
    norm, damping, unit = float(np.linalg.norm(F)), FIRST, 0.0
    norms = [norm]
    for _ in range(max_steps):
        stuck = patience is not None and len(norms) > patience and norm > norms[-1 - patience] / 2
        if norm <= tolerance or stuck or np.abs(theta).max() > farthest:
            break
        h, Q = np.linalg.eigh(hessian(theta))
        q = Q.T @ F
        unit = unit or float(np.abs(h).max()) ** 2 / norm
        while damping < STALLED:
            mu = damping * unit * norm
            trial = theta - Q @ (h / (h**2 + mu) * q)
            with np.errstate(over="ignore", invalid="ignore"):  # a step too far is not taken
                F_trial = gradient(trial)
                norm_trial = float(np.linalg.norm(F_trial))
            predicted = norm**2 - float(np.sum((mu / (h**2 + mu) * q) ** 2))
            gain = (norm**2 - norm_trial**2) / predicted if predicted > 0 else -np.inf
            if gain > 1e-3:
                break
            damping *= 4
        else:
            break
        # Trust the model more where it predicted well (the usual quarters of Fletcher's rule).
        damping = max(damping * (0.2 if gain > 0.75 else 4.0 if gain < 0.25 else 1.0), LEAST)
        theta, F, norm = trial, F_trial, norm_trial
        norms.append(norm)
    return theta, norm
