"""ln cosh of the residual: quadratic near zero, linear far away, smooth in between."""

from __future__ import annotations

from typing import Any

import numpy as np

from dynamics.activations.functions import log_cosh, sigmoid, tanh
from dynamics.aliases import Array
from dynamics.losses.base import register, residual_loss


def _curvature(u: Any) -> Any:
    """1/cosh²u, without the difference 1 − tanh²u."""
    return 4.0 * sigmoid(2 * u) * sigmoid(-2 * u)


def _transform(omega: Array) -> Array:
    """tanh u = ∫₀^∞ sin(ωu)/sinh(πω/2) dω; derived here, by the residues of tanh."""
    return np.asarray(1 / np.sinh(0.5 * np.pi * omega))


LOG_COSH = register(
    residual_loss("log-cosh", "ℓ = ln cosh(f − y)", log_cosh, tanh, _curvature, transform=_transform)
)
