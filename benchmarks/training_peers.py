"""Training S two-layer quadratic networks at once, as users of PyTorch and JAX would write it: one file, no theory.

Every function takes a `Job` and trains its networks by plain gradient descent on fresh Gaussian samples labelled by a
diagonal teacher; it returns the weights W (S, K, d) and a (S, K). Those of PyTorch draw the numbers that quadflow
draws, one generator for each network, so that weights can be compared; labels look at the inputs that the teacher uses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dynamics.aliases import Array
from empirical.seeds import data_generator


@dataclass(frozen=True, eq=False)
class Job:
    """What is trained.

    Parameters
    ----------
    W, a : (K, d) and (K,) arrays
        Initial weights, the same of all networks.
    eigenvalues : (R,) array
        The teacher is Σ_m λ_m x_m².
    networks, batch, steps : int
    rate, momentum : float
    samples : int
        Size of the finite set of every network, which is trained on as a whole; 0 draws fresh batches.
    streams : tuple of int
        Seed of the data that each network sees; by default 0, 1, …
    """

    W: Array
    a: Array
    eigenvalues: Array
    networks: int
    batch: int
    steps: int
    rate: float
    momentum: float = 0.0
    samples: int = 0
    streams: tuple[int, ...] = ()

    def weights(self) -> tuple[Tensor, Tensor]:
        """Copies of the start for every network, in single precision."""
        S = self.networks
        return tuple(torch.tensor(x, dtype=torch.float32).repeat(S, *(1,) * x.ndim) for x in (self.W, self.a))

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Inputs (S, d, B) and labels (S, 1, B)."""
        S, d, B = self.networks, self.W.shape[1], self.samples or self.batch
        generators = [data_generator("cpu", s, 0) for s in self.streams or range(S)]
        lam, R = torch.tensor(self.eigenvalues, dtype=torch.float32), len(self.eigenvalues)
        x = torch.empty(S, d, B)

        def draw() -> tuple[Tensor, Tensor]:
            for part, generator in zip(x, generators, strict=True):
                part.normal_(generator=generator)
            return x, lam @ x[:, :R].square()

        drawn = draw()
        while True:
            yield drawn[0], drawn[1].unsqueeze(1)
            if not self.samples:
                drawn = draw()


Trained = tuple[Array, Array]


class Network(nn.Module):
    """S networks f(x) = Σ_k a_k (w_k·x)²."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        W, a = job.weights()
        self.W, self.a = nn.Parameter(W), nn.Parameter(a)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs (S, 1, B)."""
        return self.a.unsqueeze(1) @ (self.W @ x).square()


def optimiser(job: Job, **options: bool) -> Trained:
    """A module, backward() and `torch.optim.SGD`, foreach or fused: how version 0.1 trained too, with foreach."""
    network = Network(job)
    sgd = torch.optim.SGD(network.parameters(), lr=job.rate, momentum=job.momentum, **options)
    batches = job.batches()
    for _ in range(job.steps):
        x, y = next(batches)
        loss = 0.5 * (network(x) - y).square().mean(-1)
        sgd.zero_grad()
        loss.sum().backward()
        sgd.step()
    return network.W.detach().numpy(), network.a.detach().numpy()


def autograd(job: Job) -> Trained:
    """Automatic differentiation and updates in place, without an optimiser's overhead."""
    W, a = (weight.requires_grad_() for weight in job.weights())
    batches, velocity = job.batches(), [torch.zeros_like(weight) for weight in (W, a)]
    for _ in range(job.steps):
        x, y = next(batches)
        loss = 0.5 * (a.unsqueeze(1) @ (W @ x).square() - y).square().mean(-1)
        slopes = torch.autograd.grad(loss.sum(), (W, a))
        with torch.no_grad():
            for weight, slope, v in zip((W, a), slopes, velocity, strict=True):
                if job.momentum:
                    slope = v.mul_(job.momentum).add_(slope)
                weight.sub_(slope, alpha=job.rate)
    return W.detach().numpy(), a.detach().numpy()


