"""Networks of quadratic and of ordinary neurons for data: frozen descriptions, which become modules.

A model is an architecture, the neurons of its hidden layers and their activation; the output layer is an ordinary one,
as in the theory of `dynamics.neuron`. What ReLinear adds (a start, rates γ of the quadratic weights, shrinking) belongs
to the neurons, so that a study trains all models by the same lines:

    module = model.build(shape, outputs, seed)
    train_module(module, model.optimizer(step), data, plan, after_step=model.after_step(step))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import nn

from dynamics.validation import validate_choice, validate_real
from empirical.module_training import MakeOptimizer, initialised
from empirical.neuron.architectures import Architecture
from empirical.neuron.kinds import Neurons, OrdinaryNeurons
from empirical.neuron.relinear import parameter_groups, shrink_

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky-relu": nn.LeakyReLU,
    "tanh": nn.Tanh,
    "linear": nn.Identity,
}
LARGEST_WIDTH = 1 << 20  # that the search for equal numbers of parameters tries


@dataclass(frozen=True)
class Model:
    """A network with weights to be learned.

    Parameters
    ----------
    architecture : Mlp or SmallCnn
    neurons : OrdinaryNeurons or QuadraticNeurons
        Of the hidden layers.
    activation : str
        One of `ACTIVATIONS`.
    """

    architecture: Architecture
    neurons: Neurons
    activation: str = "relu"

    def __post_init__(self) -> None:
        validate_choice("activation", self.activation, ACTIVATIONS)

    def build(self, shape: Sequence[int], outputs: int, seed: int = 0) -> nn.Sequential:
        """The module for samples of a shape, with initial weights that follow from a seed.

        Models of one architecture and seed start from the same W^r and b^r, times the `scale` of a random start, and
        the same output layer: ordinary ones, ReLinear, and random starts.
        """

        def make() -> nn.Sequential:
            phi = ACTIVATIONS[self.activation]
            module = nn.Sequential(*self.architecture.layers(shape, outputs, self.neurons, phi))
            self.neurons.start(module)
            return module

        return initialised(make, seed)

    def parameters(self, shape: Sequence[int], outputs: int) -> int:
        """Number of parameters."""
        with torch.device("meta"):
            return sum(p.numel() for p in self.build(shape, outputs).parameters())

    def optimizer(self, step: float, momentum: float = 0.0) -> MakeOptimizer:
        """SGD with learning rate η, times their relative rate for the groups of quadratic weights."""

        def make(module: nn.Module) -> torch.optim.Optimizer:
            return torch.optim.SGD(parameter_groups(module, step, self.neurons.rates), momentum=momentum)

        return make

    def after_step(self, step: float) -> Callable[[nn.Module], object] | None:
        """What follows every step of the optimiser: shrinking by ηλ, which is at most 1, or nothing."""
        amount = validate_real("step", step, positive=True) * self.neurons.shrink
        return (lambda module: shrink_(module, amount)) if amount else None


@dataclass(frozen=True)
class EqualModel:
    """An ordinary model with as many parameters as another one, as nearly as widths allow.

    Parameters
    ----------
    model : Model
    parameters, wanted : int
        Of this model, and of the other one.
    """

    model: Model
    parameters: int
    wanted: int


def ordinary_equal(model: Model, shape: Sequence[int], outputs: int) -> EqualModel:
    """The ordinary model of the same architecture, all widths scaled alike, whose number of parameters is closest.

    Parameters
    ----------
    model : Model
    shape : sequence of int
        Of one sample.
    outputs : int

    Notes
    -----
    The number grows with the factor: bisection in the largest width, which is a whole number n; the other widths are
    in proportion, rounded, at least 1. Of two that are equally close, the smaller one.
    """
    wanted = model.parameters(shape, outputs)
    widths = model.architecture.widths

    def scaled(n: int) -> Model:
        part = tuple(max(1, round(w * n / max(widths))) for w in widths)
        return replace(model, architecture=model.architecture.of(part), neurons=OrdinaryNeurons())

    low, high = 1, 2
    while high < LARGEST_WIDTH and scaled(high).parameters(shape, outputs) < wanted:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        enough = scaled(middle).parameters(shape, outputs) >= wanted
        low, high = (low, middle) if enough else (middle, high)
    found = [EqualModel(m, m.parameters(shape, outputs), wanted) for m in (scaled(low), scaled(high))]
    return min(found, key=lambda equal: abs(equal.parameters - wanted))
