"""What networks are trained on: samples of the law of the inputs, fresh in every step or a finite set, or a data set.

Every seed has a generator of its own: what it sees does not depend on how many others are trained with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from dynamics.aliases import Array
from dynamics.covariance import covariance_factor, symmetric_root
from dynamics.errors import ProblemError
from dynamics.inputs.data_set import DataSet
from dynamics.problem import Problem, Student
from dynamics.validation import validate_count, validate_label_noise
from empirical.networks import QuadraticNetwork
from empirical.seeds import data_generator

BLOCK = 16  # numbers that PyTorch makes together; the last ones of a draw that is no multiple are drawn anew
AHEAD = 2**18  # numbers, of all streams together, that are drawn at once


@dataclass(frozen=True)
class TrainingData:
    """Where training data come from; every seed has its own, the same however many there are.

    Parameters
    ----------
    problem : Problem
        Its teacher labels inputs of its law. Of a problem with a data set every seed is trained on that, in an order of
        its own.
    batch : int
        Batch size B; 0 means the whole finite set, and so does more than a data set holds.
    samples : int
        Size N of the finite set of each seed; 0 means fresh samples in every step. A data set sets it.
    label_noise : float
        Variance Δ of the Gaussian noise on the labels. In a finite set it is drawn once.
    seeds : int
        Number S of independent data streams.
    seed : int
        Seeds them all.
    streams : tuple of (int, int), optional
        Which streams they are instead: the pair (q, s) is stream s of the seed q. `seeds` must be their number.
    sizes : tuple of int, optional
        Batch size of each stream, at most `batch`, where they differ.
    """

    problem: Problem
    batch: int = 256
    samples: int = 0
    label_noise: float = 0.0
    seeds: int = 1
    seed: int = 0
    streams: tuple[tuple[int, int], ...] = ()
    sizes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        validate_count("seeds", self.seeds)
        validate_count("seed", self.seed, minimum=0)
        validate_label_noise(self.label_noise)
        self._check_data_set()
        if not self.streams:
            object.__setattr__(self, "streams", tuple((self.seed, s) for s in range(self.seeds)))
        for name in ("streams", "sizes"):
            if getattr(self, name) and len(getattr(self, name)) != self.seeds:
                raise ProblemError(
                    f"`{name}` has {len(getattr(self, name))} entries, but `seeds` is {self.seeds}."
                )
        for size in self.sizes:
            validate_count("sizes", size)
        if self.sizes and max(self.sizes) != self.batch:
            raise ProblemError(
                f"`batch` is {self.batch}, but must be the largest of `sizes`, {max(self.sizes)}."
            )
        if self.batch == 0 and self.samples == 0:
            raise ProblemError(
                "`batch` 0 means the whole set, but `samples` 0 means there is none: give one of them."
            )
        if self.samples and self.batch > self.samples:
            raise ProblemError(f"`batch` is {self.batch}, but there are only {self.samples} samples.")

    def _check_data_set(self) -> None:
        """Take the number of samples of a data set, which leaves nothing to be drawn."""
        batch, samples = drawn(self.problem, self.batch, self.samples)
        object.__setattr__(self, "batch", batch)
        object.__setattr__(self, "samples", samples)
        if self.problem.data is None:
            return
        if self.label_noise:
            raise ProblemError(f"`label_noise` is {self.label_noise:g}, but `data` brings its labels.")
        object.__setattr__(self, "sizes", tuple(min(size, samples) for size in self.sizes))

    def batches(self, dtype: torch.dtype, device: torch.device | str) -> Iterator[tuple[Tensor, Tensor]]:
        """Endless batches of inputs (S, B, d) and labels (S, B, O)."""
        return ((x, y) for x, y, _ in self.weighted_batches(dtype, device))

    def weighted_batches(
        self, dtype: torch.dtype, device: torch.device | str
    ) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Endless batches, and the weights (S, B) with which their rows enter the mean; None if they are equal.

        Rows that fill up a batch smaller than the largest have weight zero.
        """
        generators = [data_generator(device, seed, stream) for seed, stream in self.streams]
        sample = _Sampler(self, generators, dtype, device)
        given = self.problem.data
        uneven = len(set(self.sizes)) > 1
        if self.samples == 0:
            weights = _weights(self.sizes, dtype, device) if uneven else None
            for x, y in sample.forever(self.sizes if uneven else self.batch):
                yield x, y, weights
        x, y = sample(self.samples) if given is None else _copies(given, self.seeds, dtype, device)
        if uneven:
            yield from self._uneven(x, y, generators)
        if self.batch in (0, self.samples):
            while True:
                yield x, y, None
        while True:
            yield from self._epoch(x, y, generators)

    def _uneven(
        self, x: Tensor, y: Tensor, generators: Sequence[torch.Generator]
    ) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Passes through the finite set in parts of different sizes, each seed in an order of its own."""

        def rows(size: int, generator: torch.Generator) -> Iterator[Tensor]:
            while True:
                yield from (
                    torch.rand(self.samples, generator=generator, device=x.device).argsort().split(size)
                )

        for parts in zip(*map(rows, self.sizes, generators), strict=True):
            counts = [len(part) for part in parts]
            index = nn.utils.rnn.pad_sequence(list(parts), batch_first=True).unsqueeze(-1)
            weights = _weights(counts, x.dtype, x.device)
            yield x.take_along_dim(index, dim=1), y.take_along_dim(index, dim=1), weights

    def _epoch(
        self, x: Tensor, y: Tensor, generators: Sequence[torch.Generator]
    ) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """One pass through the finite set in random order, another order for each seed."""
        keys = torch.stack([torch.rand(self.samples, generator=g, device=x.device) for g in generators])
        for part in keys.argsort(dim=1).split(self.batch, dim=1):
            rows = part.unsqueeze(-1)
            yield x.take_along_dim(rows, dim=1), y.take_along_dim(rows, dim=1), None


def drawn(problem: Problem, batch: int, samples: int) -> tuple[int, int]:
    """Sizes of batches and of the finite set, 0 of fresh samples: of a data set its own, and batches of at most that.

    Raises
    ------
    ProblemError
        If they are no counts, or another size of the set is asked for than a data set has.
    """
    size, count = validate_count("batch", batch, minimum=0), validate_count("samples", samples, minimum=0)
    if problem.data is None:
        return size, count
    n = len(problem.data.X)
    if count not in (0, n):
        raise ProblemError(f"`samples` is {count}, but `data` brings {n} samples to train on.")
    return min(size, n), n


def _weights(counts: Sequence[int], dtype: torch.dtype, device: torch.device | str) -> Tensor:
    """1/n in the first n entries of each row (S, B), n the stream's count, and zero in the others."""
    n = torch.tensor(counts, device=device).unsqueeze(-1)
    return (torch.arange(max(counts), device=device) < n).to(dtype) / n


