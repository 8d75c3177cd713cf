"""Trained networks with all their digits: modules as the piecewise polynomials whose pieces are counted exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from dynamics.errors import ProblemError
from dynamics.neuron.pieces.network import Layer, Network
from dynamics.validation import validate_count
from empirical.neuron.layer import QuadraticLayer


def exact_network(module: nn.Sequential, output: int = 0) -> Network:
    """The network of `dynamics.neuron.pieces` that one output of a module is, weights as the binary fractions they are.

    Parameters
    ----------
    module : nn.Sequential
        Of `torch.nn.Linear`, `QuadraticLayer` and the activations of `ACTIVATIONS`, such as `empirical.neuron.models`
        builds for vectors; `torch.nn.Flatten` and `torch.nn.Identity` are passed over.
    output : int
        Which one.

    Raises
    ------
    ProblemError
        If there is another module in it, or no such output.

    Examples
    --------
    >>> from dynamics.neuron import pieces_along_line
    >>> module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> pieces_along_line(exact_network(module), [0, 0], [1, 2]).number <= 4
    True
    """
    layers: list[Layer] = []
    for part in module:
        if type(part) in PASSED_OVER:
            continue
        if type(part) in LAYERS:
            layers.append(LAYERS[type(part)](part))
        elif layers and type(part) in ACTIVATIONS and layers[-1].bare:
            layers[-1] = replace(layers[-1], activation=ACTIVATIONS[type(part)])
        else:
            allowed = ", ".join(kind.__name__ for kind in (*LAYERS, *ACTIVATIONS, *PASSED_OVER))
            raise ProblemError(
                f"{type(part).__name__} is not a layer, or no activation after one, that is a known piecewise"
                f" polynomial: {allowed} are."
            )
    if not layers or validate_count("output", output, minimum=0) >= layers[-1].units:
        raise ProblemError(
            f"`output` is {output}, but the module has {layers[-1].units if layers else 0} outputs, counted from 0."
        )
    last, one = layers[-1], slice(output, output + 1)
    return Network((*layers[:-1], replace(last, R=last.R[one], G=last.G[one], B=last.B[one])))


def _ordinary(layer: nn.Linear) -> Layer:
    bias = torch.zeros(len(layer.weight)) if layer.bias is None else layer.bias
    return Layer.ordinary(_rows(layer.weight, bias))


def _quadratic(layer: QuadraticLayer) -> Layer:
    R, G, B = (_rows(*layer.group(name)) for name in "rgb")
    if layer.activation is None:
        return Layer(R, G, B)
    try:
        # a function is in the table itself, a module by its class
        return Layer(R, G, B, ACTIVATIONS.get(layer.activation) or ACTIVATIONS[type(layer.activation)])
    except KeyError:
        raise ProblemError(
            f"The activation {layer.activation!r} of a quadratic layer is not a known piecewise polynomial."
        ) from None


def _rows(weight: Tensor, bias: Tensor) -> Any:
    """Rows (w, b) of the units."""
    return torch.cat([weight, bias.to(weight)[:, None]], dim=1).detach().cpu().double().tolist()


LAYERS: dict[type, Callable[[Any], Layer]] = {nn.Linear: _ordinary, QuadraticLayer: _quadratic}
ACTIVATIONS: dict[Any, str] = {
    nn.ReLU: "relu",
    torch.relu: "relu",
    torch.abs: "abs",
    torch.square: "quadratic",
}
PASSED_OVER = (nn.Flatten, nn.Identity)
