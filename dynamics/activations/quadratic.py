"""Quadratic units: the model organism, and the second Hermite polynomial."""

from __future__ import annotations

from functools import partial
from typing import Any

from dynamics.activations.base import Activation, register
from dynamics.population.quadratic import QuadraticPopulation


def _square(z: Any, q: Any) -> Any:
    return z * z


def _centred_square(z: Any, q: Any) -> Any:
    return z * z - q


def _twice(z: Any, q: Any, phi: Any) -> Any:
    return z + z


def _minus_one(z: Any, q: Any, phi: Any) -> Any:
    return -1.0


QUADRATIC = register(
    Activation(
        "quadratic",
        "φ(w·x) = (w·x)²",
        _square,
        degree=2,
        parity=1,
        population=QuadraticPopulation,
        slope=_twice,
        label="quadratic $z^2$",
    )
)
CENTRED = register(
    Activation(
        "centred",
        "φ(w·x) = (w·x)² − wᵀΣw, the second Hermite polynomial",
        _centred_square,
        degree=2,
        parity=1,
        population=partial(QuadraticPopulation, trace_coupling=0.0),
        slope=_twice,
        variance_slope=_minus_one,
        label=r"centred $z^2 - \langle z^2\rangle$",
    )
)
