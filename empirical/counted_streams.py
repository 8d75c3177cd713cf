"""Streams of random numbers that are functions of (seed, step, index): one launch draws those of all networks.

An accelerator is kept waiting by the launch of a computation rather than by its size, and generators of PyTorch's want
one for every network and step. Here a number is a hash of its coordinates instead, computed for all networks, and for
some steps ahead, in the same few operations; how many networks there are, and how many steps are drawn ahead, changes
no number. Words of 64 bits are

    w(stream, use, n, i) = h(h(h(key(stream) + use γ) + (n + 1) γ) + h((i + 1) γ)),

n counting the calls of a use and i the numbers of one. h is the finaliser of SplitMix64 with the increment γ (the odd
integer next to 2⁶⁴ over the golden ratio), constants as in java.util.SplittableRandom; that hashing in the index before
it is added leaves no two streams with a common stretch is derived here. Normal numbers are those of Box and Muller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, pi, prod

import torch
from torch import Tensor

from dynamics.aliases import Array
from empirical.seeds import data_seed
from empirical.streams import Counts, Draw, Names, Orders

GAMMA = 0x9E3779B97F4A7C15
MULTIPLIERS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
SHIFTS = (30, 27, 31)
INPUTS, NOISE, ORDERS, COINS = 0, 1 << 16, 2 << 16, 3 << 16  # uses; inputs of a law may take several
AHEAD = 1 << 20  # numbers, of all streams together, that are drawn at once
LONGEST = 1024  # steps ahead: more gain nothing
ATTEMPTS = 16  # at a gamma number, each of which fails with a probability below 5 %


def signed(word: int) -> int:
    """The integer of 64 bits with a sign that has the bits of a word, products of which PyTorch takes modulo 2⁶⁴."""
    word %= 1 << 64
    return word - (1 << 64) if word >> 63 else word


def hashed(z: Tensor) -> Tensor:
    """The finaliser of SplitMix64, in place: a bijection of 64 bits, each of which depends on all."""
    spare = torch.empty_like(z)
    for shift, multiplier in zip(SHIFTS, (*MULTIPLIERS, 1), strict=True):
        torch.bitwise_right_shift(z, shift, out=spare)
        spare.bitwise_and_((1 << (64 - shift)) - 1)  # the shift copies the sign
        z.bitwise_xor_(spare)
        if multiplier != 1:
            z.mul_(signed(multiplier))
    return z


class CountedStreams:
    """See `empirical.streams.Streams`."""

    def __init__(self, names: Names, dtype: torch.dtype, device: torch.device | str) -> None:
        self.dtype, self.device = dtype, device
        self.seeds = torch.tensor([data_seed(seed, stream) for seed, stream in names], device=device)  # (S,)
        self.calls = self.tosses = 0
        self._keys: dict[int, Tensor] = {}
        self._indices = torch.empty(0, dtype=torch.int64, device=device)  # h((i + 1) γ)
        self._asked: dict[tuple[int, ...], Tensor] = {}
        self._arrays: dict[tuple[int, tuple[int, ...]], tuple[Array, Tensor]] = {}

    def ahead(self, draw: Draw) -> int:
        """As many as make one computation large; larger ones keep an accelerator busy by themselves."""
        return min(LONGEST, max(1, AHEAD // (len(self.seeds) * draw.numbers)))

    def draw(self, draw: Draw, steps: int = 1) -> tuple[Tensor, Tensor | None]:
        """See `Streams`."""
        S, counts, d = len(self.seeds), draw.counts, draw.inputs
        size = counts if isinstance(counts, int) else max(counts)
        n, self.calls = self.calls, self.calls + steps
        x = draw.law.draw(_Rows(self, n, steps, size), steps * S * size, d).to(self.dtype)
        x = self._cut(x.view(steps, S, size, d), counts)
        if not draw.noisy:
            return x, None
        noise = self.normal(NOISE, n, steps, size * draw.noisy).to(self.dtype)
        return x, self._cut(noise.view(steps, S, size, draw.noisy), counts)

    def coins(self, counts: Counts, outputs: int, steps: int = 1) -> Tensor:
        """See `Streams`."""
        size = counts if isinstance(counts, int) else max(counts)
        n, self.tosses = self.tosses, self.tosses + steps
        drawn = self.uniform(COINS, n, steps, size * outputs).to(self.dtype)
        return self._cut(drawn.view(steps, len(self.seeds), size, outputs), counts)

    def orders(self, count: int, passes: Sequence[int]) -> Orders:
        """See `Streams`."""
        lengths, all_lengths = torch.tensor(passes, device=self.device), set(passes)
        found = lengths

        def at(n: int) -> Tensor:
            nonlocal found
            if any(n % length == 0 for length in all_lengths):
                # of every pass that has begun: those that go on come out as they were
                found = self._words(ORDERS, (n // lengths).unsqueeze(0), count)[0].argsort(dim=-1)
            return found

        return at

    def normal(self, use: int, n: int, steps: int, count: int) -> Tensor:
        """Standard normal numbers in single precision (steps, S, count), of the calls number n, n + 1, … of a use."""
        words = self.words(use, n, steps, ceil(count / 2))
        angle = (words & 0xFFFFFFFF).float().mul_(2 * pi / 2**32)
        radius = words.bitwise_right_shift_(32).bitwise_and_(0xFFFFFFFF).float()
        radius = radius.add_(0.5).mul_(2**-32).log_().mul_(-2).sqrt_()
        pairs = torch.empty(*words.shape, 2, device=self.device)
        torch.mul(radius, angle.cos(), out=pairs[..., 0])
        torch.mul(radius, angle.sin(), out=pairs[..., 1])
        return pairs.flatten(-2)[..., :count]

    def uniform(self, use: int, n: int, steps: int, count: int) -> Tensor:
        """Numbers in [0, 1) in single precision, multiples of 2⁻²⁴, (steps, S, count)."""
        words = self.words(use, n, steps, count)
        return words.bitwise_right_shift_(40).bitwise_and_(0xFFFFFF).float().mul_(2**-24)

    def words(self, use: int, n: int, steps: int, count: int) -> Tensor:
        """Integers of 64 random bits, (steps, S, count)."""
        return self._words(use, torch.arange(n, n + steps, device=self.device).unsqueeze(-1), count)

    def array(self, value: Array) -> Tensor:
        """A tensor of the same numbers, which are copied to the device once."""
        where = value.__array_interface__["data"][0], value.shape + value.strides
        if where not in self._arrays:
            self._arrays[where] = value, torch.tensor(value, dtype=self.dtype, device=self.device)
        return self._arrays[where][1]

    def _words(self, use: int, calls: Tensor, count: int) -> Tensor:
        """Those of calls (steps, S or 1), (steps, S, count)."""
        if use not in self._keys:
            self._keys[use] = hashed(self.seeds + signed(use * GAMMA))
        if self._indices.numel() < count:
            multiples = torch.arange(1, count + 1, device=self.device) * signed(GAMMA)
            self._indices = hashed(multiples)
        steps = hashed(self._keys[use] + (calls + 1) * signed(GAMMA))  # (steps, S)
        return hashed(steps.unsqueeze(-1) + self._indices[:count])

    def _cut(self, x: Tensor, counts: Counts) -> Tensor:
        """Zeros in the rows (steps, S, B, …) that a stream has not asked for."""
        if isinstance(counts, int):
            return x
        asked = tuple(counts)
        if asked not in self._asked:
            rows = torch.arange(max(asked), device=self.device)
            self._asked[asked] = rows < torch.tensor(asked, device=self.device).unsqueeze(-1)
        return x * self._asked[asked].unsqueeze(-1)


class _Rows:
    """What a law draws from (`dynamics.inputs.base.Source`): rows of all steps and streams, one below the other."""

    def __init__(self, streams: CountedStreams, n: int, steps: int, size: int) -> None:
        self.streams, self.n, self.steps, self.size = streams, n, steps, size
        self.use = INPUTS

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers."""
        return self._drawn(self.streams.normal, shape)

    def uniform(self, *shape: int) -> Tensor:
        """Numbers in [0, 1)."""
        return self._drawn(self.streams.uniform, shape)

    def gamma(self, shape_parameter: float, *shape: int) -> Tensor:
        """Numbers of a gamma law of scale 1: the first of some attempts that is not rejected, of G. Marsaglia and
        W. W. Tsang, A simple method for generating gamma variables (2000), not consulted; the rejection is derived
        here and tested against the law.

        A parameter a below 1 takes a number of a + 1 times U^(1/a).
        """
        if shape_parameter < 1:
            power = 1 / shape_parameter
            return self.gamma(shape_parameter + 1, *shape) * self.uniform(*shape) ** power
        d = shape_parameter - 1 / 3
        x, u = self.normal(*shape, ATTEMPTS), self.uniform(*shape, ATTEMPTS)
        v = (1 + x / (9 * d) ** 0.5) ** 3
        kept = (v > 0) & (u.log() < x * x / 2 + d - d * v + d * v.log())  # NaN compares false
        order = torch.arange(ATTEMPTS, 0, -1, device=self.streams.device)
        return d * v.gather(-1, (kept * order).argmax(dim=-1, keepdim=True)).squeeze(-1)

    def array(self, value: Array) -> Tensor:
        """A tensor of the same numbers."""
        return self.streams.array(value)

    def _drawn(self, draw: Callable[[int, int, int, int], Tensor], shape: tuple[int, ...]) -> Tensor:
        """Numbers of the next use, (rows, …)."""
        numbers = draw(self.use, self.n, self.steps, self.size * prod(shape[1:]))
        self.use += 1
        return numbers.reshape(shape).to(self.streams.dtype)
