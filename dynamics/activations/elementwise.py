"""Functions of the pre-activation alone, as an `Activation` takes functions: with what it does not need beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamics.errors import ProblemError


@dataclass(frozen=True)
class Elementwise:
    """A function of z alone, with a twin for tensors.

    Parameters
    ----------
    name : str
    phi : callable
    torch : callable or None
    """

    name: str
    phi: Callable[[Any], Any]
    torch: Callable[[Any], Any] | None

    def __call__(self, z: Any, q: Any) -> Any:
        """Its value at z; the variance q has no part in it."""
        if isinstance(z, np.ndarray | float):
            return self.phi(z)
        try:
            value = (self.torch or self.phi)(z)
        except (TypeError, RuntimeError):
            value = np.empty(0)
        if isinstance(value, np.ndarray):  # or what NumPy made of a tensor
            raise ProblemError(
                f"The activation {self.name!r} takes arrays only: give `torch`, the same function of tensors, too."
            )
        return value


@dataclass(frozen=True)
class OfPreactivation:
    """A slope that is a function of z alone."""

    function: Callable[[Any], Any]

    def __call__(self, z: Any, q: Any, phi: Any) -> Any:
        """Its value at z; the variance q and the value of φ have no part in it."""
        return self.function(z)
