"""What hidden layers are made of: ordinary neurons, or quadratic ones with what ReLinear adds to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import nn

from dynamics.errors import ProblemError
from dynamics.neuron.problem import INITS, Rates
from dynamics.validation import validate_choice, validate_real
from empirical.neuron.convolution import QuadraticConv2d
from empirical.neuron.layer import QuadraticLayer
from empirical.neuron.relinear import random_

STARTS = {"relinear": "ReLinear", "random": "random start"}


class Neurons(Protocol):
    """What hidden layers are made of, and how they are trained."""

    @property
    def label(self) -> str:
        """For tables and legends."""

    @property
    def rates(self) -> Rates:
        """Learning rates of the groups of weights, relative to the overall one."""

    @property
    def shrink(self) -> float:
        """Rate λ at which quadratic weights are drawn to ReLinear's start, per unit of time."""

    def linear(self, inputs: int, units: int) -> nn.Module:
        """A layer without activation."""

    def convolution(self, channels: int, units: int, kernel: int) -> nn.Module:
        """A convolution without activation whose outputs have the size of its inputs."""

    def start(self, module: nn.Module) -> None:
        """Set the initial weights of a new module."""


@dataclass(frozen=True)
class OrdinaryNeurons:
    """w·x + b, as PyTorch initialises them."""

    label = "ordinary"
    rates = Rates()
    shrink = 0.0

    def linear(self, inputs: int, units: int) -> nn.Module:
        """`torch.nn.Linear`."""
        return nn.Linear(inputs, units)

    def convolution(self, channels: int, units: int, kernel: int) -> nn.Module:
        """`torch.nn.Conv2d`."""
        return nn.Conv2d(channels, units, kernel, padding="same")

    def start(self, module: nn.Module) -> None:
        """As it is."""


@dataclass(frozen=True)
class QuadraticNeurons:
    """(w^r·x + b^r)(w^g·x + b^g) + w^b·(x ⊙ x) + c.

    Parameters
    ----------
    init : {"relinear", "random"}
        "relinear" starts as ordinary neurons; "random" draws all groups of weights as those.
    gamma : float
        γ_g = γ_b, learning rate of the quadratic weights relative to all others; 0 leaves them as they start.
    shrink : float
        λ: after every step with learning rate η, a part ηλ of the distance to ReLinear's start is removed.
    scale : float
        Of the weights of a random start, see `empirical.neuron.relinear.random_`.
    """

    init: str = "relinear"
    gamma: float = 1.0
    shrink: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        validate_choice("init", self.init, INITS)
        validate_real("gamma", self.gamma, nonnegative=True)
        validate_real("shrink", self.shrink, nonnegative=True)
        if validate_real("scale", self.scale, positive=True) != 1 and self.init == "relinear":
            raise ProblemError(
                f"`scale` is {self.scale:g}, but only a random start has one: take `init` random, or leave it out."
            )

    @property
    def label(self) -> str:
        """Start, and what was changed of it."""
        name = STARTS[self.init]
        options = [("scale", self.scale, 1.0), ("γ", self.gamma, 1.0), ("λ", self.shrink, 0.0)]
        return ", ".join([name, *(f"{n} = {value:g}" for n, value, usual in options if value != usual)])

    @property
    def rates(self) -> Rates:
        """γ for g and b, 1 for everything else."""
        return Rates(g=self.gamma, b=self.gamma)

    def linear(self, inputs: int, units: int) -> nn.Module:
        """`QuadraticLayer`."""
        return QuadraticLayer(inputs, units)

    def convolution(self, channels: int, units: int, kernel: int) -> nn.Module:
        """`QuadraticConv2d`."""
        return QuadraticConv2d(channels, units, kernel, padding="same")

    def start(self, module: nn.Module) -> None:
        """Draw the quadratic weights of a random start."""
        if self.init == "random":
            random_(module, self.scale)
