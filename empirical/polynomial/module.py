"""A network of one's own as a PyTorch module: the same program, on tensors, for one network or an ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dynamics.aliases import Array
from dynamics.networks import Network


class OfTorch:
    """What the operations of `dynamics.networks.operations` ask of PyTorch.

    Parameters
    ----------
    ensemble : bool
        Whether every array has one more axis, of the networks of an ensemble, before all others.
    """

    def __init__(self, ensemble: bool) -> None:
        self.ensemble = ensemble

    def contract(self, subscripts: str, left: Tensor, right: Tensor) -> Tensor:
        """As `numpy.einsum` of two arrays, network by network."""
        given, _, out = subscripts.partition("->")
        one, other = given.split(",")
        if one == other == out:
            return left * right
        s = "S" if self.ensemble else ""
        return torch.einsum(f"{s}{one},{s}{other}->{s}{out}", left, right)

    def add(self, value: Tensor, other: Tensor, spread: bool) -> Tensor:
        """The sum; the axis of the samples stands behind that of the ensemble."""
        return value + (other.unsqueeze(1) if spread and self.ensemble else other)

    def stack(self, values: Sequence[Any]) -> Tensor:
        """Along a new last axis."""
        return torch.stack(list(values), dim=-1)


class PolynomialModule(nn.Module):
    """A network of one's own.

    Parameters
    ----------
    network : Network
    theta : (P,) array
        Its parameters.
    ensemble : int, optional
        Number S of networks with these parameters, trained side by side; None: one network without that axis.
    dtype, device
        Of the tensors.

    Examples
    --------
    >>> import torch
    >>> from dynamics.networks import read_network
    >>> net = read_network("deep-quadratic:2,3,1")
    >>> model = PolynomialModule(net, net.initialise(1.0))
    >>> model(torch.ones(5, 2)).shape, sum(p.numel() for p in model.parameters())
    (torch.Size([5, 1]), 9)
    """

    def __init__(
        self,
        network: Network,
        theta: Array,
        *,
        ensemble: int | None = None,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__()
        self.network, self.ensemble = network, ensemble
        self.library = OfTorch(ensemble is not None)
        for p, array in zip(network.parameters, network.unpack(network.checked(theta)), strict=True):
            value = torch.tensor(array, dtype=dtype, device=device)
            if ensemble is not None:
                value = value.expand(ensemble, *p.shape).clone()
            self.register_parameter(p.name, nn.Parameter(value))

    @property
    def weights(self) -> list[nn.Parameter]:
        """The parameters in the order of the network's."""
        return [getattr(self, p.name) for p in self.network.parameters]

    def forward(self, x: Tensor) -> Tensor:
        """Outputs ([S,] B, O) for inputs ([S,] B, d)."""
        shaped = x.reshape(*x.shape[:-1], *self.network.input_shape)
        found: Tensor = self.network.program.values(self.weights, shaped, self.library)[-1]
        return found

    @torch.no_grad()
    def theta(self) -> Array:
        """Parameters ([S,] P) as numbers of double precision."""
        lead = 0 if self.ensemble is None else 1
        flat = [w.detach().cpu().double().numpy() for w in self.weights]
        return np.concatenate([a.reshape(*a.shape[:lead], -1) for a in flat], axis=-1)
