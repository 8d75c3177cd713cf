"""One unit on the sphere, trained until it has learned something: fresh data in every step, weights put back after it.

A network that has not reached the overlap when training ends is unfinished: its time counts as infinite, so that
medians stay what they are while fewer than half are.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dynamics.aliases import Array
from dynamics.clock import Clock
from dynamics.escape.prediction import single_index
from dynamics.problem import Problem
from dynamics.problem.constraint import normalised
from dynamics.progress import progress_bar
from dynamics.validation import validate_count, validate_real
from dynamics.words import counted
from empirical.data import TrainingData
from empirical.devices import validate_device, validate_rates
from empirical.gradients import batch_gradient, choose_gradients
from empirical.memory import check_training
from empirical.networks import QuadraticNetwork
from empirical.optimizers.base import Constrained
from empirical.optimizers.heavy_ball import HeavyBall
from empirical.trainer import descend, few_threads

QUARTILES = (0.25, 0.5, 0.75)
ENOUGH = 2**18  # numbers that keep a processor busy for a millisecond: Python's part is small beside it


@dataclass(frozen=True, eq=False)
class TrainedEscape:
    """When networks reached an overlap.

    Parameters
    ----------
    inputs : int
    times : (S,) array
        Time of the flow of each network; infinite where training ended before.
    step : float
    batch : int
    t_end : float
        When training ended, had they not all been there before.
    gradients : str
        How gradients were taken.
    """

    inputs: int
    times: Array
    step: float
    batch: int
    t_end: float
    gradients: str

    @property
    def unfinished(self) -> int:
        """Networks that did not get there."""
        return int(np.isinf(self.times).sum())

    @property
    def quartiles(self) -> Array:
        """Quartiles of the times; infinite where they are among the unfinished networks."""
        return np.quantile(self.times, QUARTILES, method="inverted_cdf")

    @property
    def median_error(self) -> float:
        """Standard error of the median of many times, by the order statistics at ½ ± ½/√S; infinite if these are."""
        half = 0.5 / len(self.times) ** 0.5
        low, high = np.quantile(self.times, [0.5 - half, 0.5 + half], method="inverted_cdf")
        return float((high - low) / 2) if np.isfinite(high) else float("inf")

    @property
    def mean(self) -> tuple[float, float] | None:
        """Mean of the times and its standard error; None if one is infinite, or of a single network."""
        S = len(self.times)
        if self.unfinished or S < 2:
            return None
        return float(self.times.mean()), float(self.times.std(ddof=1) / S**0.5)

    @property
    def deviation(self) -> tuple[float, float] | None:
        """Standard deviation of the times and its standard error, by their fourth moment; None as for the mean."""
        if self.mean is None:
            return None
        away, variance = self.times - self.times.mean(), float(self.times.var(ddof=1))
        error = np.sqrt(max(float(np.mean(away**4)) - variance**2, 0.0) / len(away))
        return variance**0.5, float(error / (2 * variance**0.5)) if variance else 0.0

    def as_dict(self) -> dict[str, Any]:
        """What `quadflow escape --json` prints: null for what is infinite."""

        def known(times: Array) -> list[float | None]:
            return [t if np.isfinite(t) else None for t in times.tolist()]

        return {
            "times": known(self.times),
            "quartiles": known(self.quartiles),
            **dict(zip(("mean", "mean_error"), self.mean or (None, None), strict=True)),
            **dict(zip(("std", "std_error"), self.deviation or (None, None), strict=True)),
            "unfinished": self.unfinished,
            "t_end": self.t_end,
            "step": self.step,
            "batch": self.batch,
            "gradients": self.gradients,
        }

    def summary(self) -> str:
        """Median, quartiles, and how many did not get there."""
        low, middle, high = (f"{t:.4g}" if np.isfinite(t) else "not reached" for t in self.quartiles)
        who = counted(len(self.times), "network")
        text = f"d = {self.inputs}: median time {middle} of {who}, quartiles {low}, {high}"
        left = f"; {self.unfinished} not there at time {self.t_end:.4g}" if self.unfinished else ""
        return text + left


def starts_on_sphere(
    direction: Array, count: int, overlap: float | None, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Unit vectors (count, d), at random or, at random too, of one overlap with a unit vector."""
    w = rng.standard_normal((count, len(direction)))
    if overlap is not None:
        w -= np.outer(w @ direction, direction)
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    return w if overlap is None else overlap * direction + np.sqrt(1 - overlap**2) * w


