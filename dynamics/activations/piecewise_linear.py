"""Units with at most one kink, at zero: linear, ReLU, |·| and ReLU²."""

from __future__ import annotations

from functools import partial
from typing import Any

from dynamics.activations import functions
from dynamics.activations.base import Activation, register
from dynamics.population.expansion import BEND, KINK, Expansion
from dynamics.population.kernels import KERNELS
from dynamics.population.piecewise_linear import PiecewiseLinearPopulation


def _identity(z: Any, q: Any) -> Any:
    return z


def _one(z: Any, q: Any, phi: Any) -> Any:
    return 1.0


def _relu(z: Any, q: Any) -> Any:
    return functions.relu(z)


def _step(z: Any, q: Any, phi: Any) -> Any:
    return functions.sign(phi)  # 0 where φ is


def _squared_relu(z: Any, q: Any) -> Any:
    above = functions.relu(z)
    return above * above


def _twice_relu(z: Any, q: Any, phi: Any) -> Any:
    above = functions.relu(z)
    return above + above


def _modulus(z: Any, q: Any) -> Any:
    return abs(z)


def _sign(z: Any, q: Any, phi: Any) -> Any:
    return functions.sign(z)


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
        slope=_one,
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
        slope=_step,
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
        slope=_sign,
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
        slope=_twice_relu,
        label="ReLU²",
    )
)
