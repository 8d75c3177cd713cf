"""Functions that arrays, tensors and numbers share, so that an activation is written once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

LN_2 = math.log(2.0)


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


def log1p(z: Any) -> Any:
    """ln(1 + z)."""
    return _own("log1p", np.log1p, z)


def log_cosh(z: Any) -> Any:
    """ln cosh z, to full relative accuracy for small z too; z is an array or a tensor."""
    size, small = abs(z), abs(z).clip(max=1.0)
    near = -0.5 * log1p(-(tanh(small) ** 2))
    far = size + softplus(-2 * size) - LN_2
    return where(size < 1.0, near, far)


def where(condition: Any, one: Any, other: Any) -> Any:
    """Entries of the one where the condition holds, else of the other."""
    method = None if isinstance(one, np.ndarray | np.floating) else getattr(one, "where", None)
    return np.where(condition, one, other) if method is None else method(condition, other)
