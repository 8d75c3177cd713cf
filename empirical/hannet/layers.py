"""Householder-absolute-value networks: the Han layer, the HanNet, and a dense network to compare with."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from dynamics.validation import validate_count


class HanLayer(nn.Module):
    """y = |H(u) x + b| with the Householder reflection H(u) = I − 2uuᵀ/‖u‖².

    The Jacobian is a reflection times a diagonal matrix of signs, so that all its singular values are 1. H(u) does
    not depend on ‖u‖; hence u·∂L/∂u = 0, gradient flow conserves ‖u‖², and a step η of gradient descent adds exactly
    η²‖∂L/∂u‖² to it.

    Parameters
    ----------
    features : int
        Width n; the layer has 2n parameters, a dense one n² + n.
    dtype, device
        As for every PyTorch module.

    Attributes
    ----------
    u : (n,) Parameter
        Starts as N(0, I), which is uniform over directions.
    b : (n,) Parameter
        Starts at zero.

    Notes
    -----
    Yu & Zhang, *Householder-absolute neural layers for high variability and deep trainability* (2021).
    """

    def __init__(
        self, features: int, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None
    ) -> None:
        super().__init__()
        n = validate_count("features", features)
        self.u = nn.Parameter(torch.randn(n, dtype=dtype, device=device))
        self.b = nn.Parameter(torch.zeros(n, dtype=dtype, device=device))

    def forward(self, x: Tensor) -> Tensor:
        """Outputs (…, n) for inputs (…, n); H(u) x = x − 2 (x·u) u/‖u‖² is never a matrix product."""
        rows = x.reshape(-1, x.shape[-1])
        reflected = torch.addr(rows + self.b, rows @ self.u, self.u * (-2 / self.u.square().sum()))
        return reflected.abs().reshape(x.shape)

    def extra_repr(self) -> str:
        return f"features={len(self.u)}"


class Absolute(nn.Module):
    """φ(z) = |z|."""

    def forward(self, z: Tensor) -> Tensor:
        """|z|."""
        return z.abs()


class HanNet(nn.Sequential):
    """Dense layers 1, 2 and `layers`, Han layers between them, |·| after each, and a dense output.

    Parameters
    ----------
    inputs, width, outputs : int
    layers : int
        Hidden layers, at least 3; `layers` − 3 of them are Han layers.
    dtype, device
        As for every PyTorch module.
    """

    def __init__(
        self,
        inputs: int = 2,
        width: int = 30,
        outputs: int = 2,
        *,
        layers: int = 20,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        d, n, O = (
            validate_count(k, v) for k, v in (("inputs", inputs), ("width", width), ("outputs", outputs))
        )
        count = validate_count("layers", layers, minimum=3)
        where: dict[str, Any] = {"dtype": dtype, "device": device}

        def dense(n_in: int, n_out: int) -> nn.Linear:
            layer = nn.Linear(n_in, n_out, **where)
            nn.init.orthogonal_(layer.weight)  # as isometric as the Han layers between them
            return layer

        super().__init__(
            *(dense(d, n), Absolute(), dense(n, n), Absolute()),
            *(HanLayer(n, **where) for _ in range(count - 3)),
            *(dense(n, n), Absolute(), dense(n, O)),
        )


class DenseNet(nn.Sequential):
    """Dense ReLU network to compare with, He initialisation.

    Parameters
    ----------
    inputs, width, outputs : int
    layers : int
        Hidden layers.
    dtype, device
        As for every PyTorch module.
    """

    def __init__(
        self,
        inputs: int = 2,
        width: int = 100,
        outputs: int = 2,
        *,
        layers: int = 6,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        d, n, O = (
            validate_count(k, v) for k, v in (("inputs", inputs), ("width", width), ("outputs", outputs))
        )
        count = validate_count("layers", layers)
        modules: list[nn.Module] = []
        for n_in in (d, *[n] * (count - 1)):
            modules += [he_linear(n_in, n, dtype=dtype, device=device), nn.ReLU()]
        super().__init__(*modules, he_linear(n, O, dtype=dtype, device=device))


def he_linear(n_in: int, n_out: int, **where: Any) -> nn.Linear:
    """Dense layer with weights N(0, 2/n_in), which keep the mean square of ReLU signals, and zero biases."""
    layer = nn.Linear(n_in, n_out, **where)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return layer


def parameter_count(network: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
