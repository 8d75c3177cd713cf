r"""Escape time in closed form: ṁ = c mʲ(1 − m²) exactly, and its law in the input dimension for every flow.

    ∫ dm / (mʲ(1 − m²)):   artanh m  (j = 0),   ½ ln[m²/(1 − m²)]  (j = 1),   I_j = −m^{1−j}/(j − 1) + I_{j−2}

Student and teacher that share one Hermite polynomial He_k only have j = k − 1, c = kα_kβ_k. From m₀ = 1/√d the first
term decides: with other polynomials too

    T = O(1)  (k = 1),    ln d / (4α₂β₂)  (k = 2),    d^{k/2−1} / (k(k − 2)α_kβ_k)  (k ≥ 3),

the same up to a constant for k = 2, and up to lower powers of d for k ≥ 3. Derived here (theory: "single index"),
tested against quadrature.
"""

from __future__ import annotations

import math


def monomial_time(order: int, start: float, overlap: float) -> float:
    """Time of ṁ = mʲ(1 − m²), j the order, from one overlap to a larger one; above 0, or anywhere if j = 0."""
    return _integral(order, overlap) - _integral(order, start)


def _integral(order: int, m: float) -> float:
    if order == 0:
        return math.atanh(m)
    if order == 1:
        return math.log(m) - 0.5 * math.log1p(-m * m)
    return -(m ** (1 - order)) / (order - 1) + _integral(order - 2, m)


def leading_time(exponent: int, strength: float, inputs: float) -> float | None:
    """Leading term of the time to a fixed overlap from 1/√d, strength = α_kβ_k > 0; None where it is but a constant."""
    k = exponent
    if k == 1:
        return None
    if k == 2:
        return math.log(inputs) / (4 * strength)
    return float(inputs) ** (k / 2 - 1) / (k * (k - 2) * strength)


def law(exponent: int) -> str:
    """The law in words."""
    k = exponent
    if k == 1:
        return "O(1): the same for every d, from d^{-1/2} on"
    if k == 2:
        return "ln d / (4 α₂β₂) + O(1)"
    power = {3: "√d", 4: "d"}.get(k, f"d^{k / 2 - 1:g}")
    return f"{power} / ({k * (k - 2)} α_kβ_k), k = {k}"
