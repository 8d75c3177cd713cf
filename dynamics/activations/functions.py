"""Functions that arrays, tensors and numbers share, so that an activation is written once."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special


def _own(name: str, function: Any, z: Any) -> Any:
    """The method of z, which tensors have, or else the function for arrays."""
    method = getattr(z, name, None)
    return function(z) if method is None else method()


def exp(z: Any) -> Any:
    """eᶻ."""
    return _own("exp", np.exp, z)


def sign(z: Any) -> Any:
    """−1, 0 or 1."""
    return _own("sign", np.sign, z)


def relu(z: Any) -> Any:
    """max(z, 0); its derivative at zero, by automatic differentiation, is 0."""
    return _own("relu", _relu, z)


def _relu(z: Any) -> Any:
    return np.maximum(z, 0.0)


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


def expm1(z: Any) -> Any:
    """eᶻ − 1."""
    return _own("expm1", np.expm1, z)
