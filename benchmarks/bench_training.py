"""Training ensembles: against one network after the other, and against their matrix products and random numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from benchmarks.report import Table
from benchmarks.timing import compare_times, fastest
from dynamics import Problem, Student, Teacher
from empirical import train, train_ensemble
from empirical.data import TrainingData
from empirical.gradients import batch_losses, trained_weights
from empirical.networks import QuadraticNetwork
from empirical.optimizers import OPTIMIZERS
from empirical.trainer import gradient_of

SEEDS, HIDDEN, INPUTS, BATCH = 32, 16, 64, 64
STEPS = 200


def training() -> list[Table]:
    """Both measurements, for 32 networks with K = 16, d = 64, batch 64 on one thread."""
    torch.set_num_threads(1)
    return [together(), floor()]


def problem() -> Problem:
    """Three modes to learn."""
    return Problem(Teacher.from_eigenvalues([4, 2, 1], INPUTS), Student.initialise(HIDDEN, INPUTS, scale=0.3))


def together() -> Table:
    """The same runs, seed by seed, on both sides."""
    start = problem()
    seeds = range(SEEDS)

    def ours(**members: Any) -> np.ndarray:
        options = {"step": 1e-4, "batch": BATCH, "seed": seeds} | members
        runs = train_ensemble(start, steps=STEPS, records=2, **options)
        return np.array([run.loss[0, -1] for run in runs])

    def theirs() -> np.ndarray:
        runs = [train(start, steps=STEPS, step=1e-4, batch=BATCH, seed=s, records=2) for s in seeds]
        return np.array([run.loss[0, -1] for run in runs])

    agreement = f"{np.abs(ours() / theirs() - 1).max():.0e}"
    task = f"{STEPS} steps of {SEEDS} networks, K = {HIDDEN}, d = {INPUTS}, batch {BATCH}"
    row = compare_times(task, ours, "one after the other", theirs, agreement, pairs=5)
    note = "Seconds are medians; the ratio is the median over pairs of alternative / ours."
    return Table("training", "(4) Training ensembles of networks", note, [asdict(row)])


def floor() -> Table:
    """One step, and the random numbers and matrix products without which it cannot be."""
    start = problem()
    network = QuadraticNetwork.from_student(start.student, ensemble=SEEDS, dtype=torch.float32)
    weights = trained_weights(network)
    gradient = gradient_of(batch_losses(network, TrainingData(start, BATCH, seeds=SEEDS)), weights)
    sgd = OPTIMIZERS["sgd"].start(weights, 0.0, 2)

    def step() -> None:
        _, gradients = gradient(0)
        with torch.no_grad():
            sgd(gradients, 1e-4)

    rows = []
    calls: dict[str, Callable[[], object]] = {"step": step, **_necessary()}
    times = fastest(calls, rounds=1500)  # calls short enough to escape a busy machine's time slices
    least = sum(times.values()) - times["step"]
    for name, seconds in times.items():
        rows.append({"part": name, "microseconds": 1e6 * seconds, "of the step": seconds / times["step"]})
    rows.append({"part": "step / (random numbers + products)", "ratio": times["step"] / least})
    note = "Shortest of 1500 calls each, taken in turn."
    return Table("work-training", "(4) What a training step is made of", note, rows)


def _necessary() -> dict[str, Callable[[], object]]:
    """Random numbers of a step, and its products: teacher, forward pass, gradients of both layers."""
    S, K, d, B, R = SEEDS, HIDDEN, INPUTS, BATCH, 3
    generators = [torch.Generator().manual_seed(s) for s in range(S)]
    x = torch.empty(S, d, B)
    W, A, V, b = torch.randn(S, K, d), torch.randn(S, 1, K), torch.randn(R, d), torch.randn(1, R)
    z, h, r = torch.randn(S, K, B), torch.randn(S, R, B), torch.randn(S, 1, B)

    def numbers() -> None:
        for part, generator in zip(x, generators, strict=True):
            part.normal_(generator=generator)

    return {
        "random numbers": numbers,
        "teacher": lambda: (V @ x, b @ h),
        "forward pass": lambda: (W @ x, A @ z),
        "gradients": lambda: (z @ x.mT, r @ z.mT, A.mT @ r),
    }
