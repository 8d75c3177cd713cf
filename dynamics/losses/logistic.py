"""The logistic loss of two classes: cross-entropy between a label in [0, 1] and the probability σ(f)."""

from __future__ import annotations

from typing import Any

import numpy as np

from dynamics.activations.functions import sigmoid, softplus
from dynamics.aliases import Array
from dynamics.losses.base import Loss, register


def _value(f: Any, y: Any) -> Any:
    return softplus(f) - y * f


def _slope(f: Any, y: Any) -> Any:
    return sigmoid(f) - y


def _curvature(f: Any, y: Any) -> Any:
    return sigmoid(f) * sigmoid(-f)


def _transform(omega: Array) -> Array:
    """σ(u) = ½ + ∫₀^∞ sin(ωu)/sinh(πω) dω; derived here, by the residues of tanh(u/2)."""
    return np.asarray(1 / np.sinh(np.pi * omega))


LOGISTIC = register(
    Loss(
        "logistic",
        "ℓ = ln(1 + eᶠ) − yf",
        _value,
        _slope,
        _curvature,
        of_residual=False,
        transform=_transform,
    )
)
