"""Copies of a ReLU network that compute the same: hidden units rescaled by random factors."""

from __future__ import annotations

import numpy as np
from torch import nn

from dynamics.errors import ProblemError
from empirical import path_layers

STREAM = 4  # of random numbers for the factors


def rescale_(module: nn.Sequential, spread: float, seed: int) -> None:
    """Multiply weights and bias into every hidden unit by exp(spread · N(0, 1)), and divide those out of it by that.

    For fully connected layers one after the other, with positively homogeneous activations between them.

    Parameters
    ----------
    module : nn.Sequential
    spread : float
    seed : int
        Of the factors.

    Raises
    ------
    ProblemError
        If layers are not fully connected.
    """
    layers = [layer for layer in module if any(True for _ in layer.parameters())]
    linear = [layer for layer in layers if type(layer) is nn.Linear]
    if len(linear) < len(layers):
        raise ProblemError("Units of fully connected layers alone can be rescaled here.")
    rng = np.random.default_rng([seed, STREAM])
    path_layers.rescale_(
        module, [np.exp(spread * rng.standard_normal(len(layer.weight))) for layer in linear[:-1]]
    )