def vmapped(job: Job) -> Trained:
    """`torch.func.vmap` over `torch.func.grad` of the loss of one network."""

    def loss(W: Tensor, a: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return 0.5 * (a @ (W @ x).square() - y).square().mean()

    slopes = torch.func.vmap(torch.func.grad(loss, argnums=(0, 1)))
    W, a = job.weights()
    batches, velocity = job.batches(), [torch.zeros_like(weight) for weight in (W, a)]
    for _ in range(job.steps):
        x, y = next(batches)
        for weight, slope, v in zip((W, a), slopes(W, a, x, y), velocity, strict=True):
            if job.momentum:
                slope = v.mul_(job.momentum).add_(slope)
            weight.sub_(slope, alpha=job.rate)
    return W.numpy(), a.numpy()


def by_hand(job: Job) -> Trained:
    """Forward and backward pass written out, in memory that is used again."""
    W, a = job.weights()
    S, K, d = W.shape
    B = job.samples or job.batch
    z, h, g = (torch.empty(S, K, B) for _ in range(3))
    r, dW, da = torch.empty(S, 1, B), torch.empty(S, K, d), torch.empty(S, K, 1)
    vW, va = torch.zeros(S, K, d), torch.zeros(S, K, 1)
    row, column = a.unsqueeze(1), a.unsqueeze(2)
    batches = job.batches()
    with torch.inference_mode():
        for _ in range(job.steps):
            x, y = next(batches)
            torch.bmm(W, x, out=z)
            torch.square(z, out=h)
            torch.bmm(row, h, out=r)
            r.sub_(y).mul_(job.rate / B)
            torch.mul(z, r, out=g)
            g.mul_(column).mul_(2.0)
            torch.bmm(g, x.mT, out=dW)
            torch.bmm(h, r.mT, out=da)
            W.sub_(vW.mul_(job.momentum).add_(dW) if job.momentum else dW)
            column.sub_(va.mul_(job.momentum).add_(da) if job.momentum else da)
    return W.numpy(), a.numpy()


def jax_scan() -> Callable[[Job], Trained]:
    """JAX: all steps in one compiled loop, with random numbers of its own."""
    from functools import partial

    import jax
    import jax.numpy as jnp

    def step(job: Job, state: Any, key: Any) -> Any:
        (W, a, vW, va), (R, B) = state, (len(job.eigenvalues), job.batch)
        x = jax.random.normal(key, (job.networks, W.shape[2], B), jnp.float32)
        y = jnp.asarray(job.eigenvalues, jnp.float32) @ jnp.square(x[:, :R])

        def loss(W: Any, a: Any) -> Any:
            return 0.5 * jnp.square((a[:, None] @ jnp.square(W @ x))[:, 0] - y).mean(-1).sum()

        dW, da = jax.grad(loss, (0, 1))(W, a)
        vW, va = job.momentum * vW + dW, job.momentum * va + da
        return (W - job.rate * vW, a - job.rate * va, vW, va), None

    compiled: dict[int, Any] = {}

    def run(job: Job) -> Trained:
        if id(job) not in compiled:
            compiled[id(job)] = jax.jit(partial(jax.lax.scan, partial(step, job)))
        W, a = (jnp.asarray(weight.numpy()) for weight in job.weights())
        keys = jax.random.split(jax.random.key(0), job.steps)
        (W, a, *_), _ = compiled[id(job)]((W, a, 0 * W, 0 * a), keys)
        return np.asarray(W), np.asarray(a)

    return run


def one_after_the_other(run: Callable[[Job], Trained]) -> Callable[[Job], Trained]:
    """The same for one network at a time."""

    def separately(job: Job) -> Trained:
        streams = job.streams or tuple(range(job.networks))
        found = [run(replace(job, networks=1, streams=(s,))) for s in streams]
        return np.concatenate([W for W, _ in found]), np.concatenate([a for _, a in found])

    return separately
