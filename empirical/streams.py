"""Random numbers of several networks side by side: what one of them sees does not depend on how many others there are.

Where the numbers come from depends on the device, so that a run on another kind of device sees other data, of the same
law: on a processor every stream is a generator of PyTorch's, on an accelerator all of them are drawn at once
(`empirical.counted_streams`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
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


@dataclass(frozen=True)
class Draw:
    """What every stream draws in a step.

    Parameters
    ----------
    law : InputLaw
    counts : int or sequence of int
        How many samples B, of all streams or of each; those with fewer are filled up with zeros.
    inputs : int
        d.
    noisy : int
        Outputs O with noise on their labels; 0 if there is none.
    """

    law: InputLaw
    counts: Counts
    inputs: int
    noisy: int = 0

    @property
    def numbers(self) -> int:
        """Of the largest stream, (d + O) B."""
        largest = self.counts if isinstance(self.counts, int) else max(self.counts)
        return (self.inputs + self.noisy) * largest


class Streams(Protocol):
    """S streams; each call goes on where the last of its kind ended.

    Numbers are drawn in single precision whatever the dtype: that is faster, and runs in both precisions then see the
    same data.
    """

    def ahead(self, draw: Draw) -> int:
        """How many steps are best drawn at once; whether they are changes no number."""

    def draw(self, draw: Draw, steps: int = 1) -> tuple[Tensor, Tensor | None]:
        """Of so many steps n the inputs (n, S, B, d) before the covariance is applied, and the noise (n, S, B, O)."""

    def coins(self, counts: Counts, outputs: int, steps: int = 1) -> Tensor:
        """Of so many steps n numbers in [0, 1) that labels are tossed by, (n, S, B, O).

        They are numbers of their own: which inputs a seed sees does not depend on whether its labels are tossed.
        """

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


BLOCK = 16  # numbers that PyTorch makes together; the last ones of a draw that is no multiple are drawn anew
AHEAD = 2**20  # numbers, of all streams together, that are drawn at once: some megabytes
LAUNCH = 2**15  # numbers of one stream that are drawn at once: more gain nothing
COINS = 1  # the generator beside that of inputs, noise and orders


class GeneratorStreams:
    """A generator of PyTorch's for every stream."""

    def __init__(self, names: Names, dtype: torch.dtype, device: torch.device | str) -> None:
        self.generators = [data_generator(device, seed, stream) for seed, stream in names]
        self.names, self.dtype, self.device = names, dtype, device

    @cached_property
    def _tossing(self) -> list[torch.Generator]:
        """Further generators, of whoever tosses coins."""
        return [data_generator(self.device, seed, stream, COINS) for seed, stream in self.names]

    def ahead(self, draw: Draw) -> int:
        """Several where all numbers are normal and PyTorch makes them in whole blocks (`BLOCK`).

        Only then a generator gives the same numbers at once as step by step.
        """
        B = draw.counts
        if (
            not isinstance(B, int)
            or not draw.law.gaussian
            or B * draw.inputs % BLOCK
            or B * draw.noisy % BLOCK
        ):
            return 1
        return max(1, min(LAUNCH, AHEAD // len(self.generators)) // draw.numbers)

    def draw(self, draw: Draw, steps: int = 1) -> tuple[Tensor, Tensor | None]:
        """See `Streams`."""
        if steps > 1:
            assert isinstance(draw.counts, int)
            return self._several(draw, draw.counts, steps)
        x = self._inputs(draw).unsqueeze(0)
        shapes = [(n, draw.noisy) for n in self._each(draw.counts)]
        return x, self._normal(shapes).unsqueeze(0) if draw.noisy else None

    def _several(self, draw: Draw, count: int, steps: int) -> tuple[Tensor, Tensor | None]:
        """See `draw`: inputs and noise of a step follow each other in every stream."""
        d, O = draw.inputs, draw.noisy
        numbers = self._normal([(steps, count * (d + O))] * len(self.generators)).transpose(0, 1)
        x, noise = numbers.split([count * d, count * O], dim=-1)
        return x.unflatten(-1, (d, count)).mT, noise.unflatten(-1, (count, O)) if O else None

    def _inputs(self, draw: Draw) -> Tensor:
        """Inputs (S, B, d) of a step."""
        counts, d = self._each(draw.counts), draw.inputs
        if draw.law.gaussian:
            # (S, d, B) in memory, seen as (S, B, d): the layout the network multiplies fastest.
            return self._normal([(d, n) for n in counts]).mT
        drawn = [
            draw.law.draw(Numbers(generator, self.dtype, self.device), n, d).to(self.dtype)
            for n, generator in zip(counts, self.generators, strict=True)
        ]
        return nn.utils.rnn.pad_sequence(drawn, batch_first=True)

    def coins(self, counts: Counts, outputs: int, steps: int = 1) -> Tensor:
        """See `Streams`; uniform numbers are made one by one, so that many steps at once give the same."""
        each = self._each(counts)
        drawn = torch.zeros(len(self.names), steps, max(each), outputs, device=self.device)
        for part, n, generator in zip(drawn, each, self._tossing, strict=True):
            part[:, :n] = torch.rand(steps, n, outputs, generator=generator, device=self.device)
        return drawn.transpose(0, 1).to(self.dtype)

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
