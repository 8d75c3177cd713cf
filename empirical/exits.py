"""When one unit on the sphere gets to an overlap, for hundreds of networks in many dimensions: their exit times.

One pass through Gaussian data. Networks that learn different axes of the same inputs have labels that are independent,
and pre-activations that are all but that, their weights being random: so a group of at most d networks shares its data,
each learning a direction of its own, network s the direction e_s. A step then is three products of matrices,

    z = W X,   c_sb = −(η/B) a φ′(z_sb)(aφ(z_sb) − bψ(X_sb) − ξ_sb),   W ← W + c Xᵀ,

the weights put back on the sphere by their norm, which with the overlap follows from z and XᵀX without another pass
over W (derived here; in the tests held against networks with data of their own). Networks that are there leave the
group.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dynamics.budget import check_memory
from dynamics.clock import Clock
from dynamics.errors import ProblemError
from dynamics.escape.prediction import single_index, validate_overlap
from dynamics.problem import Problem
from dynamics.progress import progress_bar
from dynamics.validation import validate_count, validate_label_noise, validate_real
from empirical.escape import TrainedEscape, starts_on_sphere
from empirical.seeds import data_generator
from empirical.trainer import few_threads

EVERY = 64  # steps between looks at who is there, and at norms and overlaps themselves
LEFT = 0.8  # of a group: so few are copied together


def train_exits(
    problem: Problem,
    *,
    step: float,
    t_end: float,
    batch: int = 1,
    overlap: float = 0.5,
    overlap_at_start: float | None = None,
    label_noise: float = 0.0,
    seeds: int = 400,
    seed: int = 0,
    progress: bool = False,
) -> TrainedEscape:
    """Train one unit on the sphere S times until it has reached an overlap, or time is over.

    As `empirical.escape.train_escape`, for many networks at once: they share data in groups of d, and learn different
    directions.

    Parameters
    ----------
    problem : Problem
        As there; the teacher's direction does not matter, inputs being Gaussian and uncorrelated.
    step, t_end, batch, overlap, overlap_at_start, label_noise, seeds, seed, progress
        As there.
    """
    index = single_index(problem)
    S, B = validate_count("seeds", seeds), validate_count("batch", batch)
    eta = validate_real("step", step, positive=True)
    steps = Clock(eta).steps_until(validate_real("t_end", t_end, positive=True))
    phi = problem.activation
    if phi.slope is None:
        raise ProblemError(
            f"`activation` is {phi.name!r}, which does not say its slope: `train_escape` trains it."
        )
    d, noise = problem.inputs, validate_label_noise(label_noise)
    check_memory(
        f"Training {S} networks of {d} inputs", 4 * 4 * min(S, d) * (d + 2 * B), "lower `seeds` or `inputs`"
    )
    race = _Shared(problem, eta, B, validate_overlap(overlap), index.is_even, noise)
    rng = np.random.default_rng(validate_count("seed", seed, minimum=0))
    sizes = [min(d, S - start) for start in range(0, S, d)]
    bar = progress_bar(total=S, what=f"d = {d}", shown=progress, remedy="lower `seeds`, or raise `step`")
    reached = []
    with bar, few_threads(0), torch.no_grad():
        for group, size in enumerate(sizes):
            W = _starts(size, d, overlap_at_start, rng)
            reached.append(race(W, steps, data_generator("cpu", seed, group), bar.update))
    at = np.concatenate(reached)
    return TrainedEscape(d, np.where(at >= 0, eta * at, np.inf), eta, B, t_end, "fused")


def _starts(count: int, inputs: int, overlap: float | None, rng: np.random.Generator) -> Tensor:
    """Unit vectors (count, d), that of number s with the overlap with e_s, if one is given."""
    W = starts_on_sphere(np.eye(1, inputs)[0], count, overlap, rng)
    for s, w in enumerate(W):
        w[[0, s]] = w[[s, 0]]
    return torch.from_numpy(W).to(torch.float32)


@dataclass(frozen=True, eq=False)
class _Shared:
    """How a group of networks that shares its inputs is trained."""

    problem: Problem
    step: float
    batch: int
    overlap: float
    even: bool
    label_noise: float

    def __call__(
        self, W: Tensor, steps: int, generator: torch.Generator, done: Callable[[int], object]
    ) -> NDArray[np.int64]:
        """Step (n,) at which each is there first, −1 if never; W (n, d) is written over."""
        n, d = W.shape
        at, alive = torch.full((n,), -1), torch.arange(n)
        axes = alive.clone()
        length = torch.ones(n)  # of the rows of W, which are put back on the sphere now and then
        m = W[alive, axes].clone()
        self._note(m, at, alive, 0)
        for number in range(1, steps + 1):
            X = torch.randn(d, self.batch, generator=generator)
            xi = torch.randn(n, self.batch, generator=generator)[axes] if self.label_noise else None
            z = (W @ X) / length[:, None]
            c, targets = self._push(z, X[axes], xi), X[axes]
            square = 1 + 2 * (c * z).sum(1) + ((c @ (X.T @ X)) * c).sum(1)  # ‖w + Δw‖²
            W.addmm_(c * length[:, None], X.T)
            m = (m + (c * targets).sum(1)) / square.sqrt()
            length = length * square.sqrt()
            self._note(m, at, alive, number)
            if number % EVERY == 0:
                W /= W.norm(dim=1, keepdim=True)
                length, m = torch.ones_like(m), W[torch.arange(len(W)), axes]
                away = at[alive] < 0
                if not away.any():
                    break
                if away.sum() <= LEFT * len(W):
                    done(int((~away).sum()))
                    W, length, m, alive, axes = (x[away] for x in (W, length, m, alive, axes))
        done(len(alive))
        return at.numpy()

    def _push(self, z: Tensor, y: Tensor, xi: Tensor | None) -> Tensor:
        """c of networks (n,) on a batch (B,), by pre-activations of student and teacher (n, B)."""
        problem, one = self.problem, torch.ones(1, 1)
        a, b = float(problem.student.A[0, 0]), float(problem.teacher.B[0, 0])
        size = float(np.linalg.norm(problem.teacher.V[0]))
        phi, psi = problem.activation, problem.teacher_activation
        assert phi.slope is not None
        value = phi.phi(z, one)
        error = a * value - b * psi.phi(size * y, size**2 * one)
        if xi is not None:
            error = error - self.label_noise**0.5 * xi
        return -(self.step / self.batch) * a * phi.slope(z, one, value) * error

    def _note(self, m: Tensor, at: Tensor, alive: Tensor, number: int) -> None:
        """Write down who is there first now."""
        there = (m.abs() if self.even else m) >= self.overlap
        at[alive[there & (at[alive] < 0)]] = number
