"""Layered networks without biases, whose hidden units can be rescaled without any change of the function."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from dynamics.aliases import Array
from dynamics.validation import validate_choice

HOMOGENEOUS: dict[str, tuple[Callable[[Tensor], Tensor], int]] = {
    "relu": (torch.relu, 1),
    "leaky-relu": (nn.functional.leaky_relu, 1),
    "abs": (torch.abs, 1),
    "linear": (lambda z: z, 1),
    "quadratic": (torch.square, 2),
}
"""Homogeneous activations and their degree h: φ(cz) = c^h φ(z) for c > 0."""


class BiasFreeNetwork(nn.Module):
    """Layered network without biases: x → W_L φ(W_{L−1} … φ(W_1 x)).

    Parameters
    ----------
    weights : sequence of (n_l, n_{l−1}) arrays
        W_1, …, W_L.
    activation : str
        One of `HOMOGENEOUS`.
    """

    def __init__(self, weights: Sequence[Array], activation: str = "relu") -> None:
        super().__init__()
        self.phi, self.degree = HOMOGENEOUS[validate_choice("activation", activation, HOMOGENEOUS)]
        self.weights = nn.ParameterList([torch.tensor(W, dtype=torch.float64) for W in weights])

    def forward(self, x: Tensor) -> Tensor:
        """Outputs (B, n_L) for inputs (B, n_0)."""
        *hidden, last = self.weights
        for W in hidden:
            x = self.phi(x @ W.T)
        return x @ last.T

    def arrays(self) -> list[Array]:
        """Weights as NumPy arrays."""
        return [W.detach().numpy().copy() for W in self.weights]


def rescale(weights: Sequence[Array], factors: Sequence[Array], degree: int = 1) -> list[Array]:
    """The same function in other weights: into each hidden unit times c > 0, out of it divided by c^h.

    Parameters
    ----------
    weights : sequence of (n_l, n_{l−1}) arrays, l = 1 … L
    factors : sequence of (n_l,) arrays, l = 1 … L − 1
    degree : int
    """
    into = [*(c[:, None] for c in factors), np.ones(1)]
    out = [np.ones(1), *(c**degree for c in factors)]
    return [W * c / a for W, c, a in zip(weights, into, out, strict=True)]
