"""Functions that arrays, tensors and numbers share, so that an activation is written once."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special


def _own(name: str, function: Any, z: Any) -> Any:
    """The method of z, which tensors have, or else the function for arrays."""
    method = getattr(z, name, None)
    return function(z) if method is None else method()


def erf(z: Any) -> Any:
    """The error function."""
    return _own("erf", special.erf, z)


def tanh(z: Any) -> Any:
    """The hyperbolic tangent."""
    return _own("tanh", np.tanh, z)


def sigmoid(z: Any) -> Any:
    """The logistic function 1/(1 + e⁻ᶻ)."""
    return _own("sigmoid", special.expit, z)


def softplus(z: Any) -> Any:
    """ln(1 + eᶻ)."""
    method = getattr(z, "logaddexp", None)
    return np.logaddexp(z, 0.0) if method is None else method(0 * z)


def expm1_below(z: Any) -> Any:
    """eᶻ − 1 for z < 0, else 0."""
    return _own("expm1", np.expm1, z * (z < 0))
