"""Functions of complex steps where NumPy has none: right to first order in the imaginary part."""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array


def angle(s: Array, sigma: Array) -> Array:
    """θ = atan2(s, σ), σ ≥ 0; zero where both are."""
    if not np.iscomplexobj(s):
        return np.arctan2(s, sigma)
    x, y = s.real, sigma.real
    length = x * x + y * y
    slope = y * s.imag - x * sigma.imag
    return np.arctan2(x, y) + 1j * np.divide(slope, length, out=np.zeros_like(length), where=length > 0)


def root(D: Array) -> Array:
    """√D for D ≥ 0 up to rounding; where that makes it zero, its derivative, which is infinite, is zero too."""
    positive = D.real > 0
    return np.sqrt(np.where(positive, D, 1.0)) * positive
