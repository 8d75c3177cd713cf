"""Escape times of trained networks: one unit on the sphere, fresh data in every step, beside the theory.

After each step weights are put back on the sphere. A network that has not reached the overlap when training ends is
unfinished: its time counts as infinite, so that medians stay what they are while fewer than half are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dynamics.activations import Activation
from dynamics.aliases import Array
from dynamics.clock import Clock
from dynamics.errors import ProblemError
from dynamics.escape.closed_forms import leading_time
from dynamics.escape.prediction import Escape, escape, single_index
from dynamics.problem import Problem, Student, Teacher
from dynamics.validation import validate_count, validate_real
from dynamics.words import counted
from empirical.data import GaussianData
from empirical.devices import validate_step
from empirical.networks import QuadraticNetwork
from empirical.optimizers.base import Rule
from empirical.optimizers.heavy_ball import HeavyBall
from empirical.trainer import descend, few_threads, gradient_of

QUARTILES = (0.25, 0.5, 0.75)
PATIENCE = 4.0  # times the predicted time: how long networks are trained at most
DESCENT_STEPS = 300  # of gradient descent until the predicted time: its step is that time over this
QUIET = 0.05  # of the step at which noise wins, step over batch of gradient descent: its noise is that small
ENDLESS = 10.0  # times the time of the flow: how long networks are trained that are predicted to get nowhere
SGD_SEEDS = 4  # times as many networks by SGD
TRAINED = 7 * 2 ** np.arange(9)  # d, of which networks are trained up to a largest
INPUTS = np.unique(np.round(7 * 2 ** (np.arange(49) / 6)).astype(int))  # d of the theory, those among them


class OnSphere:
    """A rule of descent after which every row of the weights has norm 1."""

    def __init__(self, rule: Rule, weights: Tensor) -> None:
        self.rule, self.weights = rule, weights

    def __call__(self, gradients: Sequence[Tensor], step: float | Tensor) -> None:
        """One step, and back to the sphere."""
        self.rule(gradients, step)
        self.weights.div_(self.weights.norm(dim=-1, keepdim=True))


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
    """

    inputs: int
    times: Array
    step: float
    batch: int
    t_end: float

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

    def as_dict(self) -> dict[str, Any]:
        """What `quadflow escape --json` prints: null for what is infinite."""

        def known(times: Array) -> list[float | None]:
            return [t if np.isfinite(t) else None for t in times.tolist()]

        return {
            "times": known(self.times),
            "quartiles": known(self.quartiles),
            "unfinished": self.unfinished,
            "t_end": self.t_end,
            "step": self.step,
            "batch": self.batch,
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
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    progress: bool = False,
) -> TrainedEscape:
    """Train one unit on the sphere, S times, until all have reached an overlap with the teacher, or time is over.

    Parameters
    ----------
    problem : Problem
        As for `dynamics.escape.prediction.escape`: one unit, one teacher direction.
    step, batch, label_noise
        Of SGD on fresh data.
    t_end : float
        Time of the flow at which training ends.
    overlap : float
        That is to be reached; −overlap counts as well where student and teacher are even.
    overlap_at_start : float, optional
        By default directions are drawn evenly from the sphere.
    seeds, seed, device, dtype, progress
        As for `empirical.train`.
    """
    S = validate_count("seeds", seeds)
    eta = validate_real("step", step, positive=True)
    validate_step(eta, dtype)
    index = single_index(problem)
    v = problem.teacher.V[0] / np.linalg.norm(problem.teacher.V[0])
    W = starts_on_sphere(
        v, S, overlap_at_start, np.random.default_rng(validate_count("seed", seed, minimum=0))
    )
    network = QuadraticNetwork.from_student(
        problem.student, activation=problem.activation, ensemble=S, dtype=dtype, device=device
    )
    with torch.no_grad():
        network.W.copy_(torch.from_numpy(W[:, None]))
    data = GaussianData(problem, batch, label_noise=label_noise, seeds=S, seed=seed).batches(dtype, device)
    towards = torch.tensor(v, dtype=dtype, device=device)
    at = torch.full((S,), -1, device=device)  # step at which each network was there first

    def losses(n: int) -> Tensor:
        x, y = next(data)
        return 0.5 * (network(x) - y).square().sum(-1).mean(-1)

    def record(n: int) -> None:
        m = network.W.detach()[:, 0] @ towards
        there = (m.abs() if index.is_even else m) >= overlap
        at[there & (at < 0)] = n

    with few_threads(S * batch * problem.inputs):
        descend(
            gradient_of(losses, [network.W]),
            OnSphere(HeavyBall([network.W], 0.0), network.W),
            eta,
            Clock(eta).steps_until(t_end),
            record=record,
            stop=lambda _: bool((at >= 0).all()),
            what=f"d = {problem.inputs}",
            progress=progress,
        )
    reached = at.cpu().numpy()
    times = np.where(reached >= 0, eta * reached, np.inf)
    return TrainedEscape(problem.inputs, times, eta, batch, t_end)


