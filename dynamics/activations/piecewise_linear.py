"""Units with at most one kink, at zero: linear, ReLU, |·| and ReLU²."""

from __future__ import annotations

from functools import partial
from typing import Any

from dynamics.activations.base import Activation, register
from dynamics.population.expansion import BEND, KINK, Expansion
from dynamics.population.kernels import KERNELS
from dynamics.population.piecewise_linear import PiecewiseLinearPopulation


def _identity(z: Any, q: Any) -> Any:
    return z


def _relu(z: Any, q: Any) -> Any:
    return z * (z > 0)  # its derivative at zero, by automatic differentiation, is 0


def _squared_relu(z: Any, q: Any) -> Any:
    return z * z * (z > 0)


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
        expansion=Expansion((0.0, 1.0)),
        kink=(1.0, 0.0),
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
        expansion=Expansion((0.0, 0.5), [(KINK, [0], [1])]),
        kink=(0.5, 0.5),
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
        expansion=Expansion((), [(KINK, [0], [2])]),
        kink=(0.0, 1.0),
        label="$|z|$",
    )
)
RELU2 = register(
    Activation(
        "relu2",
        "φ(w·x) = max(w·x, 0)²",
        _squared_relu,
        degree=2,
        parity=None,
        expansion=Expansion((0.0, 0.0, 0.5), [(BEND, [0], [1])]),
        label="ReLU²",
    )
)
