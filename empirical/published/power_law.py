"""The spectrum of power-law teachers, as the entries that need one take it."""

from __future__ import annotations

import numpy as np

from dynamics.aliases import Array


def power_law(exponent: float, inputs: int) -> Array:
    """Eigenvalues ∝ j^(−γ), j = 1 … d, of mean square 1, (d,)."""
    eigenvalues = np.arange(1, inputs + 1) ** -exponent
    return eigenvalues * np.sqrt(inputs) / np.linalg.norm(eigenvalues)


def decay_order(penalty: float, alpha: float) -> float:
    """ℓ of their objective Σr²/d² + λ̃ tr S/d, with λ̃ and α = n/d²."""
    return penalty / (2 * alpha)
