"""Gaussian inputs with a teacher's labels: fresh in every step, or a finite set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dynamics.errors import ProblemError
from dynamics.problem import Problem, Student
from dynamics.validation import validate_count, validate_real
from empirical.networks import QuadraticNetwork


@dataclass(frozen=True)
class GaussianData:
    """Where training data come from; every seed has its own.

    Parameters
    ----------
    problem : Problem
        Its teacher labels the inputs x ~ N(0, Σ).
    batch : int
        Batch size B; 0 means the whole finite set.
    samples : int
        Size N of the finite set of each seed; 0 means fresh samples in every step.
    label_noise : float
        Variance Δ of the Gaussian noise on the labels. In a finite set it is drawn once.
    seeds : int
        Number S of independent data streams.
    seed : int
        Seeds them all.
    """

    problem: Problem
    batch: int = 256
    samples: int = 0
    label_noise: float = 0.0
    seeds: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        validate_count("batch", self.batch, minimum=0)
        validate_count("samples", self.samples, minimum=0)
        validate_count("seeds", self.seeds)
        validate_count("seed", self.seed, minimum=0)
        validate_real("label_noise", self.label_noise, nonnegative=True)
        if self.batch == 0 and self.samples == 0:
            raise ProblemError(
                "`batch` 0 means the whole set, but `samples` 0 means there is none: give one of them."
            )
        if self.samples and self.batch > self.samples:
            raise ProblemError(f"`batch` is {self.batch}, but there are only {self.samples} samples.")

    def batches(self, dtype: torch.dtype, device: torch.device | str) -> Iterator[tuple[Tensor, Tensor]]:
        """Endless batches of inputs (S, B, d) and labels (S, B, O)."""
        # A stream of its own: data must not repeat the numbers that made the initial weights.
        state = int(np.random.SeedSequence([self.seed, 1]).generate_state(1, np.uint64)[0] >> 1)
        generator = torch.Generator(device).manual_seed(state)
        sample = _Sampler(self, generator, dtype, device)
        if self.samples == 0:
            while True:
                yield sample(self.batch)
        x, y = sample(self.samples)
        if self.batch in (0, self.samples):
            while True:
                yield x, y
        while True:
            yield from self._epoch(x, y, generator)

    def _epoch(self, x: Tensor, y: Tensor, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass through the finite set in random order, another order for each seed."""
        keys = torch.rand(self.seeds, self.samples, generator=generator, device=x.device)
        for part in keys.argsort(dim=1).split(self.batch, dim=1):
            rows = part.unsqueeze(-1)
            yield x.take_along_dim(rows, dim=1), y.take_along_dim(rows, dim=1)


class _Sampler:
    """Draws labelled samples."""

    def __init__(
        self, data: GaussianData, generator: torch.Generator, dtype: torch.dtype, device: torch.device | str
    ) -> None:
        self.lead, self.generator = data.seeds, generator
        self.dtype, self.device = dtype, device
        self.noise = data.label_noise**0.5
        self.teacher = teacher_network(data.problem, dtype, device)
        Sigma = data.problem.covariance
        self.factor = None if Sigma is None else torch.from_numpy(np.linalg.cholesky(Sigma)).to(device, dtype)

    def __call__(self, count: int) -> tuple[Tensor, Tensor]:
        # (S, d, B) in memory, seen as (S, B, d): the layout the network multiplies fastest.
        x = self._normal(self.lead, self.teacher.W.shape[-1], count).mT
        if self.factor is not None:
            x = x @ self.factor.T
        with torch.no_grad():
            y = self.teacher(x)
            if self.noise:
                y += self.noise * self._normal(*y.shape)
        return x, y

    def _normal(self, *shape: int) -> Tensor:
        """Standard normal numbers, drawn in single precision whatever the dtype.

        PyTorch draws them five times faster, and runs in both precisions then see the same data.
        """
        return torch.randn(shape, generator=self.generator, device=self.device).to(self.dtype)


def teacher_network(problem: Problem, dtype: torch.dtype, device: torch.device | str) -> QuadraticNetwork:
    """The teacher as a network with frozen weights."""
    V, B = problem.teacher.V, problem.teacher.B
    if len(V) == 0:  # a teacher that is zero: one unit of weight zero
        V, B = np.zeros((1, V.shape[1])), np.zeros((len(B), 1))
    network = QuadraticNetwork.from_student(
        Student(V, B),
        activation=problem.activation,
        covariance=problem.covariance,
        dtype=dtype,
        device=device,
    )
    return network.requires_grad_(False)
