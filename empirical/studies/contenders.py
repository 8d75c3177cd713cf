"""What is compared in a study: a network, the way it starts, and its optimiser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn

from empirical.hannet.layers import parameter_count
from empirical.module_training import MakeOptimizer, initialised
from empirical.neuron.architectures import Architecture
from empirical.neuron.kinds import OrdinaryNeurons
from empirical.neuron.models import Model, ordinary_equal
from empirical.studies.depth import Network, hidden_layers

Hook = Callable[[nn.Module], object]


class Contender(Protocol):
    """One side of a comparison."""

    @property
    def label(self) -> str:
        """For tables and legends."""

    @property
    def family(self) -> str:
        """Contenders of one family differ in size alone."""

    @property
    def unit(self) -> float:
        """Learning rate that the rate 1 of a study's grid means."""

    def build(self, shape: Sequence[int], outputs: int, seed: int) -> nn.Module:
        """The network for samples of a shape, its initial weights from a seed."""

    def optimizer(self, step: float) -> MakeOptimizer:
        """Its optimiser."""

    def after_step(self, step: float) -> Hook | None:
        """What follows every step of the optimiser; None if nothing does."""

    def watched(self, module: nn.Module) -> list[nn.Module]:
        """Layers whose outputs' gradients are measured, from the first to the last; none if it is not about these."""


@dataclass(frozen=True)
class NeuronContender:
    """A network of ordinary or quadratic neurons under SGD.

    Parameters
    ----------
    label : str
    model : Model
    equal : bool
        Take ordinary neurons instead, in a network with as many parameters.
    unit, momentum : float
    """

    label: str
    model: Model
    equal: bool = False
    unit: float = 1.0
    momentum: float = 0.0

    @property
    def family(self) -> str:
        """Each is alone."""
        return self.label

    def build(self, shape: Sequence[int], outputs: int, seed: int) -> nn.Module:
        """The network."""
        model = ordinary_equal(self.model, shape, outputs).model if self.equal else self.model
        return model.build(shape, outputs, seed)

    def optimizer(self, step: float) -> MakeOptimizer:
        """SGD with the relative rates of the neurons."""
        return self.model.optimizer(step, self.momentum) if not self.equal else sgd(step, self.momentum)

    def after_step(self, step: float) -> Hook | None:
        """Shrinking."""
        return None if self.equal else self.model.after_step(step)

    def watched(self, module: nn.Module) -> list[nn.Module]:
        """None."""
        return []


def sgd(step: float, momentum: float = 0.0) -> MakeOptimizer:
    """PyTorch's SGD."""
    return lambda module: torch.optim.SGD(module.parameters(), lr=step, momentum=momentum)


@dataclass(frozen=True)
class PathContender:
    """A ReLU network under SGD or G-SGD.

    Parameters
    ----------
    label : str
    architecture : Mlp or SmallCnn
    paths : bool
        G-SGD instead of SGD.
    spread : float
        Hidden units are rescaled by factors exp(spread · N(0, 1)) in and their inverses out, which changes no output;
        0: they are not.
    unit : float
    """

    label: str
    architecture: Architecture
    paths: bool = False
    spread: float = 0.0
    unit: float = 1.0

    @property
    def family(self) -> str:
        """Each is alone."""
        return self.label

    def build(self, shape: Sequence[int], outputs: int, seed: int) -> nn.Module:
        """The network, with its units rescaled."""
        from empirical.studies.rescaling import rescale_

        module = Model(self.architecture, OrdinaryNeurons()).build(shape, outputs, seed)
        if self.spread:
            rescale_(module, self.spread, seed)
        return module

    def optimizer(self, step: float) -> MakeOptimizer:
        """SGD, or G-SGD."""
        from empirical.gsgd import GSGD

        return (lambda module: GSGD(module, lr=step)) if self.paths else sgd(step)

    def after_step(self, step: float) -> None:
        """Nothing."""
        return

    def watched(self, module: nn.Module) -> list[nn.Module]:
        """None."""
        return []


@dataclass(frozen=True)
class DepthContender:
    """A network with Han layers, or with others in their place, under Adam.

    Parameters
    ----------
    label, family : str
    network : HanStack, DenseStack, HanHead or DenseHead
    unit : float
    """

    label: str
    family: str
    network: Network
    unit: float = 1e-2

    def build(self, shape: Sequence[int], outputs: int, seed: int) -> nn.Module:
        """The network."""
        return initialised(lambda: self.network.build(shape, outputs), seed)

    def optimizer(self, step: float) -> MakeOptimizer:
        """Adam, as PyTorch has it."""
        return lambda module: torch.optim.Adam(module.parameters(), lr=step)

    def after_step(self, step: float) -> None:
        """Nothing."""
        return

    def watched(self, module: nn.Module) -> list[nn.Module]:
        """All hidden layers, each with its activation."""
        return hidden_layers(module)


def parameters_of(contender: Contender, shape: Sequence[int], outputs: int) -> int:
    """Number of trained parameters."""
    return parameter_count(contender.build(shape, outputs, 0))
