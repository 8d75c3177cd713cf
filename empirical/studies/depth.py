"""Networks of the study of Han layers, and dense ones of about as many parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn

from dynamics.validation import validate_count
from empirical.hannet.layers import Absolute, DenseNet, HanLayer, HanNet, he_linear, parameter_count
from empirical.neuron.architectures import SmallCnn
from empirical.neuron.kinds import OrdinaryNeurons

HIDDEN = (Absolute, HanLayer, nn.ReLU)  # what a hidden layer ends in


class Network(Protocol):
    """A description of a network."""

    def build(self, shape: Sequence[int], outputs: int) -> nn.Sequential:
        """The network for samples of a shape, its initial weights drawn."""


@dataclass(frozen=True)
class HanStack:
    """A HanNet; images are read as vectors.

    Parameters
    ----------
    width, layers : int
        Of the hidden layers, of which all but three are Han layers.
    """

    width: int
    layers: int

    def build(self, shape: Sequence[int], outputs: int) -> nn.Sequential:
        """`HanNet`."""
        return nn.Sequential(nn.Flatten(), HanNet(math.prod(shape), self.width, outputs, layers=self.layers))


@dataclass(frozen=True)
class DenseStack:
    """A dense ReLU network of equal width in all layers, with as many parameters as another network, or nearly so.

    Parameters
    ----------
    like : Network
        The other one.
    layers : int
        Hidden layers.
    """

    like: Network
    layers: int

    def build(self, shape: Sequence[int], outputs: int) -> nn.Sequential:
        """`DenseNet`."""
        inputs = math.prod(shape)
        with torch.device("meta"):
            wanted = parameter_count(self.like.build(shape, outputs))
        width = dense_width(inputs, outputs, self.layers, wanted)
        return nn.Sequential(nn.Flatten(), DenseNet(inputs, width, outputs, layers=self.layers))


def dense_width(inputs: int, outputs: int, layers: int, parameters: int) -> int:
    """Width n of L hidden dense layers whose number of parameters is closest to a given one; of two, the smaller.

    The number is (L − 1)n² + (d + L + O)n + O, with biases, and grows with n.
    """
    L = validate_count("layers", layers)

    def excess(n: int) -> int:
        return (L - 1) * n**2 + (inputs + L + outputs) * n + outputs - parameters

    n = 1
    while excess(n + 1) <= 0:
        n += 1
    return n if abs(excess(n)) <= abs(excess(n + 1)) else n + 1


@dataclass(frozen=True)
class HanHead:
    """Convolutions, Han layers as wide as what leaves these, and a linear classifier.

    Parameters
    ----------
    convolutions : SmallCnn
    layers : int
        Han layers; 0: the convolutional network as it is.
    """

    convolutions: SmallCnn
    layers: int

    def build(self, shape: Sequence[int], outputs: int) -> nn.Sequential:
        """The network; a classifier behind Han layers starts as any other."""
        *features, classifier = convolutional(self.convolutions, shape, outputs)
        width = int(classifier.in_features)  # type: ignore[arg-type]
        return nn.Sequential(*features, *(HanLayer(width) for _ in range(self.layers)), classifier)


@dataclass(frozen=True)
class DenseHead:
    """The same with dense ReLU layers in the place of the Han layers.

    Parameters
    ----------
    convolutions : SmallCnn
    layers : int
    """

    convolutions: SmallCnn
    layers: int

    def build(self, shape: Sequence[int], outputs: int) -> nn.Sequential:
        """The network, its dense layers with He's variance."""
        *features, classifier = convolutional(self.convolutions, shape, outputs)
        width = int(classifier.in_features)  # type: ignore[arg-type]
        dense = [part for _ in range(self.layers) for part in (he_linear(width, width), nn.ReLU())]
        return nn.Sequential(*features, *dense, classifier)


def convolutional(convolutions: SmallCnn, shape: Sequence[int], outputs: int) -> list[nn.Module]:
    """Layers of a convolutional network, its linear classifier last."""
    return convolutions.layers(shape, outputs, OrdinaryNeurons(), nn.ReLU)


def hidden_layers(module: nn.Module) -> list[nn.Module]:
    """Activations and Han layers in their order: their outputs are those of the hidden layers."""
    return [part for part in module.modules() if isinstance(part, HIDDEN)]
