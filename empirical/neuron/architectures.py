"""How hidden layers of any neurons are put together: fully connected, or convolutional."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from torch import nn

from dynamics.errors import ProblemError
from dynamics.validation import validate_count
from empirical.neuron.kinds import Neurons


class Architecture(Protocol):
    """How layers are put together."""

    @property
    def widths(self) -> tuple[int, ...]:
        """Units, or channels, of the hidden layers."""

    def of(self, widths: tuple[int, ...]) -> Architecture:
        """The same with other widths."""

    def layers(
        self, shape: Sequence[int], outputs: int, neurons: Neurons, phi: Callable[[], nn.Module]
    ) -> list[nn.Module]:
        """Modules from inputs (B, *shape) to outputs (B, outputs)."""


@dataclass(frozen=True)
class Mlp:
    """Fully connected layers.

    Parameters
    ----------
    widths : tuple of int
        Units of the hidden layers.
    """

    widths: tuple[int, ...] = (16, 16)

    def __post_init__(self) -> None:
        _check_widths(self.widths)

    def of(self, widths: tuple[int, ...]) -> Mlp:
        """The same with other widths."""
        return replace(self, widths=widths)

    def layers(
        self, shape: Sequence[int], outputs: int, neurons: Neurons, phi: Callable[[], nn.Module]
    ) -> list[nn.Module]:
        """Images are read as vectors."""
        sizes = [math.prod(shape), *self.widths]
        hidden = [
            layer
            for n, m in zip(sizes[:-1], self.widths, strict=True)
            for layer in (neurons.linear(n, m), phi())
        ]
        return [nn.Flatten(), *hidden, nn.Linear(sizes[-1], outputs)]


@dataclass(frozen=True)
class SmallCnn:
    """Convolutions, each followed by its activation and by the maximum over patches of 2 × 2, and a linear output.

    Parameters
    ----------
    widths : tuple of int
        Channels of the convolutions.
    kernel : int
        Width of their patches; borders are padded by 0.
    """

    widths: tuple[int, ...] = (8, 16)
    kernel: int = 3

    def __post_init__(self) -> None:
        _check_widths(self.widths)
        validate_count("kernel", self.kernel)

    def of(self, widths: tuple[int, ...]) -> SmallCnn:
        """The same with other widths."""
        return replace(self, widths=widths)

    def layers(
        self, shape: Sequence[int], outputs: int, neurons: Neurons, phi: Callable[[], nn.Module]
    ) -> list[nn.Module]:
        """Images (channels, height, width); along a side of 1 no maximum is taken."""
        if len(shape) != 3:
            raise ProblemError(
                f"Samples have the shape {tuple(shape)}, but a convolutional network takes (channels, height, width)."
            )
        found: list[nn.Module] = []
        channels, *size = shape
        for width in self.widths:
            patch = tuple(min(2, side) for side in size)
            found += [neurons.convolution(channels, width, self.kernel), phi(), nn.MaxPool2d(patch)]
            channels, size = width, [side // p for side, p in zip(size, patch, strict=True)]
        return [*found, nn.Flatten(), nn.Linear(channels * math.prod(size), outputs)]


def _check_widths(widths: tuple[int, ...]) -> None:
    if not widths:
        raise ProblemError("`widths` is empty, but a network needs a hidden layer.")
    for width in widths:
        validate_count("widths", width)