def train_escape(
    problem: Problem,
    *,
    step: float,
    t_end: float,
    batch: int = 1,
    overlap: float = 0.5,
    overlap_at_start: float | None = None,
    label_noise: float = 0.0,
    seeds: int = 16,
    seed: int = 0,
    gradients: str | None = None,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    progress: bool = False,
) -> TrainedEscape:
    """Train one unit on the sphere, S times, until all have reached an overlap with the teacher, or time is over.

    Parameters
    ----------
    problem : Problem
        As for `dynamics.escape.prediction.escape_time`: one unit, one teacher direction.
    step, batch, label_noise
        Of SGD on fresh data.
    t_end : float
        Time of the flow at which training ends.
    overlap : float
        That is to be reached; −overlap counts as well where student and teacher are even.
    overlap_at_start : float, optional
        By default directions are drawn evenly from the sphere.
    seeds, seed, gradients, device, dtype, progress
        As for `empirical.train`.
    """
    S, B = validate_count("seeds", seeds), validate_count("batch", batch)
    eta = validate_real("step", step, positive=True)
    validate_rates(dtype, eta)
    validate_device(device)
    how = choose_gradients(gradients, problem.activation)
    check_training(problem, batch=B, samples=0, seeds=S, records=0, itemsize=dtype.itemsize)
    n_steps = Clock(eta).steps_until(validate_real("t_end", t_end, positive=True))
    index = single_index(problem)
    v = problem.teacher.V[0] / np.linalg.norm(problem.teacher.V[0])
    W = starts_on_sphere(
        v, S, overlap_at_start, np.random.default_rng(validate_count("seed", seed, minimum=0))
    )
    race = _Race(problem, eta, n_steps, B, overlap, index.is_even, label_noise, how, device, dtype)
    names = [(seed, s) for s in range(S)]
    size = _networks_at_once(S, B * problem.inputs, device)
    if size == S:
        with few_threads(S * B * problem.inputs):
            reached = race(W, names, progress)
    else:
        reached = _in_parallel(race, W, names, size, progress)
    times = np.where(reached >= 0, eta * reached, np.inf)
    return TrainedEscape(problem.inputs, times, eta, batch, t_end, how)


def _networks_at_once(count: int, numbers: int, device: str) -> int:
    """Networks that are trained in one computation, of so many `numbers` that each is given in a step.

    Where steps are large a few of them fill a processor, which then is done with them when these are there, and not
    when the last of all is.
    """
    few = -(-ENOUGH // numbers)
    return count if device != "cpu" or count < 2 * few else few


def _in_parallel(
    race: _Race, W: Array, names: Sequence[tuple[int, int]], size: int, progress: bool
) -> NDArray[np.int64]:
    """Steps (S,) at which networks are there, `size` of them at a time in every thread."""
    parts = [slice(i, i + size) for i in range(0, len(W), size)]
    threads = torch.get_num_threads()  # each works on networks of its own
    bar = progress_bar(total=len(W), what=race.title, shown=progress, remedy="lower `seeds`, or raise `step`")

    def follow(part: slice) -> NDArray[np.int64]:
        torch.set_num_threads(1)
        found = race(W[part], names[part])
        bar.update(len(found))
        return found

    with bar, few_threads(0), ThreadPoolExecutor(threads) as pool:
        return np.concatenate(list(pool.map(follow, parts)))


@dataclass(frozen=True, eq=False)
class _Race:
    """How networks are trained until each has reached an overlap, or time is over."""

    problem: Problem
    step: float
    steps: int
    batch: int
    overlap: float
    even: bool
    label_noise: float
    gradients: str
    device: str
    dtype: torch.dtype

    @property
    def title(self) -> str:
        """Of the progress bar."""
        return f"d = {self.problem.inputs}"

    def __call__(
        self, W: Array, names: Sequence[tuple[int, int]], progress: bool = False
    ) -> NDArray[np.int64]:
        """Step (S,) at which each network is there first, −1 if never; W (S, d) and names of their data streams."""
        problem, S = self.problem, len(W)
        network = QuadraticNetwork.from_student(
            problem.student,
            activation=problem.activation,
            ensemble=S,
            dtype=self.dtype,
            device=self.device,
        )
        network.A.requires_grad_(False)  # whatever the student says: one unit on the sphere
        with torch.no_grad():
            network.W.copy_(torch.from_numpy(W[:, None]))
        data = TrainingData(problem, self.batch, label_noise=self.label_noise, seeds=S, streams=tuple(names))
        v = problem.teacher.V[0] / np.linalg.norm(problem.teacher.V[0])
        towards = torch.tensor(v, dtype=self.dtype, device=self.device)
        at = torch.full((S,), -1, device=self.device)

        def record(n: int) -> None:
            m = network.W.detach()[:, 0] @ towards
            there = (m.abs() if self.even else m) >= self.overlap
            at[there & (at < 0)] = n

        descend(
            batch_gradient(network, data, self.gradients),
            Constrained(HeavyBall([network.W], 0.0), network.W, normalised),
            self.step,
            self.steps,
            record=record,
            stop=lambda _: bool((at >= 0).all()),
            what=self.title,
            progress=progress,
        )
        return at.cpu().numpy()
