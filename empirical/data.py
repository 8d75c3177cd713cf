"""What networks are trained on: samples of the law of the inputs, fresh in every step or a finite set, or a data set.

What a seed sees does not depend on how many others are trained with it: `empirical.streams`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from math import ceil

import numpy as np
import torch
from torch import Tensor

from dynamics.covariance import covariance_factor, symmetric_root
from dynamics.errors import ProblemError
from dynamics.inputs.data_set import DataSet
from dynamics.labels import Labels
from dynamics.problem import Problem, Student
from dynamics.validation import validate_count, validate_label_noise
from empirical.counted_streams import CountedStreams
from empirical.networks import QuadraticNetwork
from empirical.streams import Counts, Draw, GeneratorStreams, Names, Orders, Streams


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
    expected : bool
        Whether labels are their means given the inputs, E[y | f*], instead of drawn.
    """

    problem: Problem
    batch: int = 256
    samples: int = 0
    label_noise: float = 0.0
    seeds: int = 1
    seed: int = 0
    streams: tuple[tuple[int, int], ...] = ()
    sizes: tuple[int, ...] = ()
    expected: bool = False

    def __post_init__(self) -> None:
        validate_count("seeds", self.seeds)
        validate_count("seed", self.seed, minimum=0)
        validate_label_noise(self.label_noise)
        if self.label_noise and self.problem.data is None and self.problem.loss.classifies:
            raise ProblemError(
                f"`label_noise` is {self.label_noise:g}, but `loss` is {self.problem.loss.name!r}, of classes: let"
                " `flip` turn some of them round."
            )
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
        streams = open_streams(self.streams, dtype, device)
        sample = _Sampler(self, streams, dtype, device)
        given = self.problem.data
        uneven = len(set(self.sizes)) > 1
        if self.samples == 0:
            weights = _weights(self.sizes, dtype, device) if uneven else None
            # no name is left for a batch, which would keep it while the next one is drawn
            yield from map(
                lambda batch: (*batch, weights), sample.forever(self.sizes if uneven else self.batch)
            )
        if given is None:
            x, y = (part[0] for part in sample(self.samples))
        else:
            x, y = _copies(given, self.seeds, dtype, device)
        if not uneven and self.batch in (0, self.samples):
            while True:
                yield x, y, None
        sizes = self.sizes or (self.batch,) * self.seeds
        passes = [ceil(self.samples / size) for size in sizes]
        orders = streams.orders(self.samples, passes)
        parts = self._uneven_parts(orders, passes, x) if uneven else self._parts(orders, passes[0])
        inputs, labels = _picker(x), _picker(y)
        del x, y  # the tables that rows are picked from stand for them
        for rows, weights in parts:
            yield inputs(rows), labels(rows), weights

    def _parts(self, orders: Orders, length: int) -> Iterator[tuple[Tensor, None]]:
        """Rows (S, B) of the finite sets in passes of so many steps, each seed in an order of its own."""
        for n in count(0, length):
            for part in orders(n).split(self.batch, dim=1):
                yield part, None

    def _uneven_parts(
        self, orders: Orders, passes: Sequence[int], like: Tensor
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Rows (S, B) in parts of different sizes, and their weights (S, B)."""
        sizes, lengths = (torch.tensor(v, device=like.device).unsqueeze(-1) for v in (self.sizes, passes))
        for n in count():
            longest = max(
                min(size, self.samples - n % length * size)
                for size, length in zip(self.sizes, passes, strict=True)
            )
            places = torch.arange(longest, device=like.device)
            rows = n % lengths * sizes + places  # (S, B)
            there = (places < sizes) & (rows < self.samples)
            weights = there.to(like.dtype) / there.sum(dim=1, keepdim=True)
            yield orders(n).take_along_dim(rows.clamp(max=self.samples - 1), dim=1), weights


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
    """The samples of a data set for every seed, (S, n, d) and (S, n, O), all of them in one place.

    There inputs come before samples: gradients are products with long rows.
    """
    x, y = (torch.tensor(part.T, dtype=dtype, device=device).contiguous().mT for part in (data.X, data.Y))
    return x.expand(seeds, -1, -1), y.expand(seeds, -1, -1)


def _picker(sets: Tensor) -> Callable[[Tensor], Tensor]:
    """Rows (S, B) ↦ those of the set of each stream, (S, B, ·), from sets (S, N, ·).

    They are rows of one table, which PyTorch copies whole: that is up to thirty times faster than entry by entry.
    """
    S, N, width = sets.shape
    shared = sets.stride(0) == 0
    table = sets[0].contiguous() if shared else sets.reshape(S * N, width)
    first = 0 if shared else N * torch.arange(S, device=sets.device).unsqueeze(-1)
    return lambda rows: table.index_select(0, (rows + first).flatten()).view(*rows.shape, width)


def open_streams(names: Names, dtype: torch.dtype, device: torch.device | str) -> Streams:
    """The streams of these names: generators of PyTorch on a processor, one computation for all elsewhere."""
    kind = GeneratorStreams if torch.device(device).type == "cpu" else CountedStreams
    return kind(names, dtype, device)


class _Sampler:
    """Draws labelled samples."""

    def __init__(
        self,
        data: TrainingData,
        streams: Streams,
        dtype: torch.dtype,
        device: torch.device | str,
    ) -> None:
        self.streams = streams
        self.noise = data.label_noise**0.5
        self.law = data.problem.law
        self.inputs, self.outputs = data.problem.inputs, data.problem.teacher.outputs
        self.teacher = teacher_network(data.problem, dtype, device, narrow=True)
        self.labels = data.problem.labels
        self.drawn = is_drawn(self.labels) and not data.expected
        Sigma = data.problem.covariance
        self.factor = None
        if Sigma is not None:
            F = covariance_factor(Sigma) if self.law.gaussian else symmetric_root(Sigma)
            square = np.pad(F, ((0, 0), (0, len(F) - F.shape[1])))  # a singular Σ leaves some numbers unused
            self.factor = torch.from_numpy(square).to(device, dtype)

    def __call__(self, counts: Counts, steps: int = 1) -> tuple[Tensor, Tensor]:
        """Samples of some steps, inputs (n, S, B, d) and labels (n, S, B, O); rows that are missing are zero inputs."""
        x, noise = self.streams.draw(self._draw(counts), steps)
        if self.factor is not None:
            x = x @ self.factor.T
        with torch.no_grad():
            y = self._labels(self.teacher(x[..., : self.teacher.W.shape[-1]]), counts, steps)
        if noise is not None:
            y += self.noise * noise
        return x, y

    def _labels(self, f: Tensor, counts: Counts, steps: int) -> Tensor:
        """Labels of the teacher's outputs (n, S, B, O)."""
        if not self.drawn:
            return self.labels.expected(f)
        return self.labels.draw(f, self.streams.coins(counts, self.outputs, steps)).to(f.dtype)

    def forever(self, counts: Counts) -> Iterator[tuple[Tensor, Tensor]]:
        """Endless batches (S, B, d) and (S, B, O), of as many steps at once as the streams can draw ahead."""
        steps = self.streams.ahead(self._draw(counts))
        while True:
            yield from zip(*self(counts, steps), strict=True)

    def _draw(self, counts: Counts) -> Draw:
        """What every stream draws in a step."""
        return Draw(self.law, counts, self.inputs, self.outputs if self.noise else 0)


def is_drawn(labels: Labels) -> bool:
    """Whether labels are drawn, given the teacher's output: classes, but for those beyond a threshold."""
    return labels.classes and (labels.threshold is None or labels.flip > 0)


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
        bias=problem.bias.teacher if problem.bias else None,
        dtype=dtype,
        device=device,
    )
    return network.requires_grad_(False)
