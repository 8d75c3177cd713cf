"""Half the squared residual: the loss of regression, and of most of this theory."""

from __future__ import annotations

from typing import Any

from dynamics.losses.base import register, residual_loss


def _half_square(u: Any) -> Any:
    return 0.5 * u * u


def _itself(u: Any) -> Any:
    return u


def _one(u: Any) -> Any:
    return 0 * u + 1.0


SQUARE = register(
    residual_loss("square", "ℓ = ½(f − y)²", _half_square, _itself, _one, unit="squared output units")
)