@dataclass(frozen=True, eq=False)
class EscapeCurve:
    """Escape time against the input dimension for one activation, of student and teacher alike.

    Parameters
    ----------
    activation : Activation
    exponent : int
        k.
    inputs : (n,) integer array
        d, of the theory.
    flow : (n,) array
        Time of the flow from 1/√d.
    leading : (n,) array or None
        Its leading term in d; None where it does not grow.
    runs : tuple of TrainedEscape
        Networks from 1/√d, by gradient descent in batches so large that noise is small.
    """

    activation: Activation
    exponent: int
    inputs: NDArray[np.int64]
    flow: Array
    leading: Array | None
    runs: tuple[TrainedEscape, ...]


@dataclass(frozen=True, eq=False)
class NoiseCurve:
    """How much longer one-pass SGD, one sample a step, takes than the flow, against step times d.

    Parameters
    ----------
    activation : Activation
    inputs : int
        Of the networks; the theory is of leading order in it.
    start, overlap : float
    flow_time : float
    rates : (n,) array
        ηd of the theory, below the largest.
    ratio : (n,) array
        Mean time over that of the flow.
    largest : float
        ηd from which on the mean never gets there.
    runs : tuple of TrainedEscape
    """

    activation: Activation
    inputs: int
    start: float
    overlap: float
    flow_time: float
    rates: Array
    ratio: Array
    largest: float
    runs: tuple[TrainedEscape, ...]


@dataclass(frozen=True, eq=False)
class EscapeTimes:
    """Escape times against the input dimension, and against the step of SGD.

    Parameters
    ----------
    curves : tuple of EscapeCurve
    overlap : float
        That is reached.
    noise : NoiseCurve or None
    """

    curves: tuple[EscapeCurve, ...]
    overlap: float
    noise: NoiseCurve | None

    def summary(self) -> str:
        """A line for every ensemble of networks, beside what is predicted."""
        lines = []
        for curve in self.curves:
            lines.append(f"{curve.activation}: information exponent {curve.exponent}")
            for run in curve.runs:
                predicted = float(curve.flow[curve.inputs == run.inputs][0])
                lines.append(f"  flow {predicted:.4g}, {run.summary()}")
        if self.noise is not None:
            lines.append(f"{self.noise.activation}: one-pass SGD, flow {self.noise.flow_time:.4g}")
            lines += [f"  ηd = {run.step * run.inputs:.3g}, {run.summary()}" for run in self.noise.runs]
        return "\n".join(lines)


def escape_times(
    activations: Sequence[Activation | str] = ("hermite:2", "hermite:3", "hermite:4"),
    largest: Sequence[int] = (896, 112, 28),
    rates: Sequence[float] = (0.05, 0.1, 0.15, 0.2, 0.25, 0.4),
    *,
    overlap: float = 0.5,
    seeds: int = 16,
    seed: int = 0,
    device: str = "cpu",
    progress: bool = False,
) -> EscapeTimes:
    """Escape times over the input dimension d = 7, 14, 28 … 1792, and of the first activation over the step of SGD.

    Parameters
    ----------
    activations : sequence
        Of student and teacher alike.
    largest : sequence of int
        For each, the largest d at which networks are trained; 0: none.
    rates : sequence of float
        ηd of SGD in 200 dimensions, from overlap 0.3 to 0.8; none: no SGD.
    overlap : float
        That is reached by gradient descent.
    seeds : int
        Networks by gradient descent for each d; four times as many by SGD for each rate.
    seed, device, progress
        As for `empirical.train`.

    Raises
    ------
    ProblemError
        If an argument is not usable, or an activation never reaches the overlap with its own kind.
    """
    if len(activations) != len(largest):
        raise ProblemError(
            f"`largest` has {len(largest)} entries, but there are {len(activations)} activations: give one for each."
        )
    how = {"seeds": validate_count("seeds", seeds), "seed": seed, "device": device, "progress": progress}
    phis = [Activation.parse(phi) for phi in activations]
    ends = [validate_count("largest", end, minimum=0) for end in largest]
    curves = tuple(_curve(phi, end, overlap, how) for phi, end in zip(phis, ends, strict=True))
    noise = None
    if len(rates):
        noise = noise_curve(phis[0], rates, **(how | {"seeds": SGD_SEEDS * seeds}))
    return EscapeTimes(curves, overlap, noise)