def _copies(
    data: DataSet, seeds: int, dtype: torch.dtype, device: torch.device | str
) -> tuple[Tensor, Tensor]:
    """The samples of a data set for every seed, (S, n, d) and (S, n, O), all of them in one place."""
    x, y = (torch.tensor(part, dtype=dtype, device=device).expand(seeds, -1, -1) for part in (data.X, data.Y))
    return x, y


@dataclass(frozen=True)
class _Numbers:
    """Random numbers as tensors, drawn in single precision whatever the dtype (see `_Sampler._normal`)."""

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


class _Sampler:
    """Draws labelled samples."""

    def __init__(
        self,
        data: TrainingData,
        generators: Sequence[torch.Generator],
        dtype: torch.dtype,
        device: torch.device | str,
    ) -> None:
        self.generators = generators
        self.dtype, self.device = dtype, device
        self.noise = data.label_noise**0.5
        self.law = data.problem.law
        self.inputs, self.outputs = data.problem.inputs, data.problem.teacher.outputs
        self.teacher = teacher_network(data.problem, dtype, device, narrow=True)
        Sigma = data.problem.covariance
        self.factor = None
        if Sigma is not None:
            F = covariance_factor(Sigma) if self.law.gaussian else symmetric_root(Sigma)
            square = np.pad(F, ((0, 0), (0, len(F) - F.shape[1])))  # a singular Σ leaves some numbers unused
            self.factor = torch.from_numpy(square).to(device, dtype)

    def __call__(self, count: int | Sequence[int]) -> tuple[Tensor, Tensor]:
        """Samples of every stream, as many of each or given numbers; missing ones are zero inputs."""
        counts = [count] * len(self.generators) if isinstance(count, int) else count
        # (S, d, B) in memory, seen as (S, B, d): the layout the network multiplies fastest.
        d = self.inputs
        x = self._normal([(d, n) for n in counts]).mT if self.law.gaussian else self._inputs(counts, d)
        x, y = self._labelled(x)
        if self.noise:
            y += self.noise * self._normal([(n, y.shape[-1]) for n in counts])
        return x, y

    def _labelled(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs of the covariance (…, B, d), from inputs of the covariance 1, and their labels (…, B, O)."""
        if self.factor is not None:
            x = x @ self.factor.T
        with torch.no_grad():
            return x, self.teacher(x[..., : self.teacher.W.shape[-1]])

    def forever(self, count: int | Sequence[int]) -> Iterator[tuple[Tensor, Tensor]]:
        """Endless batches of samples as a call gives them, those of several steps drawn at once where that is the same.

        It is where all numbers are normal and PyTorch makes them in blocks of sixteen (`BLOCK`): then a generator gives
        the same numbers whether it is asked for them at once or batch by batch.
        """
        if isinstance(count, int) and self._comes_in_blocks(count):
            while True:
                yield from self._several(count)
        while True:
            yield self(count)

    def _comes_in_blocks(self, count: int) -> bool:
        """Whether the inputs of a batch are whole blocks of normal numbers, and so is the noise of its labels."""
        sizes = count * self.inputs, count * self.outputs if self.noise else 0
        on_processor = torch.device(self.device).type == "cpu"  # elsewhere numbers are made in another order
        return self.law.gaussian and on_processor and not any(size % BLOCK for size in sizes)

    def _several(self, count: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches of a few steps, (S, B, d) and (S, B, O), one draw of each generator: inputs and noise in turn."""
        S, n, noisy = len(self.generators), count * self.inputs, count * self.outputs if self.noise else 0
        steps = max(1, AHEAD // (S * (n + noisy)))
        numbers = self._normal([(steps, n + noisy)] * S).transpose(0, 1)
        x, y = self._labelled(numbers[..., :n].unflatten(-1, (self.inputs, count)).mT)
        if self.noise:
            y += self.noise * numbers[..., n:].unflatten(-1, (count, self.outputs))
        return zip(x.unbind(), y.unbind(), strict=True)

    def _inputs(self, counts: Sequence[int], d: int) -> Tensor:
        """Inputs of a law that is not Gaussian, (S, B, d); zeros fill smaller shapes."""
        drawn = [
            self.law.draw(_Numbers(generator, self.dtype, self.device), n, d).to(self.dtype)
            for n, generator in zip(counts, self.generators, strict=True)
        ]
        return nn.utils.rnn.pad_sequence(drawn, batch_first=True)

    def _normal(self, shapes: Sequence[tuple[int, int]]) -> Tensor:
        """Standard normal numbers (S, …), drawn in single precision whatever the dtype; zeros fill smaller shapes.

        PyTorch draws them five times faster, and runs in both precisions then see the same data.
        """
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


def teacher_network(
    problem: Problem, dtype: torch.dtype, device: torch.device | str, *, narrow: bool = False
) -> QuadraticNetwork:
    """The teacher as a network with frozen weights; if `narrow`, without the last inputs that no unit looks at."""
    V, B, Sigma = problem.teacher.V, problem.teacher.B, problem.second_moment
    if len(V) == 0:  # a teacher that is zero: one unit of weight zero
        V, B = np.zeros((1, V.shape[1])), np.zeros((len(B), 1))
    d = max(np.flatnonzero(V.any(axis=0)), default=0) + 1 if narrow else V.shape[1]
    network = QuadraticNetwork.from_student(
        Student(V[:, :d], B),
        activation=problem.teacher_activation,
        covariance=None if Sigma is None else Sigma[:d, :d],
        dtype=dtype,
        device=device,
    )
    return network.requires_grad_(False)
