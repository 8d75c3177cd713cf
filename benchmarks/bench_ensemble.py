"""Training S networks together against a loop over S single networks."""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.timing import Row, compare_times
from dynamics import Problem, Student, Teacher
from empirical import train


def ensemble(seeds: int, K: int, d: int, batch: int, steps: int = 100) -> Row:
    """The same total number of updates on both sides; measured only at the ends."""
    torch.set_num_threads(1)
    problem = Problem(Teacher.from_eigenvalues([4, 2, 1], d), Student.initialise(K, d, scale=0.3))

    def together() -> np.ndarray:
        return train(problem, steps=steps, step=1e-4, batch=batch, seeds=seeds, records=2).loss[:, -1]

    def loop() -> np.ndarray:
        runs = [train(problem, steps=steps, step=1e-4, batch=batch, seed=s, records=2) for s in range(seeds)]
        return np.concatenate([run.loss[:, -1] for run in runs])

    # Different random data on both sides: means agree within their standard error.
    a, b = together(), loop()
    error = np.sqrt((a.var() + b.var()) / seeds)
    agreement = f"{abs(a.mean() - b.mean()) / error:.1f} standard errors"
    task = f"{steps} steps of {seeds} networks, K = {K}, d = {d}, batch {batch}"
    return compare_times(task, together, "one after the other", loop, agreement, pairs=3)


def ensemble_small() -> Row:
    """The networks of the demonstration, small batches."""
    return ensemble(32, 8, 6, 64)


def ensemble_medium() -> Row:
    """Wider networks."""
    return ensemble(32, 16, 64, 64)


BENCHMARKS = (ensemble_small, ensemble_medium)
