"""The table of activations: a new one is a file and a line here, or a call of `register` in a program of one's own."""

from __future__ import annotations

from dynamics.activations.base import Activation
from dynamics.activations.piecewise_linear import ABS, LINEAR, RELU
from dynamics.activations.quadratic import CENTRED, QUADRATIC
from dynamics.errors import ProblemError

ACTIVATIONS: dict[str, Activation] = {a.name: a for a in (QUADRATIC, CENTRED, LINEAR, RELU, ABS)}


def register(activation: Activation) -> Activation:
    """Make an activation known by its name, to every command and function that takes names.

    Raises
    ------
    ProblemError
        If another activation has this name already.
    """
    if ACTIVATIONS.setdefault(activation.name, activation) != activation:
        raise ProblemError(f"The name {activation.name!r} belongs to another activation: choose a new one.")
    return activation
