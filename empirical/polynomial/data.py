"""What networks of one's own are trained on: labelled Gaussian inputs, of a stream of their own for each network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from math import ceil

import torch
from torch import Tensor

from dynamics.errors import ProblemError
from dynamics.inputs.laws import GAUSSIAN
from dynamics.networks import NetworkProblem
from dynamics.networks.problem import root_of
from dynamics.validation import validate_count, validate_label_noise
from empirical.data import open_streams
from empirical.polynomial.module import PolynomialModule
from empirical.streams import Draw


@dataclass(frozen=True)
class NetworkData:
    """Batches for S networks; the arguments are those of `empirical.data.TrainingData`.

    Parameters
    ----------
    problem : NetworkProblem
    batch : int
        Samples per step; 0: the whole set.
    samples : int
        Size of each network's set; 0: fresh samples in every step.
    label_noise : float
        Variance of the noise on labels.
    seeds, seed : int

    Raises
    ------
    ProblemError
        If they do not fit together.
    """

    problem: NetworkProblem
    batch: int = 256
    samples: int = 0
    label_noise: float = 0.0
    seeds: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("batch", 0), ("samples", 0), ("seeds", 1), ("seed", 0)):
            validate_count(name, getattr(self, name), minimum=least)
        validate_label_noise(self.label_noise)
        if self.batch == 0 and self.samples == 0:
            raise ProblemError(
                "`batch` 0 means the whole set, but `samples` 0 means there is none: give one of them."
            )
        if self.samples and self.batch > self.samples:
            raise ProblemError(f"`batch` is {self.batch}, but there are only {self.samples} samples.")

    @property
    def whole_set(self) -> bool:
        """Whether every step uses all of the data."""
        return self.samples > 0 and self.batch in (0, self.samples)

    def batches(self, dtype: torch.dtype, device: torch.device | str) -> Iterator[tuple[Tensor, Tensor]]:
        """Endless batches of inputs (S, B, d) and labels (S, B, O)."""
        streams = open_streams(tuple((self.seed, s) for s in range(self.seeds)), dtype, device)
        network, noise = self.problem.network, self.label_noise**0.5
        target = PolynomialModule(
            self.problem.target.network, self.problem.target.theta, dtype=dtype, device=device
        )
        Sigma = self.problem.covariance
        root = None if Sigma is None else torch.from_numpy(root_of(Sigma)).to(device, dtype)

        @torch.no_grad()
        def sample(rows: int) -> tuple[Tensor, Tensor]:
            drawn, noises = streams.draw(
                Draw(GAUSSIAN, rows, network.inputs, network.outputs if noise else 0)
            )
            x = drawn[0] if root is None else drawn[0] @ root
            y = target(x.reshape(-1, network.inputs)).reshape(*x.shape[:2], network.outputs)
            return x, y if noises is None else y + noise * noises[0]

        if self.samples == 0:
            while True:
                yield sample(self.batch)
        x, y = sample(self.samples)
        if self.whole_set:
            while True:
                yield x, y
        passes = ceil(self.samples / self.batch)
        orders = streams.orders(self.samples, [passes] * self.seeds)
        for n in count(0, passes):
            for rows in orders(n).split(self.batch, dim=1):
                at = rows.unsqueeze(-1)
                yield x.take_along_dim(at, dim=1), y.take_along_dim(at, dim=1)