def noise_curve(
    activation: Activation | str,
    rates: Sequence[float],
    *,
    inputs: int = 200,
    start: float = 0.3,
    overlap: float = 0.8,
    seeds: int = 64,
    seed: int = 0,
    device: str = "cpu",
    progress: bool = False,
) -> NoiseCurve:
    """Time of one-pass SGD from overlap to overlap at steps η = rates/d, in theory and trained.

    Parameters
    ----------
    activation : Activation or str
        Of student and teacher alike.
    rates : sequence of float
        ηd. Networks are trained for `PATIENCE` times what theory predicts, where it predicts nothing for `ENDLESS`
        times the time of the flow.
    inputs, start, overlap, seeds, seed, device, progress
        As for `train_escape`.

    Raises
    ------
    ProblemError
        If an argument is not usable.
    """
    problem, d = one_unit(activation, inputs), inputs
    plain = escape(problem, overlap=overlap, overlap_at_start=start)
    if plain.flow_time is None or plain.largest_step is None:
        raise ProblemError(
            f"The activation {activation!s} does not go from overlap {start:g} to {overlap:g} alone."
        )
    flow_time, end = plain.flow_time, plain.largest_step * d

    def ratio(rate: float) -> float:
        time = escape(problem, overlap=overlap, overlap_at_start=start, step=rate / d).sgd_time
        return float("inf") if time is None else time / flow_time

    runs = []
    for rate in (validate_real("rates", r, positive=True) for r in rates):
        factor = ratio(rate)
        runs.append(
            train_escape(
                problem,
                step=rate / d,
                t_end=flow_time * (PATIENCE * factor if np.isfinite(factor) else ENDLESS),
                overlap=overlap,
                overlap_at_start=start,
                seeds=seeds,
                seed=seed,
                device=device,
                progress=progress,
            )
        )
    grid = np.linspace(0.01, 0.95, 48) * end
    ratios = np.array([ratio(r) for r in grid])
    return NoiseCurve(problem.activation, d, start, overlap, flow_time, grid, ratios, end, tuple(runs))


def one_unit(activation: Activation | str, inputs: int) -> Problem:
    """A unit of fixed weight 1 that learns one of its kind."""
    student = Student(np.eye(1, inputs), [1.0], trainable=False)
    return Problem(Teacher(np.eye(1, inputs), [1.0]), student, activation)


def _curve(phi: Activation, largest: int, overlap: float, how: dict[str, Any]) -> EscapeCurve:
    """Theory at every d, networks up to the largest."""
    index = single_index(one_unit(phi, int(INPUTS[0])))
    flow, k = index.flow(), index.exponent
    times = np.array([flow.time(d**-0.5, overlap) for d in INPUTS.tolist()])
    if k is None or not np.isfinite(times).all():
        raise ProblemError(
            f"The activation {phi.name!r} never reaches the overlap {overlap:g} with its own kind."
        )
    laws = [leading_time(k, index.strength, d) for d in INPUTS.tolist()]
    leading = None if k == 1 else np.array(laws, dtype=float)
    runs = tuple(
        _descend(phi, escape(one_unit(phi, d), overlap=overlap), how)
        for d in TRAINED.tolist()
        if d <= largest
    )
    return EscapeCurve(phi, k, INPUTS, times, leading, runs)


def _descend(phi: Activation, theory: Escape, how: dict[str, Any]) -> TrainedEscape:
    """Gradient descent from 1/√d in batches that keep the noise small."""
    time, wins = theory.flow_time, theory.largest_step
    if not time:
        raise ProblemError(
            f"`overlap` is {theory.overlap:g}, which 1/√d exceeds for d = {theory.inputs}: raise it."
        )
    step = time / DESCENT_STEPS
    batch = 1 if wins is None else int(np.ceil(step / (QUIET * wins)))
    return train_escape(
        one_unit(phi, theory.inputs),
        step=step,
        t_end=PATIENCE * time,
        batch=batch,
        overlap=theory.overlap,
        overlap_at_start=theory.overlap_at_start,
        **how,
    )
