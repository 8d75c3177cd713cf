"""Random numbers of several networks side by side: what one of them sees does not depend on how many others there are.

Where the numbers come from depends on the device, so that a run on another kind of device sees other data, of the same
law: on a processor every stream is a generator of PyTorch's, on an accelerator all of them are drawn at once
(`empirical.counted_streams`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from dynamics.aliases import Array
from dynamics.inputs.base import InputLaw
from empirical.seeds import data_generator

Names = Sequence[tuple[int, int]]
"""Which streams: the pair (q, s) is stream s of the seed q."""

Counts = int | Sequence[int]
"""How many rows of every stream: one number for all, or one for each."""

Orders = Callable[[int], Tensor]
"""Step n = 0, 1, … ↦ orders in which the streams go through their finite sets, (S, N) places."""


class Streams(Protocol):
    """S streams; each call goes on where the last of its kind ended.

    Numbers are drawn in single precision whatever the dtype: that is faster, and runs in both precisions then see the
    same data.
    """

    def inputs(self, law: InputLaw, counts: Counts, d: int) -> Tensor:
        """Inputs (S, B, d) before the covariance is applied, so many of each stream and zeros up to the largest."""

    def noise(self, counts: Counts, outputs: int) -> Tensor:
        """Standard normal numbers (S, B, O), so many rows of each stream and zeros up to the largest."""

    def orders(self, count: int, passes: Sequence[int]) -> Orders:
        """Random orders (S, N) of N samples; stream s takes a new one every `passes[s]` steps."""


@dataclass(frozen=True)
class Numbers:
    """Random numbers of one generator as tensors."""

    generator: torch.Generator
    dtype: torch.dtype
    device: torch.device | str

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers."""
        return torch.randn(*shape, generator=self.generator, device=self.device).to(self.dtype)

    def uniform(self, *shape: int) -> Tensor:
        """Numbers in [0, 1)."""
        return torch.rand(*shape, generator=self.generator, device=self.device).to(self.dtype)

    def gamma(self, shape_parameter: float, *shape: int) -> Tensor:
        """Numbers of a gamma law of scale 1."""
        parameters = torch.full(shape, shape_parameter, device=self.device)
        return torch._standard_gamma(parameters, generator=self.generator).to(self.dtype)

    def array(self, value: Array) -> Tensor:
        """A tensor of the same numbers."""
        return torch.tensor(value, dtype=self.dtype, device=self.device)


class GeneratorStreams:
    """A generator of PyTorch's for every stream."""

    def __init__(self, names: Names, dtype: torch.dtype, device: torch.device | str) -> None:
        self.generators = [data_generator(device, seed, stream) for seed, stream in names]
        self.dtype, self.device = dtype, device

    def inputs(self, law: InputLaw, counts: Counts, d: int) -> Tensor:
        """See `Streams`."""
        if law.gaussian:
            # (S, d, B) in memory, seen as (S, B, d): the layout the network multiplies fastest.
            return self._normal([(d, n) for n in self._each(counts)]).mT
        drawn = [
            law.draw(Numbers(generator, self.dtype, self.device), n, d).to(self.dtype)
            for n, generator in zip(self._each(counts), self.generators, strict=True)
        ]
        return nn.utils.rnn.pad_sequence(drawn, batch_first=True)

    def noise(self, counts: Counts, outputs: int) -> Tensor:
        """See `Streams`."""
        return self._normal([(n, outputs) for n in self._each(counts)])

    def orders(self, count: int, passes: Sequence[int]) -> Orders:
        """See `Streams`."""
        found = torch.empty(len(self.generators), count, dtype=torch.int64, device=self.device)

        def at(n: int) -> Tensor:
            for order, length, generator in zip(found, passes, self.generators, strict=True):
                if n % length == 0:
                    order.copy_(torch.rand(count, generator=generator, device=self.device).argsort())
            return found

        return at

    def _each(self, counts: Counts) -> Sequence[int]:
        """One for each stream."""
        return [counts] * len(self.generators) if isinstance(counts, int) else counts

    def _normal(self, shapes: Sequence[tuple[int, int]]) -> Tensor:
        """Standard normal numbers (S, …); zeros fill smaller shapes."""
        largest = max(shapes)
        if len(set(shapes)) == 1:
            numbers = torch.empty(len(shapes), *largest, device=self.device)
            for part, generator in zip(numbers, self.generators, strict=True):
                part.normal_(generator=generator)
        else:
            numbers = torch.zeros(len(shapes), *largest, device=self.device)
            for part, (m, n), generator in zip(numbers, shapes, self.generators, strict=True):
                part[:m, :n] = torch.randn(m, n, generator=generator, device=self.device)
        return numbers.to(self.dtype)


def open_streams(names: Names, dtype: torch.dtype, device: torch.device | str) -> Streams:
    """The streams of these names on a device."""
    if torch.device(device).type == "cpu":
        return GeneratorStreams(names, dtype, device)
    from empirical.counted_streams import CountedStreams

    return CountedStreams(names, dtype, device)
