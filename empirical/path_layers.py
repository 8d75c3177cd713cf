"""Layers of PyTorch modules as weight matrices of path space: dense ones, convolutions, and their biases.

What a module is to path space stands in the table `READERS`. Hidden units are the outputs of a dense layer and the
channels of a convolution, each of which can be rescaled by c > 0 against the weights out of it without a change of the
function, as long as what stands between is homogeneous of degree 1 and keeps the channels apart. A bias is an edge from
a constant, where a path of its own begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from dynamics.errors import ProblemError
from dynamics.path_space import CONSTANT, Wiring
from dynamics.path_space.wiring import Indices
from dynamics.validation import validate_array


@dataclass(frozen=True, eq=False)
class PathLayer:
    """One layer of weights.

    Parameters
    ----------
    weight : Tensor
        Of a dense layer or a convolution, (n_l, …); or matrices (S, n_l, n_{l−1}) of an ensemble.
    bias : Tensor or None
        (n_l,).
    sources : (columns,) integer array
        Unit of the layer below from which each column of the matrix comes, see `dynamics.path_space.Wiring`.
    rows : int
        Axes of the weight before those that make the columns.
    """

    weight: Tensor
    bias: Tensor | None
    sources: Indices
    rows: int = 1

    @property
    def parameters(self) -> list[Tensor]:
        """What an optimiser moves."""
        return [self.weight] if self.bias is None else [self.weight, self.bias]

    def matrix(self, of: Callable[[Tensor], Tensor] = Tensor.detach) -> Tensor:
        """The weights ([S,] n_l, columns), the bias as the last column; or what belongs to each of them."""
        W = of(self.weight).flatten(self.rows)
        return W if self.bias is None else torch.cat([W, of(self.bias)[:, None]], dim=1)

    def write(self, matrix: Tensor) -> None:
        """Put the weights of a matrix in their places."""
        if self.bias is not None:
            self.bias.copy_(matrix[:, -1])
            matrix = matrix[:, :-1]
        self.weight.copy_(matrix.reshape(self.weight.shape))


def wiring_of(layers: Sequence[PathLayer]) -> Wiring:
    """How the units of some layers are joined."""
    inputs = int(layers[0].sources.max()) + 1
    widths = (inputs, *(layer.weight.shape[layer.rows - 1] for layer in layers))
    return Wiring(widths, tuple(layer.sources for layer in layers))


def layers_of_matrices(weights: Sequence[Any]) -> list[PathLayer]:
    """Dense layers ([S,] n_l, n_{l−1}) without biases, from the first to the last.

    Raises
    ------
    ProblemError
        If these are not matrices that follow each other.
    """
    if len(weights) < 2:
        raise ProblemError(f"G-SGD got {len(weights)} weight matrices, but needs at least two layers.")
    for l, W in enumerate(weights, start=1):
        if not isinstance(W, Tensor) or W.ndim not in (2, 3):
            shape = tuple(W.shape) if isinstance(W, Tensor) else type(W).__name__
            raise ProblemError(
                f"Parameter {l} is {shape}, but G-SGD takes weight matrices only: give it the module itself, if it has"
                " biases or convolutions."
            )
    for l, (W, V) in enumerate(pairwise(weights), start=1):
        if V.shape[-1] != W.shape[-2] or V.shape[:-2] != W.shape[:-2]:
            raise ProblemError(
                f"Layers {l} and {l + 1} have shapes {tuple(W.shape)} and {tuple(V.shape)}, which do not follow "
                "each other: give the weights from the first layer to the last."
            )
    return [PathLayer(W, None, np.arange(W.shape[-1]), W.ndim - 1) for W in weights]


def layers_of_module(module: nn.Module) -> list[PathLayer]:
    """Layers of an `nn.Sequential`, nested ones included.

    Raises
    ------
    ProblemError
        If it is something else, holds modules that are not in `READERS`, or they do not fit together.
    """
    if not isinstance(module, nn.Sequential):
        raise ProblemError(
            f"G-SGD got a {type(module).__name__}, but reads paths from an nn.Sequential, or takes weight matrices."
        )
    found = _Reading()
    for part in _parts(module):
        read = READERS.get(type(part))
        if read is None:
            names = ", ".join(kind.__name__ for kind in READERS)
            raise ProblemError(
                f"The network contains {type(part).__name__}, and G-SGD does not know how paths pass through it: it"
                f" takes {names}."
            )
        read(found, part)
    parameters = [p for layer in found.layers for p in layer.parameters]
    if len(found.layers) < 2:
        raise ProblemError(
            f"The network has {len(found.layers)} layers of weights, but G-SGD needs at least two."
        )
    if len({id(p) for p in parameters}) < len(parameters):
        raise ProblemError(
            "Two layers of the network share weights, but G-SGD moves each weight by one path: untie them."
        )
    if not all(p.requires_grad for p in parameters):
        raise ProblemError(
            "Some weights of the network are frozen, but G-SGD mixes all layers: train them all."
        )
    return found.layers


@torch.no_grad()
def rescale_(module: nn.Sequential, factors: Sequence[ArrayLike]) -> nn.Sequential:
    """Give a network the same function in other weights, in place; returns it.

    Parameters
    ----------
    module : nn.Sequential
        See `layers_of_module`.
    factors : sequence of (n_l,) arrays
        c > 0 of every hidden unit or channel, by which the weights into it and its bias are multiplied and those out of
        it divided.

    Raises
    ------
    ProblemError
        If they are not positive, or not one for each hidden unit.
    """
    layers = layers_of_module(module)
    wiring = wiring_of(layers)
    if len(factors) != len(layers) - 1:
        raise ProblemError(
            f"`factors` are {len(factors)}, but the network has {len(layers) - 1} hidden layers."
        )
    below = np.ones(wiring.widths[0])
    for l, layer in enumerate(layers, start=1):
        n = wiring.widths[l]
        c = np.ones(n) if l == len(layers) else validate_array("factors", factors[l - 1], 1)
        if c.shape != (n,) or not (c > 0).all():
            raise ProblemError(f"`factors` of hidden layer {l} must be {n} positive numbers.")
        W = layer.matrix()
        change = c[:, None] / wiring.carry(below, l, 1.0)
        layer.write(W * torch.from_numpy(change).to(W))
        below = c
    return module


def _parts(module: nn.Sequential) -> Iterator[nn.Module]:
    """What a sequence does, one thing after the other."""
    for part in module:  # one that stands there twice comes twice, unlike among its `children`
        if isinstance(part, nn.Sequential):
            yield from _parts(part)
        else:
            yield part


@dataclass
class _Reading:
    """Layers found so far.

    Parameters
    ----------
    layers : list of PathLayer
    units : int or None
        Channels or units that come out of them; None at the inputs.
    spread : bool
        Whether each of them is there at several positions.
    """

    layers: list[PathLayer] = field(default_factory=list)
    units: int | None = None
    spread: bool = False

    def add(self, weight: Tensor, bias: Tensor | None, inputs: int, spread: bool) -> None:
        """A layer whose weights have the shape (n_l, inputs, …)."""
        units = inputs if self.units is None else self.units
        sources = np.repeat(np.arange(units), weight[0].numel() // units)
        if bias is not None:
            sources = np.append(sources, CONSTANT)
        self.layers.append(PathLayer(weight, bias, sources))
        self.units, self.spread = len(weight), spread


def _dense(found: _Reading, part: Any) -> None:
    """Of one unit below, or of all positions of one channel, which lie side by side after `Flatten`."""
    if found.spread:
        raise ProblemError(f"Linear({part.in_features}, …) follows channels: put Flatten between.")
    if found.units is not None and part.in_features % found.units:
        raise ProblemError(
            f"Linear({part.in_features}, …) follows {found.units} units or channels, of which that is no multiple."
        )
    found.add(part.weight, part.bias, part.in_features, spread=False)


def _convolution(found: _Reading, part: Any) -> None:
    """All entries of a kernel join two channels."""
    name = f"{type(part).__name__}({part.in_channels}, {part.out_channels})"
    if part.groups != 1:
        raise ProblemError(
            f"{name} has {part.groups} groups, but G-SGD takes convolutions of one group only."
        )
    if found.units is not None and not (found.spread and part.in_channels == found.units):
        raise ProblemError(
            f"{name} does not follow channels of the same number: G-SGD cannot tell its paths."
        )
    found.add(part.weight, part.bias, part.in_channels, spread=True)


def _pooling(found: _Reading, part: nn.Module) -> None:
    """Maxima and means over positions of one channel are homogeneous; over units they would mix them."""
    if found.units is not None and not found.spread:
        raise ProblemError(f"{type(part).__name__} follows units without positions, which it would mix.")


def _flattening(found: _Reading, part: Any) -> None:
    """Channels after one another, their positions side by side."""
    if (part.start_dim, part.end_dim) != (1, -1):
        raise ProblemError(
            f"Flatten has start_dim = {part.start_dim} and end_dim = {part.end_dim}, but must flatten everything but"
            " the samples: 1 and −1."
        )
    found.spread = False


def _by_itself(found: _Reading, part: nn.Module) -> None:
    """What acts on every number by itself, homogeneous of degree 1."""


READERS: dict[type[nn.Module], Callable[[_Reading, Any], None]] = {
    nn.Linear: _dense,
    nn.Conv1d: _convolution,
    nn.Conv2d: _convolution,
    nn.ReLU: _by_itself,
    nn.LeakyReLU: _by_itself,
    nn.Identity: _by_itself,
    nn.Flatten: _flattening,
    nn.AvgPool1d: _pooling,
    nn.AvgPool2d: _pooling,
    nn.AdaptiveAvgPool1d: _pooling,
    nn.AdaptiveAvgPool2d: _pooling,
    nn.MaxPool1d: _pooling,
    nn.MaxPool2d: _pooling,
}
