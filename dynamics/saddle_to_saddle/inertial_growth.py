"""Plateaus of training with inertia, θ̈ + γθ̇ = −∇L, for one fixed second-layer weight: heuristic, not proven.

On a plateau with the learned modes S a small column of W along mode j obeys ẅ + γẇ = g_j w, g_j = 4α(λ_j + T/(r + 2)),
T the sum of the eigenvalues not learned (centred units: g_j = 4αλ_j), and so grows at the rate
ω(g) = (−γ + √(γ² + 4g))/2 in place of g. If each column keeps the phase and velocity that belong to its rate while the
plateaus change (WKB; that is the heuristic step), the jumps come at t_s ≈ θ_s ln(1/ε) with the recursion of the flow,

    θ_{s+1} = θ_s + [1 − Σ_{q<s} ω(g^{(q)}) (θ_{q+1} − θ_q)] / ω(g^{(s)}),

the first mode to get there being the next. A stable mode, g < 0, shrinks at the real part of ω. With small friction
learned modes ring after each drop, and convergence in ln(1/ε) is slow.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.validation import validate_array, validate_real


def inertial_growth(rate: ArrayLike, friction: float) -> Array:
    """Rate ω(g) at which a small mode with θ̈ + γθ̇ = gθ grows, or shrinks, of the shape of g.

    About g/γ where inertia is negligible, g far below γ², and √g without friction.

    Parameters
    ----------
    rate : (…) array
        g, in 1/time².
    friction : float
        γ > 0, in 1/time.
    """
    gamma = validate_real("friction", friction, positive=True)
    g = np.asarray(rate, dtype=float)
    root = np.sqrt(np.maximum(gamma**2 + 4 * g, 0.0))  # beyond that ω is complex, of real part −γ/2
    return np.asarray((root - gamma) / 2)


def inertial_jumps(
    eigenvalues: ArrayLike, friction: float, *, value: float = 1.0, trace_coupling: float = 1.0
) -> tuple[Array, list[int]]:
    """Times of the jumps over ln(1/ε), in the limit of a small initial size ε, and the modes in their order.

    Parameters
    ----------
    eigenvalues : (d,) array
        All eigenvalues of the teacher, zeros included; at least as many units as inputs learn them.
    friction : float
        γ.
    value : float
        The fixed weight α of every unit, other than zero.
    trace_coupling : float
        κ: 1 for quadratic units, 0 for centred ones.

    Returns
    -------
    theta : (r,) array
    modes : list of int
        Indices of the eigenvalues that are learned; those whose g is never positive are not.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    lam, alpha = validate_array("eigenvalues", eigenvalues, 1), validate_real("value", value)
    if not alpha:
        raise ProblemError("`value` is 0, but units with second-layer weight zero learn nothing.")
    learned: list[int] = []
    theta, exponent = [0.0], np.zeros(len(lam))  # of the columns, over ln(1/ε)
    while len(learned) < len(lam):
        free = np.setdiff1d(np.arange(len(lam)), learned)
        rest = trace_coupling * lam[free].sum() / (len(learned) + 2)
        growth = inertial_growth(4 * alpha * (lam + rest), friction)
        rising = [j for j in free if growth[j] > 0]
        if not rising:
            break
        waits = {j: (1 - exponent[j]) / growth[j] for j in rising}
        first = min(waits, key=waits.__getitem__)
        exponent += growth * waits[first]
        theta.append(theta[-1] + waits[first])
        learned.append(int(first))
    return np.array(theta[1:]), learned
