"""Copies of a ReLU network that compute the same: every hidden unit scaled up on one side and down on the other."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import nn

from dynamics.errors import ProblemError

STREAM = 4  # of random numbers for the factors


@torch.no_grad()
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
    for below, above in pairwise(linear):
        factors = torch.from_numpy(np.exp(spread * rng.standard_normal(len(below.weight)))).to(below.weight)
        below.weight.mul_(factors[:, None])
        if below.bias is not None:
            below.bias.mul_(factors)
        above.weight.div_(factors)
