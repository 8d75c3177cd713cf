"""From a user's `nn.Sequential` of linear layers and powers to a network of one's own, and back."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dynamics.aliases import Array
from dynamics.errors import ProblemError
from dynamics.networks import Layer, Network, Power
from dynamics.networks.composition import LARGEST_POWER, Composition, Piece

PROBES = torch.tensor([[-1.5, -0.5, 0.25], [0.75, 1.25, 2.0]], dtype=torch.float64)
CLOSE = 1e-5  # of a power: what single precision leaves


class PowerUnits(nn.Module):
    """Every number to a power, as a layer of `nn.Sequential`.

    Parameters
    ----------
    exponent : int
    """

    def __init__(self, exponent: int = 2) -> None:
        super().__init__()
        self.exponent = Power(exponent).exponent

    def forward(self, x: Tensor) -> Tensor:
        """Numbers of the same shape."""
        return x**self.exponent

    def extra_repr(self) -> str:
        """As it is printed."""
        return str(self.exponent)


def from_sequential(model: nn.Sequential) -> tuple[Network, Array]:
    """The network that a module computes, and its parameters (P,).

    Parameters
    ----------
    model : nn.Sequential
        Of `nn.Linear`, with or without biases, further `nn.Sequential`, and modules without parameters that raise every
        number to a power, whatever their class: that is tried out.

    Raises
    ------
    ProblemError
        If it holds something else, or does not begin and end with a linear layer.

    Examples
    --------
    >>> from torch import nn
    >>> model = nn.Sequential(nn.Linear(2, 3, bias=False), PowerUnits(2), nn.Linear(3, 1, bias=False))
    >>> from_sequential(model)[0].spec
    'linear:2,3 >> square >> linear:3,1'
    """
    layers = [m for m in model.modules() if not isinstance(m, nn.Sequential)]
    pieces = [_piece(layer) for layer in layers]
    network = Composition(tuple(p for p in pieces if p.text != "power:1")).network()
    arrays = {}
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    for n, layer in enumerate(linear, 1):
        arrays[f"W_{n}"] = layer.weight.detach().cpu().double().numpy()
        if layer.bias is not None:
            arrays[f"b_{n}"] = layer.bias.detach().cpu().double().numpy()
    return network, network.from_arrays(arrays)


def to_sequential(network: Network, theta: Array, dtype: torch.dtype = torch.float32) -> nn.Sequential:
    """The `nn.Sequential` of a network of linear layers and powers, with its parameters.

    Raises
    ------
    ProblemError
        If it has other pieces.
    """
    arrays = network.named(network.checked(theta))
    shapes = [p for p in network.parameters if p.name.startswith("W_")]
    biased = {p.name for p in network.parameters if p.name.startswith("b_")}
    if len(shapes) + len(biased) < len(network.parameters) or network.expressions is not None:
        raise ProblemError(
            f"The network {network.spec!r} is no `nn.Sequential`, but must have linear layers and powers only."
        )
    layers: list[nn.Module] = []
    powers = _powers(network)
    for n, p in enumerate(shapes, 1):
        outputs, inputs = p.shape
        layer = nn.Linear(inputs, outputs, bias=f"b_{n}" in biased, dtype=dtype)
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(arrays[p.name]))
            if f"b_{n}" in biased:
                layer.bias.copy_(torch.tensor(arrays[f"b_{n}"]))
        layers.append(layer)
        layers += [PowerUnits(power) for power in powers[n - 1]]
    return nn.Sequential(*layers)


def _powers(network: Network) -> list[list[int]]:
    """The powers after each layer of weights, read off the operations."""
    found: list[list[int]] = []
    for step in network.program.steps:
        exponent = getattr(step, "exponent", None)
        if exponent is not None:
            found[-1].append(exponent)
        elif hasattr(step, "subscripts"):
            found.append([])
    return found


def _piece(layer: nn.Module) -> Piece:
    """What a module computes."""
    if isinstance(layer, nn.Linear):
        return Layer("linear", layer.in_features, layer.out_features, bias=layer.bias is not None)
    exponent = None if any(True for _ in layer.parameters()) else _exponent(layer)
    if exponent is None:
        raise ProblemError(
            f"The module holds {type(layer).__name__}, but must consist of nn.Linear and of modules that raise every"
            f" number to a power up to {LARGEST_POWER}."
        )
    return Power(exponent)


@torch.no_grad()
def _exponent(layer: nn.Module) -> int | None:
    """The power that a module raises numbers to, in training as in use; None if it does something else."""
    training = layer.training
    try:
        outputs = [layer.train(mode)(PROBES.clone()) for mode in (True, False, True)]
    except (RuntimeError, TypeError, ValueError):
        return None
    finally:
        layer.train(training)
    for p in range(1, LARGEST_POWER + 1):
        wanted = PROBES**p
        if all(
            y.shape == wanted.shape and torch.allclose(y.double(), wanted, rtol=CLOSE, atol=0)
            for y in outputs
        ):
            return p
    return None
