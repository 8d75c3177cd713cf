"""Units of degree 1: linear, ReLU and |·|."""

from __future__ import annotations

from functools import partial
from typing import Any

from dynamics.activations.base import Activation, register
from dynamics.population.kernels import KERNELS
from dynamics.population.piecewise_linear import PiecewiseLinearPopulation


def _identity(z: Any, q: Any) -> Any:
    return z


def _relu(z: Any, q: Any) -> Any:
    return z * (z > 0)  # its derivative at zero, by automatic differentiation, is 0


def _modulus(z: Any, q: Any) -> Any:
    return abs(z)


LINEAR = register(
    Activation(
        "linear",
        "φ(w·x) = w·x",
        _identity,
        degree=1,
        parity=-1,
        population=partial(PiecewiseLinearPopulation, kernel=KERNELS["linear"]),
    )
)
RELU = register(
    Activation(
        "relu",
        "φ(w·x) = max(w·x, 0)",
        _relu,
        degree=1,
        parity=None,
        population=partial(PiecewiseLinearPopulation, kernel=KERNELS["relu"]),
        label="ReLU",
    )
)
ABS = register(
    Activation(
        "abs",
        "φ(w·x) = |w·x|",
        _modulus,
        degree=1,
        parity=1,
        population=partial(PiecewiseLinearPopulation, kernel=KERNELS["abs"]),
        label="$|z|$",
    )
)
