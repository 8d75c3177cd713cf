"""One mode that decaying units hold: what it is worth, what it costs, and when it cannot be learned.

With weight decay ρ_w, ρ_a a unit rests only on an eigenvector of G = 4D + 2τI, of eigenvalue γ, with a = ρ_w/γ and
‖w‖² = 2ρ_a a²/ρ_w, so that a‖w‖² = R̂/γ³ with R̂ = 2ρ_aρ_w². Let n units hold a mode λ; x = λ + τ/2 is what they see
of it, and c = nR̂. Then (derived here)

    x = μ + γ/4,    μ = c/γ³,    i.e.  y = ¾u + ¼u⁻³  with  y = |x|/θ, u = |γ|/(12c)^{1/4}, θ = (12c)^{1/4}/3.

For y > 1 there are two roots, the *upper* one with u < 1 and the larger |μ|, and the *lower* one, u > 1; they meet at
y = 1, and below nothing is learned. Along a root dμ/dx = 2/s with s = 2 − γ/(6μ): positive on upper roots, where it
falls from ∞ to 1 as |x| grows, negative on lower ones, where it rises from −∞ to 0. The least penalty of a spectrum
μ is Σ (3/4) (n_i R̂)^{1/3} |μ_i|^{2/3}: the Schatten-2/3 quasi-norm.

m n such units may share m modes of the same γ (a frame, see `dynamics.stationary.decayed`): all of this then holds
of the averages over the modes of λ and μ, with n/m in the place of n.
"""

from __future__ import annotations

import math

from dynamics.problem.weight_decay import WeightDecay

ITERATIONS = 100  # of Newton's method on a convex function; it takes 60 where the two roots meet
MERGED = 1e-15  # relative step at which it has converged


def decay_strength(decay: WeightDecay) -> float:
    """R̂ = 2ρ_aρ_w², all that the learned spectrum knows of the two rates."""
    return 2 * decay.second * decay.first**2


def fold(c: float) -> float:
    """θ = (12c)^{1/4}/3, the smallest |x| that c = nR̂ lets units hold."""
    return (12 * c) ** 0.25 / 3


def eigenvalue(x: float, c: float, lower: bool) -> float:
    """γ > 0 with x = γ/4 + c/γ³, on the upper or the lower root; of x < θ that at θ, where they meet.

    Newton's method for v = 1/u, a zero of the convex h(v) = v⁴ − 4yv + 3 = (v − 1)²(v² + 2v + 3) − 4(y − 1)v, from
    outside both zeros, converges monotonically; the second form keeps its digits where they meet.

    Parameters
    ----------
    x : float
        What the units see of the mode, in the direction of γ's sign.
    c : float
        nR̂ > 0.
    lower : bool
    """
    unit = (12 * c) ** 0.25
    y = max(3 * x / unit, 1.0)
    if y == 1.0:
        return unit
    v = 3 / (4 * y) if lower else (4 * y) ** (1 / 3)
    for _ in range(ITERATIONS):
        step = ((v - 1) ** 2 * ((v + 2) * v + 3) - 4 * (y - 1) * v) / (4 * (v**3 - y))
        v -= step
        if abs(step) <= MERGED * v:
            break
    return unit / v


def slope(gamma: float, c: float) -> float:
    """1/s = ½ dμ/dx for c = nR̂, infinite where the roots meet."""
    s = 2 - gamma**4 / (6 * c)
    return 1 / s if s else math.inf


def never_learned(stiffness: float, strength: float) -> float:
    """m_θ = (2/3q)(6qR̂)^{1/4}: below, no unit can hold a mode of loss (q/2)(m − μ)² (then μ = m_θ/4).

    Parameters
    ----------
    stiffness : float
        q: 2 for the centred activation; 3 for the quadratic one, where m = λ_i + T/3 with the trace T of all the
        other modes, which are not learned.
    strength : float
        R̂.
    """
    return 2 / (3 * stiffness) * (6 * stiffness * strength) ** 0.25


def not_worth_learning(stiffness: float, strength: float) -> float:
    """m_g = 2R̂^{1/4}(2q)^{−3/4} = 1.13975 m_θ: below, not learning a mode is the global minimum (then μ = m_g/2)."""
    return 2 * strength**0.25 * (2 * stiffness) ** -0.75


def penalty(mu: float, c: float) -> float:
    """Least weight decay (3/4) c^{1/3} |μ|^{2/3} of n units that hold a mode to the value μ, with c = nR̂."""
    return 0.75 * c ** (1 / 3) * abs(mu) ** (2 / 3)
